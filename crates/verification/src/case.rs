//! The case: everything stored about one verification, and the questions that the engine asks of
//! it.

pub mod claims;

use jiff::{SignedDuration, Timestamp};

use super::check::{Check, Pictures};
use super::journal::{Entry, Event, Source, Work};
use super::kind::{ActionKind, Input, Kind, SessionStatus};
use super::policy::{PinnedPolicy, Policy};
use super::reason::Code;
use super::records::{Action, DeviceSignal, Document, LivenessSession, Verification};
use super::status::Status;

/// All records of one verification. Lists are in the order of creation, the journal in the order of
/// `seq`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The `verifications` record.
    pub record: Verification,
    /// Documents that the person uploaded.
    pub documents: Vec<Document>,
    /// Liveness challenges that the person asked for.
    pub sessions: Vec<LivenessSession>,
    /// Device events that the browser sent.
    pub signals: Vec<DeviceSignal>,
    /// Actions of the person, of reviewers and of operators.
    pub actions: Vec<Action>,
    /// Checks of all attempts.
    pub checks: Vec<Check>,
    /// The journal, whole.
    pub journal: Vec<Entry>,
}

/// Where the journal says that a verification is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The journal has no row yet.
    Unstarted,
    /// Evidence is gathered and checked.
    Open,
    /// An attempt ended with a decision that is in force.
    Decided(Status, Source),
    /// A reviewer reopened it and must decide again.
    Reopened,
    /// The person withdrew.
    Canceled,
    /// The person submitted nothing in time.
    Expired,
}

impl Case {
    /// Id of the `verifications` record.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// The case after its last `rows` journal rows were stored at `at`, with the names under which
    /// pictures were stored.
    #[must_use]
    pub fn stored_at(mut self, at: Timestamp, rows: usize, pictures: &[Pictures]) -> Self {
        let stored_before = self.journal.len().saturating_sub(rows);
        for entry in &mut self.journal[stored_before..] {
            entry.created = at;
        }
        for named in pictures {
            if let Some(check) = self.checks.iter_mut().find(|check| check.id == named.check) {
                check.reference_image.clone_from(&named.reference_image);
                check.portrait.clone_from(&named.portrait);
            }
        }
        self
    }

    /// `seq` of the last journal row; 0 without any.
    pub fn seq(&self) -> u32 {
        self.journal.last().map_or(0, |entry| entry.seq)
    }

    /// The policy that the journal pins; `None` before the first pass.
    pub fn pinned_policy(&self) -> Option<PinnedPolicy<'_>> {
        self.journal.iter().find_map(|entry| match &entry.event {
            Event::Started { policy, liveness_threshold_hundredths, .. } => {
                Some(PinnedPolicy { id: policy, liveness_threshold: f64::from(*liveness_threshold_hundredths) / 100.0 })
            }
            _ => None,
        })
    }

    /// The current attempt, from 1: one more than the resubmissions that were asked for.
    pub fn attempt(&self) -> u32 {
        1 + u32::try_from(self.resubmissions().count()).unwrap_or(u32::MAX - 1)
    }

    /// Rows that ended an attempt by asking for new evidence, with the attempt and the checks to
    /// repeat.
    fn resubmissions(&self) -> impl Iterator<Item = (&Entry, u32, &[Kind])> {
        self.journal.iter().filter_map(|entry| match &entry.event {
            Event::Decided { attempt, status: Status::ResubmissionRequired, redo, .. } => {
                Some((entry, *attempt, redo.as_slice()))
            }
            _ => None,
        })
    }

    /// Where the journal says that the verification is.
    pub fn phase(&self) -> Phase {
        self.journal.iter().fold(Phase::Unstarted, |phase, entry| match &entry.event {
            Event::Started { .. } | Event::Decided { status: Status::ResubmissionRequired, .. } => Phase::Open,
            Event::Decided { status, source, .. } => Phase::Decided(*status, *source),
            Event::Reopened {} => Phase::Reopened,
            Event::Canceled {} => Phase::Canceled,
            Event::Expired {} => Phase::Expired,
            _ => phase,
        })
    }

    /// When the current attempt began.
    pub fn attempt_began(&self) -> Option<Timestamp> {
        self.journal
            .iter()
            .rev()
            .find(|e| {
                matches!(e.event, Event::Started { .. } | Event::Decided { status: Status::ResubmissionRequired, .. })
            })
            .map(|e| e.created)
    }

    /// When the verification expires if the person submits nothing: the pinned instant, moved on by
    /// each resubmission.
    pub fn expires_at(&self, policy: &Policy) -> Option<Timestamp> {
        self.journal.iter().rev().find_map(|e| match &e.event {
            Event::Started { expires_at, .. } => Some(*expires_at),
            Event::Decided { status: Status::ResubmissionRequired, .. } => {
                Some(e.created + SignedDuration::from_hours(i64::from(policy.input_hours)))
            }
            _ => None,
        })
    }

    /// The check of `kind` that is valid in `attempt`: the attempt's own, or an earlier one that no
    /// resubmission repeats.
    pub fn finding(&self, kind: Kind, attempt: u32) -> Option<&Check> {
        let mut at = attempt;
        loop {
            if let Some(check) = self.checks.iter().find(|c| c.kind == kind && c.attempt == at) {
                return Some(check);
            }
            let repeated = self.resubmissions().any(|(_, closed, redo)| closed + 1 == at && redo.contains(&kind));
            if at <= 1 || repeated {
                return None;
            }
            at -= 1;
        }
    }

    /// The check of `kind` that is in effect now. One that rests on other checks is in effect only
    /// for the pictures that those checks have now.
    pub fn effective_check(&self, kind: Kind) -> Option<&Check> {
        let attempt = self.attempt();
        let found = self.finding(kind, attempt)?;
        let is_newest = |base: &Kind| self.finding(*base, attempt).is_some_and(|base| base.attempt <= found.attempt);
        kind.spec().rests_on.iter().all(is_newest).then_some(found)
    }

    /// Actions that no journal row names yet, oldest first.
    pub fn unhandled_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| !self.journal.iter().any(|entry| entry.action == action.id))
    }

    /// Whether the current attempt has what the person must submit for a check of `kind`.
    pub fn has_input(&self, kind: Kind) -> bool {
        match kind.spec().input {
            None => true,
            Some(Input::DeviceSignal) => self.fresh_signal().is_some(),
            Some(Input::Document) => self.fresh_document().is_some(),
            Some(Input::LivenessSession) => {
                self.sessions.iter().any(|s| s.status == SessionStatus::Open && self.completion_reported(&s.id))
            }
        }
    }

    /// The newest document that was submitted for the current attempt and not judged yet.
    pub fn fresh_document(&self) -> Option<&Document> {
        let since = self.last_request_for(Kind::Document);
        self.documents.iter().rev().find(|d| !self.is_judged(&d.id) && since.is_none_or(|since| d.created > since))
    }

    /// The newest device signal that was submitted for the current attempt and not judged yet.
    pub fn fresh_signal(&self) -> Option<&DeviceSignal> {
        let since = self.last_request_for(Kind::Device);
        self.signals.iter().rev().find(|s| !self.is_judged(&s.id) && since.is_none_or(|since| s.created > since))
    }

    /// When a resubmission last asked to repeat `kind`. Evidence from before does not answer it:
    /// neither the copies of a picture that was uploaded three times, nor a document whose check
    /// never ended.
    fn last_request_for(&self, kind: Kind) -> Option<Timestamp> {
        self.resubmissions().filter(|(_, _, redo)| redo.contains(&kind)).last().map(|(entry, _, _)| entry.created)
    }

    /// Number of attempts that an automatic decision closed. A reviewer who asks for new evidence
    /// uses none up.
    pub fn attempts_used(&self) -> u32 {
        let used = self.journal.iter().filter(|e| matches!(e.event, Event::Decided { source: Source::Automatic, .. }));
        u32::try_from(used.count()).unwrap_or(u32::MAX)
    }

    /// Whether a check has judged the record `id`.
    fn is_judged(&self, id: &str) -> bool {
        self.checks.iter().any(|check| check.evidence.iter().any(|e| e == id))
    }

    /// The challenge with record id `id`.
    pub fn session(&self, id: &str) -> Option<&LivenessSession> {
        self.sessions.iter().find(|s| s.id == id)
    }

    /// Whether the browser reported that the person finished the challenge `id`.
    pub fn completion_reported(&self, id: &str) -> bool {
        self.actions.iter().any(|action| {
            action.kind == Some(ActionKind::LivenessCompleted)
                && action.liveness_session == id
                && self.journal.iter().any(|e| e.action == action.id && matches!(e.event, Event::ActionApplied { .. }))
        })
    }

    /// Number of challenges that were opened in the current attempt, finished or not: each costs
    /// money.
    pub fn opened_sessions(&self) -> u32 {
        let opened = self.since_attempt_began(|event| matches!(event, Event::LivenessSessionOpened { .. }));
        u32::try_from(opened.count()).unwrap_or(u32::MAX)
    }

    /// Whether a technical failure had a part in a challenge of this attempt that ended without a
    /// result: the provider could not analyse it, or its result could not be fetched.
    pub fn liveness_failed_technically(&self) -> bool {
        self.since_attempt_began(|event| match event {
            Event::LivenessSessionEnded { code, .. } => code == Code::LivenessSessionFailed.as_str(),
            Event::WorkFailed { work: Work::Liveness { .. }, .. } => true,
            _ => false,
        })
        .next()
        .is_some()
    }

    fn since_attempt_began(&self, wanted: impl Fn(&Event) -> bool) -> impl Iterator<Item = &Entry> {
        let since = self.attempt_began();
        self.journal.iter().filter(move |e| since.is_none_or(|since| e.created >= since) && wanted(&e.event))
    }
}
