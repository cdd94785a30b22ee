//! Providers that fail, hang, refuse or send garbage: the call is repeated, decides about no
//! person, and needs no operator.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::person::{Challenge, Person};
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, wait_for};

/// Several tries with growing pauses.
const PATIENCE_WITH_RETRIES: Duration = Duration::from_secs(120);

#[tokio::test]
async fn what_providers_do_wrong_is_tried_again_and_declines_no_person() {
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
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
    assert_eq!(record["status"], "approved", "{record}");
    assert_eq!(record["attempts_used"], 1, "a provider error used an attempt up");
    let seen = stack.sidecars[0].error_codes();
    for expected in ["openai.unavailable", "openai.garbage", "rekognition.throttled", "fingerprint.timeout"] {
        assert!(seen.contains(expected), "{expected} is not among {seen:?}");
    }
    // The person learns that something was retried, and not which providers the operator uses.
    let found = journalled_codes(&person, &id).await;
    assert_eq!(found, BTreeSet::from(["system.provider_unavailable".to_owned()]));
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
async fn a_picture_that_the_storage_lost_is_waited_for_and_held_against_no_person() {
    let mut stack = Stack::without_sidecar().await;
    let person = stack.person().await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    let admin = stack.admin();
    let document = admin.all("documents").await.remove(0);
    let lost = Lost::from(&stack, &document, "front");
    stack.add_sidecar("one").await;
    missed(&stack, &person, &id).await;
    lost.found();
    person
        .until(&id, PATIENCE_WITH_RETRIES, "the document is read", |record| record["results"]["document"] == "passed")
        .await;

    // The sidecar that cut the portrait out keeps it in memory until it crashes.
    stack.sidecars[0].kill();
    let checks = admin.all("checks").await;
    let check = checks.iter().find(|check| check["kind"] == "document").expect("it is stored");
    let lost = Lost::from(&stack, check, "portrait");
    stack.sidecars[0].start_again();
    stack.sidecars[0].healthy().await;
    person.take_challenge(&id, Challenge::default()).await;
    missed(&stack, &person, &id).await;
    lost.found();
    let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
    assert_eq!((&record["status"], &record["attempts_used"]), (&json!("approved"), &json!(1)), "{record}");
    assert_eq!(journalled_codes(&person, &id).await, BTreeSet::from(["system.provider_unavailable".to_owned()]));
    stack.audit(&person).await;
}

/// Waits until the youngest sidecar has missed a file, and for its verification to go on.
async fn missed(stack: &Stack, person: &Person, id: &str) {
    wait_for("a file is missed", PATIENCE, async || {
        let said = stack.sidecars[0].said();
        if said.contains("record.file_missing") { Ok(()) } else { Err(said) }
    })
    .await;
    let record = person.read("verifications", id).await.expect("readable");
    assert!(!["needs_review", "resubmission_required"].iter().any(|status| record["status"] == *status), "{record}");
    assert_eq!(record["final"], false, "{record}");
}

/// A file that was removed from the storage.
struct Lost {
    place: PathBuf,
    bytes: Vec<u8>,
}

impl Lost {
    /// The file that `field` of `record` names.
    fn from(stack: &Stack, record: &Value, field: &str) -> Self {
        let text = |name: &str| record[name].as_str().expect("a text").to_owned();
        let place = stack.pocketbase.stored_file(&text("id"), &text(field));
        let bytes = std::fs::read(&place).expect("readable");
        std::fs::remove_file(&place).expect("removed");
        Self { place, bytes }
    }

    fn found(self) {
        std::fs::write(self.place, self.bytes).expect("written");
    }
}

#[tokio::test]
async fn a_device_event_that_appears_late_is_asked_for_again() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.set(json!({ "fingerprint_delay_ms": 1500 })).await;
    let record = person.honest_walk().await;
    assert_eq!(record["status"], "approved", "{record}");
    assert_eq!(journalled_codes(&person, record["id"].as_str().expect("an id")).await, BTreeSet::new(), "nor an error");
    let calls = sandbox.count("events.get").await;
    assert!((2..=3).contains(&calls), "{calls} calls");
    stack.audit(&person).await;
}

#[tokio::test]
async fn a_device_event_that_never_appears_is_asked_for_three_times_and_no_more() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.set(json!({ "fingerprint_delay_ms": 3_600_000 })).await;
    let record = person.honest_walk().await;
    assert_eq!(record["status"], "needs_review", "{record}");
    assert_eq!(sandbox.count("events.get").await, 3);
    assert!(stack.audit(&person).await.codes().contains("device.signal_missing"));
}

#[tokio::test]
async fn row_29_a_provider_that_is_down_is_waited_for() {
    let mut stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "error_5xx", "status": 503, "times": 0 })).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = person.begin().await;
        person.submit_all(&id, &snapshot(), Challenge::default()).await;
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
        let record = person.settled_within(id, PATIENCE_WITH_RETRIES).await;
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
#[ignore = "waits for the model's deadline of 90 s: cargo test --features crash-points --test it -- --ignored"]
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
    assert!(stack.sidecars[0].error_codes().contains("openai.timeout"));
    stack.audit(&person).await;
}

/// The error codes in the journal.
async fn journalled_codes(person: &Person, id: &str) -> BTreeSet<String> {
    let journal = person.journal(id).await;
    journal.iter().filter_map(|row| row["data"]["trouble"].as_str().map(str::to_owned)).collect()
}
