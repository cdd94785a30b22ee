//! Handmade observations: of a healthy system, and with each kind of damage that the oracle must
//! find.

use std::collections::BTreeMap;

use identivia::verification::check::{Check, check_id};
use identivia::verification::transition::Opened;
use identivia::verification::{
    Action, ActionKind, Actor, Case, DeviceSignal, Document, DocumentType, Event, Finding, Kind, LivenessSession,
    Policy, Runner, SessionPatch, SessionStatus, Source, Status, Step, Transition, Verification, Work, next_step,
    summary,
};
use jiff::Timestamp;
use serde_json::json;

use super::calls::UNKNOWN_EVENT;
use super::{Observed, Stored, violations};
use crate::system::person::Acknowledged;
use crate::system::sandbox::Call;

const ID: &str = "verification001";
const ENDPOINT: &str = "endpoint0000001";

/// One verification that was rightly approved.
fn healthy() -> Observed {
    let mut life = Life::new();
    life.run();
    life.observed()
}

/// Damages the verification of a healthy system and returns what the oracle says.
fn broken(damage: impl FnOnce(&mut Stored)) -> String {
    let mut observed = healthy();
    damage(observed.stored.get_mut(ID).expect("the verification"));
    violations(&observed).join("\n")
}

/// Appends a row as an attacker would who knows how the chain is made, and not the rules.
fn append(stored: &mut Stored, event: Event, by: &str) {
    let now = stored.case.journal.last().map_or(Timestamp::UNIX_EPOCH, |entry| entry.created);
    stored.case.apply(&Transition::new(event, by), now);
    stored.record["version"] = stored.case.seq().into();
}

#[test]
fn a_healthy_system_breaks_no_promise() {
    assert_eq!(violations(&healthy()), Vec::<String>::new());
}

#[test]
fn a_gap_is_seen() {
    let said = broken(|stored| {
        stored.case.journal.remove(3);
    });
    assert!(said.contains("stands where 4 should"), "{said}");
}

#[test]
fn a_lost_last_row_is_seen() {
    let said = broken(|stored| {
        stored.case.journal.pop();
    });
    assert!(said.contains("the journal ends at"), "{said}");
}

#[test]
fn an_altered_row_is_seen() {
    let said = broken(|stored| stored.case.journal[1].by = "somebody".to_owned());
    assert!(said.contains("row 2 was altered"), "{said}");
}

#[test]
fn a_second_decision_is_seen() {
    let said = broken(|stored| {
        let decided = stored.case.journal.last().expect("a decision").event.clone();
        append(stored, decided, "two");
    });
    assert!(said.contains("attempt 1 was decided 2 times"), "{said}");
    assert!(said.contains("has decided for good"), "{said}");
    assert!(said.contains("notifications due"), "{said}");
}

#[test]
fn a_decision_without_its_row_is_seen() {
    let said = broken(|stored| stored.decisions.clear());
    assert!(said.contains("decisions are stored for attempts []"), "{said}");
}

#[test]
fn a_missing_check_is_seen() {
    let said = broken(|stored| stored.case.checks.retain(|check| check.kind != Kind::FaceMatch));
    assert!(said.contains("the journal has"), "{said}");
    assert!(said.contains("approved although the face_match check is None"), "{said}");
    assert!(said.contains("its records say None"), "{said}");
}

#[test]
fn a_check_that_was_changed_afterwards_is_seen() {
    let said = broken(|stored| {
        let document = stored.case.checks.iter_mut().find(|check| check.kind == Kind::Document);
        document.expect("a document check").outcome = identivia::verification::Outcome::Failed;
    });
    assert!(said.contains("approved although the document check is Some(Failed)"), "{said}");
    assert!(said.contains("or another digest"), "{said}");
}

#[test]
fn a_second_check_of_a_kind_is_seen() {
    let said = broken(|stored| {
        let copy = Check { id: "another00000001".to_owned(), ..stored.case.checks[0].clone() };
        stored.case.checks.push(copy);
    });
    assert!(said.contains("two device checks in attempt 1"), "{said}");
}

#[test]
fn an_approval_without_a_required_check_is_seen() {
    let mut life = Life::new();
    life.start();
    let stored = &mut life.into_stored();
    let event = Event::Decided {
        attempt: 1,
        status: Status::Approved,
        source: Source::Automatic,
        codes: vec![],
        redo: vec![],
        digest: String::new(),
    };
    append(stored, event, "one");
    let observed = Observed { stored: BTreeMap::from([(ID.to_owned(), stored.clone())]), ..healthy() };
    let said = violations(&observed).join("\n");
    assert!(said.contains("approved although the liveness check is None"), "{said}");
}

#[test]
fn a_record_that_says_something_else_is_seen() {
    let said = broken(|stored| stored.record["status"] = "declined".into());
    assert!(said.contains(r#"status is "declined", should be "approved""#), "{said}");
}

#[test]
fn silence_is_seen() {
    let mut life = Life::new();
    life.start();
    // The last evidence arrived, and no process read it.
    life.case.actions.push(life.completed());
    let observed = life.observed();
    let said = violations(&observed).join("\n");
    assert!(said.contains("was not handled"), "{said}");
}

#[test]
fn a_claim_on_what_another_holds_is_seen() {
    let mut life = Life::new();
    life.start();
    let mut stored = life.into_stored();
    let held = stored.case.journal.iter().find_map(|entry| match &entry.event {
        Event::WorkClaimed { work, .. } => Some(work.clone()),
        _ => None,
    });
    append(&mut stored, Event::WorkClaimed { work: held.expect("a claim"), seconds: 30 }, "two");
    let said = super::journal::claims_exclude(&stored).join("\n");
    assert!(said.contains("from one, who holds it"), "{said}");
}

#[test]
fn a_late_writer_is_seen() {
    let said = broken(|stored| {
        let event = Event::CheckFinished {
            claim: 2,
            kind: Kind::Document,
            attempt: 1,
            outcome: identivia::verification::Outcome::Passed,
            codes: vec![],
        };
        append(stored, event, "two");
    });
    assert!(said.contains("by two answers claim 2"), "{said}");
}

#[test]
fn a_lost_write_is_seen() {
    let mut observed = healthy();
    let lost = Acknowledged { collection: "documents", id: "lost00000000001".to_owned(), verification: ID.to_owned() };
    observed.acknowledged.push(lost);
    observed.acknowledged.push(Acknowledged {
        collection: "verifications",
        id: "lost00000000002".to_owned(),
        verification: "lost00000000002".to_owned(),
    });
    assert_eq!(violations(&observed).len(), 2);
}

#[test]
fn calls_without_a_claim_are_seen() {
    for operation in ["CreateFaceLivenessSession", "events.get", "chat.completions", "CompareFaces", "DeleteFaces"] {
        let mut observed = healthy();
        observed.calls.push(call(99, operation, "liveness0000001", "event"));
        let found = violations(&observed);
        assert!(found.iter().any(|what| what.starts_with(operation)), "{operation}: {found:?}");
    }
}

#[test]
fn an_event_that_is_not_there_yet_may_be_asked_for_three_times() {
    let mut observed = healthy();
    let unknown = Call { status: Some(404), ..call(99, "events.get", "liveness0000001", "event") };
    observed.calls.extend([unknown.clone(), unknown.clone(), unknown.clone()]);
    assert_eq!(violations(&observed), Vec::<String>::new());
    observed.calls.push(unknown);
    assert!(violations(&observed).iter().any(|what| what.starts_with(UNKNOWN_EVENT)));
}

#[test]
fn a_challenge_that_was_opened_twice_is_seen() {
    let mut observed = healthy();
    observed.calls.push(call(99, "CreateFaceLivenessSession", "liveness0000001", "another session"));
    assert!(violations(&observed).iter().any(|what| what.contains("opened as 2 sessions")));
}

#[test]
fn a_notification_too_few_is_seen() {
    assert!(broken(|stored| stored.deliveries.clear()).contains("notifications due"));
}

#[test]
fn a_canary_in_a_log_is_seen() {
    for said in ["verified Eriksson today", "number l898902c7", "token eyJhbGciOi", "password canary-1"] {
        let mut observed = healthy();
        observed.logs.insert("sidecar-one.log".to_owned(), format!("all is well\n{said}\n"));
        assert!(violations(&observed).iter().any(|what| what.contains("is in sidecar-one.log")), "{said}");
    }
}

fn call(seq: u64, operation: &str, token: &str, subject: &str) -> Call {
    Call {
        seq,
        operation: operation.to_owned(),
        outcome: "answered".to_owned(),
        idempotency_token: token.to_owned(),
        subject: subject.to_owned(),
        attempt: "attempt=1; max=1".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        fault: None,
        status: Some(200),
    }
}

/// The life of one verification with one sidecar, played in memory with the real core.
struct Life {
    case: Case,
    policy: Policy,
    calls: Vec<Call>,
}

impl Life {
    fn new() -> Self {
        let record = Verification { id: ID.to_owned(), ..Verification::default() };
        let created = record.created;
        let case = Case {
            record,
            documents: vec![Document {
                id: "document0000001".to_owned(),
                document_type: DocumentType::Passport,
                country: String::new(),
                front: "front.jpg".to_owned(),
                back: String::new(),
                created,
            }],
            sessions: vec![LivenessSession {
                id: "liveness0000001".to_owned(),
                session_id: String::new(),
                region: String::new(),
                status: SessionStatus::Requested,
                expires_at: None,
                created,
            }],
            signals: vec![DeviceSignal { id: "signal000000001".to_owned(), event_id: "event".to_owned(), created }],
            actions: vec![],
            checks: vec![],
            journal: vec![],
        };
        Self { case, policy: policy(), calls: vec![] }
    }

    fn write(&mut self, transition: &Transition) {
        self.case.apply(transition, Timestamp::UNIX_EPOCH);
    }

    /// Runs the core until nothing is due. Work is done at once.
    fn run(&mut self) {
        while let Some(work) = self.next_work() {
            let claim = self.case.seq();
            for item in &work {
                self.run_work(claim, item);
            }
        }
    }

    /// Runs the core until it claims its first work, and leaves it there.
    fn start(&mut self) {
        assert!(self.next_work().is_some());
    }

    /// Writes what follows, up to a claim, and returns its work.
    fn next_work(&mut self) -> Option<Vec<Work>> {
        loop {
            let holding: Vec<u32> = Vec::new();
            let runner = Runner { instance: "one", holding: &holding };
            match next_step(&self.case, &self.policy, Timestamp::UNIX_EPOCH, runner) {
                Step::Write(transition) => self.write(&transition),
                Step::Claim(work) => {
                    let event = Event::WorkClaimed { seconds: Work::seconds_of(&work), work: work.clone() };
                    self.write(&Transition::new(event, "one"));
                    return Some(work);
                }
                Step::Nothing | Step::Wait(_) => return None,
            }
        }
    }

    fn run_work(&mut self, claim: u32, work: &Work) {
        let Some(kind) = work.check() else { return self.open(claim, work.evidence()) };
        let operations: &[&str] = match kind {
            Kind::Device => &["events.get"],
            Kind::Document => &["DetectFaces", "chat.completions"],
            Kind::Liveness => &["GetFaceLivenessSessionResults"],
            Kind::FaceMatch => &["CompareFaces"],
        };
        for operation in operations {
            let subject = match kind {
                Kind::Device => "event",
                Kind::Liveness => "session",
                _ => "",
            };
            self.calls.push(call(1, operation, "", subject));
        }
        let finding = Finding { evidence: vec![work.evidence().to_owned()], ..Finding::default() };
        let transition = Transition::check_finished(&self.case, &self.policy, claim, kind, finding, "one");
        assert_eq!(transition.check.as_ref().map(|(check, _)| &check.id), Some(&check_id(ID, kind.as_str(), 1)));
        self.write(&transition);
    }

    /// The challenge is opened, taken and finished.
    fn open(&mut self, claim: u32, session: &str) {
        self.calls.push(call(1, "CreateFaceLivenessSession", session, "session"));
        let expires_at = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(3);
        let opened = Opened {
            session_id: "session".to_owned(),
            region: "eu-west-1".to_owned(),
            challenge: String::new(),
            expires_at,
        };
        let patch = SessionPatch { id: session.to_owned(), status: SessionStatus::Open, opened: Some(opened) };
        let event = Event::LivenessSessionOpened { claim, liveness_session: session.to_owned(), expires_at };
        self.write(&Transition::new(event, "one").changing(patch));
        self.case.actions.push(self.completed());
    }

    fn completed(&self) -> Action {
        Action {
            id: "action000000001".to_owned(),
            kind: Some(ActionKind::LivenessCompleted),
            name: ActionKind::LivenessCompleted.as_str().to_owned(),
            liveness_session: self.case.sessions[0].id.clone(),
            reason: String::new(),
            redo: vec![],
            actor: Actor::User,
            created: Timestamp::UNIX_EPOCH,
        }
    }

    /// The summary that a sidecar would have stored.
    fn into_stored(self) -> Stored {
        let summary = summary(&self.case, &self.policy);
        let decided: Vec<_> = self.case.journal.iter().filter(|e| matches!(e.event, Event::Decided { .. })).collect();
        let record = json!({
            "status": summary.status.as_str(),
            "final": summary.is_final,
            "version": summary.version,
            "decision_source": summary.decision_source.map_or("", Source::as_str),
            "attempts_used": summary.attempts_used,
            "policy": summary.policy,
        });
        Stored {
            record,
            decisions: decided.iter().map(|_| 1).collect(),
            deliveries: decided
                .iter()
                .map(|_| (ENDPOINT.to_owned(), format!("verification.{}", summary.status)))
                .collect(),
            policy: self.policy,
            case: self.case,
        }
    }

    fn observed(self) -> Observed {
        let acknowledged =
            |collection, id: &str| Acknowledged { collection, id: id.to_owned(), verification: ID.to_owned() };
        Observed {
            acknowledged: vec![
                acknowledged("verifications", ID),
                acknowledged("documents", &self.case.documents[0].id),
            ],
            calls: self.calls.clone(),
            alone: true,
            endpoints: vec![ENDPOINT.to_owned()],
            logs: BTreeMap::new(),
            stored: BTreeMap::from([(ID.to_owned(), self.into_stored())]),
        }
    }
}

fn policy() -> Policy {
    serde_json::from_value(json!({
        "id": "policy000000001",
        "name": "default",
        "version": 1,
        "required_checks": Kind::ALL,
        "liveness_threshold": 75.0,
        "face_match_pass": 95.0,
        "face_match_review": 80.0,
        "attempts_max": 3,
        "liveness_sessions_max": 5,
        "input_hours": 72,
        "technical_minutes": 30,
        "device_max_age_seconds": 120,
        "work_tries_max": 3,
    }))
    .expect("a policy")
}
