//! SIGTERM with work in flight: the work is finished or taken over, and the exit code is 0.

use std::time::{Duration, Instant};

use serde_json::json;

use super::person::{Challenge, Person};
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, wait_for};

#[tokio::test]
async fn work_in_flight_is_finished_within_the_grace() {
    let mut stack = Stack::start().await;
    let (person, id) = reading_a_document(&stack, 2000).await;
    let status = stack.sidecars[0].terminate(Duration::from_secs(30)).await;
    assert!(status.success(), "{status}");
    let record = person.read("verifications", &id).await.expect("readable");
    assert_eq!(record["results"]["document"], "passed", "{record}");

    stack.sidecars[0].start_again();
    person.take_challenge(&id, Challenge::default()).await;
    person.status(&id, "approved").await;
    let observed = stack.audit(&person).await;
    assert_eq!(observed.count("chat.completions"), 1);
}

#[tokio::test]
async fn work_that_takes_longer_than_the_grace_is_handed_over() {
    let mut stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("SHUTDOWN_SECONDS", "1".to_owned());
    stack.add(environment).await;
    let (person, id) = reading_a_document(&stack, 120_000).await;
    let began = Instant::now();
    let status = stack.sidecars[0].terminate(Duration::from_secs(15)).await;
    assert!(status.success(), "{status}");
    assert!(began.elapsed() >= Duration::from_secs(1), "the grace was not given");

    stack.sidecars[0].start_again();
    person.take_challenge(&id, Challenge::default()).await;
    person.status(&id, "approved").await;
    let observed = stack.audit(&person).await;
    assert_eq!(observed.count("chat.completions"), 2);
}

/// A person whose document is being read, for `ms` milliseconds.
async fn reading_a_document(stack: &Stack, ms: u64) -> (Person, String) {
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    sandbox.fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": "delay", "ms": ms })).await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    wait_for("the document is being read", PATIENCE, async || match sandbox.count("chat.completions").await {
        0 => Err("not asked".to_owned()),
        _ => Ok(()),
    })
    .await;
    (person, id)
}
