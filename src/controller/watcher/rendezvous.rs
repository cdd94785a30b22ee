//! Rendezvous hashing: which of the live sidecars handles an id first.
//!
//! It is a hint that saves reads. The journal decides between two sidecars that handle the same id.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// Time after its last heartbeat for which a peer counts as alive.
const PEER_SILENT: Duration = Duration::from_secs(40);
/// Head start of the instance that is named for an id.
const HEAD_START: Duration = Duration::from_millis(1500);

/// The other sidecars on the same `PocketBase`, by their heartbeats.
#[derive(Debug, Default)]
pub(super) struct Peers {
    heard_at: HashMap<String, Instant>,
}

impl Peers {
    /// Notes a heartbeat of `peer` at `now`.
    pub fn heard(&mut self, peer: &str, now: Instant) {
        self.heard_at.insert(peer.to_owned(), now);
    }

    /// The rendezvous of `instance` with the peers that are alive at `now`.
    pub fn rendezvous(&mut self, instance: &str, now: Instant) -> Rendezvous {
        self.heard_at.retain(|_, heard_at| now.duration_since(*heard_at) < PEER_SILENT);
        Rendezvous { instance: instance.to_owned(), peers: self.heard_at.keys().cloned().collect() }
    }
}

/// The live sidecars at one moment, as seen by one of them.
#[derive(Debug, Clone)]
pub(super) struct Rendezvous {
    instance: String,
    /// The live sidecars without `instance`.
    peers: Arc<[String]>,
}

impl Rendezvous {
    /// How long this instance leaves `id` to another one: zero when it is the one with the highest
    /// score.
    pub fn wait(&self, id: &str) -> Duration {
        let own = score(&self.instance, id);
        if self.peers.iter().any(|peer| score(peer, id) > own) { HEAD_START } else { Duration::ZERO }
    }
}

/// FNV-1a with a finisher that spreads the last bytes over all bits, because names often differ
/// only there. It is the same on every machine and in every version, and need not be more.
fn score(instance: &str, id: &str) -> u64 {
    let hash = instance
        .bytes()
        .chain([0])
        .chain(id.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["a:8000", "b:8000", "c:8000"];

    /// What `instance` sees when all of [`NAMES`] are alive.
    fn rendezvous(instance: &str) -> Rendezvous {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for peer in NAMES.iter().filter(|name| **name != instance) {
            peers.heard(peer, now);
        }
        peers.rendezvous(instance, now)
    }

    #[test]
    fn each_id_belongs_to_one_instance_and_the_load_is_shared() {
        let all = NAMES.map(rendezvous);
        let mut counts = [0; 3];
        for n in 0..3000 {
            let id = format!("record{n:09}");
            let first: Vec<usize> = (0..3).filter(|i| all[*i].wait(&id).is_zero()).collect();
            assert_eq!(first.len(), 1, "{id}");
            counts[first[0]] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_ids_of_a_silent_peer_fall_to_the_others_and_no_other_id_moves() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.heard("b:8000", now);
        peers.heard("c:8000", now + Duration::from_secs(1));
        let before = peers.rendezvous("a:8000", now + PEER_SILENT.saturating_sub(Duration::from_secs(1)));
        let after = peers.rendezvous("a:8000", now + PEER_SILENT);
        let ids = || (0..300).map(|n| format!("record{n:09}"));
        let turns = |rendezvous: &Rendezvous| ids().filter(|id| rendezvous.wait(id).is_zero()).collect::<Vec<_>>();
        let (before, after) = (turns(&before), turns(&after));
        assert!(before.iter().all(|id| after.contains(id)), "what was its own stays its own");
        assert!(after.len() > before.len(), "{} and {}", before.len(), after.len());
        assert!(after.len() < 300, "the other peer is still alive");
    }

    #[test]
    fn a_sidecar_alone_waits_for_no_other() {
        let alone = Peers::default().rendezvous("a:8000", Instant::now());
        assert!((0..300).all(|n| alone.wait(&format!("record{n:09}")).is_zero()));
    }

    #[test]
    fn scores_are_the_same_in_every_version() {
        // Two sidecars of different versions must name the same instance.
        assert_eq!(score("a:8000", "record000000001"), 0xb20e_0717_5e5e_a8c7);
    }
}
