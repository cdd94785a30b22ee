//! The watcher: realtime events and sweeps become one endless flow of verification ids into the
//! queue.
//!
//! An event is a hint; its payload is dropped. The watch proves itself: a heartbeat row, written
//! every ten seconds, must come back over the same stream (`echo`), or the stream is replaced and
//! everything open is listed again (`sweep`). `PocketBase` ends every stream after 30 minutes, so
//! a new one is opened before that, and the old one is dropped only when the new subscription is in
//! force.
//!
//! With several sidecars on one `PocketBase`, all receive every event, and `rendezvous` hashing
//! names the one that handles it first.

mod connect;
mod echo;
mod rendezvous;
mod sweep;

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use self::connect::{Lost, REPLACE_AT, Reconnects, connect};
use self::echo::{Beats, Echo, HEARTBEAT_EVERY, PROOF_HOLDS, WentBack};
use self::rendezvous::Peers;
use self::sweep::{SWEEP_EVERY, Schedule, Scope, Sweep};
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::chain;
use crate::controller::queue::Queue;
use crate::pocketbase::realtime::{Change, Connection, Event};
use crate::pocketbase::records::Collection;
use crate::pocketbase::records::NewHeartbeat;
use crate::pocketbase::{Client, PocketbaseError, Remedy};

/// Head start of an id whose client did something now: it goes before ids that became due within
/// this time, since a person who waits at a screen must not wait for a backlog. Ids that have
/// waited longer go first, so that each is handled in the end.
const NEWCOMERS_AHEAD: Duration = Duration::from_secs(10 * 60);

/// The state of the watch, as the health endpoint reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchHealth {
    /// Whether `PocketBase` answered the last request of the watcher.
    pub reachable: bool,
    /// Whether `PocketBase` accepts the sidecar's login.
    pub authenticated: bool,
    /// When a heartbeat came back last.
    pub proved_at: Option<std::time::Instant>,
}

/// Watches `PocketBase` and fills the queue.
pub struct Watcher {
    client: Client,
    queue: Queue,
    instance: String,
    version: &'static str,
    started_at: Option<Timestamp>,
    health: watch::Sender<WatchHealth>,
    on_change: Box<dyn Fn(&str) + Send + Sync>,
    beats: Beats,
    peers: Peers,
    /// The sweep under way, if there is one. It outlives the stream that it was begun for: streams
    /// that break as soon as they are opened must not keep open verifications from being found.
    sweeping: JoinSet<Result<(), PocketbaseError>>,
}

/// What a task that runs in parallel to the stream has done.
enum Done {
    HeartbeatStored(u64),
    Connected(Box<Connection>),
}

impl Watcher {
    /// Creates a watcher that fills `queue`, and the receiver of its health.
    ///
    /// `on_change` is called with each verification that may have changed, for requests that wait
    /// and answers that are cached. It must not block.
    pub fn new(
        client: Client,
        queue: Queue,
        instance: String,
        version: &'static str,
        on_change: impl Fn(&str) + Send + Sync + 'static,
    ) -> (Self, watch::Receiver<WatchHealth>) {
        let (health, receiver) = watch::channel(WatchHealth::default());
        let watcher = Self {
            started_at: client.now(),
            client,
            queue,
            instance,
            version,
            health,
            on_change: Box::new(on_change),
            beats: Beats::default(),
            peers: Peers::default(),
            sweeping: JoinSet::new(),
        };
        (watcher, receiver)
    }

    /// Watches until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut reconnects = Reconnects::default();
        loop {
            let began = Instant::now();
            let lost = tokio::select! {
                lost = self.watch() => lost,
                () = shutdown.cancelled() => return,
            };
            self.note_loss(&lost);
            reached(Point::WatchLost);
            let delay = reconnects.delay(began.elapsed(), rand::random());
            tokio::select! {
                () = sleep(delay) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    fn note_loss(&self, lost: &Lost) {
        warn!(reason = chain(lost), "watch lost; connecting again");
        metrics::counter!("watch_lost_total").increment(1);
        self.health.send_modify(|health| match lost.remedy() {
            Some(Remedy::Login) => health.authenticated = false,
            Some(_) => health.reachable = false,
            None => {}
        });
    }

    /// Follows one stream after the other until one is lost.
    async fn watch(&mut self) -> Lost {
        let mut connection = match connect(&self.client).await {
            Ok(connection) => connection,
            Err(lost) => return lost,
        };
        if let Err(error) = self.check_for_restore().await {
            return Lost::Connect(error);
        }
        reached(Point::WatchConnected);
        loop {
            match self.follow(connection).await {
                Ok(younger) => connection = younger,
                Err(lost) => return lost,
            }
        }
    }

    /// Reports a `PocketBase` that was restored from a backup: it has forgotten heartbeats that it
    /// had stored.
    ///
    /// Nothing else needs to be done. The first sweep of a stream lists everything open, and the
    /// same work is done again under the same idempotency keys.
    async fn check_for_restore(&mut self) -> Result<(), PocketbaseError> {
        let stored = self.client.last_beat(&self.instance).await?;
        if let Some(WentBack { found, expected }) = self.beats.check(stored.unwrap_or(0)) {
            error!(
                stored = found,
                expected,
                "PocketBase went back in time. If it was restored from a backup, what was written since then is lost \
                 and open verifications are worked on again. If not, another sidecar has the same INSTANCE"
            );
            metrics::counter!("pocketbase_went_back_total").increment(1);
        }
        Ok(())
    }

    /// Follows one stream until a younger one replaces it or it is lost. Sweeps, heartbeats and the
    /// next connection run in tasks, so that the stream is always polled.
    async fn follow(&mut self, mut connection: Connection) -> Result<Connection, Lost> {
        let mut tasks: JoinSet<Result<Done, Lost>> = JoinSet::new();
        let mut heartbeats = ticks(HEARTBEAT_EVERY);
        let mut sweeps = ticks(SWEEP_EVERY);
        let mut schedule = Schedule::default();
        let mut echo = Echo::default();
        let too_old = sleep(REPLACE_AT);
        tokio::pin!(too_old);
        let mut replacing = false;
        loop {
            tokio::select! {
                event = connection.next() => {
                    if let Some(beat) = self.handle(&event.map_err(Lost::Ended)?) {
                        echo.heard(beat);
                    }
                }
                _ = heartbeats.tick() => {
                    let beat = self.beats.next();
                    echo.writing(beat, Instant::now());
                    self.spawn_heartbeat(beat, &mut tasks);
                }
                _ = sweeps.tick(), if self.sweeping.is_empty() => {
                    let scope = schedule.next(self.client.now());
                    self.spawn_sweep(scope);
                }
                () = &mut too_old, if !replacing => {
                    replacing = true;
                    let client = self.client.clone();
                    tasks.spawn(async move { Ok(Done::Connected(Box::new(connect(&client).await?))) });
                }
                Some(done) = tasks.join_next() => match joined(done)? {
                    Done::Connected(younger) => {
                        info!("stream replaced before its age limit");
                        return Ok(*younger);
                    }
                    Done::HeartbeatStored(beat) => {
                        self.beats.stored(beat);
                        echo.stored(beat, Instant::now());
                    }
                },
                Some(done) = self.sweeping.join_next() => joined(done).map_err(Lost::Sweep)?,
                () = until(echo.deadline()) => return Err(Lost::NoEcho),
            }
        }
    }

    fn spawn_sweep(&mut self, scope: Scope) {
        let rendezvous = self.peers.rendezvous(&self.instance, Instant::now());
        let sweep = Sweep { client: self.client.clone(), queue: self.queue.clone(), rendezvous, scope };
        self.sweeping.spawn(sweep.run());
    }

    fn spawn_heartbeat(&self, beat: u64, tasks: &mut JoinSet<Result<Done, Lost>>) {
        let client = self.client.clone();
        let (instance, version, started_at) = (self.instance.clone(), self.version, self.started_at);
        tasks.spawn(async move {
            let row = NewHeartbeat { instance: &instance, version, beat, started_at };
            reached(Point::BeatDue);
            let written = client.heartbeat(&row).await.map_err(Lost::Heartbeat);
            reached(Point::BeatWritten);
            written.map(|_| Done::HeartbeatStored(beat))
        });
    }

    /// Handles an event. Returns the number of a heartbeat of this instance.
    fn handle(&mut self, event: &Event) -> Option<u64> {
        match &event.beat {
            Some((instance, beat)) if *instance == self.instance => {
                let now = std::time::Instant::now();
                self.health.send_replace(WatchHealth { reachable: true, authenticated: true, proved_at: Some(now) });
                self.client.renew_cache_lease(now + PROOF_HOLDS);
                return Some(*beat);
            }
            Some((instance, _)) => self.peers.heard(instance, Instant::now()),
            None => match event.collection {
                Collection::Policies => self.client.policies_changed(),
                Collection::WebhookEndpoints => self.client.endpoints_changed(),
                Collection::Users => self.client.user_changed(&event.record),
                _ if event.verification.is_empty() => debug!("an event without a verification"),
                _ => self.handle_change(event),
            },
        }
        None
    }

    fn handle_change(&mut self, event: &Event) {
        let id = event.verification.as_str();
        reached(Point::EventHeard);
        (self.on_change)(id);
        // Only sidecars update rows, and the one that wrote this row has just made a pass. What is
        // due next is in its timers, and the sweeps are the backup. To follow its own events would
        // double every read.
        if event.change == Change::Update {
            if event.collection == Collection::Verifications {
                self.queue.cancel_backup(id);
            }
            return;
        }
        let wait = self.peers.rendezvous(&self.instance, Instant::now()).wait(id);
        let now = Instant::now();
        // A full queue loses nothing: the next sweep finds what is open.
        let _ = if wait.is_zero() {
            self.queue.push(id, now.checked_sub(NEWCOMERS_AHEAD).unwrap_or(now))
        } else {
            self.queue.push_as_backup(id, now + wait)
        };
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits until `deadline`; without one, never returns.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The result of a task. A panic in it becomes a panic here.
fn joined<T>(done: Result<T, tokio::task::JoinError>) -> T {
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::pocketbase::Settings;

    const ID: &str = "verification001";

    /// A watcher whose client has not asked anything, its queue, its health, and the ids it
    /// reported.
    struct Scene {
        watcher: Watcher,
        health: watch::Receiver<WatchHealth>,
        changed: Arc<Mutex<Vec<String>>>,
    }

    impl Scene {
        fn new() -> Self {
            let settings = Settings {
                url: "http://127.0.0.1:1".parse().expect("an address"),
                email: String::new(),
                password: String::new().into(),
                connect_timeout: Duration::from_secs(1),
                request_timeout: Duration::from_secs(1),
            };
            let client = Client::new(settings).expect("a client");
            let changed = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&changed);
            let on_change = move |id: &str| seen.lock().expect("a lock").push(id.to_owned());
            let (watcher, health) = Watcher::new(client, Queue::new(10), "a:8000".to_owned(), "1", on_change);
            Self { watcher, health, changed }
        }

        fn hear(&mut self, collection: Collection, change: Change, id: &str) -> Option<u64> {
            let verification = id.to_owned();
            self.watcher.handle(&Event {
                collection,
                record: "record000000001".to_owned(),
                verification,
                beat: None,
                change,
            })
        }

        fn hear_heartbeat(&mut self, instance: &str, beat: u64) -> Option<u64> {
            self.watcher.handle(&Event {
                collection: Collection::Heartbeats,
                record: "record000000001".to_owned(),
                verification: String::new(),
                beat: Some((instance.to_owned(), beat)),
                change: Change::Update,
            })
        }

        /// An id that rendezvous hashing gives to `b:8000` while that is alive.
        fn id_of_the_peer(&mut self) -> String {
            let rendezvous = self.watcher.peers.rendezvous("a:8000", Instant::now());
            let ids = (0..100).map(|n| format!("record{n:09}"));
            ids.into_iter().find(|id| !rendezvous.wait(id).is_zero()).expect("one of a hundred")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn new_evidence_goes_before_a_backlog_that_became_due_lately() {
        let mut scene = Scene::new();
        let now = Instant::now();
        scene.watcher.queue.push("backlog", now).expect("space");
        assert_eq!(scene.hear(Collection::Documents, Change::Create, ID), None);
        assert_eq!(scene.watcher.queue.next().await.expect("open").id(), ID);
        assert_eq!(*scene.changed.lock().expect("a lock"), [ID]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_a_sidecar_updated_is_reported_and_not_read_again() {
        let mut scene = Scene::new();
        scene.hear(Collection::Verifications, Change::Update, ID);
        assert!(scene.watcher.queue.is_empty());
        assert_eq!(*scene.changed.lock().expect("a lock"), [ID]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_of_a_peer_waits_and_is_dropped_when_the_peer_has_written() {
        let mut scene = Scene::new();
        scene.hear_heartbeat("b:8000", 1);
        let (id, began) = (scene.id_of_the_peer(), Instant::now());
        scene.hear(Collection::Documents, Change::Create, &id);
        drop(scene.watcher.queue.next().await.expect("open"));
        assert!(began.elapsed() > Duration::from_secs(1), "the peer had its head start");
        scene.hear(Collection::Documents, Change::Create, &id);
        scene.hear(Collection::Verifications, Change::Update, &id);
        assert!(scene.watcher.queue.is_empty(), "the peer has handled it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_of_its_own_proves_the_watch_and_that_of_a_peer_does_not() {
        let mut scene = Scene::new();
        assert_eq!(scene.hear_heartbeat("b:8000", 7), None);
        assert_eq!(*scene.health.borrow(), WatchHealth::default());
        assert!(scene.watcher.client.cache_epoch().is_none());
        assert_eq!(scene.hear_heartbeat("a:8000", 3), Some(3));
        let health = *scene.health.borrow();
        assert!(health.reachable && health.authenticated && health.proved_at.is_some(), "{health:?}");
        assert!(scene.watcher.client.cache_epoch().is_some(), "what is read from now on may be cached");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_watch_says_what_pocketbase_did_not_do() {
        let scene = Scene::new();
        let operation = "open the realtime stream";
        let all_well = WatchHealth { reachable: true, authenticated: true, proved_at: None };
        let after = |lost: Lost| {
            scene.watcher.health.send_replace(all_well);
            scene.watcher.note_loss(&lost);
            let health = *scene.health.borrow();
            (health.reachable, health.authenticated)
        };
        let away = PocketbaseError::Unreachable { operation, source: None };
        assert_eq!(after(Lost::Connect(away)), (false, true));
        let refused = PocketbaseError::Unauthorized { operation, status: 403 };
        assert_eq!(after(Lost::Connect(refused)), (true, false));
        assert_eq!(after(Lost::NoEcho), (true, true), "the stream is to blame, not PocketBase");
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_without_a_verification_queues_nothing() {
        let mut scene = Scene::new();
        scene.hear(Collection::Policies, Change::Create, "");
        scene.hear(Collection::Documents, Change::Create, "");
        assert!(scene.watcher.queue.is_empty() && scene.changed.lock().expect("a lock").is_empty());
    }
}
