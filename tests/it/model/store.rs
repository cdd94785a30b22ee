//! `PocketBase`, as far as the protocol rests on it.

use std::collections::BTreeMap;

use identivia::verification::check::Pictures;
use identivia::verification::{
    Action, ActionKind, Actor, Case, DeviceSignal, Document, DocumentType, Entry, Event, Kind, LivenessSession, Policy,
    SessionStatus, Source, Transition, Verification,
};
use jiff::{SignedDuration, Timestamp};

use super::Flaw;

/// A batch of a sidecar.
#[derive(Clone)]
pub struct Batch {
    pub transitions: Vec<Transition>,
    pub entries: Vec<Entry>,
}

/// One stored verification.
pub struct Store {
    /// The stored state.
    pub case: Case,
    /// The policy in force.
    pub policy: Policy,
    /// The store's clock, the only one that counts.
    pub now: Timestamp,
    flaw: Flaw,
    ids: u32,
}

impl Store {
    /// `case`, whose last `rows` rows were stored, with the times from the store's answer.
    pub fn stamped(&self, case: Case, rows: usize) -> Case {
        let first = case.journal.len() - rows;
        let pictures: Vec<Pictures> = self
            .case
            .checks
            .iter()
            .map(|check| Pictures {
                check: check.id.clone(),
                reference_image: check.reference_image.clone(),
                portrait: check.portrait.clone(),
            })
            .collect();
        case.stored_at(self.case.journal[first].created, rows, &pictures)
    }

    pub fn new(flaw: Flaw) -> Self {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().expect("an instant");
        let record = Verification { id: "verification001".into(), created: now, ..Verification::default() };
        let case = Case {
            record,
            documents: vec![],
            sessions: vec![],
            signals: vec![],
            actions: vec![],
            checks: vec![],
            journal: vec![],
        };
        Self { case, policy: policy(), now, flaw, ids: 0 }
    }

    /// Stores all of `batch` or nothing of it, and returns whether it did.
    pub fn commit(&mut self, batch: &Batch) -> bool {
        if self.flaw != Flaw::NoUniqueNumber && batch.entries[0].seq != self.case.seq() + 1 {
            return false;
        }
        let handled =
            |entry: &Entry| !entry.action.is_empty() && self.case.journal.iter().any(|e| e.action == entry.action);
        if batch.entries.iter().any(handled) {
            return false;
        }
        let named = batch.transitions.iter().filter_map(|t| t.check.as_ref()).map(|(check, _)| &check.id);
        let walled = !matches!(self.flaw, Flaw::NoFence | Flaw::NoUniqueNumber);
        if walled && named.into_iter().any(|id| self.case.checks.iter().any(|check| check.id == *id)) {
            return false;
        }
        for (transition, entry) in batch.transitions.iter().zip(&batch.entries) {
            self.store(transition, entry);
        }
        true
    }

    fn store(&mut self, transition: &Transition, entry: &Entry) {
        self.case.journal.push(Entry { created: self.now, ..entry.clone() });
        if let Some((check, finding)) = &transition.check {
            let mut check = check.clone();
            let name = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|_| "picture.jpg".to_owned()).unwrap_or_default();
            check.reference_image = name(&finding.reference_image);
            check.portrait = name(&finding.portrait);
            self.case.checks.push(check);
        }
        if let Some(patch) = &transition.session
            && let Some(session) = self.case.sessions.iter_mut().find(|session| session.id == patch.id)
        {
            session.status = patch.status;
            if let Some(opened) = &patch.opened {
                session.session_id.clone_from(&opened.session_id);
                session.expires_at = Some(opened.expires_at);
            }
        }
    }

    /// Number of automatic decisions of an attempt.
    pub fn decisions(&self, attempt: u32) -> usize {
        let of_it = |event: &Event| matches!(event, Event::Decided { attempt: a, source: Source::Automatic, .. } if *a == attempt);
        self.case.journal.iter().filter(|entry| of_it(&entry.event)).count()
    }

    pub fn pass_time(&mut self, time: SignedDuration) {
        self.now += time;
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("record{:09}", self.ids)
    }

    pub fn add_document(&mut self) {
        let document = Document {
            id: self.id(),
            document_type: DocumentType::Passport,
            country: String::new(),
            front: "front.jpg".into(),
            back: String::new(),
            created: self.now,
        };
        self.case.documents.push(document);
    }

    pub fn add_signal(&mut self) {
        let signal = DeviceSignal { id: self.id(), event_id: "1700000000000.abcdef".into(), created: self.now };
        self.case.signals.push(signal);
    }

    pub fn ask_challenge(&mut self) {
        let session = LivenessSession {
            id: self.id(),
            session_id: String::new(),
            region: String::new(),
            status: SessionStatus::Requested,
            expires_at: None,
            created: self.now,
        };
        self.case.sessions.push(session);
    }

    /// Records that the person finished the newest open challenge.
    pub fn finish_challenge(&mut self) {
        let open = self.case.sessions.iter().rev().find(|session| session.status == SessionStatus::Open);
        if let Some(id) = open.map(|session| session.id.clone()) {
            self.act(ActionKind::LivenessCompleted, Actor::User, &id);
        }
    }

    pub fn act(&mut self, kind: ActionKind, actor: Actor, session: &str) {
        let action = Action {
            id: self.id(),
            kind: Some(kind),
            name: kind.as_str().into(),
            liveness_session: session.into(),
            reason: "because".into(),
            redo: vec![],
            actor,
            created: self.now,
        };
        self.case.actions.push(action);
    }
}

fn policy() -> Policy {
    Policy {
        id: "policy000000001".into(),
        name: "default".into(),
        version: 1,
        open_to_users: true,
        required_checks: Kind::ALL.to_vec(),
        allowed_document_types: vec![],
        allowed_countries: vec![],
        denied_countries: vec![],
        minimum_age: 18,
        liveness_threshold: 75.0,
        liveness_attack_below: 50.0,
        face_match_pass: 95.0,
        face_match_review: 80.0,
        attempts_max: 3,
        liveness_sessions_max: 5,
        input_hours: 72,
        technical_minutes: 30,
        device_max_age_seconds: 600,
        expires_soon_days: 30,
        verified_days: 365,
        work_tries_max: 3,
        dispositions: BTreeMap::new(),
        degraded: BTreeMap::new(),
    }
}
