//! What is due for a case: the pure core is asked until it must wait or work must be done.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::draft::Draft;
use super::requeue::Requeue;
use crate::controller::admission::{AdmissionQueue, Permit};
use crate::verification::next_step::{Capacity, next_step_within};
use crate::verification::{Event, Runner, Step, Transition, Work};

/// Bound of the journal rows in one batch. No case needs more at once; the bound limits a bug
/// of the core.
const TRANSITIONS_MAX: usize = 32;
/// Delay while another verification has its last try.
const LAST_TRY_PAUSE: Duration = Duration::from_millis(500);
/// Added to a timer: `PocketBase`'s `Date` header has whole seconds, and a timer must not fire too
/// early.
const CLOCK_MARGIN: Duration = Duration::from_millis(250);

/// What is due once a draft is stored.
#[derive(Debug)]
pub(super) enum Plan {
    /// No work of this process.
    Requeue(Requeue),
    /// Work, whose claim is the last transition of the draft.
    Claim {
        /// What is claimed, most urgent first.
        work: Vec<Work>,
        /// Held while this is the last try of one of them.
        last_try: Option<OwnedSemaphorePermit>,
    },
}

/// What bounds the claims of all passes, and what this pass has of it.
#[derive(Debug)]
pub(super) struct Resources<'a> {
    pub admission: &'a AdmissionQueue,
    /// The permit that this pass holds. It is used when a document is claimed.
    pub permit: Option<Permit>,
    /// One verification at a time has its last try: if the process dies again, that verification
    /// was the cause.
    pub last_tries: &'a Arc<Semaphore>,
}

impl Resources<'_> {
    /// Whether a document may be claimed. Takes a permit if one is free.
    fn admits_document(&mut self) -> bool {
        self.permit = self.permit.take().or_else(|| self.admission.try_acquire());
        self.permit.is_some()
    }
}

/// Adds to `draft` everything that follows from its case, up to the claim of the work that is due.
pub(super) fn plan(draft: &mut Draft<'_>, runner: Runner<'_>, resources: &mut Resources<'_>) -> Plan {
    let mut capacity = Capacity::All;
    loop {
        match next_step_within(capacity, draft.case(), draft.policy(), draft.now(), runner) {
            Step::Write(transition) if draft.transitions().len() < TRANSITIONS_MAX => draft.push(*transition),
            Step::Write(_) => return Plan::Requeue(Requeue::After(Duration::ZERO)),
            Step::Nothing => return Plan::Requeue(Requeue::AwaitChange),
            Step::Wait(until) => {
                let wait = Duration::try_from(until - draft.now()).unwrap_or_default();
                return Plan::Requeue(Requeue::After(wait + CLOCK_MARGIN));
            }
            Step::Claim(work) if work.iter().any(is_document) && !resources.admits_document() => {
                resources.admission.join(draft.case().id());
                capacity = Capacity::NoDocuments;
            }
            Step::Claim(work) => return claim(draft, work, runner, resources.last_tries),
        }
    }
}

fn claim(draft: &mut Draft<'_>, work: Vec<Work>, runner: Runner<'_>, last_tries: &Arc<Semaphore>) -> Plan {
    let is_last = work.iter().any(|work| draft.case().is_last_try(work, draft.policy().work_tries_max));
    let last_try = match is_last.then(|| Arc::clone(last_tries).try_acquire_owned()) {
        None => None,
        Some(Ok(permit)) => Some(permit),
        Some(Err(_)) => return Plan::Requeue(Requeue::After(LAST_TRY_PAUSE)),
    };
    let event = Event::WorkClaimed { seconds: Work::seconds_of(&work), work: work.clone() };
    draft.push(Transition::new(event, runner.instance));
    Plan::Claim { work, last_try }
}

pub(super) fn is_document(work: &Work) -> bool {
    matches!(work, Work::Document { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::sample;
    use crate::verification::{Case, Policy};

    /// What bounds claims, in memory.
    struct Limits {
        admission: AdmissionQueue,
        last_tries: Arc<Semaphore>,
    }

    impl Limits {
        fn new(documents: usize) -> Self {
            Self { admission: AdmissionQueue::new(documents), last_tries: Arc::new(Semaphore::new(1)) }
        }

        fn resources(&self) -> Resources<'_> {
            Resources { admission: &self.admission, permit: None, last_tries: &self.last_tries }
        }

        /// The plan for `case`, and the names of the rows that the draft adds.
        fn plan(&self, case: Case, policy: &Policy) -> (Plan, Vec<String>) {
            let mut draft = Draft::new(case, policy, sample::NOW);
            let runner = Runner { instance: sample::INSTANCE, holding: &[] };
            let plan = plan(&mut draft, runner, &mut self.resources());
            (plan, draft.entries().iter().map(|entry| entry.name.clone()).collect())
        }
    }

    fn claimed(plan: &Plan) -> &[Work] {
        if let Plan::Claim { work, .. } = plan { work } else { panic!("no claim: {plan:?}") }
    }

    #[test]
    fn a_new_case_is_started_and_its_work_claimed_in_one_batch() {
        let policy = sample::policy();
        let (plan, rows) = Limits::new(1).plan(sample::with_evidence(sample::case()), &policy);
        assert_eq!(claimed(&plan), [sample::device(), sample::document()]);
        assert_eq!(rows, ["started", "work_claimed"]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_permit_the_other_work_is_claimed_and_the_document_joins_the_admission_queue() {
        let (policy, limits) = (sample::policy(), Limits::new(1));
        let busy = limits.admission.try_acquire().expect("a free permit");
        let (plan, rows) = limits.plan(sample::with_evidence(sample::started(&policy)), &policy);
        assert_eq!((claimed(&plan), rows), (&[sample::device()][..], vec!["work_claimed".to_owned()]));
        drop(busy);
        assert_eq!(limits.admission.next_admitted().await, sample::ID);
    }

    #[test]
    fn a_reserved_permit_is_used_before_a_free_one() {
        let (policy, limits) = (sample::policy(), Limits::new(2));
        let mut resources = Resources { permit: limits.admission.try_acquire(), ..limits.resources() };
        let mut draft = Draft::new(sample::with_evidence(sample::started(&policy)), &policy, sample::NOW);
        let runner = Runner { instance: sample::INSTANCE, holding: &[] };
        assert!(claimed(&plan(&mut draft, runner, &mut resources)).contains(&sample::document()));
        assert!(limits.admission.try_acquire().is_some(), "the second permit is still free");
    }

    #[test]
    fn one_verification_at_a_time_has_its_last_try() {
        let (policy, limits) = (sample::policy(), Limits::new(2));
        // One claim less than the policy allows was left behind by dead processes.
        let mut case = sample::with_evidence(sample::started(&policy));
        for _ in 1..policy.work_tries_max {
            case.apply(&sample::claim(&[sample::device()]), sample::NOW);
        }
        let (first, _) = limits.plan(case.clone(), &policy);
        assert!(matches!(first, Plan::Claim { last_try: Some(_), .. }), "{first:?}");
        let (second, rows) = limits.plan(case.clone(), &policy);
        assert!(matches!(second, Plan::Requeue(Requeue::After(LAST_TRY_PAUSE))), "{second:?}");
        assert!(rows.is_empty(), "the second writes nothing: {rows:?}");
        drop(first);
        assert!(matches!(limits.plan(case, &policy).0, Plan::Claim { .. }), "the first has ended");
    }

    #[test]
    fn a_case_that_lacks_evidence_waits_past_its_expiry() {
        let policy = sample::policy();
        let case = sample::started(&policy);
        let expiry = Duration::from_secs(3600 * u64::from(policy.input_hours));
        let (plan, rows) = Limits::new(1).plan(case, &policy);
        assert!(matches!(plan, Plan::Requeue(Requeue::After(wait)) if wait == expiry + CLOCK_MARGIN), "{plan:?}");
        assert!(rows.is_empty());
    }

    #[test]
    fn a_closed_case_waits_for_nothing() {
        let policy = sample::policy();
        let mut case = sample::started(&policy);
        case.apply(&sample::expired(), sample::NOW);
        let (plan, rows) = Limits::new(1).plan(case, &policy);
        assert!(matches!(plan, Plan::Requeue(Requeue::AwaitChange)) && rows.is_empty(), "{plan:?}");
    }
}
