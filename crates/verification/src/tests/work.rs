//! Work: claims, deaths of processes, and providers that fail.

use super::*;

#[test]
fn an_unavailable_provider_never_declines() {
    for kind in [Kind::Device, Kind::Document] {
        let mut story = Story::new();
        story.evidence();
        let mut clock = 0;
        while clock < 3600 {
            if let Some((claim, work)) = story.settle() {
                for item in work {
                    if item.check() == Some(kind) {
                        let event = Event::WorkFailed {
                            claim,
                            work: item,
                            trouble: "provider.unavailable".into(),
                            retry_seconds: 60,
                        };
                        story.write(&Transition::new(event, "one"));
                    } else {
                        story.answer(claim, &item, vec![]);
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
fn challenges_are_bounded_and_a_technical_failure_costs_no_attempt() {
    for technical in [false, true] {
        let mut story = Story::new();
        story.policy.liveness_sessions_max = 2;
        story.signal();
        story.document();
        for _ in 0..4 {
            story.ask_challenge();
            story.run(clean);
            if technical && let Some(session) = story.case.sessions.iter().find(|s| s.status == SessionStatus::Open) {
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
        let expected = if technical { Status::NeedsReview } else { Status::ResubmissionRequired };
        assert_eq!(story.status(), expected, "technical: {technical}");
        story.check_invariants();
    }
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
    // The late first runner may still try to store its result; the unique number of its batch
    // decides.
    assert!(story.case.may_finish(claim, &work[0]));
}

#[test]
fn a_challenge_does_not_wait_for_the_document_that_a_dead_instance_claimed_with_it() {
    let mut story = Story::new();
    story.document();
    story.ask_challenge();
    let (_, work) = story.settle().unwrap();
    let session = work.iter().find(|item| item.check().is_none()).expect("a challenge").clone();
    let alone = session.seconds();
    assert!(alone < Work::seconds_of(&work), "{work:?}");
    let other = Runner { instance: "two", holding: &[] };
    story.pass_time(i64::from(alone) + 1);
    assert_eq!(next_step(&story.case, &story.policy, story.now, other), Step::Claim(vec![session]));
}
