//! Logs hold no personal data and no secret, however much is logged and whatever goes wrong.

use serde_json::json;

use super::person::Challenge;
use super::sidecar::{API_KEY, AWS_SECRET, FINGERPRINT_KEY, HASH_KEY, OPENAI_KEY};
use super::specimen::{BIRTH, NAME, NUMBER, snapshot};
use super::stack::Stack;
use crate::harness::pocketbase::SERVICE;

#[tokio::test]
async fn no_canary_is_ever_logged() {
    let mut stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("LOG", "trace".to_owned());
    stack.add(environment).await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    // Answers that cannot be used tempt a program to show them.
    for fault in ["wrong_schema", "not_json", "truncated", "garbage"] {
        sandbox.fault(json!({ "provider": "openai", "operation": "chat.completions", "fault": fault })).await;
    }
    sandbox.fault(json!({ "provider": "rekognition", "operation": "DetectFaces", "fault": "nan" })).await;
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "merge", "body": { "timestamp": NAME } })).await;
    let id = person.begin().await;
    person.hand_in(&id, &snapshot(), Challenge::default()).await;
    person.settled_within(&id, 2 * super::PATIENCE).await;
    stack.pocketbase.kill();
    stack.pocketbase.resume_life().await;
    stack.sidecars[0].healthy().await;
    stack.audit(&person).await;

    let log = stack.sidecars[0].log().to_lowercase();
    assert!(log.contains(&id) && log.contains("\"level\":\"debug\""), "there is no log to look into");
    let names = NAME.split(' ').map(str::to_owned).filter(|name| name.len() > 4);
    let secrets = [API_KEY, AWS_SECRET, OPENAI_KEY, FINGERPRINT_KEY, HASH_KEY, SERVICE.1, SERVICE.0, &person.token];
    let data = [NUMBER, BIRTH, "900812", "canary", "+15550100200", "eyjhbgci", "<<<"];
    for canary in names.chain(secrets.into_iter().chain(data).map(str::to_owned)) {
        let line = log.lines().find(|line| line.contains(&canary.to_lowercase()));
        assert!(line.is_none(), "{canary} is in the log: {}", line.unwrap_or_default());
    }
}
