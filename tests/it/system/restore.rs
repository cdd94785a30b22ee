//! PocketBase restored from a backup while a sidecar runs: it is noticed, and what is open again is
//! done again under the same keys.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::person::{Challenge, Person};
use super::specimen::{FACE, snapshot};
use super::stack::Stack;
use super::{PATIENCE, wait_for};
use crate::harness::ports::Port;

/// A heartbeat is written every 10 s.
const TWO_BEATS: Duration = Duration::from_secs(60);
const CREATE: &str = "CreateFaceLivenessSession";

#[tokio::test]
async fn row_23_a_journal_that_went_back_in_time_is_noticed_and_driven_on_under_the_same_keys() {
    let mut stack = Stack::without_sidecar().await;
    let metrics = Port::take();
    let mut environment = stack.environment("one");
    environment.insert("METRICS_LISTEN", metrics.to_string());
    stack.add(environment).await;
    let (persons, sandbox, admin) = (stack.persons(3).await, stack.sandbox(), stack.admin());
    let [done, halfway, asking] = &persons[..] else { panic!("three persons") };

    // One is done, one waits for the model, one asks for a challenge that cannot be opened.
    let settled = done.honest_walk().await;
    assert_eq!(settled["status"], "approved", "{settled}");
    sandbox
        .fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": "error_5xx", "times": 0 }))
        .await;
    let halfway_id = halfway.begin().await;
    halfway.submit_all(&halfway_id, &snapshot(), Challenge::default()).await;
    let others_in =
        |record: &Value| record["results"]["device"] == "passed" && record["results"]["liveness"] == "passed";
    halfway.until(&halfway_id, PATIENCE, "the other checks", others_in).await;
    sandbox.fault(json!({ "provider": "rekognition", "operation": CREATE, "fault": "error_5xx", "times": 0 })).await;
    let asking_id = asking.begin().await;
    let challenge = asking.ask_challenge(&asking_id).await;
    asking.journalled(&asking_id, "the challenge cannot be opened", |row| row["event"] == "work_failed").await;
    admin.call(Method::POST, "api/backups", &json!({ "name": "before.zip" })).await;
    let before = beat(&stack).await;

    // Everything from here on will be forgotten.
    sandbox.mend().await;
    let session = asking.opened(&challenge).await;
    let decided = halfway.status(&halfway_id, "approved").await;
    wait_for("a beat that will be forgotten", TWO_BEATS, async || match beat(&stack).await {
        now if now > before => Ok(()),
        now => Err(format!("{now} after {before}")),
    })
    .await;
    admin.call(Method::POST, "api/backups/before.zip/restore", &Value::Null).await;
    wait_for("PocketBase has gone back", PATIENCE, async || {
        let record = halfway.read("verifications", &halfway_id).await?;
        if record["version"].as_u64() < decided["version"].as_u64() { Ok(()) } else { Err(record.to_string()) }
    })
    .await;

    // The restore is noticed, and what is open goes on.
    let again = halfway.settled_within(&halfway_id, 2 * PATIENCE).await;
    assert_eq!(again["status"], "approved", "{again}");
    let reopened = asking.opened(&challenge).await;
    assert_eq!(reopened, session, "another session under the same key");
    let opened: Vec<_> =
        sandbox.calls_of(CREATE).await.into_iter().filter(|call| call.idempotency_token == challenge).collect();
    let sessions = opened.iter().filter(|call| call.fault.is_none());
    assert_eq!(sessions.filter(|call| call.subject == session).count(), 2, "{opened:?}");
    stack.sidecars[0].healthy().await;
    let log = stack.sidecars[0].log();
    assert!(log.contains("PocketBase went back in time") && log.contains("a journal went back in time"), "{log}");
    let figures = reqwest::get(format!("http://{metrics}/metrics")).await.expect("figures");
    let figures = figures.text().await.expect("text");
    assert!(figures.contains("pocketbase_went_back_total 1"), "{figures}");

    // Each verification ends. What was settled before the backup stays.
    sandbox.take_challenge(&reopened, "pass", FACE).await;
    asking.finish_challenge(&asking_id, &challenge).await;
    asking.send_device(&asking_id).await;
    asking.send_document(&asking_id, &snapshot()).await;
    asking.status(&asking_id, "approved").await;
    for (person, id) in [(done, settled["id"].as_str().expect("an id")), (halfway, &halfway_id), (asking, &asking_id)] {
        recomputes(&stack, person, id).await;
    }
}

/// The number of the last stored heartbeat.
async fn beat(stack: &Stack) -> u64 {
    let rows = stack.admin().all("heartbeats").await;
    rows.iter().filter_map(|row| row["beat"].as_u64()).max().unwrap_or(0)
}

/// Asserts one decision that follows from the records, under a whole journal.
async fn recomputes(stack: &Stack, person: &Person, id: &str) {
    let (code, said, complained) = stack.sidecars[0].run(&["replay", id]);
    assert_eq!(code, Some(0), "{complained}");
    assert!(said.contains("numbers without gaps, hashes chained"), "{said}");
    let decisions = said.lines().filter(|line| line.starts_with("decision at ")).count();
    let journal = person.journal(id).await;
    let rows = journal.iter().filter(|row| row["event"] == "decided").count();
    assert_eq!((decisions, rows), (1, 1), "{said}");
}
