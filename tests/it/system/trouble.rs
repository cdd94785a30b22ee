//! Providers that fail, hang, refuse or talk nonsense: it is tried again, decides about nobody, and needs no person to end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::person::{Challenge, Person};
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, wait_for};

/// Several tries with growing pauses.
const PATIENCE_WITH_TROUBLE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn what_providers_do_wrong_is_tried_again_and_declines_nobody() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    for fault in [
        json!({ "provider": "openai", "operation": "chat.completions", "fault": "error_5xx" }),
        json!({ "provider": "openai", "operation": "chat.completions", "fault": "garbage" }),
        json!({ "provider": "openai", "operation": "chat.completions", "fault": "wrong_schema" }),
        json!({ "provider": "rekognition", "operation": "CreateFaceLivenessSession", "fault": "throttle", "times": 2 }),
        json!({ "provider": "rekognition", "operation": "CompareFaces", "fault": "throttle" }),
        json!({ "provider": "rekognition", "operation": "GetFaceLivenessSessionResults", "fault": "cut_body" }),
        json!({ "provider": "fingerprint", "fault": "html" }),
        json!({ "provider": "fingerprint", "fault": "hang" }),
    ] {
        sandbox.fault(fault).await;
    }
    let id = person.begin().await;
    person.hand_in(&id, &snapshot(), Challenge::default()).await;
    let record = person.settled_within(&id, PATIENCE_WITH_TROUBLE).await;
    assert_eq!(record["status"], "approved", "{record}");
    assert_eq!(record["attempts_used"], 1, "trouble used an attempt up");
    let seen = stack.sidecars[0].troubles();
    for expected in ["openai.unavailable", "openai.garbage", "rekognition.throttled", "fingerprint.timeout"] {
        assert!(seen.contains(expected), "{expected} is not among {seen:?}");
    }
    // The person learns that something was tried again, and not with whom the operator has a contract.
    let told = troubles(&person, &id).await;
    assert_eq!(told, BTreeSet::from(["system.provider_unavailable".to_owned()]));
    stack.audit(&person).await;
}

#[tokio::test]
async fn a_model_that_refuses_leaves_it_to_a_person() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox
        .fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": "refusal", "times": 0 }))
        .await;
    let record = person.honest_walk().await;
    assert_eq!(record["status"], "needs_review", "{record}");
    assert!(stack.audit(&person).await.codes().contains("system.provider_refused"));
}

#[tokio::test]
async fn row_29_a_provider_that_is_down_is_waited_for() {
    let mut stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "error_5xx", "status": 503, "times": 0 })).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = person.begin().await;
        person.hand_in(&id, &snapshot(), Challenge::default()).await;
        ids.push(id);
    }
    wait_for("the circuit opens", PATIENCE, async || match stack.sidecars[0].health().await {
        (200, health) if health["providers"]["fingerprint"] == "degraded" => Ok(()),
        (status, health) => Err(format!("{status} {health}")),
    })
    .await;
    for id in &ids {
        let record = person.read("verifications", id).await.expect("readable");
        assert_eq!((&record["status"], &record["results"]["device"]), (&json!("processing"), &json!("pending")));
    }
    let before = sandbox.count("events.get").await;
    sandbox.mend().await;
    for id in &ids {
        let record = person.settled_within(id, PATIENCE_WITH_TROUBLE).await;
        assert_eq!(record["status"], "approved", "{record}");
    }
    wait_for("health says so", PATIENCE, async || match stack.sidecars[0].health().await {
        (200, health) if health["providers"]["fingerprint"] == "ok" => Ok(()),
        (status, health) => Err(format!("{status} {health}")),
    })
    .await;
    println!("{before} calls while it was down, {} in all", sandbox.count("events.get").await);
    stack.audit(&person).await;
}

#[tokio::test]
#[ignore = "waits for the model's deadline of 90 s: cargo test --test it -- --ignored"]
async fn a_model_that_hangs_is_given_up_and_asked_again() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": "hang" })).await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    let failed = |row: &Value| row["event"] == "work_failed";
    wait_for("the call is given up", 2 * PATIENCE, async || {
        let journal = person.journal(&id).await;
        if journal.iter().any(failed) { Ok(()) } else { Err(json!(journal).to_string()) }
    })
    .await;
    person.take_challenge(&id, Challenge::default()).await;
    person.status(&id, "approved").await;
    assert!(stack.sidecars[0].troubles().contains("openai.timeout"));
    stack.audit(&person).await;
}

/// What the journal says went wrong.
async fn troubles(person: &Person, id: &str) -> BTreeSet<String> {
    let journal = person.journal(id).await;
    journal.iter().filter_map(|row| row["data"]["trouble"].as_str().map(str::to_owned)).collect()
}
