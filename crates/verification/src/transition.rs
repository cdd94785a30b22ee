//! A transition: one journal row with what is stored beside it, and how it changes a case in memory.

use jiff::Timestamp;

use super::case::Case;
use super::check::{Check, Finding};
use super::decision::Decision;
use super::journal::{self, Entry, Event};
use super::kind::SessionStatus;

/// What the service changes on a `liveness_sessions` record.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionPatch {
    /// Record id.
    pub id: String,
    /// New status.
    pub status: SessionStatus,
    /// Set when the challenge is opened: provider's session id, region, challenge type, expiry.
    pub opened: Option<Opened>,
}

/// The provider's side of a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The provider's session id.
    pub session_id: String,
    /// Where it was opened; the browser must use the same region.
    pub region: String,
    /// Challenge type.
    pub challenge: String,
    /// Until when the provider keeps it.
    pub expires_at: Timestamp,
}

/// One step of a verification, complete: the journal row and the rows that go with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What happened.
    pub event: Event,
    /// The action it handles, if any.
    pub action: String,
    /// Who did it.
    pub by: String,
    /// The finding to store, with the row it makes.
    pub check: Option<(Check, Finding)>,
    /// The challenge to change.
    pub session: Option<SessionPatch>,
    /// The full decision, for an automatic one: stored as a `checks` row of kind `decision`.
    pub decision: Option<Decision>,
}

impl Transition {
    /// A transition that stores nothing beside its journal row.
    pub fn new(event: Event, by: impl Into<String>) -> Self {
        Self { event, action: String::new(), by: by.into(), check: None, session: None, decision: None }
    }

    /// The same, naming the action it handles.
    #[must_use]
    pub fn handling(mut self, action: &str) -> Self {
        action.clone_into(&mut self.action);
        self
    }

    /// The same, storing a finding.
    #[must_use]
    pub fn storing(mut self, check: Check, finding: Finding) -> Self {
        self.check = Some((check, finding));
        self
    }

    /// The same, changing a challenge.
    #[must_use]
    pub fn changing(mut self, session: SessionPatch) -> Self {
        self.session = Some(session);
        self
    }
}

impl Case {
    /// Applies `transition` in memory, as if it had been stored at `now`, and returns the journal row it makes.
    ///
    /// `PocketBase` stamps the stored row itself; the two instants differ by less than a request, and nothing is decided on
    /// the in-memory one that is not decided again from the stored one.
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
        entry.hash = journal::hash(self.id(), &entry);
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
