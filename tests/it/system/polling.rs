//! Callers that poll two facades through a crash of `PocketBase`: the versions that they see never
//! go back.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::person::Challenge;
use super::sidecar::API_KEY;
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, wait_for};

#[tokio::test]
async fn a_caller_that_polls_never_sees_a_version_go_back() {
    let mut stack = Stack::start().await;
    stack.add_sidecar("two").await;
    let person = stack.person().await;
    let id = person.begin().await;
    let facades: Vec<SocketAddr> =
        stack.sidecars.iter_mut().map(|sidecar| sidecar.address().expect("it is ready")).collect();
    let story = async {
        person.send_device(&id).await;
        person.send_document(&id, &snapshot()).await;
        person
            .until(&id, PATIENCE, "its document is checked", |record| record["results"]["document"] == "passed")
            .await;
        stack.pocketbase.kill();
        stack.pocketbase.resume_life().await;
        person.take_challenge(&id, Challenge::default()).await;
        person.status(&id, "approved").await
    };
    let (approved, first, second) = tokio::join!(story, poll(facades[0], &id), poll(facades[1], &id));
    for seen in [first, second] {
        assert!(seen.len() > 2, "it saw how things went on: {seen:?}");
        assert_eq!(seen.last(), approved["version"].as_u64().as_ref());
    }
    stack.audit(&person).await;
}

/// Polls without a pause until the verification is final, and returns the versions in the order of
/// the answers.
async fn poll(facade: SocketAddr, id: &str) -> Vec<u64> {
    let http = reqwest::Client::new();
    let url = format!("http://{facade}/api/v1/status/{id}");
    let mut seen = Vec::new();
    wait_for("the outcome", 3 * PATIENCE, async || {
        // Many requests between two reads of the clock: the more there are, the more meet a change.
        for _ in 0..20 {
            let Some((status, body)) = ask(&http, &url).await else { return Err("no answer".to_owned()) };
            if status == 503 {
                return Err("PocketBase is away".to_owned());
            }
            let version = body["version"].as_u64().unwrap_or_else(|| panic!("{status} {body}"));
            let last = seen.last().copied().unwrap_or_default();
            assert!(version >= last, "{version} after {last}");
            if seen.last() != Some(&version) {
                seen.push(version);
            }
            if body["final"] == true {
                return Ok(());
            }
        }
        Err(format!("{seen:?}"))
    })
    .await;
    seen
}

async fn ask(http: &reqwest::Client, url: &str) -> Option<(u16, Value)> {
    let request = http.get(url).header("x-api-key", API_KEY).timeout(Duration::from_secs(20));
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

#[tokio::test]
async fn a_token_that_ends_is_soon_refused_by_the_facade() {
    let mut stack = Stack::start().await;
    let person = stack.person().await;
    let id = person.begin().await;
    let facade = stack.sidecars[0].address().expect("it is ready");
    let url = format!("http://{facade}/api/v1/status/{id}");
    let http = reqwest::Client::new();
    let asks = async || {
        let answer = http.get(&url).bearer_auth(&person.token).send().await.expect("an answer");
        answer.status().as_u16()
    };
    assert_eq!(asks().await, 200);
    let user = person.id.clone();
    let new = "a-password-of-their-own";
    stack.admin().patch("users", &user, serde_json::json!({ "password": new, "passwordConfirm": new })).await;
    wait_for("the old token is refused", PATIENCE, async || match asks().await {
        401 => Ok(()),
        status => Err(format!("it was answered with {status}")),
    })
    .await;
}
