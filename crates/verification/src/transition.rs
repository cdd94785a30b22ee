//! Transitions: one journal row with the records that are stored with it, and how it changes a case
//! in memory.

use jiff::Timestamp;

use super::case::Case;
use super::check::{Check, Finding, Judgement};
use super::decision::Decision;
use super::journal::{Entry, Event, chain};
use super::kind::{Kind, SessionStatus};
use super::policy::Policy;
use super::reason::{Disposition, Reason};

/// What the service changes on a `liveness_sessions` record.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionPatch {
    /// Record id.
    pub id: String,
    /// New state of the challenge.
    pub status: SessionStatus,
    /// The provider's side of the challenge, when it is opened.
    pub opened: Option<Opened>,
}

/// The provider's side of a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The provider's session id.
    pub session_id: String,
    /// AWS region in which it was opened; the browser must use the same.
    pub region: String,
    /// Type of the challenge.
    pub challenge: String,
    /// When the provider deletes the session.
    pub expires_at: Timestamp,
}

/// One step of a verification: a journal row and the records that are stored with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What happened.
    pub event: Event,
    /// Id of the action that it handles, else empty.
    pub action: String,
    /// Name of the instance, or the label of the actor.
    pub by: String,
    /// The check to store, with the finding that it was made from.
    pub check: Option<(Check, Finding)>,
    /// The challenge to change.
    pub session: Option<SessionPatch>,
    /// The whole automatic decision, stored as a `checks` row of kind `decision`.
    pub decision: Option<Decision>,
}

impl Transition {
    /// A transition that stores only its journal row.
    pub fn new(event: Event, by: impl Into<String>) -> Self {
        Self { event, action: String::new(), by: by.into(), check: None, session: None, decision: None }
    }

    /// The end of a check: stores what `finding` is under `policy`, as the result of claim `claim`.
    pub fn check_finished(
        case: &Case,
        policy: &Policy,
        claim: u32,
        kind: Kind,
        finding: Finding,
        by: impl Into<String>,
    ) -> Self {
        let check = Check::judge(case.id(), kind, case.attempt(), &finding, policy);
        let mut codes: Vec<String> = Vec::new();
        for reason in check.reasons.iter().filter(|r| r.disposition >= Disposition::Resubmit) {
            if !codes.contains(&reason.user_message_key) {
                codes.push(reason.user_message_key.clone());
            }
        }
        let event = Event::CheckFinished { claim, kind, attempt: check.attempt, outcome: check.outcome, codes };
        Self::new(event, by).storing(check, finding)
    }

    /// The end of a check that no provider answered: a technical failure, or nothing to check.
    pub fn check_without_answer(
        case: &Case,
        policy: &Policy,
        kind: Kind,
        reason: Reason,
        not_executed_because: Option<String>,
        by: impl Into<String>,
    ) -> Self {
        let judgement = Judgement { reasons: vec![reason], ..Judgement::default() };
        let finding = Finding { judgement, not_executed_because, ..Finding::default() };
        Self::check_finished(case, policy, 0, kind, finding, by)
    }

    /// The opening of challenge `session` at the provider, as the result of claim `claim`.
    pub fn session_opened(claim: u32, session: &str, opened: Opened, by: impl Into<String>) -> Self {
        let (id, expires_at) = (session.to_owned(), opened.expires_at);
        let event = Event::LivenessSessionOpened { claim, liveness_session: id.clone(), expires_at };
        Self::new(event, by).changing(SessionPatch { id, status: SessionStatus::Open, opened: Some(opened) })
    }

    /// The end of challenge `session` without a result, for the reason `code`.
    pub fn session_ended(session: &str, status: SessionStatus, code: &str, by: impl Into<String>) -> Self {
        let (id, code) = (session.to_owned(), code.to_owned());
        let event =
            Event::LivenessSessionEnded { liveness_session: id.clone(), status: status.as_str().to_owned(), code };
        Self::new(event, by).changing(SessionPatch { id, status, opened: None })
    }

    /// Names the action that the transition handles.
    #[must_use]
    pub fn handling(mut self, action: &str) -> Self {
        action.clone_into(&mut self.action);
        self
    }

    /// Adds a check to store.
    #[must_use]
    pub fn storing(mut self, check: Check, finding: Finding) -> Self {
        self.check = Some((check, finding));
        self
    }

    /// Adds a change of a challenge.
    #[must_use]
    pub fn changing(mut self, session: SessionPatch) -> Self {
        self.session = Some(session);
        self
    }
}

impl Case {
    /// Applies `transition` in memory, as if it had been stored at `now`, and returns its journal
    /// row.
    ///
    /// `PocketBase` stamps the stored row itself. The two instants differ by less than a request,
    /// and everything that is decided on the instant in memory is decided again from the stored
    /// one.
    pub fn apply(&mut self, transition: &Transition, now: Timestamp) -> Entry {
        let (name, data) = transition.event.to_parts();
        let mut entry = Entry {
            seq: self.seq() + 1,
            event: transition.event.clone(),
            data,
            name,
            action: transition.action.clone(),
            by: transition.by.clone(),
            previous_hash: self.journal.last().map(|e| e.hash.clone()).unwrap_or_default(),
            hash: String::new(),
            created: now,
        };
        entry.hash = chain::hash(self.id(), &entry);
        self.journal.push(entry.clone());
        if let Some((check, _)) = &transition.check {
            self.checks.push(check.clone());
        }
        if let Some(patch) = &transition.session {
            self.apply_session(patch);
        }
        entry
    }

    fn apply_session(&mut self, patch: &SessionPatch) {
        if let Some(session) = self.sessions.iter_mut().find(|s| s.id == patch.id) {
            session.status = patch.status;
            if let Some(opened) = &patch.opened {
                session.session_id.clone_from(&opened.session_id);
                session.region.clone_from(&opened.region);
                session.expires_at = Some(opened.expires_at);
            }
        }
    }
}
