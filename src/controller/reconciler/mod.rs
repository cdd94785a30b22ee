//! One pass over a verification: read the case whole, see what is due, write what follows, claim
//! the work.
//!
//! An event, a sweep, a timer, the start after a crash: all enter at [`Reconciler::reconcile`]. The
//! result of work enters at the same `reconcile_from`, with one transition of its own. Both write
//! through the same fenced batch, so the slower writer reads again and decides again.
//!
//! `draft` holds what a pass will write, `plan` asks the core what is due, `results` says what a
//! result makes of a case, and `run_work` runs claimed work.

mod draft;
mod error;
mod outbox;
mod plan;
mod policy;
mod requeue;
mod restore;
mod results;
mod run_work;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tracing::debug;

use self::draft::Draft;
use self::error::RACES_MAX;
use self::plan::{Plan, Resources, is_document, plan};
use self::policy::policy_in_force;
use self::requeue::{Held, HeldClaim};
use self::restore::LastStored;
use self::results::{ResultTransition, WorkResult};
use crate::base::failpoints::{Point, reached};
use crate::checks::CheckRunner;
use crate::controller::admission::{AdmissionQueue, Permit};
use crate::controller::case_cache::CaseCache;
use crate::controller::leases::HeldClaims;
use crate::pocketbase::cache_lease::Epoch;
use crate::pocketbase::records::{Delivery, RecordPatch};
use crate::pocketbase::{Client, Commit};
use crate::verification::check::Pictures;
use crate::verification::{Case, Kind, Runner, summary};

pub use self::error::ReconcileError;
pub use self::requeue::{ClaimedWork, Requeue};

/// Reads, decides and writes.
#[derive(Debug)]
pub struct Reconciler {
    client: Client,
    checks: CheckRunner,
    instance: String,
    liveness_threshold: f64,
    held_claims: HeldClaims,
    cached_cases: CaseCache,
    admission: AdmissionQueue,
    last_tries: Arc<Semaphore>,
    last_stored: LastStored,
}

/// What a pass begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseSource {
    /// The records, read now.
    Fresh,
    /// The last known case, if there is one that may be relied on; else the records. The number of
    /// the next journal row says whether it was the latest state.
    Cached,
}

/// How a pass ended.
#[derive(Debug)]
enum Pass {
    Made(Requeue),
    /// The result that it was to write is not wanted any more. Nothing was written.
    ResultTooLate,
}

impl Reconciler {
    /// Creates a reconciler that works as `instance`. `liveness_threshold` is
    /// `FACE_LIVENESS_THRESHOLD`. Up to `documents_at_once` documents are checked at the same time:
    /// each holds a few megabytes while it waits for its readings, so this bounds the memory for
    /// pictures however many documents wait.
    pub fn new(
        client: Client,
        checks: CheckRunner,
        instance: String,
        liveness_threshold: f64,
        documents_at_once: usize,
    ) -> Self {
        Self {
            client,
            checks,
            instance,
            liveness_threshold,
            held_claims: HeldClaims::default(),
            cached_cases: CaseCache::default(),
            admission: AdmissionQueue::new(documents_at_once),
            last_tries: Arc::new(Semaphore::new(1)),
            last_stored: LastStored::default(),
        }
    }

    /// Makes one pass over verification `id`: writes what follows from its records and claims what
    /// is due.
    pub async fn reconcile(&self, id: &str) -> Result<Requeue, ReconcileError> {
        // First of all: a reservation that is not taken blocks its permit.
        let permit = self.admission.take_reservation(id);
        match self.reconcile_from(id, CaseSource::Fresh, permit, None).await? {
            Pass::Made(requeue) => Ok(requeue),
            Pass::ResultTooLate => Ok(Requeue::AwaitChange),
        }
    }

    /// Waits until a verification whose document waited for a permit is admitted. Cancel-safe.
    pub async fn next_admitted(&self) -> String {
        self.admission.next_admitted().await
    }

    /// Frees the permit of `id`, which was admitted and is not reconciled after all.
    pub fn release_reservation(&self, id: &str) {
        drop(self.admission.take_reservation(id));
    }

    /// Makes one pass over verification `id`, which writes `result` first. All that it writes is
    /// one batch.
    async fn reconcile_from(
        &self,
        id: &str,
        mut source: CaseSource,
        permit: Option<Permit>,
        result: Option<&WorkResult<'_>>,
    ) -> Result<Pass, ReconcileError> {
        let mut resources = Resources { admission: &self.admission, permit, last_tries: &self.last_tries };
        for _ in 0..RACES_MAX {
            // Before the read: a case that is read later than this may be cached in this epoch.
            let epoch = self.client.cache_epoch();
            let Some((case, now)) = self.load(id, source, epoch).await? else {
                return Ok(Pass::Made(Requeue::AwaitChange));
            };
            source = CaseSource::Fresh;
            reached(Point::CaseRead);
            let policy = policy_in_force(&self.client, &case, self.liveness_threshold).await?;
            let mut draft = Draft::new(case, &policy, now);
            match result.map(|r| r.transition_for(draft.case(), &policy, &self.instance, rand::random())) {
                None => {}
                Some(ResultTransition::Write(transition)) => draft.push(*transition),
                Some(ResultTransition::TooLate) => return Ok(Pass::ResultTooLate),
            }
            let holding = self.held_claims.claims(id);
            let runner = Runner { instance: &self.instance, holding: &holding };
            let plan = match plan(&mut draft, runner, &mut resources) {
                Plan::Requeue(requeue) if draft.is_empty() => return Ok(Pass::Made(requeue)),
                plan => plan,
            };
            // Before the claim is stored: see `HeldClaims::acquire`.
            let claim = matches!(plan, Plan::Claim { .. }).then(|| self.hold_claim(draft.case()));
            match self.commit(&draft).await? {
                Commit::Won { at, pictures } => {
                    let case = self.note_committed(draft, at, &pictures, epoch);
                    return Ok(Pass::Made(match plan {
                        Plan::Requeue(requeue) => requeue,
                        Plan::Claim { work, last_try } => {
                            let permit = resources.permit.filter(|_| work.iter().any(is_document));
                            let held = Held { _permit: permit, _last_try: last_try, _claim: claim };
                            Requeue::AfterWork(ClaimedWork { case, claimed_at: now, work, _held: held })
                        }
                    }));
                }
                Commit::Lost => {
                    debug!(verification = id, "another writer was faster");
                    reached(Point::RaceLost);
                }
                Commit::Overtaken => return Err(ReconcileError::Overtaken { id: id.to_owned() }),
            }
        }
        Err(ReconcileError::Contended { id: id.to_owned() })
    }

    /// Returns the case of `id`, and the time at which it was so; `None` if there is no such
    /// verification.
    async fn load(
        &self,
        id: &str,
        source: CaseSource,
        epoch: Option<Epoch>,
    ) -> Result<Option<(Case, Timestamp)>, ReconcileError> {
        let cached = epoch.filter(|_| source == CaseSource::Cached).and_then(|epoch| self.cached_cases.get(epoch, id));
        if let Some((case, now)) = cached.zip(self.client.now()) {
            return Ok(Some((Arc::unwrap_or_clone(case), now)));
        }
        let stored = self.last_stored.get(id);
        let read = self.client.read_case(id).await.map_err(ReconcileError::pocketbase(id))?;
        if let (Some((case, _)), Some(stored)) = (&read, stored) {
            self.last_stored.lacks(id, stored, case.seq());
        }
        Ok(read)
    }

    /// Holds the claim that is the last row of `case`, and keeps the case cached meanwhile.
    fn hold_claim(&self, case: &Case) -> HeldClaim {
        HeldClaim { _claim: self.held_claims.acquire(case.id(), case.seq()), _case: self.cached_cases.pin(case.id()) }
    }

    /// Stores `draft` with the record's summary and the notifications, all or nothing.
    async fn commit(&self, draft: &Draft<'_>) -> Result<Commit, ReconcileError> {
        let commit = self.try_commit(draft).await;
        if !matches!(commit, Ok(Commit::Won { .. })) {
            self.cached_cases.invalidate(draft.case().id());
        }
        commit
    }

    async fn try_commit(&self, draft: &Draft<'_>) -> Result<Commit, ReconcileError> {
        let id = draft.case().id();
        let patch = RecordPatch::from(summary(draft.case(), draft.policy()));
        let outbox = self.outbox(draft, &patch).await?;
        let commit = self.client.commit(id, draft.transitions(), draft.entries(), &patch, &outbox).await;
        commit.map_err(ReconcileError::pocketbase(id))
    }

    async fn outbox(&self, draft: &Draft<'_>, patch: &RecordPatch) -> Result<Vec<Delivery>, ReconcileError> {
        if !outbox::is_announced(draft.transitions()) {
            return Ok(Vec::new());
        }
        let endpoints = self.client.webhook_endpoints(patch.status.as_str()).await;
        let endpoints = endpoints.map_err(ReconcileError::pocketbase(draft.case().id()))?;
        reached(Point::OutboxRead);
        Ok(outbox::deliveries(endpoints, draft.case(), patch))
    }

    /// Logs a stored draft and keeps in memory what the next pass can use. Returns the case as it
    /// is stored.
    fn note_committed(
        &self,
        draft: Draft<'_>,
        at: Timestamp,
        pictures: &[Pictures],
        epoch: Option<Epoch>,
    ) -> Arc<Case> {
        draft.log();
        let decided = draft.decides();
        let faces_are_compared = !decided && draft.policy().requires(Kind::FaceMatch);
        let (case, findings) = draft.into_stored(at, pictures);
        if faces_are_compared {
            for (check, finding) in findings {
                // The stored row has the names of the pictures.
                if let Some(stored) = case.checks.iter().find(|stored| stored.id == check.id) {
                    self.checks.cache_faces(stored, finding);
                }
            }
        }
        let case = Arc::new(case);
        if let Some(epoch) = epoch {
            self.cached_cases.insert(epoch, &case);
        }
        self.last_stored.note(case.id(), case.seq());
        if decided {
            reached(Point::Decided);
        }
        case
    }
}
