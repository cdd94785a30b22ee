//! The watcher: realtime and sweeps become one endless stream of verification ids in the queue.
//!
//! Events are hints; their payload is dropped. The watch proves itself: our own heartbeat row, patched every
//! [`BEAT_EVERY`], must come back over the same stream within [`BEAT_BACK_WITHIN`], or the connection is replaced and
//! everything open is listed again. `PocketBase` cuts every stream after 30 minutes, so a new one is opened before that and
//! the old one dropped only when the new one is in force.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::base::backoff::Backoff;
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::chain;
use crate::controller::queue::Queue;
use crate::pocketbase::realtime::{Change, Connection, End, Event};
use crate::pocketbase::records::Collection;
use crate::pocketbase::records::NewHeartbeat;
use crate::pocketbase::{Client, PocketbaseError, Remedy};

/// How often the heartbeat row is patched. It also resets `PocketBase`'s five-minute idle limit.
pub const BEAT_EVERY: Duration = Duration::from_secs(10);
/// How long a heartbeat may take to come back.
pub const BEAT_BACK_WITHIN: Duration = Duration::from_secs(5);
/// How long a heartbeat that came back vouches for the stream: the next must be back by then.
const PROOF_HOLDS: Duration = BEAT_EVERY.saturating_add(BEAT_BACK_WITHIN);
/// How often what may have been missed is listed although no event came.
pub const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Streams are replaced at this age, before the server's 30 minutes.
const RECONNECT_AT: Duration = Duration::from_secs(25 * 60);
/// Each so many-th sweep looks at everything open: every ten minutes.
const FULL_SWEEP_EVERY: u32 = 20;
/// Rows are stamped before they are committed: a sweep looks back this much further than the one before began.
const SWEEP_OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// Ids a page of a sweep.
const SWEEP_PAGE: usize = 500;
/// Whoever does something now comes before what became due within this time: a person who waits before a screen must not stand
/// behind a backlog. What waited longer than this goes first, so that nothing waits for ever.
const NEWCOMERS_AHEAD: Duration = Duration::from_secs(10 * 60);
/// A peer that was silent for this long is not counted on.
const PEER_SILENT: Duration = Duration::from_secs(40);
/// Head start of the instance that rendezvous hashing names. Only a hint: the journal decides.
const HEAD_START: Duration = Duration::from_millis(1500);
/// Between connections that failed. One knock a second costs a `PocketBase` that comes back nothing, and it is noticed within two.
const RECONNECT: Backoff = Backoff { first: Duration::from_millis(250), cap: Duration::from_secs(1) };
/// A connection that lasted this long was good: the next failure counts as the first.
const GOOD_AFTER: Duration = Duration::from_secs(60);

/// What is subscribed: everything a verification depends on, and the heartbeats. Of a verification's own rows only what people
/// create is news, see [`Watcher::heard`].
const WATCHED: &[Collection] = &[
    Collection::Verifications,
    Collection::Documents,
    Collection::LivenessSessions,
    Collection::DeviceSignals,
    Collection::Actions,
    Collection::Policies,
    Collection::Users,
    Collection::WebhookEndpoints,
    Collection::Heartbeats,
];

/// How the watch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchHealth {
    /// Whether `PocketBase` answered the last time it was asked.
    pub reachable: bool,
    /// Whether it accepts our login.
    pub authenticated: bool,
    /// When a heartbeat last came back.
    pub proved_at: Option<std::time::Instant>,
}

/// The watcher's parts.
pub struct Watcher {
    client: Client,
    queue: Queue,
    instance: String,
    version: &'static str,
    pulse: watch::Sender<WatchHealth>,
    /// Told of which verification something may have changed, for readers who wait and for answers that are kept.
    on_change: Box<dyn Fn(&str) + Send + Sync>,
    /// The list that is being walked, if one is. It outlives the connection it was begun for: streams that break as soon as they
    /// are opened must not keep what is open from being found.
    sweeping: JoinSet<Result<(), PocketbaseError>>,
    /// When each peer was last heard of. Our own instance is not among them.
    peers: HashMap<String, Instant>,
    beat: u64,
    /// The last beat that `PocketBase` said it had stored.
    stored_beat: u64,
    started_at: Option<Timestamp>,
}

/// Why a connection was given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("could not connect")]
    Connect(#[source] PocketbaseError),
    #[error("the stream ended: {0:?}")]
    Ended(End),
    #[error("the stream is deaf: a heartbeat did not come back")]
    NoEcho,
    #[error("the heartbeat could not be written")]
    Heartbeat(#[source] PocketbaseError),
    #[error("what is open could not be listed")]
    Sweep(#[source] PocketbaseError),
}

impl Watcher {
    /// A watcher that fills `queue` and reports its pulse. `on_change` hears of which verification something may
    /// have changed; it must not wait.
    pub fn new(
        client: Client,
        queue: Queue,
        instance: String,
        version: &'static str,
        on_change: impl Fn(&str) + Send + Sync + 'static,
    ) -> (Self, watch::Receiver<WatchHealth>) {
        let (pulse, receiver) = watch::channel(WatchHealth::default());
        let on_change = Box::new(on_change);
        let started_at = client.now();
        let watcher = Self {
            client,
            queue,
            instance,
            version,
            pulse,
            on_change,
            sweeping: JoinSet::new(),
            peers: HashMap::new(),
            beat: 0,
            stored_beat: 0,
            started_at,
        };
        (watcher, receiver)
    }

    /// Watches until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let lost = tokio::select! {
                lost = self.watch() => lost,
                () = shutdown.cancelled() => return,
            };
            self.note(&lost);
            reached(Point::WatchLost);
            failures = if began.elapsed() >= GOOD_AFTER { 1 } else { failures + 1 };
            let delay = RECONNECT.delay(failures, rand::random(), None);
            tokio::select! {
                () = sleep(delay) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    fn note(&self, lost: &Lost) {
        warn!(reason = chain(lost), "watch lost; connecting again");
        metrics::counter!("watch_lost_total").increment(1);
        let cause = match lost {
            Lost::Connect(error) | Lost::Heartbeat(error) | Lost::Sweep(error) => Some(error.remedy()),
            Lost::Ended(_) | Lost::NoEcho => None,
        };
        self.pulse.send_modify(|pulse| match cause {
            Some(Remedy::Login) => pulse.authenticated = false,
            Some(_) => pulse.reachable = false,
            None => {}
        });
    }

    /// One connection after another, each proved, until one is lost.
    async fn watch(&mut self) -> Lost {
        let mut connection = match self.client.connect(WATCHED).await {
            Ok(connection) => connection,
            Err(error) => return Lost::Connect(error),
        };
        if let Err(error) = self.notice_a_restore().await {
            return Lost::Connect(error);
        }
        reached(Point::WatchConnected);
        loop {
            match self.follow(connection).await {
                Ok(next) => connection = next,
                Err(lost) => return lost,
            }
        }
    }

    /// A `PocketBase` that was restored from a backup has forgotten beats that it had stored. Nothing more need be done about it than to
    /// say so: the first sweep of a connection looks at everything open, and each piece of work has the same key as before.
    async fn notice_a_restore(&mut self) -> Result<(), PocketbaseError> {
        let stored = self.client.last_beat(&self.instance).await?.unwrap_or(0);
        if stored < self.stored_beat {
            error!(
                stored,
                expected = self.stored_beat,
                "PocketBase went back in time (restored from a backup?): what it forgot is lost, and what is open is done again. Two sidecars with one INSTANCE look the same"
            );
            metrics::counter!("pocketbase_went_back_total").increment(1);
            self.stored_beat = stored;
        }
        Ok(())
    }

    /// Follows one connection until it is replaced by a younger one or lost. The stream is always polled: sweeps,
    /// heartbeats and the next connection run beside it.
    async fn follow(&mut self, mut connection: Connection) -> Result<Connection, Lost> {
        let mut tasks: JoinSet<Result<Done, Lost>> = JoinSet::new();
        let mut beats = interval(BEAT_EVERY);
        let mut sweeps = interval(SWEEP_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let old = sleep(RECONNECT_AT);
        tokio::pin!(old);
        // The first sweep of a connection, and now and then another, looks at everything that is open; the others only at
        // what moves by itself and at what came since the one before. Ten thousand people who take their time would
        // otherwise cost ten thousand reads every time.
        let mut swept_since: Option<Timestamp> = None;
        let mut sweep_number: u32 = 0;
        let mut replacing = false;
        // The beat that must come back, and until when.
        let mut awaited: Option<(u64, Instant)> = None;
        loop {
            let deaf = awaited.map_or_else(|| Instant::now() + Duration::from_secs(3600), |(_, until)| until);
            tokio::select! {
                event = connection.next() => {
                    let event = event.map_err(Lost::Ended)?;
                    if self.heard(&event) {
                        awaited = awaited.filter(|(beat, _)| event.beat.as_ref().is_none_or(|(_, n)| n < beat));
                    }
                }
                _ = beats.tick() => {
                    self.beat += 1;
                    // The write itself may take as long as a request may; the clock for its echo starts with it.
                    awaited = awaited.or(Some((self.beat, Instant::now() + BEAT_BACK_WITHIN + BEAT_EVERY)));
                    self.spawn_beat(&mut tasks);
                }
                _ = sweeps.tick(), if self.sweeping.is_empty() => {
                    let sweep = self.sweep(swept_since.filter(|_| !sweep_number.is_multiple_of(FULL_SWEEP_EVERY)));
                    sweep_number += 1;
                    swept_since = self.client.now().and_then(|now| now.checked_sub(SWEEP_OVERLAP).ok());
                    self.sweeping.spawn(async move { sweep.run().await });
                }
                () = &mut old, if !replacing => {
                    replacing = true;
                    let client = self.client.clone();
                    tasks.spawn(async move {
                        client.connect(WATCHED).await.map(|c| Done::Connected(Box::new(c))).map_err(Lost::Connect)
                    });
                }
                Some(done) = tasks.join_next() => match done {
                    Ok(Ok(Done::Connected(next))) => {
                        info!("stream replaced before its age limit");
                        return Ok(*next);
                    }
                    Ok(Ok(Done::Beat(beat))) => {
                        self.stored_beat = self.stored_beat.max(beat);
                        // Written: from here the echo has its own, shorter deadline.
                        let until = Instant::now() + BEAT_BACK_WITHIN;
                        awaited = awaited.map(|(n, at)| if n == beat { (n, at.min(until)) } else { (n, at) });
                    }
                    Ok(Err(lost)) => return Err(lost),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                Some(done) = self.sweeping.join_next() => match done {
                    Ok(swept) => swept.map_err(Lost::Sweep)?,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                () = tokio::time::sleep_until(deaf), if awaited.is_some() => return Err(Lost::NoEcho),
            }
        }
    }

    fn sweep(&mut self, since: Option<Timestamp>) -> Sweep {
        Sweep { client: self.client.clone(), queue: self.queue.clone(), rendezvous: self.rendezvous(), since }
    }

    fn spawn_beat(&self, tasks: &mut JoinSet<Result<Done, Lost>>) {
        let client = self.client.clone();
        let (instance, version, beat, started_at) = (self.instance.clone(), self.version, self.beat, self.started_at);
        tasks.spawn(async move {
            let row = NewHeartbeat { instance: &instance, version, beat, started_at };
            reached(Point::BeatDue);
            let written = client.heartbeat(&row).await.map_err(Lost::Heartbeat);
            reached(Point::BeatWritten);
            written.map(|_| Done::Beat(beat))
        });
    }

    /// Takes an event in; whether it is our own heartbeat.
    fn heard(&mut self, event: &Event) -> bool {
        match &event.beat {
            Some((instance, _)) if *instance == self.instance => {
                let now = Some(std::time::Instant::now());
                self.pulse.send_replace(WatchHealth { reachable: true, authenticated: true, proved_at: now });
                self.client.renew_cache_lease(std::time::Instant::now() + PROOF_HOLDS);
                return true;
            }
            Some((instance, _)) => {
                self.peers.insert(instance.clone(), Instant::now());
            }
            None if event.collection == Collection::Policies => self.client.policies_changed(),
            None if event.collection == Collection::WebhookEndpoints => self.client.endpoints_changed(),
            None if event.collection == Collection::Users => self.client.user_changed(&event.record),
            None if event.verification.is_empty() => debug!("an event without a verification"),
            None => {
                reached(Point::EventHeard);
                (self.on_change)(&event.verification);
                // Only the service updates rows, and whoever wrote one has looked already: its own timers and the
                // sweep cover the rest. Following our own echoes would double every read.
                if event.change == Change::Update {
                    // If they die with evidence that came since, the next sweep finds it.
                    if event.collection == Collection::Verifications {
                        self.queue.others_looked(&event.verification);
                    }
                    return false;
                }
                let wait = self.rendezvous().wait(&event.verification);
                let now = Instant::now();
                // A full queue loses nothing: the next sweep finds what is open.
                let _ = if wait.is_zero() {
                    self.queue.push(&event.verification, now.checked_sub(NEWCOMERS_AHEAD).unwrap_or(now))
                } else {
                    self.queue.push_for_others(&event.verification, now + wait)
                };
            }
        }
        false
    }

    /// Whose turn it is, by the peers heard of lately.
    fn rendezvous(&mut self) -> Rendezvous {
        self.peers.retain(|_, heard| heard.elapsed() < PEER_SILENT);
        Rendezvous { instance: self.instance.clone(), peers: self.peers.keys().cloned().collect() }
    }
}

/// What a task beside the stream brought.
enum Done {
    Beat(u64),
    Connected(Box<Connection>),
}

/// Rendezvous hashing over the live instances.
struct Rendezvous {
    instance: String,
    peers: Arc<[String]>,
}

impl Rendezvous {
    /// How long to leave `id` to the instance whose turn it is.
    fn wait(&self, id: &str) -> Duration {
        let mine = score(&self.instance, id);
        if self.peers.iter().any(|peer| score(peer, id) > mine) { HEAD_START } else { Duration::ZERO }
    }
}

/// FNV-1a with a finisher that spreads the last bytes over all bits (names often differ only there): the same on every
/// machine and in every version, and needs to be nothing more.
fn score(instance: &str, id: &str) -> u64 {
    let hash = instance
        .bytes()
        .chain([0])
        .chain(id.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// A list of everything that may need a look.
struct Sweep {
    client: Client,
    queue: Queue,
    rendezvous: Rendezvous,
    /// What came since is looked at; `None` looks at everything open.
    since: Option<Timestamp>,
}

impl Sweep {
    /// Everything that is open, or only what may have been missed since the last sweep; and the verifications with an action
    /// that nobody handled.
    async fn run(&self) -> Result<(), PocketbaseError> {
        // An expired login lists nothing and says nothing: only a proved one may say that there is nothing to do.
        let now = self.client.probe().await?;
        let mut after = String::new();
        loop {
            let page = match self.since {
                None => self.client.open_ids(&after, SWEEP_PAGE).await?,
                Some(_) => self.client.due_ids(now, &after, SWEEP_PAGE).await?,
            };
            if !page.is_empty() {
                reached(Point::SweepPage);
            }
            for id in &page {
                self.push(id).await;
            }
            match page.last() {
                Some(last) if page.len() == SWEEP_PAGE => last.clone_into(&mut after),
                _ => break,
            }
        }
        if let Some(since) = self.since {
            for id in self.client.ids_with_evidence_since(since, SWEEP_PAGE).await? {
                self.push(&id).await;
            }
        }
        for id in self.client.unhandled_action_ids(self.since, SWEEP_PAGE).await? {
            self.push(&id).await;
        }
        reached(Point::SweepDone);
        Ok(())
    }

    async fn push(&self, id: &str) {
        while self.queue.push(id, Instant::now() + self.rendezvous.wait(id)).is_err() {
            self.queue.room().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_one_instances_turn_and_the_load_is_shared() {
        let names = ["a:8000", "b:8000", "c:8000"];
        let turns: Vec<Rendezvous> = names
            .iter()
            .map(|me| Rendezvous {
                instance: (*me).to_owned(),
                peers: names.iter().filter(|n| n != &me).map(|n| (*n).to_owned()).collect(),
            })
            .collect();
        let mut counts = [0; 3];
        for n in 0..3000 {
            let id = format!("record{n:09}");
            let first: Vec<usize> = (0..3).filter(|i| turns[*i].wait(&id).is_zero()).collect();
            assert_eq!(first.len(), 1, "{id}");
            counts[first[0]] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
