//! Values that the unit tests of this room start from.

use jiff::{SignedDuration, Timestamp};

use crate::verification::{
    Case, DeviceSignal, Document, DocumentType, Event, Finding, Kind, Policy, Source, Status, Transition, Verification,
    Work,
};

pub const ID: &str = "verification001";
pub const INSTANCE: &str = "this-instance";
pub const NOW: Timestamp = Timestamp::constant(1_767_268_800, 0);

/// A time after [`NOW`].
pub fn after(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

/// A policy that requires every check.
pub fn policy() -> Policy {
    Policy {
        id: "policy000000001".to_owned(),
        name: "default".to_owned(),
        version: 1,
        open_to_users: true,
        required_checks: Kind::ALL.to_vec(),
        allowed_document_types: Vec::new(),
        allowed_countries: Vec::new(),
        denied_countries: Vec::new(),
        minimum_age: 18,
        liveness_threshold: 90.0,
        liveness_attack_below: 50.0,
        face_match_pass: 95.0,
        face_match_review: 80.0,
        attempts_max: 3,
        liveness_sessions_max: 5,
        input_hours: 24,
        technical_minutes: 30,
        device_max_age_seconds: 600,
        expires_soon_days: 30,
        verified_days: 365,
        work_tries_max: 3,
        dispositions: std::collections::BTreeMap::new(),
        degraded: std::collections::BTreeMap::new(),
    }
}

/// A verification that was created and had no pass yet.
pub fn case() -> Case {
    Case {
        record: Verification { id: ID.to_owned(), created: NOW, ..Verification::default() },
        documents: Vec::new(),
        sessions: Vec::new(),
        signals: Vec::new(),
        actions: Vec::new(),
        checks: Vec::new(),
        journal: Vec::new(),
    }
}

/// The case with its first journal row, which pins `policy`.
pub fn started(policy: &Policy) -> Case {
    let event = Event::Started {
        policy: policy.id.clone(),
        policy_name: policy.name.clone(),
        policy_version: policy.version,
        liveness_threshold_hundredths: policy.liveness_threshold_hundredths(),
        attempts_max: policy.attempts_max,
        expires_at: NOW + SignedDuration::from_hours(i64::from(policy.input_hours)),
    };
    let mut case = case();
    case.apply(&Transition::new(event, INSTANCE), NOW);
    case
}

/// `case` with a device signal and a document.
pub fn with_evidence(mut case: Case) -> Case {
    case.signals.push(DeviceSignal { id: device().evidence().to_owned(), event_id: "event".to_owned(), created: NOW });
    case.documents.push(Document {
        id: document().evidence().to_owned(),
        document_type: DocumentType::Passport,
        country: String::new(),
        front: "front.jpg".to_owned(),
        back: String::new(),
        created: NOW,
    });
    case
}

pub fn device() -> Work {
    Work::Device { attempt: 1, evidence: "signalsignal001".to_owned() }
}

pub fn document() -> Work {
    Work::Document { attempt: 1, evidence: "document0000001".to_owned() }
}

pub fn liveness() -> Work {
    Work::Liveness { attempt: 1, evidence: "session00000001".to_owned() }
}

pub fn open_session() -> Work {
    Work::OpenSession { attempt: 1, evidence: "session00000001".to_owned() }
}

/// A claim of this instance on `work`.
pub fn claim(work: &[Work]) -> Transition {
    Transition::new(Event::WorkClaimed { work: work.to_vec(), seconds: 120 }, INSTANCE)
}

/// The failure of `work` under `claim`.
pub fn failed(claim: u32, work: &Work) -> Transition {
    let trouble = "system.provider_unavailable".to_owned();
    Transition::new(Event::WorkFailed { claim, work: work.clone(), trouble, retry_seconds: 1 }, INSTANCE)
}

/// A device check that passed under `claim`.
pub fn device_finished(case: &Case, policy: &Policy, claim: u32) -> Transition {
    Transition::check_finished(case, policy, claim, Kind::Device, Finding::default(), INSTANCE)
}

pub fn expired() -> Transition {
    Transition::new(Event::Expired {}, INSTANCE)
}

pub fn approved() -> Transition {
    let event = Event::Decided {
        attempt: 1,
        status: Status::Approved,
        source: Source::Reviewer,
        codes: Vec::new(),
        redo: Vec::new(),
        digest: String::new(),
    };
    Transition::new(event, INSTANCE)
}
