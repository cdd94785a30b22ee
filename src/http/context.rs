//! The state and the helpers that endpoints share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Uri};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, SemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use crate::base::failpoints::{Point, reached};
use crate::base::refcounted::{RefCountedMap, Reference};
use crate::http::api::body::Body;
use crate::http::api::fields::RECORD_ID;
use crate::http::api::problem::{Kind, Problem, Result};
use crate::http::api::view::VerificationView;
use crate::http::health::Health;
use crate::http::long_poll::notify::Notifier;
use crate::http::long_poll::{LongPoll, WaitBudget};
use crate::http::middleware::auth::Caller;
use crate::http::settings::Settings;
use crate::http::status_cache::{PendingRead, StatusCache};
use crate::pocketbase::records::{NewDeviceSignal, StoredVerification};
use crate::pocketbase::{self, PocketbaseError};
use crate::providers::rekognition::Rekognition;
use crate::verification::{Kind as CheckKind, SessionStatus};

/// How long an upload waits for a free slot.
const UPLOAD_WAIT_MAX: Duration = Duration::from_secs(5);

/// Renders the metrics of the whole process in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What the facade needs from the rest of the sidecar.
#[derive(Clone)]
pub struct Facade {
    /// Settings that the operator chose.
    pub settings: Settings,
    /// Client of the database that holds the records.
    pub pocketbase: pocketbase::Client,
    /// Health of the sidecar's parts.
    pub health: watch::Receiver<Health>,
    /// Wakes requests that wait; the watcher publishes to it.
    pub changes: Notifier,
    /// Finished answers; the watcher invalidates them.
    pub status_cache: StatusCache,
    /// Issues a browser's credentials for a liveness challenge; `None` when the operator configured
    /// no provider.
    pub rekognition: Option<Rekognition>,
    /// Set to serve `GET /metrics` on the facade's port too, with an API key. Usually only
    /// [`super::serve_metrics`] serves it.
    pub metrics: Option<RenderMetrics>,
}

/// A routed request whose caller is known.
pub struct Call<'r> {
    /// Authenticated caller.
    pub caller: &'r Caller,
    /// Pattern of the route, such as `/api/v1/status/{id}`.
    pub route: &'static str,
    /// Value of the route's parameter.
    pub id: Option<&'r str>,
    /// Path and query.
    pub uri: &'r Uri,
    /// Headers of the request.
    pub headers: &'r HeaderMap,
    /// Body, not read yet.
    pub body: Body,
}

/// The running facade: state that endpoints share, and the steps that several of them take.
pub struct Service {
    /// Settings that the operator chose.
    pub settings: Settings,
    /// Client of the database that holds the records.
    pub pocketbase: pocketbase::Client,
    /// Health of the sidecar's parts.
    pub health: watch::Receiver<Health>,
    /// Wakes requests that wait.
    pub changes: Notifier,
    /// Finished answers.
    pub status_cache: StatusCache,
    /// Issues a browser's credentials for a liveness challenge.
    pub rekognition: Option<Rekognition>,
    /// Renders `GET /metrics`.
    pub metrics: Option<RenderMetrics>,
    /// Idempotency keys whose requests are being handled.
    pub in_flight: RefCountedMap<()>,
    /// Ends every wait when the service stops.
    pub shutdown: CancellationToken,
    /// When this service started.
    pub started: Instant,
    uploads: Semaphore,
    reference_locks: RefCountedMap<Arc<Mutex<()>>>,
}

impl Service {
    /// Creates a service whose waits end when `shutdown` is cancelled.
    pub fn new(facade: Facade, shutdown: CancellationToken) -> Self {
        let Facade { settings, pocketbase, health, changes, status_cache, rekognition, metrics } = facade;
        Self {
            uploads: Semaphore::new(settings.uploads_max.max(1)),
            reference_locks: RefCountedMap::default(),
            in_flight: RefCountedMap::default(),
            started: Instant::now(),
            settings,
            pocketbase,
            health,
            changes,
            status_cache,
            rekognition,
            metrics,
            shutdown,
        }
    }

    /// Reads the verification `id` if `caller` may see it, together with the pending read under
    /// which an answer made of it may be cached.
    pub async fn read(&self, caller: &Caller, id: &str) -> Result<(StoredVerification, Option<PendingRead>)> {
        if !(RECORD_ID.test)(id) {
            return Err(Problem::not_found());
        }
        // Begin before reading: a change during the read must keep its answer out of the cache.
        let pending = self.pocketbase.cache_epoch().and_then(|epoch| self.status_cache.begin_read(id, epoch));
        let stored = self.pocketbase.verification(id).await?;
        let stored = stored.filter(|stored| caller.may_see(stored)).ok_or_else(Problem::not_found)?;
        let pending = self.status_cache.observe_version(id, stored.version, pending);
        Ok((stored, pending))
    }

    /// Reads the verification `id` if `caller` may see it.
    pub async fn visible(&self, caller: &Caller, id: &str) -> Result<StoredVerification> {
        Ok(self.read(caller, id).await?.0)
    }

    /// Reads the verification `id` again, after `caller` was allowed to see it.
    pub async fn stored(&self, id: &str) -> Result<StoredVerification> {
        let stored = self.pocketbase.verification(id).await?.ok_or_else(Problem::not_found)?;
        self.status_cache.observe_version(id, stored.version, None);
        Ok(stored)
    }

    /// Converts `stored` to what callers see.
    pub async fn view(&self, stored: &StoredVerification) -> Result<VerificationView> {
        if stored.version > 0 {
            return Ok(VerificationView::new(stored, None));
        }
        let policy = self.pocketbase.live_policy(stored.policy()).await?;
        Ok(VerificationView::new(stored, policy.as_deref()))
    }

    /// Stores a device event. Returns false when the event was submitted before; that is no error,
    /// because the person can make another one.
    pub async fn submit_device_event(&self, verification: &str, event_id: &str, stage: &'static str) -> Result<bool> {
        let new = NewDeviceSignal { verification: verification.to_owned(), event_id: event_id.to_owned(), stage };
        let created = self.pocketbase.create_device_signal(&new).await;
        reached(Point::DeviceStored);
        match created {
            Ok(_) => Ok(true),
            Err(PocketbaseError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the budget of a request that asks for `wait`; `None` when it asks for no wait.
    pub fn wait_budget(&self, wait: Option<Duration>) -> Option<WaitBudget> {
        let wait = wait.filter(|wait| !wait.is_zero())?.min(self.settings.wait_max);
        Some(WaitBudget { deadline: tokio::time::Instant::now() + wait, shutdown: self.shutdown.clone() })
    }

    /// Waits until a check of `kind` has judged `evidence`, or none ever will. Returns whether that
    /// happened within the budget.
    pub async fn wait_for_check(&self, id: &str, kind: CheckKind, evidence: &str, budget: WaitBudget) -> Result<bool> {
        let mut poll = LongPoll::begin(&self.changes, id, budget);
        let mut seen = None;
        loop {
            // The version of the small record says whether reading the large case is worth it.
            if let Some(stored) = poll.tolerate(self.stored(id).await)? {
                if stored.is_final {
                    return Ok(true);
                }
                if seen != Some(stored.version)
                    && let Some(judged) = poll.tolerate(self.judged(id, kind, evidence).await)?
                {
                    if judged {
                        return Ok(true);
                    }
                    seen = Some(stored.version);
                }
            }
            if !poll.wait().await {
                return Ok(false);
            }
        }
    }

    /// Whether a check of `kind` rests on `evidence`, or none ever will: a challenge can end
    /// without a check.
    async fn judged(&self, id: &str, kind: CheckKind, evidence: &str) -> Result<bool> {
        let (case, _) = self.pocketbase.read_case(id).await?.ok_or_else(Problem::not_found)?;
        let checked = case.checks.iter().any(|c| c.kind == kind && c.evidence.iter().any(|e| e == evidence));
        let open = |status| matches!(status, SessionStatus::Requested | SessionStatus::Open);
        Ok(checked || case.session(evidence).is_some_and(|session| !open(session.status)))
    }

    /// Acquires the right to hold the pictures of one upload in memory.
    pub async fn upload_slot(&self) -> Result<SemaphorePermit<'_>> {
        match tokio::time::timeout(UPLOAD_WAIT_MAX, self.uploads.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Problem::new(Kind::Unavailable, "Too many uploads are in progress.")),
        }
    }

    /// Locks `reference`: waits until no other request is creating something for it.
    pub async fn reference_lock(&self, reference: &str) -> ReferenceLock {
        let held = self.reference_locks.acquire(reference, Arc::default);
        // The entry exists while `held` does.
        let lock = held.with(|lock| Arc::clone(lock)).unwrap_or_default();
        ReferenceLock { _guard: lock.lock_owned().await, _held: held }
    }
}

/// Guard of [`Service::reference_lock`]; unlocks when dropped.
pub struct ReferenceLock {
    // Dropped in this order: a request that waits must still find the lock that this one releases.
    _guard: OwnedMutexGuard<()>,
    _held: Reference<Arc<Mutex<()>>>,
}
