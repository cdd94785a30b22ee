//! The story in one function: read the case whole, see what is due, write what follows, claim what must be done.
//!
//! Start-up, event, timer, crash recovery and an operator's poke all enter at [`Reconciler::reconcile`]; results of
//! finished work enter at [`Reconciler::run_work`]. Both write through the same fenced batch, so whoever was slower reads again
//! and decides again.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, error, info, warn};

use crate::base::backoff::Backoff;
use crate::base::failpoints::{Bug, Point, bug_planted, reached};
use crate::base::lock::Mutex;
use crate::checks::{CheckRunner, DOCUMENTS_MAX, WorkItem, WorkOutcome};
use crate::controller::admission;
use crate::controller::admission::AdmissionQueue;
use crate::controller::leases::{HeldLeases, LeaseGuard};
use crate::pocketbase::records::{DEFAULT_POLICY, Delivery, RecordPatch};
use crate::pocketbase::{self, Client, Commit, PocketbaseError};
use crate::verification::next_step::{Capacity, next_step_within};
use crate::verification::{
    Case, Entry, Event, Kind, Policy, Runner, SessionPatch, SessionStatus, Step, Transition, Work, summary,
};

/// Lost races in one pass after which the id goes back to the queue: somebody else is making progress.
const PASSES_MAX: u32 = 8;
/// Journal rows in one batch. A case never needs more at once; the bound is for a mistake in the core.
const TRANSITIONS_MAX: usize = 32;
/// Before the end of a claim, for writing what came of it.
const WRITE_MARGIN: Duration = Duration::from_secs(5);
/// What the journal says of trouble; the log says whose it was. The person may read the journal.
const TROUBLE: &str = "system.provider_unavailable";
/// Delay before work that failed is tried again.
const RETRY: Backoff = Backoff { first: Duration::from_secs(1), cap: Duration::from_secs(60) };

/// Verifications whose last stored row is remembered; some 50 bytes each. Beyond that it begins anew.
const STORED_MAX: usize = 20_000;
/// Delay before work that could not be begun is tried again.
const CROWDED_RETRY: Duration = Duration::from_secs(1);

/// While another verification has its last try.
const LAST_TRY_PAUSE: Duration = Duration::from_millis(500);

/// What a pass leaves to do.
#[derive(Debug)]
pub enum Requeue {
    /// Nothing, until somebody does something.
    Done,
    /// Look again after this long.
    After(Duration),
    /// Work that this process now holds: give it to [`Reconciler::run_work`].
    Work(Assignment),
}

/// Work under a claim.
#[derive(Debug)]
pub struct Assignment {
    /// The case as it was claimed.
    case: Arc<Case>,
    /// When, on `PocketBase`'s clock.
    now: Timestamp,
    /// The verification.
    pub id: String,
    /// `seq` of the claiming journal row.
    pub claim: u32,
    /// The pieces, most urgent first.
    pub work: Vec<Work>,
    /// Room for the document among them; free again with the last piece.
    _room: Option<admission::Permit>,
    /// LeaseGuard while this is somebody's last try.
    _alone: Option<OwnedSemaphorePermit>,
    /// The claim, let go with the last piece.
    _held: LeaseGuard,
}

/// What a pass begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseSource {
    /// The records, read anew.
    Fresh,
    /// The case as this process last knew it, if it may rely on that. The number of the next journal row says whether it was right.
    Cached,
}

/// Why a pass could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// `PocketBase` did not do its part.
    #[error("verification {id}")]
    Pocketbase {
        /// Which.
        id: String,
        /// Why.
        #[source]
        source: PocketbaseError,
    },
    /// Others wrote first, time after time. Nothing is wrong; look again.
    #[error("verification {id}: others were faster {PASSES_MAX} times in a row")]
    Contended {
        /// Which.
        id: String,
    },
    /// Somebody else handed in the same document meanwhile: a finding that says that nobody did must not be stored.
    #[error("verification {id}: its document was stored for another verification meanwhile")]
    Overtaken {
        /// Which.
        id: String,
    },
    /// The operator's policy cannot be used.
    #[error("verification {id} waits: {}", .problems.join("; "))]
    Policy {
        /// Which.
        id: String,
        /// What is wrong with it.
        problems: Vec<String>,
    },
}

/// Reads, decides, writes.
#[derive(Debug)]
pub struct Reconciler {
    client: Client,
    checks: CheckRunner,
    instance: String,
    liveness_threshold: f64,
    /// Claims that this process works on. Written before the claim is, so that no other pass of this process can take a fresh
    /// claim for one of a dead process.
    holdings: HeldLeases,
    /// One verification at a time has its last try: if the process dies again, it is known whose fault that was.
    last_tries: Arc<Semaphore>,
    /// The last row that this process has stored, by verification: a journal that is shorter was restored from a backup.
    stored: Mutex<HashMap<String, u32>>,
    /// Who waits for room to have a document examined.
    crowd: AdmissionQueue,
}

impl Reconciler {
    /// A reconciler that works as `instance`. `liveness_threshold` is `FACE_LIVENESS_THRESHOLD`.
    pub fn new(client: Client, checks: CheckRunner, instance: String, liveness_threshold: f64) -> Self {
        let (holdings, stored, crowd) = (HeldLeases::default(), Mutex::default(), AdmissionQueue::new(DOCUMENTS_MAX));
        let last_tries = Arc::new(Semaphore::new(1));
        Self { client, checks, instance, liveness_threshold, holdings, last_tries, stored, crowd }
    }

    /// One look at verification `id`: writes what follows from its records and claims what is due.
    pub async fn reconcile(&self, id: &str) -> Result<Requeue, ReconcileError> {
        let room = self.crowd.kept_for(id);
        self.reconcile_from(id, room, CaseSource::Fresh, |_, _| Some(None))
            .await
            .map(|next| next.unwrap_or(Requeue::Done))
    }

    /// A verification whose document waited for room, as soon as there is some. Cancel-safe.
    pub async fn next_admitted(&self) -> String {
        self.crowd.next().await
    }

    /// Whoever was called is not looked at after all.
    pub fn release_reservation(&self, id: &str) {
        drop(self.crowd.kept_for(id));
    }

    /// The pieces of an assignment, each to be driven on its own: what one piece makes due must not wait for the slowest.
    /// The claim is held until the last piece has ended or was dropped.
    pub fn work_futures(&self, assignment: Assignment) -> Vec<impl Future<Output = Requeue> + use<'_>> {
        let assignment = Arc::new(assignment);
        (0..assignment.work.len())
            .map(|piece| {
                let assignment = Arc::clone(&assignment);
                async move { self.run_work(&assignment, &assignment.work[piece]).await }
            })
            .collect()
    }

    async fn run_work(&self, assignment: &Assignment, work: &Work) -> Requeue {
        reached(Point::Claimed);
        let (id, claim) = (assignment.id.as_str(), assignment.claim);
        match self.try_run_work(assignment, work).await {
            Ok(next) => next,
            Err(error) => {
                // The claim runs out by itself, and whoever looks then tries again.
                warn!(
                    verification = id,
                    claim,
                    error = crate::base::telemetry::chain(&error),
                    "work was done but not written"
                );
                Requeue::After(Duration::from_secs(1))
            }
        }
    }

    async fn try_run_work(&self, assignment: &Assignment, work: &Work) -> Result<Requeue, ReconcileError> {
        let (id, claim) = (assignment.id.as_str(), assignment.claim);
        let policy = self.policy(&assignment.case).await?;
        let patience = Duration::from_secs(u64::from(work.seconds())).saturating_sub(WRITE_MARGIN);
        let end = tokio::time::Instant::now() + patience;
        let item = WorkItem { case: &assignment.case, policy: &policy, work, now: assignment.now, end };
        let mut outcome = match tokio::time::timeout_at(end, self.checks.run(&item)).await {
            Ok(outcome) => outcome,
            Err(_) => WorkOutcome::Failed { code: "service.out_of_time", retry_after: None },
        };
        reached(Point::Examined);
        let mut overtaken = false;
        for attempt in 1..=PASSES_MAX {
            let next = async {
                if overtaken {
                    self.look_again(&assignment.case, &mut outcome).await?;
                }
                let begin = if attempt == 1 { CaseSource::Cached } else { CaseSource::Fresh };
                self.reconcile_from(id, None, begin, |case, policy| {
                    (case.may_finish(claim, work) || bug_planted(Bug::NoFence))
                        .then(|| Some(self.transition_for(case, policy, claim, work, &outcome)))
                })
                .await
            };
            match next.await {
                Ok(Some(next)) => {
                    if !matches!(
                        outcome,
                        WorkOutcome::Failed { .. } | WorkOutcome::Saturated { .. } | WorkOutcome::ResultPending
                    ) {
                        self.checks.forget_responses(id, work);
                    }
                    reached(Point::ResultStored);
                    return Ok(next);
                }
                Ok(None) => {
                    reached(Point::ResultLate);
                    self.checks.forget_responses(id, work);
                    info!(verification = id, claim, "a result came too late and was dropped");
                    return Ok(Requeue::After(Duration::ZERO));
                }
                Err(ReconcileError::Overtaken { .. }) if attempt < PASSES_MAX => overtaken = true,
                // A paid answer is worth several tries to store it.
                Err(error) if attempt < PASSES_MAX => {
                    warn!(
                        verification = id,
                        claim,
                        error = crate::base::telemetry::chain(&error),
                        "a result could not be stored yet"
                    );
                    reached(Point::StoreFailed);
                    tokio::time::sleep(RETRY.delay(attempt, rand::random(), None)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Requeue::After(Duration::from_secs(1)))
    }

    /// Asks anew whether a document was seen before.
    async fn look_again(&self, case: &Case, outcome: &mut WorkOutcome) -> Result<(), ReconcileError> {
        let WorkOutcome::Finding(finding) = outcome else { return Ok(()) };
        let looked = self.checks.search_duplicates_again(case, finding).await;
        looked.map_err(|source| ReconcileError::Pocketbase { id: case.id().to_owned(), source })
    }

    /// What an examination makes of the case.
    fn transition_for(
        &self,
        case: &Case,
        policy: &Policy,
        claim: u32,
        work: &Work,
        outcome: &WorkOutcome,
    ) -> Transition {
        let by = self.instance.as_str();
        match outcome {
            WorkOutcome::Finding(finding) => {
                let kind = work.check().unwrap_or(Kind::Liveness);
                let transition = Transition::check_finished(case, policy, claim, kind, (**finding).clone(), by);
                match work {
                    Work::Liveness { evidence, .. } => transition.changing(SessionPatch {
                        id: evidence.clone(),
                        status: SessionStatus::Completed,
                        opened: None,
                    }),
                    _ => transition,
                }
            }
            WorkOutcome::SessionOpened(opened) => {
                let event = Event::LivenessSessionOpened {
                    claim,
                    liveness_session: work.evidence().to_owned(),
                    expires_at: opened.expires_at,
                };
                let patch = SessionPatch {
                    id: work.evidence().to_owned(),
                    status: SessionStatus::Open,
                    opened: Some(opened.clone()),
                };
                Transition::new(event, by).changing(patch)
            }
            WorkOutcome::SessionEnded { status, code } => {
                let event = Event::LivenessSessionEnded {
                    liveness_session: work.evidence().to_owned(),
                    status: status.as_str().to_owned(),
                    code: code.as_str().to_owned(),
                };
                let patch = SessionPatch { id: work.evidence().to_owned(), status: *status, opened: None };
                Transition::new(event, by).changing(patch)
            }
            WorkOutcome::ResultPending => self.failed(claim, work, "liveness.not_ready", Duration::from_secs(2)),
            // Nobody was asked: another try costs nothing but its place in the line.
            WorkOutcome::Saturated { code } => {
                info!(verification = case.id(), claim, trouble = code, "too many wait for a provider");
                self.failed(claim, work, TROUBLE, CROWDED_RETRY)
            }
            WorkOutcome::Failed { code, retry_after } => {
                let failures = case
                    .journal
                    .iter()
                    .filter(|e| matches!(&e.event, Event::WorkFailed { work: failed, .. } if failed == work))
                    .count();
                let failures = u32::try_from(failures).unwrap_or(u32::MAX - 1) + 1;
                warn!(verification = case.id(), claim, trouble = code, failures, "work ended without an answer");
                self.failed(claim, work, TROUBLE, RETRY.delay(failures, rand::random(), *retry_after))
            }
        }
    }

    fn failed(&self, claim: u32, work: &Work, trouble: &str, delay: Duration) -> Transition {
        let event = Event::WorkFailed {
            claim,
            work: work.clone(),
            trouble: trouble.to_owned(),
            retry_seconds: u32::try_from(delay.as_secs().max(1)).unwrap_or(u32::MAX),
        };
        Transition::new(event, self.instance.as_str())
    }

    /// Reads `id`, or takes it as it was last known, and writes everything that follows from its records, starting with what `first`
    /// makes of it, in one batch. `None` when `first` no longer wants to write.
    async fn reconcile_from(
        &self,
        id: &str,
        mut room: Option<admission::Permit>,
        mut begin: CaseSource,
        first: impl Fn(&Case, &Policy) -> Option<Option<Transition>>,
    ) -> Result<Option<Requeue>, ReconcileError> {
        for _ in 0..PASSES_MAX {
            let epoch = self.client.cache_epoch();
            let known = epoch.filter(|_| begin == CaseSource::Cached).and_then(|epoch| self.holdings.known(epoch, id));
            begin = CaseSource::Fresh;
            let (case, now) = match known.zip(self.client.now()) {
                Some((case, now)) => (Arc::unwrap_or_clone(case), now),
                None => match self.read(id).await? {
                    Some(read) => read,
                    None => return Ok(Some(Requeue::Done)),
                },
            };
            reached(Point::CaseRead);
            let policy = self.policy(&case).await?;
            let Some(first) = first(&case, &policy) else { return Ok(None) };
            let mut draft = Draft::new(case, &policy, now);
            if let Some(transition) = first {
                draft.push(transition);
            }
            let (next, work, alone) = self.plan(id, &mut draft, &mut room);
            if draft.transitions.is_empty() {
                return Ok(Some(next));
            }
            let seq = draft.case.seq();
            let held = work.as_ref().map(|_| self.holdings.hold(id, seq));
            let commit = self.commit(&draft).await;
            if !matches!(commit, Ok(Commit::Won { .. })) {
                self.holdings.doubt(id);
            }
            match commit? {
                Commit::Won { at, pictures } => {
                    draft.log();
                    let decided = draft.transitions.iter().any(|t| matches!(t.event, Event::Decided { .. }));
                    let case = Arc::new(draft.case.stored_at(at, draft.entries.len(), &pictures));
                    if !decided && policy.requires(Kind::FaceMatch) {
                        self.keep_faces(&case, draft.transitions);
                    }
                    if let Some(epoch) = epoch {
                        self.holdings.learn(epoch, &case);
                    }
                    self.note_stored(id, seq);
                    if decided {
                        reached(Point::Decided);
                    }
                    return Ok(Some(match (work, held) {
                        (Some(work), Some(held)) => {
                            let kept = room.filter(|_| work.iter().any(is_document));
                            let (id, claim) = (id.to_owned(), seq);
                            Requeue::Work(Assignment {
                                case,
                                now,
                                id,
                                claim,
                                work,
                                _room: kept,
                                _alone: alone,
                                _held: held,
                            })
                        }
                        _ => next,
                    }));
                }
                Commit::Lost => {
                    debug!(verification = id, "somebody else was faster");
                    reached(Point::RaceLost);
                }
                Commit::Overtaken => return Err(ReconcileError::Overtaken { id: id.to_owned() }),
            }
        }
        Err(ReconcileError::Contended { id: id.to_owned() })
    }

    /// The faces among what `transitions` stored, for their comparison.
    fn keep_faces(&self, case: &Case, transitions: Vec<Transition>) {
        for (check, finding) in transitions.into_iter().filter_map(|transition| transition.check) {
            if let Some(stored) = case.checks.iter().find(|stored| stored.id == check.id) {
                self.checks.cache_faces(stored, finding);
            }
        }
    }

    /// Lets the core run until it must wait or work must be done.
    fn plan(
        &self,
        id: &str,
        draft: &mut Draft<'_>,
        room: &mut Option<admission::Permit>,
    ) -> (Requeue, Option<Vec<Work>>, Option<OwnedSemaphorePermit>) {
        let holding = self.holdings.claims(id);
        let mut given = Capacity::All;
        loop {
            let runner = Runner { instance: &self.instance, holding: &holding };
            match next_step_within(given, &draft.case, draft.policy, draft.now, runner) {
                Step::Write(transition) if draft.transitions.len() < TRANSITIONS_MAX => draft.push(*transition),
                Step::Write(_) => return (Requeue::After(Duration::ZERO), None, None),
                Step::Nothing => return (Requeue::Done, None, None),
                Step::Wait(until) => {
                    // Seconds are PocketBase's finest clock for us, so a timer is set past the instant, not before it.
                    let wait = Duration::try_from(until - draft.now).unwrap_or_default() + Duration::from_millis(250);
                    return (Requeue::After(wait), None, None);
                }
                Step::Claim(work) if work.iter().any(is_document) && !self.has_room(room) => {
                    self.crowd.join(id);
                    given = Capacity::NoDocuments;
                }
                Step::Claim(work) => {
                    let last = work.iter().any(|piece| draft.case.is_last_try(piece, draft.policy.work_tries_max));
                    let alone = last.then(|| Arc::clone(&self.last_tries).try_acquire_owned());
                    let Ok(alone) = alone.transpose() else { return (Requeue::After(LAST_TRY_PAUSE), None, None) };
                    let event = Event::WorkClaimed { seconds: Work::seconds_of(&work), work: work.clone() };
                    draft.push(Transition::new(event, self.instance.as_str()));
                    return (Requeue::Done, Some(work), alone);
                }
            }
        }
    }

    /// Whether there is room for a document, in `room` from now on.
    fn has_room(&self, room: &mut Option<admission::Permit>) -> bool {
        if room.is_none() {
            *room = self.crowd.room();
        }
        room.is_some()
    }

    async fn read(&self, id: &str) -> Result<Option<(Case, Timestamp)>, ReconcileError> {
        // Before the read: what another pass stores while it is under way need not be in it.
        let known = self.stored().get(id).copied();
        let read = self.client.read_case(id).await;
        let read = read.map_err(|source| ReconcileError::Pocketbase { id: id.to_owned(), source })?;
        if let (Some((case, _)), Some(known)) = (&read, known) {
            self.notice_a_restore(case, known);
        }
        Ok(read)
    }

    /// Says so when rows that were stored are gone: `known` is a number stored before the case was read. What is due is read from
    /// what is there, as always.
    fn notice_a_restore(&self, case: &Case, known: u32) {
        if known <= case.seq() {
            return;
        }
        self.stored().remove(case.id());
        error!(
            verification = case.id(),
            stored = known,
            found = case.seq(),
            "a journal went back in time; its work is done again"
        );
        metrics::counter!("journals_went_back_total").increment(1);
    }

    fn stored(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.stored.lock()
    }

    fn note_stored(&self, id: &str, seq: u32) {
        let mut stored = self.stored();
        if stored.len() >= STORED_MAX {
            stored.clear();
        }
        stored.insert(id.to_owned(), seq);
    }

    /// The pinned policy, else the live one of the name asked for, else the live `default`; with its threshold in force.
    async fn policy(&self, case: &Case) -> Result<Policy, ReconcileError> {
        let id = case.id();
        let failed = |source| ReconcileError::Pocketbase { id: id.to_owned(), source };
        let pinned = case.pinned_policy();
        let policy = if let Some(pinned) = pinned {
            self.client.policy(pinned.id).await.map_err(failed)?
        } else {
            let name = Some(case.record.policy_name.as_str()).filter(|n| !n.is_empty()).unwrap_or(DEFAULT_POLICY);
            self.client.live_policy(name).await.map_err(failed)?
        };
        let Some(policy) = policy else {
            let problems =
                vec![format!("its policy does not exist; create it, or a new version of `{DEFAULT_POLICY}`")];
            return Err(ReconcileError::Policy { id: id.to_owned(), problems });
        };
        let policy = policy.in_force(pinned, self.liveness_threshold);
        let problems = policy.problems();
        if problems.is_empty() { Ok(policy) } else { Err(ReconcileError::Policy { id: id.to_owned(), problems }) }
    }

    async fn commit(&self, draft: &Draft<'_>) -> Result<Commit, ReconcileError> {
        let patch = RecordPatch::from(summary(&draft.case, draft.policy));
        let id = draft.case.id();
        let outbox = self
            .outbox(draft, &patch)
            .await
            .map_err(|source| ReconcileError::Pocketbase { id: id.to_owned(), source })?;
        self.client
            .commit(id, &draft.transitions, &draft.entries, &patch, &outbox)
            .await
            .map_err(|source| ReconcileError::Pocketbase { id: id.to_owned(), source })
    }

    /// One notification for each endpoint that wants to hear of the status this batch leads to.
    async fn outbox(&self, draft: &Draft<'_>, patch: &RecordPatch) -> pocketbase::Result<Vec<Delivery>> {
        let tells = draft.transitions.iter().any(|t| {
            matches!(t.event, Event::Decided { .. } | Event::Canceled {} | Event::Expired {} | Event::Reopened {})
        });
        if !tells {
            return Ok(Vec::new());
        }
        let status = patch.status.as_str();
        let endpoints = self.client.webhook_endpoints(status).await?;
        reached(Point::OutboxRead);
        Ok(endpoints
            .into_iter()
            .map(|endpoint| Delivery {
                endpoint,
                seq: patch.version,
                event: format!("verification.{status}"),
                payload: serde_json::json!({
                    "verification": draft.case.id(),
                    "reference": draft.case.record.reference,
                    "status": status,
                    "version": patch.version,
                }),
                next_attempt_at: None,
            })
            .collect())
    }
}

fn is_document(work: &Work) -> bool {
    matches!(work, Work::Document { .. })
}

/// Transitions that will be written in one batch, and the case as it will be.
struct Draft<'a> {
    case: Case,
    policy: &'a Policy,
    now: Timestamp,
    transitions: Vec<Transition>,
    entries: Vec<Entry>,
}

impl<'a> Draft<'a> {
    fn new(case: Case, policy: &'a Policy, now: Timestamp) -> Self {
        Self { case, policy, now, transitions: Vec::new(), entries: Vec::new() }
    }

    fn push(&mut self, transition: Transition) {
        self.entries.push(self.case.apply(&transition, self.now));
        self.transitions.push(transition);
    }

    /// One line for each thing that happened: ids and words, nothing of the person.
    fn log(&self) {
        for entry in &self.entries {
            match &entry.event {
                Event::Decided { status, source, attempt, .. } => info!(
                    verification = self.case.id(),
                    seq = entry.seq,
                    attempt,
                    status = status.as_str(),
                    source = source.as_str(),
                    "decided"
                ),
                Event::CheckFinished { kind, outcome, .. } => info!(
                    verification = self.case.id(),
                    seq = entry.seq,
                    check = kind.as_str(),
                    outcome = outcome.as_str(),
                    "check finished"
                ),
                Event::WorkFailed { trouble, retry_seconds, .. } => {
                    warn!(verification = self.case.id(), seq = entry.seq, trouble, retry_seconds, "work failed");
                }
                _ => info!(verification = self.case.id(), seq = entry.seq, event = entry.name, "journal"),
            }
        }
    }
}
