//! The agenda of an open verification: which work is due, which is running, and when
//! more may be due.

use jiff::{SignedDuration, Timestamp};

use super::step::{RESULT_GRACE_SECONDS, RESULT_LEAD_SECONDS, Runner, Step};
use crate::case::Case;
use crate::case::claims::{Claim, ClaimState};
use crate::journal::{Event, Work};
use crate::kind::{Kind, SessionStatus};
use crate::policy::Policy;
use crate::reason::{Code, Reason};
use crate::summary::missing;
use crate::transition::Transition;

/// Extra seconds before this runner repeats work that failed at another instance: the answers that
/// the other one paid for are in its memory.
const HEAD_START_SECONDS: i64 = 5;

/// What is due for one verification now, gathered item by item.
pub(super) struct Agenda<'a> {
    case: &'a Case,
    policy: &'a Policy,
    now: Timestamp,
    runner: Runner<'a>,
    claims: Vec<Claim<'a>>,
    due: Vec<Work>,
    running: bool,
    wake: Option<Timestamp>,
}

impl<'a> Agenda<'a> {
    pub(super) fn new(case: &'a Case, policy: &'a Policy, now: Timestamp, runner: Runner<'a>) -> Self {
        Self { case, policy, now, runner, claims: case.claims(), due: Vec::new(), running: false, wake: None }
    }

    pub(super) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn into_due(self) -> Vec<Work> {
        self.due
    }

    /// Whether work is running that must end before a decision.
    pub(super) fn is_running(&self) -> bool {
        self.running
    }

    /// Waits as if a runner worked on something.
    pub(super) fn treat_as_running(&mut self) {
        self.running = true;
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    pub(super) fn wait(&self) -> Step {
        self.wake.map_or(Step::Nothing, |at| Step::Wait(at.max(self.now)))
    }

    /// The end of `claim`, if a live process works on it as far as this runner can know.
    fn alive_until(&self, claim: &Claim<'_>) -> Option<Timestamp> {
        let ClaimState::Pending { until } = claim.state else { return None };
        let abandoned = claim.by == self.runner.instance && !self.runner.holding.contains(&claim.seq);
        (until > self.now && !abandoned).then_some(until)
    }

    /// Ends a challenge that is over, or the check when too many challenges were opened.
    pub(super) fn end_sessions(&mut self) -> Option<Transition> {
        if !self.policy.requires(Kind::Liveness) || self.case.effective_check(Kind::Liveness).is_some() {
            return None;
        }
        for session in self.case.sessions.iter().filter(|s| s.status == SessionStatus::Open) {
            let Some(expires_at) = session.expires_at else { continue };
            let over = expires_at + SignedDuration::from_secs(RESULT_GRACE_SECONDS);
            let fetching = self.claims.iter().any(|c| c.work.evidence() == session.id && self.alive_until(c).is_some());
            if self.now >= over && !fetching {
                let code = Code::LivenessSessionExpired.as_str();
                let (status, by) = (SessionStatus::Expired, self.runner.instance);
                return Some(Transition::session_ended(&session.id, status, code, by));
            }
            let lead = expires_at - SignedDuration::from_secs(RESULT_LEAD_SECONDS);
            self.wake_at(if self.now < lead { lead } else { over });
        }
        let opened = self.case.opened_sessions();
        let any_open = self.case.sessions.iter().any(|s| s.status == SessionStatus::Open);
        if opened >= self.policy.liveness_sessions_max && !any_open {
            // A technical failure must not cost the person an attempt.
            let code = if self.case.liveness_failed_technically() {
                Code::SystemProviderUnavailable
            } else {
                Code::LivenessNotCompleted
            };
            let reason = Reason::new(code, format!("{opened} challenges ended without a result"));
            return Some(self.conclude(Kind::Liveness, reason, None));
        }
        None
    }

    /// Adds `work` to what is due, unless it is running or must wait. Returns a transition when it
    /// has failed for good.
    pub(super) fn consider(&mut self, work: Work) -> Option<Transition> {
        let earlier: Vec<Claim<'a>> = self.claims.iter().filter(|c| c.work.is_same_task(&work)).cloned().collect();
        if let Some(until) = earlier.iter().filter_map(|c| self.alive_until(c)).max() {
            self.running = true;
            self.wake_at(until);
            return None;
        }
        let lost = earlier.iter().filter(|claim| claim.is_pending()).count();
        if lost >= self.policy.work_tries_max as usize {
            let detail = format!("the service died {lost} times while working on it");
            return Some(self.give_up(&work, Reason::new(Code::SystemInternalError, detail)));
        }
        let failed = earlier.iter().rev().find_map(|c| match c.state {
            ClaimState::Failed { retry_at } if c.by == self.runner.instance => Some(retry_at),
            ClaimState::Failed { retry_at } => Some(retry_at + SignedDuration::from_secs(HEAD_START_SECONDS)),
            _ => None,
        });
        if let (Some(first), Some(retry_at)) = (earlier.first(), failed) {
            let deadline = first.created + SignedDuration::from_mins(i64::from(self.policy.technical_minutes));
            if self.now >= deadline {
                let detail = format!("no answer within {} minutes", self.policy.technical_minutes);
                return Some(self.give_up(&work, Reason::new(Code::SystemProviderUnavailable, detail)));
            }
            if self.now < retry_at {
                self.running = true;
                self.wake_at(retry_at.min(deadline));
                return None;
            }
        }
        self.due.push(work);
        None
    }

    /// Concludes the check of `work`; opening a challenge counts as liveness.
    fn give_up(&self, work: &Work, reason: Reason) -> Transition {
        self.conclude(work.check().unwrap_or(Kind::Liveness), reason, None)
    }

    fn conclude(&self, kind: Kind, reason: Reason, not_executed_because: Option<String>) -> Transition {
        let by = self.runner.instance;
        Transition::check_without_answer(self.case, self.policy, kind, reason, not_executed_because, by)
    }

    /// Waits for work of this attempt that still runs although its result no longer matters, so
    /// that a decision never races a check of its own attempt.
    pub(super) fn await_running(&mut self) {
        let attempt = self.case.attempt();
        let until: Vec<Timestamp> = self
            .claims
            .iter()
            .filter(|c| c.work.attempt() == attempt && c.work.check().is_some())
            .filter_map(|c| self.alive_until(c))
            .collect();
        for until in until {
            self.running = true;
            self.wake_at(until);
        }
    }

    /// The step when nothing is due: wait for evidence, or give up on it when the time for it is
    /// over.
    pub(super) fn without_evidence(mut self) -> Step {
        let missing = missing(self.case, self.policy);
        // The browser sends a device event by itself, so a person who did all the rest cannot be
        // asked for it.
        if missing == [Kind::Device] {
            let grace = self.last_evidence() + SignedDuration::from_secs(i64::from(self.policy.device_max_age_seconds));
            if self.now >= grace {
                let reason = Reason::new(Code::DeviceSignalMissing, "the browser sent no device event");
                let because = Some("no device event was received".to_owned());
                return Step::write(self.conclude(Kind::Device, reason, because));
            }
            self.wake_at(grace);
        }
        if let Some(at) = self.case.expires_at(self.policy).filter(|_| !missing.is_empty()) {
            if self.now >= at {
                return Step::write(Transition::new(Event::Expired {}, self.runner.instance));
            }
            self.wake_at(at);
        }
        self.wait()
    }

    fn last_evidence(&self) -> Timestamp {
        let documents = self.case.documents.iter().map(|d| d.created);
        let actions = self.case.actions.iter().map(|a| a.created);
        documents.chain(actions).max().unwrap_or(self.now)
    }
}
