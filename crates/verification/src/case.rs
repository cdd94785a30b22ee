//! The case: everything stored about one verification, and the plain questions one can ask of it.

use jiff::Timestamp;

use super::check::{Check, Pictures};
use super::journal::{Entry, Event, Source, Work};
use super::kind::{ActionKind, Kind};
use super::policy::Policy;
use super::reason::Code;
use super::records::{Action, DeviceSignal, Document, LivenessSession, Verification};
use super::status::Status;
use crate::next_step::claim_seconds;

/// One verification, read whole. Lists are in order of creation, the journal in order of `seq`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The record.
    pub record: Verification,
    /// Evidence.
    pub documents: Vec<Document>,
    /// Challenges.
    pub sessions: Vec<LivenessSession>,
    /// Device events.
    pub signals: Vec<DeviceSignal>,
    /// What people did.
    pub actions: Vec<Action>,
    /// What was found.
    pub checks: Vec<Check>,
    /// What happened.
    pub journal: Vec<Entry>,
}

/// Where the journal says a verification is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// No row yet.
    Unstarted,
    /// Evidence is gathered and checked.
    Open,
    /// An attempt ended with a decision that stands.
    Decided(Status, Source),
    /// Reopened: a person must decide again.
    Reopened,
    /// Withdrawn.
    Canceled,
    /// Silent too long.
    Expired,
}

/// How a claim on a piece of work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// It led to its result.
    Finished,
    /// It ended without an answer and may be tried again from this instant.
    Failed {
        /// Not before.
        retry_at: Timestamp,
    },
    /// Nothing is known of it yet.
    Pending {
        /// When it ends by itself.
        until: Timestamp,
    },
}

/// A piece of work that somebody claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim<'a> {
    /// `seq` of the claiming row.
    pub seq: u32,
    /// The piece.
    pub work: &'a Work,
    /// Instance that claimed.
    pub by: &'a str,
    /// When.
    pub created: Timestamp,
    /// How it stands.
    pub state: ClaimState,
}

impl Case {
    /// Record id.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// The case after its last `rows` journal rows were stored, the first of them at `at`, and pictures under these names.
    #[must_use]
    pub fn stored_at(mut self, at: Timestamp, rows: usize, pictures: &[Pictures]) -> Self {
        let kept = self.journal.len().saturating_sub(rows);
        for entry in &mut self.journal[kept..] {
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

    /// `seq` of the last journal row, 0 without any.
    pub fn seq(&self) -> u32 {
        self.journal.last().map_or(0, |entry| entry.seq)
    }

    /// The current attempt, from 1: one more than the resubmissions asked for so far.
    pub fn attempt(&self) -> u32 {
        1 + u32::try_from(self.resubmissions().count()).unwrap_or(u32::MAX - 1)
    }

    /// Rows that ended an attempt by asking for new evidence.
    fn resubmissions(&self) -> impl Iterator<Item = (&Entry, u32, &[Kind])> {
        self.journal.iter().filter_map(|entry| match &entry.event {
            Event::Decided { attempt, status: Status::ResubmissionRequired, redo, .. } => {
                Some((entry, *attempt, redo.as_slice()))
            }
            _ => None,
        })
    }

    /// Where the journal says it is.
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

    /// When silence ends the verification: the pinned instant, moved on by each resubmission.
    pub fn expires_at(&self, policy: &Policy) -> Option<Timestamp> {
        self.journal.iter().rev().find_map(|e| match &e.event {
            Event::Started { expires_at, .. } => Some(*expires_at),
            Event::Decided { status: Status::ResubmissionRequired, .. } => {
                Some(e.created + jiff::SignedDuration::from_hours(i64::from(policy.input_hours)))
            }
            _ => None,
        })
    }

    /// The finding of `kind` that counts at `attempt`: the attempt's own, or an earlier one that nobody asked to redo.
    pub fn finding(&self, kind: Kind, attempt: u32) -> Option<&Check> {
        let mut at = attempt;
        loop {
            if let Some(check) = self.checks.iter().find(|c| c.kind == kind && c.attempt == at) {
                return Some(check);
            }
            let redone = self.resubmissions().any(|(_, closed, redo)| closed + 1 == at && redo.contains(&kind));
            if at <= 1 || redone {
                return None;
            }
            at -= 1;
        }
    }

    /// Every claim on work, oldest first.
    pub fn claims(&self) -> Vec<Claim<'_>> {
        let mut claims = Vec::new();
        for entry in &self.journal {
            if let Event::WorkClaimed { work, seconds } = &entry.event {
                claims.extend(work.iter().map(|work| {
                    // Each piece has its own time: a challenge must not wait for the end of a document that somebody
                    // who died had claimed with it.
                    let seconds = claim_seconds(std::slice::from_ref(work)).min(*seconds);
                    let until = entry.created + jiff::SignedDuration::from_secs(i64::from(seconds));
                    Claim {
                        seq: entry.seq,
                        work,
                        by: &entry.by,
                        created: entry.created,
                        state: self.claim_end(entry.seq, work).unwrap_or(ClaimState::Pending { until }),
                    }
                }));
            }
        }
        claims
    }

    /// How the claim `seq` on `work` ended, if it did.
    fn claim_end(&self, seq: u32, work: &Work) -> Option<ClaimState> {
        self.journal.iter().filter(|entry| entry.seq > seq).find_map(|entry| match &entry.event {
            Event::CheckFinished { claim, kind, .. } if *claim == seq && work.check() == Some(*kind) => {
                Some(ClaimState::Finished)
            }
            Event::LivenessSessionOpened { claim, liveness_session, .. }
                if *claim == seq && liveness_session == work.evidence() =>
            {
                Some(ClaimState::Finished)
            }
            // A challenge that ended without a result ends the claim on fetching or opening it, too.
            Event::LivenessSessionEnded { liveness_session, .. } if liveness_session == work.evidence() => {
                Some(ClaimState::Finished)
            }
            Event::WorkFailed { claim, work: failed, retry_seconds, .. } if *claim == seq && failed == work => {
                Some(ClaimState::Failed {
                    retry_at: entry.created + jiff::SignedDuration::from_secs(i64::from(*retry_seconds)),
                })
            }
            _ => None,
        })
    }

    /// Whether the result of `work` under claim `seq` may still be written: the claim is unanswered and its attempt is the
    /// current one. The unique `seq` of the writing batch decides between two who both may.
    pub fn may_finish(&self, seq: u32, work: &Work) -> bool {
        let unanswered = self
            .claims()
            .iter()
            .any(|c| c.seq == seq && c.work == work && matches!(c.state, ClaimState::Pending { .. }));
        let open = matches!(self.phase(), Phase::Open) && work.attempt() == self.attempt();
        let fresh =
            work.check().is_none_or(|kind| !self.checks.iter().any(|c| c.kind == kind && c.attempt == work.attempt()));
        unanswered && open && fresh
    }

    /// Actions that no journal row names yet, oldest first.
    pub fn unhandled_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| !self.journal.iter().any(|entry| entry.action == action.id))
    }

    /// The newest document that was handed in for the current attempt.
    pub fn fresh_document(&self) -> Option<&Document> {
        let since = self.asked_anew(Kind::Document);
        self.documents.iter().rev().find(|d| !self.judged(&d.id) && since.is_none_or(|since| d.created > since))
    }

    /// The newest device signal that was handed in for the current attempt.
    pub fn fresh_signal(&self) -> Option<&DeviceSignal> {
        let since = self.asked_anew(Kind::Device);
        self.signals.iter().rev().find(|s| !self.judged(&s.id) && since.is_none_or(|since| s.created > since))
    }

    /// When `kind` was last asked for anew. What was handed in before does not answer that: neither the copies of a picture
    /// that was uploaded three times, nor a document whose check never came to an end.
    fn asked_anew(&self, kind: Kind) -> Option<Timestamp> {
        self.resubmissions().filter(|(_, _, redo)| redo.contains(&kind)).last().map(|(entry, _, _)| entry.created)
    }

    /// Attempts that an automatic decision closed. A reviewer who asks again does not use one up.
    pub fn attempts_used(&self) -> u32 {
        let used = self.journal.iter().filter(|e| matches!(e.event, Event::Decided { source: Source::Automatic, .. }));
        u32::try_from(used.count()).unwrap_or(u32::MAX)
    }

    /// Whether a check rests on the record `id`.
    fn judged(&self, id: &str) -> bool {
        self.checks.iter().any(|check| check.evidence.iter().any(|e| e == id))
    }

    /// The session with record id `id`.
    pub fn session(&self, id: &str) -> Option<&LivenessSession> {
        self.sessions.iter().find(|s| s.id == id)
    }

    /// Whether the browser said that it finished the challenge `id`.
    pub fn said_completed(&self, id: &str) -> bool {
        self.actions.iter().any(|action| {
            action.kind == Some(ActionKind::LivenessCompleted)
                && action.liveness_session == id
                && self.journal.iter().any(|e| e.action == action.id && matches!(e.event, Event::ActionApplied { .. }))
        })
    }

    /// Challenges that were opened since the current attempt began, finished or not: each costs money.
    pub fn opened_sessions(&self) -> u32 {
        let opened = self.since_attempt_began(|event| matches!(event, Event::LivenessSessionOpened { .. }));
        u32::try_from(opened.count()).unwrap_or(u32::MAX)
    }

    /// Whether machines had a part in a challenge of this attempt that came to nothing: the provider could not judge it, or
    /// its result could not be fetched.
    pub fn liveness_trouble(&self) -> bool {
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
