//! Finished answers of `GET /api/v1/status/{id}`, served again while the watch vouches that they are still true.
//!
//! `PocketBase` stays the truth: an answer is only kept if it was read while the watch was proved, and every way to learn that it
//! may be old drops it. Who asks gets an answer that is not older than any this facade gave before.
//!
//! - *A change is committed.* Its event drops the answer. Until it arrives, milliseconds later, the last answer is served, as
//!   a read that came a moment earlier would have been.
//! - *A slow read.* A read that began before an event must not be kept after it: [`StatusCache::begin_read`] notes a mark, the event
//!   moves it, and [`StatusCache::insert`] refuses what was read under another.
//! - *Another handler showed more.* Whatever version a handler reads goes through [`StatusCache::observe_version`], which drops what is
//!   older and moves the mark. So a version that was shown is never taken back, whatever order events come in.
//! - *Somebody saw more elsewhere*, through another sidecar or over realtime, and says so in `If-None-Match`: the handler
//!   reads afresh when that names a version above the kept one.
//! - *The watch is lost.* That ends the epoch; what was read in another one is not served, and nothing is kept until a heartbeat
//!   came back again.
//! - *The watch is deaf and nobody knows yet.* A heartbeat vouches for a limited time only ([`Client::cache_epoch`]); an answer can
//!   be that old at most, and only then.
//! - *No event ever tells.* An epoch ends by itself after a minute, and each answer is read again in the next.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};

use bytes::Bytes;

use crate::base::lock::Mutex;
#[cfg(doc)]
use crate::pocketbase::Client;
use crate::pocketbase::cache_lease::Epoch;

/// Answers kept at most; at about half a kilobyte each that is a few megabytes.
const ANSWERS_MAX: usize = 8192;
/// Marks that ids share. Two ids with one mark only mean that an answer is not kept once in a while.
const MARKS: usize = 4096;
/// Length of a record's id.
const ID_LENGTH: usize = 15;

type Id = [u8; ID_LENGTH];

/// A finished answer. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedStatus {
    /// The version it shows.
    pub version: u32,
    /// Whose verification it is.
    pub user: Arc<str>,
    /// The body.
    pub body: Bytes,
}

/// The kept answers. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct StatusCache {
    shared: Arc<Mutex<Shelf>>,
}

/// A read under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingRead {
    id: Id,
    epoch: Epoch,
    mark: u64,
}

#[derive(Debug)]
struct Shelf {
    marks: Vec<u64>,
    /// What was asked for lately, and what was before: when the first is full the second is forgotten.
    young: HashMap<Id, (Epoch, CachedStatus)>,
    old: HashMap<Id, (Epoch, CachedStatus)>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { marks: vec![0; MARKS], young: HashMap::new(), old: HashMap::new() }
    }
}

impl StatusCache {
    /// The answer for `id` that was read in `epoch`.
    pub fn get(&self, id: &str, epoch: Epoch) -> Option<CachedStatus> {
        let id = key(id)?;
        let mut kept = self.lock();
        if let Some((read_in, answer)) = kept.young.get(&id) {
            return (*read_in == epoch).then(|| answer.clone());
        }
        let (read_in, answer) = kept.old.remove(&id)?;
        if read_in != epoch {
            return None;
        }
        kept.insert(id, (epoch, answer.clone()));
        Some(answer)
    }

    /// Begins a read of `id` in `epoch` whose answer may be kept.
    pub fn begin_read(&self, id: &str, epoch: Epoch) -> Option<PendingRead> {
        let id = key(id)?;
        let mark = self.lock().marks[slot(&id)];
        Some(PendingRead { id, epoch, mark })
    }

    /// Keeps what `reading` brought, unless something happened meanwhile.
    pub fn insert(&self, reading: PendingRead, answer: CachedStatus) {
        let mut kept = self.lock();
        if kept.marks[slot(&reading.id)] == reading.mark {
            kept.insert(reading.id, (reading.epoch, answer));
        }
    }

    /// Somebody is being shown `version` of `id`, read from `PocketBase`; `own` is that very read if it may be kept. Older answers
    /// go, and older reads under way will not be kept. The returned reading is the one to keep.
    pub fn observe_version(&self, id: &str, version: u32, own: Option<PendingRead>) -> Option<PendingRead> {
        let id = key(id)?;
        let mut kept = self.lock();
        let stale = |(_, answer): &(Epoch, CachedStatus)| answer.version < version;
        if kept.young.get(&id).is_some_and(stale) {
            kept.young.remove(&id);
        }
        if kept.old.get(&id).is_some_and(stale) {
            kept.old.remove(&id);
        }
        let own = own.filter(|own| own.mark == kept.marks[slot(&id)]);
        kept.marks[slot(&id)] += 1;
        let mark = kept.marks[slot(&id)];
        own.map(|own| PendingRead { mark, ..own })
    }

    /// An event says that `id` may have changed.
    pub fn invalidate(&self, id: &str) {
        let Some(id) = key(id) else { return };
        let mut kept = self.lock();
        kept.young.remove(&id);
        kept.old.remove(&id);
        kept.marks[slot(&id)] += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shared.lock()
    }
}

impl Shelf {
    fn insert(&mut self, id: Id, answer: (Epoch, CachedStatus)) {
        if self.young.len() >= ANSWERS_MAX / 2 && !self.young.contains_key(&id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&id);
        self.young.insert(id, answer);
    }
}

fn key(id: &str) -> Option<Id> {
    id.as_bytes().try_into().ok()
}

/// FNV-1a over the id.
fn slot(id: &Id) -> usize {
    let hash = id
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash % MARKS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::pocketbase::cache_lease::CacheLease;

    const A: &str = "aaaaaaaaaaaaaaa";

    fn answer(version: u32) -> CachedStatus {
        CachedStatus { version, user: "u".into(), body: Bytes::from(version.to_string()) }
    }

    /// Nothing kept yet, in a watch that is vouched for.
    fn leased() -> (StatusCache, CacheLease, Epoch) {
        let lease = CacheLease::default();
        let epoch = renewed(&lease);
        (StatusCache::default(), lease, epoch)
    }

    fn renewed(lease: &CacheLease) -> Epoch {
        let now = Instant::now();
        lease.renew(now + Duration::from_secs(20));
        lease.epoch(now).expect("leased")
    }

    /// A whole read, as the handler makes it.
    fn read(cache: &StatusCache, version: u32, epoch: Epoch) {
        let reading = cache.begin_read(A, epoch);
        if let Some(reading) = cache.observe_version(A, version, reading) {
            cache.insert(reading, answer(version));
        }
    }

    #[test]
    fn an_event_drops_the_answer_and_every_read_that_began_before_it() {
        let (cache, _, epoch) = leased();
        read(&cache, 1, epoch);
        assert_eq!(cache.get(A, epoch), Some(answer(1)));
        let slow = cache.begin_read(A, epoch);
        cache.invalidate(A);
        assert_eq!(cache.get(A, epoch), None);
        assert_eq!(cache.observe_version(A, 1, slow), None, "read before the event");
        read(&cache, 2, epoch);
        assert_eq!(cache.get(A, epoch), Some(answer(2)));
    }

    #[test]
    fn what_was_shown_is_never_taken_back() {
        let (cache, _, epoch) = leased();
        read(&cache, 1, epoch);
        let slow = cache.begin_read(A, epoch);
        cache.observe_version(A, 2, None);
        assert_eq!(cache.get(A, epoch), None, "older than what another handler showed");
        assert_eq!(cache.observe_version(A, 1, slow), None, "began before version 2 was shown");
        let first = cache.observe_version(A, 2, cache.begin_read(A, epoch)).expect("kept");
        cache.observe_version(A, 3, None);
        cache.insert(first, answer(2));
        assert_eq!(cache.get(A, epoch), None, "version 3 was shown between reading and keeping");
    }

    #[test]
    fn what_was_read_before_a_loss_is_not_served_after_it() {
        let (cache, lease, before) = leased();
        read(&cache, 1, before);
        let slow = cache.observe_version(A, 1, cache.begin_read(A, before)).expect("kept");
        lease.end();
        let after = renewed(&lease);
        assert_eq!(cache.get(A, after), None);
        cache.insert(slow, answer(1));
        assert_eq!(cache.get(A, after), None, "what was being read");
        read(&cache, 2, after);
        assert_eq!(cache.get(A, after), Some(answer(2)));
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_asked_for() {
        let (cache, _, epoch) = leased();
        read(&cache, 1, epoch);
        for number in 0..3 * ANSWERS_MAX {
            let id = format!("{number:015}");
            let reading = cache.observe_version(&id, 1, cache.begin_read(&id, epoch)).expect("kept");
            cache.insert(reading, answer(1));
            cache.get(A, epoch).expect("asked for all the time");
        }
        let kept = cache.lock();
        assert!(kept.young.len() + kept.old.len() <= ANSWERS_MAX);
    }
}
