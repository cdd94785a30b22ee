//! Paid once: what one provider answered is not bought again because another one failed.

use std::time::Duration;

use serde_json::json;

use super::person::Challenge;
use super::specimen::snapshot;
use super::stack::Stack;

/// Several tries with growing pauses.
const PATIENCE_WITH_TROUBLE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn one_call_about_a_document_that_fails_costs_no_other_answer() {
    let mut stack = Stack::start().await;
    // A second sidecar knows nothing of what the first one has in its hands.
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
        person.hand_in(&id, &snapshot(), Challenge::default()).await;
        let record = person.settled_within(&id, PATIENCE_WITH_TROUBLE).await;
        assert_eq!(record["status"], "approved", "{record}");
        let faces = sandbox.count("DetectFaces").await - before.0;
        let readings = sandbox.count("chat.completions").await - before.1;
        // The one that failed was asked three times, the other one once.
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
    person.hand_in(&id, &snapshot(), Challenge::default()).await;
    let record = person.settled_within(&id, PATIENCE_WITH_TROUBLE).await;
    assert_eq!(record["status"], "approved", "{record}");
    let mut calls = Vec::new();
    for operation in ["CreateFaceLivenessSession", "DetectFaces", "chat.completions", "CompareFaces", "events.get"] {
        calls.push(sandbox.count(operation).await);
    }
    assert_eq!(calls, [1, 1, 1, 3, 4]);
    stack.audit(&person).await;
}
