//! Logs, metrics and refusals contain no personal data and no secret, at any log level and whatever
//! goes wrong.

use serde_json::json;

use super::oracle::canary;
use super::person::Challenge;
use super::sidecar::API_KEY;
use super::specimen::{BIRTH, NAME, NUMBER, snapshot};
use super::stack::Stack;
use crate::harness::ports::Port;

#[tokio::test]
async fn no_canary_is_ever_logged() {
    let mut stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("LOG", "trace".to_owned());
    let metrics = Port::take();
    environment.insert("METRICS_LISTEN", metrics.to_string());
    stack.add(environment).await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    // Invalid answers tempt a program to print them.
    for fault in ["wrong_schema", "not_json", "truncated", "garbage"] {
        sandbox.fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": fault })).await;
    }
    sandbox.fault(json!({ "provider": "rekognition", "operation": "DetectFaces", "fault": "nan" })).await;
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "merge", "body": { "timestamp": NAME } })).await;
    let id = person.begin().await;
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    person.settled_within(&id, 2 * super::PATIENCE).await;
    stack.pocketbase.kill();
    stack.pocketbase.resume_life().await;
    stack.sidecars[0].healthy().await;
    stack.audit(&person).await;

    // The oracle has read the log. It was not empty.
    let log = stack.sidecars[0].log();
    assert!(log.contains(&id) && log.to_lowercase().contains("\"level\":\"debug\""), "there is no debug log to check");
    assert!(!log.contains(&person.token), "a person's token is in the log");

    let figures = reqwest::get(format!("http://{metrics}/metrics")).await.expect("an answer");
    let figures = figures.text().await.expect("text");
    assert!(figures.contains("provider_calls_total"), "{figures}");
    assert_eq!(canary::found_in(&figures), None);

    // A refusal names what is wrong with a request without repeating it.
    let address = stack.sidecars[0].address().expect("it runs");
    let wish = json!({ "declared": { "name": NAME, "date_of_birth": NUMBER, "country": BIRTH }, "surprise": NAME });
    let request = reqwest::Client::new().post(format!("http://{address}/api/v1/verify")).header("x-api-key", API_KEY);
    let answer = request.json(&wish).send().await.expect("an answer");
    assert_eq!(answer.status(), 422);
    let said = answer.text().await.expect("text");
    assert_eq!(canary::found_in(&said), None, "{said}");
    stack.audit(&person).await;
}
