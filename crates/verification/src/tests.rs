//! Stories about the core, told without I/O: a virtual store, random people, random providers, random deaths.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::case::Case;
use super::check::{Finding, Judgement};
use super::journal::{Event, Source, Work, chain};
use super::kind::{ActionKind, DocumentType, Kind, Outcome, SessionStatus};
use super::policy::Policy;
use super::reason::{Code, Disposition, Reason};
use super::records::{Action, Actor, DeviceSignal, Document, LivenessSession, Verification};
use super::status::Status;
use super::summary::{status, summary};
use super::transition::{Opened, SessionPatch, Transition};
use crate::next_step::{Runner, Step, next_step};
use crate::replay::replay;

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
        device_max_age_seconds: 120,
        expires_soon_days: 30,
        verified_days: 365,
        work_tries_max: 3,
        dispositions: BTreeMap::new(),
        degraded: BTreeMap::new(),
    }
}

/// A verification in a store of its own, with a clock that only the story moves.
struct Story {
    case: Case,
    policy: Policy,
    now: Timestamp,
    ids: u32,
    statuses: Vec<Status>,
}

const ME: Runner<'_> = Runner { instance: "one", holding: &[] };

impl Story {
    fn new() -> Self {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
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
        Self { case, policy: policy(), now, ids: 0, statuses: vec![Status::Created] }
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("record{:09}", self.ids)
    }

    fn pass_time(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn document(&mut self) {
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

    fn signal(&mut self) {
        let signal = DeviceSignal { id: self.id(), event_id: "1700000000000.abcdef".into(), created: self.now };
        self.case.signals.push(signal);
    }

    fn ask_challenge(&mut self) {
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

    fn act(&mut self, kind: ActionKind, actor: Actor, session: &str) {
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

    fn finish_challenge(&mut self) {
        if let Some(id) =
            self.case.sessions.iter().rev().find(|s| s.status == SessionStatus::Open).map(|s| s.id.clone())
        {
            self.act(ActionKind::LivenessCompleted, Actor::User, &id);
        }
    }

    fn write(&mut self, transition: &Transition) {
        self.case.apply(transition, self.now);
        let status = status(&self.case, &self.policy);
        if self.statuses.last() != Some(&status) {
            self.statuses.push(status);
        }
    }

    /// Everything that follows without a provider; the work that is then due is claimed.
    fn settle(&mut self) -> Option<(u32, Vec<Work>)> {
        for _ in 0..64 {
            match next_step(&self.case, &self.policy, self.now, ME) {
                Step::Write(transition) => self.write(&transition),
                Step::Claim(work) => {
                    let claim = Event::WorkClaimed { seconds: Work::seconds_of(&work), work: work.clone() };
                    self.write(&Transition::new(claim, "one"));
                    return Some((self.case.seq(), work));
                }
                Step::Nothing | Step::Wait(_) => return None,
            }
        }
        panic!("the core never comes to rest: {:?}", self.case.journal.last());
    }

    /// The provider's answer to `work`: clean, or with these reasons.
    fn answer(&mut self, claim: u32, work: &Work, reasons: Vec<Reason>) {
        if !self.case.may_finish(claim, work) {
            return;
        }
        let transition = if let Work::OpenSession { evidence, .. } = work {
            let expires_at = self.now + SignedDuration::from_secs(180);
            let opened = Opened {
                session_id: format!("aws-{evidence}"),
                region: "us-east-1".into(),
                challenge: "FaceMovementAndLightChallenge".into(),
                expires_at,
            };
            let event = Event::LivenessSessionOpened { claim, liveness_session: evidence.clone(), expires_at };
            let patch = SessionPatch { id: evidence.clone(), status: SessionStatus::Open, opened: Some(opened) };
            Transition::new(event, "one").changing(patch)
        } else {
            let finding = Finding {
                judgement: Judgement { reasons, ..Judgement::default() },
                evidence: vec![work.evidence().to_owned()],
                ..Finding::default()
            };
            Transition::check_finished(&self.case, &self.policy, claim, work.check().unwrap(), finding, "one")
        };
        self.write(&transition);
    }

    /// Runs until everything at hand is answered; `blame` says what each check finds.
    fn run(&mut self, blame: impl Fn(Kind) -> Vec<Code>) {
        while let Some((claim, work)) = self.settle() {
            for piece in work {
                let reasons = piece.check().map(&blame).unwrap_or_default();
                self.answer(claim, &piece, reasons.into_iter().map(|code| Reason::new(code, "")).collect());
            }
        }
    }

    fn status(&self) -> Status {
        status(&self.case, &self.policy)
    }

    /// What must hold in every story, at every moment.
    fn check_invariants(&self) {
        chain::verify(self.case.id(), &self.case.journal).expect("numbers without gaps, hashes chained");
        for pair in self.statuses.windows(2) {
            assert!(pair[0].may_become(pair[1]), "{} -> {} in {:?}", pair[0], pair[1], self.statuses);
        }
        for replayed in replay(&self.case, &self.policy) {
            assert!(replayed.same, "{replayed:?}");
        }
        for entry in &self.case.journal {
            if let Event::Decided { status: Status::Approved, source: Source::Automatic, attempt, .. } = entry.event {
                for kind in &self.policy.required_checks {
                    let finding = self.case.finding(*kind, attempt).expect("an approval rests on every required check");
                    assert_eq!(finding.outcome, Outcome::Passed, "{kind}");
                    assert!(finding.demand().is_none());
                }
            }
        }
        let mut handled: Vec<&str> =
            self.case.journal.iter().map(|e| e.action.as_str()).filter(|a| !a.is_empty()).collect();
        let all = handled.len();
        handled.sort_unstable();
        handled.dedup();
        assert_eq!(all, handled.len(), "an action is handled once");
        let safe = serde_json::to_string(&self.case.journal.iter().map(|e| &e.data).collect::<Vec<_>>()).unwrap();
        for code in Code::ALL.iter().filter(|c| c.entry().category == super::reason::Category::Fraud) {
            assert!(!safe.contains(code.as_str()), "the journal names {code} to the person");
        }
    }

    fn evidence(&mut self) {
        self.signal();
        self.document();
        self.ask_challenge();
    }
}

fn clean(_: Kind) -> Vec<Code> {
    Vec::new()
}

#[test]
fn a_person_with_good_evidence_is_approved() {
    let mut story = Story::new();
    story.run(clean);
    assert_eq!(story.status(), Status::AwaitingInput);
    assert_eq!(summary(&story.case, &story.policy).next, [Kind::Device, Kind::Document, Kind::Liveness]);
    story.evidence();
    story.run(clean);
    assert_eq!(summary(&story.case, &story.policy).next, [Kind::Liveness]);
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.status(), Status::Approved);
    assert!(summary(&story.case, &story.policy).verified_until.is_some());
    story.check_invariants();
}

#[test]
fn a_blurred_document_is_told_at_once_and_only_it_is_asked_for_again() {
    let mut story = Story::new();
    story.evidence();
    story.run(|kind| if kind == Kind::Document { vec![Code::DocumentBlurred] } else { vec![] });
    assert_eq!(story.status(), Status::ResubmissionRequired);
    let told = summary(&story.case, &story.policy);
    assert_eq!(told.reasons[0].code, "document.blurred");
    assert_eq!(told.attempts_used, 1);
    assert!(
        told.results.contains(&(Kind::Document, Some(Outcome::Failed))),
        "what failed stays visible until it is new"
    );
    story.pass_time(60);
    story.document();
    story.run(clean);
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.status(), Status::Approved);
    assert_eq!(story.case.checks.iter().filter(|c| c.kind == Kind::Device).count(), 1, "the device stands");
    story.check_invariants();
}

#[test]
fn the_last_attempt_that_fails_declines_and_says_why() {
    let mut story = Story::new();
    story.policy.attempts_max = 2;
    for _ in 0..2 {
        story.evidence();
        story.run(|kind| if kind == Kind::Document { vec![Code::DocumentBlurred] } else { vec![] });
        story.pass_time(60);
    }
    assert_eq!(story.status(), Status::Declined);
    let told = summary(&story.case, &story.policy);
    assert_eq!(told.reasons[0].code, "policy.attempts_exhausted");
    assert_eq!(told.reasons[1].code, "document.blurred");
    story.check_invariants();
}

#[test]
fn another_face_never_ends_approved() {
    let mut story = Story::new();
    story.evidence();
    story.run(clean);
    story.finish_challenge();
    story.run(|kind| if kind == Kind::FaceMatch { vec![Code::FaceMismatch] } else { vec![] });
    assert_eq!(story.status(), Status::NeedsReview);
    assert_eq!(summary(&story.case, &story.policy).reasons[0].code, "face.not_confirmed");
    story.check_invariants();
}

#[test]
fn a_reviewer_decides_with_a_reason_and_can_reopen() {
    let mut story = Story::new();
    story.evidence();
    story.run(|kind| if kind == Kind::Device { vec![Code::DeviceTampering] } else { vec![] });
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.status(), Status::NeedsReview);
    let reviewer = Actor::Reviewer("reviewer0000001".into());
    story.act(ActionKind::Approve, Actor::User, "");
    story.run(clean);
    assert_eq!(story.status(), Status::NeedsReview, "a person cannot approve themselves");
    story.act(ActionKind::Approve, reviewer.clone(), "");
    story.run(clean);
    assert_eq!(story.status(), Status::Approved);
    assert_eq!(summary(&story.case, &story.policy).decision_source, Some(Source::Reviewer));
    story.act(ActionKind::Reopen, reviewer.clone(), "");
    story.run(clean);
    assert_eq!(story.status(), Status::NeedsReview);
    story.act(ActionKind::RequestResubmission, reviewer, "");
    story.run(clean);
    assert_eq!(story.status(), Status::ResubmissionRequired);
    story.pass_time(5);
    story.document();
    story.ask_challenge();
    story.run(clean);
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.case.checks.iter().filter(|c| c.kind == Kind::Document).count(), 2);
    // The device finding nobody asked to redo still wants a person.
    assert_eq!(story.status(), Status::NeedsReview);
    story.check_invariants();
}

#[test]
fn silence_expires_and_a_missing_device_event_goes_to_review() {
    let mut story = Story::new();
    story.run(clean);
    story.pass_time(73 * 3600);
    story.run(clean);
    assert_eq!(story.status(), Status::Expired);
    let mut story = Story::new();
    story.document();
    story.ask_challenge();
    story.run(clean);
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.status(), Status::AwaitingInput);
    story.pass_time(121);
    story.run(clean);
    assert_eq!(story.status(), Status::NeedsReview);
    story.check_invariants();
}

#[test]
fn a_provider_that_stays_away_never_declines() {
    for kind in [Kind::Device, Kind::Document] {
        let mut story = Story::new();
        story.evidence();
        let mut clock = 0;
        while clock < 3600 {
            if let Some((claim, work)) = story.settle() {
                for piece in work {
                    if piece.check() == Some(kind) {
                        let event = Event::WorkFailed {
                            claim,
                            work: piece,
                            trouble: "provider.unavailable".into(),
                            retry_seconds: 60,
                        };
                        story.write(&Transition::new(event, "one"));
                    } else {
                        story.answer(claim, &piece, vec![]);
                    }
                }
            }
            story.finish_challenge();
            story.pass_time(20);
            clock += 20;
        }
        story.settle();
        assert_eq!(story.status(), Status::NeedsReview, "{kind}");
        assert_eq!(story.case.finding(kind, 1).unwrap().outcome, Outcome::Error);
        story.check_invariants();
    }
}

#[test]
fn a_record_that_kills_its_sidecar_is_set_aside_after_three_deaths() {
    let mut story = Story::new();
    story.document();
    let mut deaths = 0;
    while let Some((_, work)) = story.settle() {
        assert!(matches!(work[0], Work::Document { .. }));
        deaths += 1;
    }
    assert_eq!(deaths, 3);
    assert_eq!(story.case.finding(Kind::Document, 1).unwrap().reasons[0].code, Code::SystemInternalError);
    story.signal();
    story.ask_challenge();
    story.run(clean);
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.status(), Status::NeedsReview);
    story.check_invariants();
}

#[test]
fn copies_of_one_bad_picture_cost_one_attempt() {
    let mut story = Story::new();
    story.document();
    story.document();
    story.document();
    story.run(|kind| if kind == Kind::Document { vec![Code::DocumentBlurred] } else { vec![] });
    assert_eq!(story.status(), Status::ResubmissionRequired);
    assert_eq!(summary(&story.case, &story.policy).attempts_used, 1);
    story.check_invariants();
}

#[test]
fn what_was_handed_in_before_does_not_answer_a_reviewers_request() {
    let mut story = Story::new();
    story.evidence();
    // The document's provider stays away until the deadline, so its finding names no document.
    for _ in 0..200 {
        if let Some((claim, work)) = story.settle() {
            for piece in work {
                if piece.check() == Some(Kind::Document) {
                    let trouble = "system.provider_unavailable".to_owned();
                    let event = Event::WorkFailed { claim, work: piece, trouble, retry_seconds: 30 };
                    story.write(&Transition::new(event, "one"));
                } else {
                    story.answer(claim, &piece, vec![]);
                }
            }
        }
        story.finish_challenge();
        story.pass_time(15);
    }
    assert_eq!(story.status(), Status::NeedsReview);
    story.act(ActionKind::RequestResubmission, Actor::Reviewer("reviewer0000001".into()), "");
    story.run(clean);
    assert_eq!(story.status(), Status::ResubmissionRequired, "the old picture is not examined again");
    assert!(story.case.finding(Kind::Document, 2).is_none());
    story.check_invariants();
}

#[test]
fn a_reviewers_request_is_not_overruled_by_a_finding_that_stands() {
    let mut story = Story::new();
    story.evidence();
    story.run(|kind| if kind == Kind::Device { vec![Code::DeviceEventNotBound] } else { vec![] });
    assert_eq!(story.status(), Status::Declined);
    let reviewer = Actor::Reviewer("reviewer0000001".into());
    story.act(ActionKind::Reopen, reviewer.clone(), "");
    story.act(ActionKind::RequestResubmission, reviewer, "");
    story.run(clean);
    assert_eq!(story.status(), Status::ResubmissionRequired);
    let owed = summary(&story.case, &story.policy).next;
    assert_eq!(owed, [Kind::Device, Kind::Document, Kind::Liveness]);
    story.check_invariants();
}

#[test]
fn challenges_are_bounded_and_a_machine_that_fails_them_costs_no_attempt() {
    for machine in [false, true] {
        let mut story = Story::new();
        story.policy.liveness_sessions_max = 2;
        story.signal();
        story.document();
        for _ in 0..4 {
            story.ask_challenge();
            story.run(clean);
            if machine && let Some(session) = story.case.sessions.iter().find(|s| s.status == SessionStatus::Open) {
                let id = session.id.clone();
                let event = Event::LivenessSessionEnded {
                    liveness_session: id.clone(),
                    status: "failed".into(),
                    code: "liveness.session_failed".into(),
                };
                let patch = SessionPatch { id, status: SessionStatus::Failed, opened: None };
                story.write(&Transition::new(event, "one").changing(patch));
            }
            story.pass_time(240);
            story.run(|kind| if kind == Kind::Liveness { vec![Code::LivenessNotCompleted] } else { vec![] });
        }
        assert!(story.case.opened_sessions() <= 2);
        let expected = if machine { Status::NeedsReview } else { Status::ResubmissionRequired };
        assert_eq!(story.status(), expected, "machine: {machine}");
        story.check_invariants();
    }
}

#[test]
fn a_policy_cannot_wave_faces_through() {
    let mut policy = policy();
    assert_eq!(policy.problems(), Vec::<String>::new());
    policy.dispositions.insert("face.mismatch".into(), Disposition::Retry);
    policy.dispositions.insert("liveness.attack_suspected".into(), Disposition::Inform);
    policy.dispositions.insert("no.such_code".into(), Disposition::Review);
    assert_eq!(policy.problems().len(), 3);
}

#[test]
fn another_instance_waits_for_the_end_of_a_claim() {
    let mut story = Story::new();
    story.document();
    let (claim, work) = story.settle().unwrap();
    let other = Runner { instance: "two", holding: &[] };
    assert!(matches!(next_step(&story.case, &story.policy, story.now, other), Step::Wait(_)));
    story.pass_time(i64::from(Work::seconds_of(&work)) + 1);
    assert!(matches!(next_step(&story.case, &story.policy, story.now, other), Step::Claim(_)));
    // The late first one may still try; the unique number of its batch decides.
    assert!(story.case.may_finish(claim, &work[0]));
}

#[test]
fn a_challenge_does_not_wait_for_the_document_that_a_dead_instance_claimed_with_it() {
    let mut story = Story::new();
    story.document();
    story.ask_challenge();
    let (_, work) = story.settle().unwrap();
    let session = work.iter().find(|piece| piece.check().is_none()).expect("a challenge").clone();
    let alone = session.seconds();
    assert!(alone < Work::seconds_of(&work), "{work:?}");
    let other = Runner { instance: "two", holding: &[] };
    story.pass_time(i64::from(alone) + 1);
    assert_eq!(next_step(&story.case, &story.policy, story.now, other), Step::Claim(vec![session]));
}

#[test]
fn no_score_of_a_provider_or_code_reaches_an_approval_unless_it_only_informs() {
    for code in Code::ALL {
        for kind in Kind::ALL {
            let mut story = Story::new();
            story.evidence();
            let blame = |k: Kind| if k == kind { vec![*code] } else { vec![] };
            story.run(blame);
            story.finish_challenge();
            story.run(blame);
            let informs = story.policy.disposition(*code, kind) == Disposition::Inform;
            if !informs {
                assert_ne!(story.status(), Status::Approved, "{code} in {kind}");
            }
            story.check_invariants();
        }
    }
}

/// One thing that can happen in a random story.
#[derive(Debug, Clone)]
enum Happening {
    Document,
    Signal,
    Ask,
    Finish,
    Cancel,
    Review(u8),
    Wait(u16),
    /// Work ends: per piece a choice of answer, trouble or death.
    Work(Vec<u8>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Document),
        2 => Just(Happening::Signal),
        3 => Just(Happening::Ask),
        3 => Just(Happening::Finish),
        1 => Just(Happening::Cancel),
        2 => (0u8..5).prop_map(Happening::Review),
        3 => (1u16..40_000).prop_map(Happening::Wait),
        8 => prop::collection::vec(any::<u8>(), 4).prop_map(Happening::Work),
    ]
}

fn code_for(kind: Kind, dice: u8) -> Vec<Code> {
    let codes: &[Code] = match kind {
        Kind::Device => &[Code::DeviceBotDetected, Code::DeviceVpnOrProxy, Code::DeviceTampering],
        Kind::Document => &[Code::DocumentBlurred, Code::DocumentExpired, Code::DocumentMrzVisualMismatch],
        Kind::Liveness => &[Code::LivenessAttackSuspected, Code::LivenessLowConfidence],
        Kind::FaceMatch => &[Code::FaceMismatch, Code::FaceComparisonNotPossible],
    };
    if dice < 150 { Vec::new() } else { vec![codes[usize::from(dice) % codes.len()]] }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn in_any_history_the_invariants_hold_and_it_comes_to_rest(
        happenings in prop::collection::vec(happening(), 1..60)
    ) {
        let mut story = Story::new();
        for happening in happenings {
            match happening {
                Happening::Document => story.document(),
                Happening::Signal => story.signal(),
                Happening::Ask => story.ask_challenge(),
                Happening::Finish => story.finish_challenge(),
                Happening::Cancel => story.act(ActionKind::Cancel, Actor::User, ""),
                Happening::Review(n) => {
                    let kind = [ActionKind::Approve, ActionKind::Decline, ActionKind::RequestResubmission,
                        ActionKind::Reopen, ActionKind::Redact][usize::from(n)];
                    story.act(kind, Actor::Reviewer("reviewer0000001".into()), "");
                }
                Happening::Wait(seconds) => story.pass_time(i64::from(seconds)),
                Happening::Work(dice) => {
                    if let Some((claim, work)) = story.settle() {
                        for (piece, dice) in work.iter().zip(dice) {
                            match (dice % 16, piece.check()) {
                                (0, _) => {} // the process died
                                (1 | 2, _) => {
                                    let event = Event::WorkFailed { claim, work: piece.clone(),
                                        trouble: "provider.unavailable".into(), retry_seconds: 5 };
                                    story.write(&Transition::new(event, "one"));
                                }
                                (_, kind) => {
                                    let codes = kind.map(|k| code_for(k, dice)).unwrap_or_default();
                                    story.answer(claim, piece, codes.into_iter().map(|c| Reason::new(c, "")).collect());
                                }
                            }
                        }
                    }
                }
            }
            story.pass_time(1);
            story.settle();
        }
        story.check_invariants();
    }
}
