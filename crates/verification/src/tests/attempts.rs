//! Attempts: what people, checks and reviewers lead to.

use super::*;

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
fn a_blurred_document_is_reported_at_once_and_only_it_is_asked_for_again() {
    let mut story = Story::new();
    story.evidence();
    story.run(|kind| if kind == Kind::Document { vec![Code::DocumentBlurred] } else { vec![] });
    assert_eq!(story.status(), Status::ResubmissionRequired);
    let shown = summary(&story.case, &story.policy);
    assert_eq!(shown.reasons[0].code, "document.blurred");
    assert_eq!(shown.attempts_used, 1);
    assert!(
        shown.results.contains(&(Kind::Document, Some(Outcome::Failed))),
        "a failed check stays visible until it is repeated"
    );
    story.pass_time(60);
    story.document();
    story.run(clean);
    story.finish_challenge();
    story.run(clean);
    assert_eq!(story.status(), Status::Approved);
    assert_eq!(story.case.checks.iter().filter(|c| c.kind == Kind::Device).count(), 1, "the device check stays valid");
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
    let shown = summary(&story.case, &story.policy);
    assert_eq!(shown.reasons[0].code, "policy.attempts_exhausted");
    assert_eq!(shown.reasons[1].code, "document.blurred");
    story.check_invariants();
}

#[test]
fn a_person_with_another_face_is_never_approved() {
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
    // The device check was not repeated and still asks for a reviewer.
    assert_eq!(story.status(), Status::NeedsReview);
    story.check_invariants();
}

#[test]
fn a_verification_without_evidence_expires_and_one_without_a_device_event_goes_to_review() {
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
fn earlier_evidence_does_not_answer_a_reviewers_request() {
    let mut story = Story::new();
    story.evidence();
    // The document's provider is unavailable until the deadline, so its check names no document.
    for _ in 0..200 {
        if let Some((claim, work)) = story.settle() {
            for item in work {
                if item.check() == Some(Kind::Document) {
                    let trouble = "system.provider_unavailable".to_owned();
                    let event = Event::WorkFailed { claim, work: item, trouble, retry_seconds: 30 };
                    story.write(&Transition::new(event, "one"));
                } else {
                    story.answer(claim, &item, vec![]);
                }
            }
        }
        story.finish_challenge();
        story.pass_time(15);
    }
    assert_eq!(story.status(), Status::NeedsReview);
    story.act(ActionKind::RequestResubmission, Actor::Reviewer("reviewer0000001".into()), "");
    story.run(clean);
    assert_eq!(story.status(), Status::ResubmissionRequired, "the old picture is not read again");
    assert!(story.case.finding(Kind::Document, 2).is_none());
    story.check_invariants();
}

#[test]
fn a_reviewers_request_is_not_overruled_by_an_earlier_check() {
    let mut story = Story::new();
    story.evidence();
    story.run(|kind| if kind == Kind::Device { vec![Code::DeviceEventNotBound] } else { vec![] });
    assert_eq!(story.status(), Status::Declined);
    let reviewer = Actor::Reviewer("reviewer0000001".into());
    story.act(ActionKind::Reopen, reviewer.clone(), "");
    story.act(ActionKind::RequestResubmission, reviewer, "");
    story.run(clean);
    assert_eq!(story.status(), Status::ResubmissionRequired);
    let missing = summary(&story.case, &story.policy).next;
    assert_eq!(missing, [Kind::Device, Kind::Document, Kind::Liveness]);
    story.check_invariants();
}

#[test]
fn a_policy_cannot_turn_face_checks_off_by_dispositions() {
    let mut policy = policy();
    assert_eq!(policy.problems(), Vec::<String>::new());
    policy.dispositions.insert("face.mismatch".into(), Disposition::Retry);
    policy.dispositions.insert("liveness.attack_suspected".into(), Disposition::Inform);
    policy.dispositions.insert("no.such_code".into(), Disposition::Review);
    assert_eq!(policy.problems().len(), 3);
}

#[test]
fn only_a_code_that_informs_allows_an_approval() {
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

#[test]
fn journals_with_authors_of_earlier_versions_still_verify_and_replay() {
    let mut story = Story::new();
    story.evidence();
    story.run(|kind| if kind == Kind::Device { vec![Code::DeviceTampering] } else { vec![] });
    story.finish_challenge();
    story.run(clean);
    story.act(ActionKind::Reopen, Actor::User, "");
    story.act(ActionKind::RequestResubmission, Actor::Reviewer("reviewer0000001".into()), "");
    story.run(clean);
    story.act(ActionKind::Reopen, Actor::Superuser(Some("superuser000001".into())), "");
    story.act(ActionKind::Reopen, Actor::Superuser(None), "");
    story.run(clean);
    let authors = |case: &Case| -> Vec<String> {
        case.journal.iter().filter(|entry| !entry.action.is_empty()).map(|entry| entry.by.clone()).collect()
    };
    let named = ["user", "user", "reviewer:reviewer0000001", "superuser:superuser000001", "superuser"];
    assert_eq!(authors(&story.case), named);
    story.check_invariants();

    // The same journal as earlier versions wrote it.
    let mut earlier = story.case.clone();
    let mut previous = String::new();
    for entry in &mut earlier.journal {
        if let Some((kind, _)) = entry.by.clone().split_once(':') {
            kind.clone_into(&mut entry.by);
        }
        entry.previous_hash = previous;
        entry.hash = chain::hash(&earlier.record.id, entry);
        previous = entry.hash.clone();
    }
    assert_eq!(authors(&earlier), ["user", "user", "reviewer", "superuser", "superuser"]);
    assert_eq!(chain::verify(earlier.id(), &earlier.journal), Ok(()));
    assert_eq!(summary(&earlier, &story.policy), summary(&story.case, &story.policy));
    assert_eq!(replay(&earlier, &story.policy), replay(&story.case, &story.policy));
    assert!(replay(&earlier, &story.policy).iter().all(|decision| decision.same));
}
