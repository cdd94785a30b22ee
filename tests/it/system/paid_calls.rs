//! Paid once: an answer of one provider is not bought again because another call failed.

use std::time::Duration;

use futures_util::future::join_all;
use identivia::verification::case::claims::ClaimState;
use identivia::verification::{Event, Work};
use serde_json::{Value, json};

use super::person::Challenge;
use super::specimen::snapshot;
use super::stack::Stack;
use super::wait_for;

/// Several tries with growing pauses.
const PATIENCE_WITH_RETRIES: Duration = Duration::from_secs(120);

#[tokio::test]
async fn one_call_about_a_document_that_fails_costs_no_other_answer() {
    let mut stack = Stack::start().await;
    // A second sidecar does not know the answers that the first one keeps.
    stack.add_sidecar("two").await;
    let (persons, sandbox) = (stack.persons(2).await, stack.sandbox());
    for (person, provider, operation) in
        [(&persons[0], "rekognition", "DetectFaces"), (&persons[1], "openai", "chat.completions")]
    {
        let before = (sandbox.count("DetectFaces").await, sandbox.count("chat.completions").await);
        sandbox
            .fault(json!({ "provider": provider, "operation": operation, "fault": "error_5xx", "status": 503, "times": 2 }))
            .await;
        let id = person.begin().await;
        person.submit_all(&id, &snapshot(), Challenge::default()).await;
        let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
        assert_eq!(record["status"], "approved", "{record}");
        let faces = sandbox.count("DetectFaces").await - before.0;
        let readings = sandbox.count("chat.completions").await - before.1;
        // The failed one was asked three times, the other one once.
        let expected = if operation == "DetectFaces" { (3, 1) } else { (1, 3) };
        assert_eq!((faces, readings), expected, "calls when {operation} fails twice");
    }
    stack.audit(&persons[0]).await;
}

#[tokio::test]
async fn a_face_that_was_compared_is_not_compared_again_because_the_model_or_the_device_failed() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "error_5xx", "status": 500, "times": 3 })).await;
    sandbox
        .fault(json!({ "provider": "rekognition", "operation": "CompareFaces", "fault": "reset", "times": 2 }))
        .await;
    let id = person.begin().await;
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
    assert_eq!(record["status"], "approved", "{record}");
    let mut calls = Vec::new();
    for operation in ["CreateFaceLivenessSession", "DetectFaces", "chat.completions", "CompareFaces", "events.get"] {
        calls.push(sandbox.count(operation).await);
    }
    assert_eq!(calls, [1, 1, 1, 3, 4]);
    stack.audit(&person).await;
}

#[tokio::test]
async fn more_documents_than_there_are_permits_for_wait_without_a_claim_that_runs_out() {
    const AT_ONCE: usize = 5;
    const BEYOND: usize = 6;
    let mut stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("DOCUMENTS_AT_ONCE", AT_ONCE.to_string());
    stack.add(environment).await;
    let (persons, sandbox) = (stack.persons(AT_ONCE + BEYOND).await, stack.sandbox());
    // The model does not answer before all that are admitted have claimed.
    sandbox
        .fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": "error_5xx", "times": 1 }))
        .await;
    sandbox.set(json!({ "latency_ms": { "openai": 4000 } })).await;
    let picture = snapshot();
    let ids = join_all(persons.iter().map(async |person| {
        let id = person.begin().await;
        person.send_document(&id, &picture).await;
        id
    }))
    .await;
    for (person, id) in persons.iter().zip(&ids) {
        wait_for("the document is checked", PATIENCE_WITH_RETRIES, async || {
            let journal = person.journal(id).await;
            let finished = |row: &Value| row["event"] == "check_finished" && row["data"]["kind"] == "document";
            if journal.iter().any(finished) { Ok(()) } else { Err(json!(journal).to_string()) }
        })
        .await;
    }
    let observed = stack.audit(&persons[0]).await;
    // When claims began and ended, over all verifications: never more than there are permits.
    let mut moments = Vec::new();
    for stored in observed.stored.values() {
        for claim in stored.case.claims().iter().filter(|claim| matches!(claim.work, Work::Document { .. })) {
            let ended = stored.case.journal.iter().find(|row| match &row.event {
                Event::CheckFinished { claim: of, .. } | Event::WorkFailed { claim: of, .. } => *of == claim.seq,
                _ => false,
            });
            moments.push((claim.created, 1));
            moments.push((ended.expect("an end").created, -1));
            assert!(!matches!(claim.state, ClaimState::Pending { .. }), "a claim that ran out");
        }
    }
    assert_eq!(moments.len(), 2 * (persons.len() + 1), "one claim each, and one more for the fault");
    moments.sort_unstable();
    let most = moments
        .iter()
        .scan(0, |now, (_, change)| {
            *now += change;
            Some(*now)
        })
        .max()
        .unwrap_or(0);
    println!("{} documents, at most {most} under examination", persons.len());
    assert!(most <= i32::try_from(AT_ONCE).expect("few"), "{most} at the same time");
}
