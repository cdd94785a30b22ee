//! What the result of work makes of a case.

use std::time::Duration;

use tracing::{info, warn};

use crate::base::backoff::Backoff;
use crate::base::failpoints::{Bug, bug_planted};
use crate::checks::WorkOutcome;
use crate::verification::{Case, Event, Kind, Policy, SessionPatch, SessionStatus, Transition, Work};

/// Part of a claim's time that is left for storing the result.
const WRITE_MARGIN: Duration = Duration::from_secs(5);
/// What the journal says about an error. The person may read the journal, so only the log says
/// whose error it was.
const PROVIDER_UNAVAILABLE: &str = "system.provider_unavailable";
/// What the journal says when the provider has no result yet.
const NOT_READY: &str = "liveness.not_ready";

/// Delay before work that failed is tried again.
pub(super) const RETRY: Backoff = Backoff { first: Duration::from_secs(1), cap: Duration::from_secs(60) };
/// Delay when too many calls wait for the provider. It was not asked, so another try costs only the
/// place in its wait queue.
const RETRY_SATURATED: Duration = Duration::from_secs(1);
/// Delay when the provider has no result yet.
const RETRY_NOT_READY: Duration = Duration::from_secs(2);

/// The time that `work` may take, counted from its claim.
pub(super) fn time_limit(work: &Work) -> Duration {
    Duration::from_secs(u64::from(work.seconds())).saturating_sub(WRITE_MARGIN)
}

/// The result of work under a claim.
#[derive(Debug)]
pub(super) struct WorkResult<'a> {
    /// `seq` of the claiming journal row.
    pub claim: u32,
    pub work: &'a Work,
    pub outcome: WorkOutcome,
}

/// What to write for a result.
#[derive(Debug)]
pub(super) enum ResultTransition {
    Write(Box<Transition>),
    /// The claim has ended without this result, or its attempt has. Nothing may be written.
    TooLate,
}

impl WorkResult<'_> {
    /// The transition that stores this result in `case`, by the instance `by`. `dice` is uniform in
    /// 0..1 and spreads retries.
    pub fn transition_for(&self, case: &Case, policy: &Policy, by: &str, dice: f64) -> ResultTransition {
        // The fence: a result is written only while its claim waits for it.
        if !case.may_finish(self.claim, self.work) && !bug_planted(Bug::NoFence) {
            return ResultTransition::TooLate;
        }
        let transition = match &self.outcome {
            WorkOutcome::Finding(finding) => {
                let kind = self.work.check().unwrap_or(Kind::Liveness);
                let transition = Transition::check_finished(case, policy, self.claim, kind, (**finding).clone(), by);
                match self.work {
                    Work::Liveness { evidence, .. } => transition.changing(SessionPatch {
                        id: evidence.clone(),
                        status: SessionStatus::Completed,
                        opened: None,
                    }),
                    _ => transition,
                }
            }
            WorkOutcome::SessionOpened(opened) => {
                Transition::session_opened(self.claim, self.work.evidence(), opened.clone(), by)
            }
            WorkOutcome::SessionEnded { status, code } => {
                Transition::session_ended(self.work.evidence(), *status, code.as_str(), by)
            }
            WorkOutcome::ResultPending => self.failed(NOT_READY, RETRY_NOT_READY, by),
            WorkOutcome::Saturated { .. } => self.failed(PROVIDER_UNAVAILABLE, RETRY_SATURATED, by),
            WorkOutcome::Failed { retry_after, .. } => {
                let delay = RETRY.delay(failures(case, self.work) + 1, dice, *retry_after);
                self.failed(PROVIDER_UNAVAILABLE, delay, by)
            }
        };
        ResultTransition::Write(Box::new(transition))
    }

    /// Whether the provider responses behind this result are of no further use once it is stored.
    pub fn is_answer(&self) -> bool {
        match self.outcome {
            WorkOutcome::Finding(_) | WorkOutcome::SessionOpened(_) | WorkOutcome::SessionEnded { .. } => true,
            WorkOutcome::ResultPending | WorkOutcome::Saturated { .. } | WorkOutcome::Failed { .. } => false,
        }
    }

    /// Logs whose error it was that the work on `case` ended without an answer.
    pub fn log(&self, case: &Case) {
        let (verification, claim) = (case.id(), self.claim);
        match &self.outcome {
            WorkOutcome::Saturated { code } => {
                info!(verification, claim, code, "too many calls wait for the provider; it was not asked");
            }
            WorkOutcome::Failed { code, .. } => {
                let failures = failures(case, self.work) + 1;
                warn!(verification, claim, code, failures, "work ended without an answer");
            }
            _ => {}
        }
    }

    fn failed(&self, trouble: &str, delay: Duration, by: &str) -> Transition {
        let event = Event::WorkFailed {
            claim: self.claim,
            work: self.work.clone(),
            trouble: trouble.to_owned(),
            retry_seconds: u32::try_from(delay.as_secs().max(1)).unwrap_or(u32::MAX),
        };
        Transition::new(event, by)
    }
}

/// How often the journal says that `work` failed.
fn failures(case: &Case, work: &Work) -> u32 {
    let failed = |event: &Event| matches!(event, Event::WorkFailed { work: failed, .. } if failed == work);
    let count = case.journal.iter().filter(|entry| failed(&entry.event)).count();
    u32::try_from(count).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::sample;
    use crate::verification::transition::Opened;
    use crate::verification::{Code, Outcome};

    const CLAIM: u32 = 2;

    /// A started case in which `work` was claimed by row 2.
    fn claimed(work: &Work) -> Case {
        let mut case = sample::with_evidence(sample::started(&sample::policy()));
        case.apply(&sample::claim(std::slice::from_ref(work)), sample::NOW);
        case
    }

    /// What `outcome` of `work` writes in `case`, with the longest delay.
    fn written(case: &Case, work: &Work, outcome: WorkOutcome) -> Transition {
        let result = WorkResult { claim: CLAIM, work, outcome };
        match result.transition_for(case, &sample::policy(), sample::INSTANCE, 1.0) {
            ResultTransition::Write(transition) => *transition,
            ResultTransition::TooLate => panic!("the claim waits for its result"),
        }
    }

    fn retry_of(transition: &Transition) -> (&str, u32) {
        match &transition.event {
            Event::WorkFailed { claim: CLAIM, trouble, retry_seconds, .. } => (trouble, *retry_seconds),
            other => panic!("no failure: {other:?}"),
        }
    }

    fn error(retry_after: Option<Duration>) -> WorkOutcome {
        WorkOutcome::Failed { code: "openai.timeout", retry_after }
    }

    #[test]
    fn a_finding_finishes_its_check_under_its_claim() {
        let work = sample::device();
        let transition = written(&claimed(&work), &work, WorkOutcome::Finding(Box::default()));
        assert!(matches!(
            transition.event,
            Event::CheckFinished { claim: CLAIM, kind: Kind::Device, attempt: 1, outcome: Outcome::Passed, .. }
        ));
        assert!(transition.check.is_some() && transition.session.is_none());
        assert_eq!(transition.by, sample::INSTANCE);
    }

    #[test]
    fn a_liveness_finding_also_completes_its_session() {
        let work = sample::liveness();
        let transition = written(&claimed(&work), &work, WorkOutcome::Finding(Box::default()));
        let session = transition.session.expect("a session");
        assert_eq!((session.id.as_str(), session.status), (work.evidence(), SessionStatus::Completed));
    }

    #[test]
    fn an_opened_session_is_stored_with_its_expiry() {
        let work = sample::open_session();
        let opened = Opened {
            session_id: "at-the-provider".to_owned(),
            region: "eu-west-1".to_owned(),
            challenge: "FaceMovementAndLightChallenge".to_owned(),
            expires_at: sample::after(180),
        };
        let transition = written(&claimed(&work), &work, WorkOutcome::SessionOpened(opened.clone()));
        let session = transition.session.expect("a session");
        assert_eq!((session.status, session.opened), (SessionStatus::Open, Some(opened)));
        assert!(matches!(
            transition.event,
            Event::LivenessSessionOpened { claim: CLAIM, expires_at, .. } if expires_at == sample::after(180)
        ));
    }

    #[test]
    fn a_session_that_ended_without_a_result_says_why() {
        let work = sample::liveness();
        let (status, code) = (SessionStatus::Failed, Code::LivenessSessionFailed);
        let transition = written(&claimed(&work), &work, WorkOutcome::SessionEnded { status, code });
        assert_eq!(transition.session.map(|session| session.status), Some(status));
        let Event::LivenessSessionEnded { status, code, .. } = transition.event else { panic!("not ended") };
        assert_eq!((status.as_str(), code.as_str()), ("failed", "liveness.session_failed"));
    }

    #[test]
    fn the_journal_names_no_provider_although_the_log_does() {
        let work = sample::document();
        let outcomes = [error(None), WorkOutcome::Saturated { code: "openai.crowded" }];
        for outcome in outcomes {
            assert_eq!(retry_of(&written(&claimed(&work), &work, outcome)).0, "system.provider_unavailable");
        }
    }

    #[test]
    fn a_saturated_provider_and_a_pending_result_are_asked_again_soon() {
        let work = sample::liveness();
        let case = claimed(&work);
        let saturated = WorkOutcome::Saturated { code: "rekognition.crowded" };
        assert_eq!(retry_of(&written(&case, &work, saturated)).1, 1);
        assert_eq!(retry_of(&written(&case, &work, WorkOutcome::ResultPending)), ("liveness.not_ready", 2));
    }

    #[test]
    fn the_delay_grows_with_the_failures_of_the_same_work_up_to_a_minute() {
        let (work, other) = (sample::document(), sample::device());
        let mut case = claimed(&work);
        let mut delays = Vec::new();
        for _ in 0..8 {
            delays.push(retry_of(&written(&case, &work, error(None))).1);
            // Failures of other work do not count; a failure of this work is claimed again.
            case.apply(&sample::failed(case.seq(), &other), sample::NOW);
            case.apply(&sample::failed(1, &work), sample::NOW);
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_retry_is_never_sooner_than_a_second_and_follows_retry_after_up_to_a_minute() {
        let work = sample::document();
        let case = claimed(&work);
        let delay = |retry_after, dice| {
            let result = WorkResult { claim: CLAIM, work: &work, outcome: error(retry_after) };
            match result.transition_for(&case, &sample::policy(), sample::INSTANCE, dice) {
                ResultTransition::Write(transition) => retry_of(&transition).1,
                ResultTransition::TooLate => panic!("the claim waits for its result"),
            }
        };
        assert_eq!(delay(None, 0.0), 1);
        assert_eq!(delay(Some(Duration::from_secs(7)), 0.0), 7);
        assert_eq!(delay(Some(Duration::from_secs(3600)), 0.0), 60);
    }

    #[test]
    fn a_result_is_too_late_once_its_claim_was_answered() {
        let work = sample::device();
        let mut case = claimed(&work);
        case.apply(&sample::failed(CLAIM, &work), sample::NOW);
        let result = WorkResult { claim: CLAIM, work: &work, outcome: WorkOutcome::Finding(Box::default()) };
        let transition = result.transition_for(&case, &sample::policy(), sample::INSTANCE, 0.0);
        assert!(matches!(transition, ResultTransition::TooLate), "{transition:?}");
    }

    #[test]
    fn only_an_answer_makes_the_responses_behind_it_useless() {
        let work = sample::document();
        let is_answer = |outcome| WorkResult { claim: CLAIM, work: &work, outcome }.is_answer();
        assert!(is_answer(WorkOutcome::Finding(Box::default())));
        for outcome in [error(None), WorkOutcome::ResultPending, WorkOutcome::Saturated { code: "openai.crowded" }] {
            assert!(!is_answer(outcome));
        }
    }

    #[test]
    fn a_result_is_due_before_its_claim_ends() {
        for work in [sample::device(), sample::document(), sample::liveness(), sample::open_session()] {
            let claim = Duration::from_secs(u64::from(work.seconds()));
            assert_eq!(time_limit(&work) + WRITE_MARGIN, claim, "{work:?}");
        }
    }
}
