//! Answers that are kept: served without `PocketBase` while the watch vouches for them, and never older than what was shown.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::stage::{Stage, send};

#[tokio::test]
async fn an_answer_is_kept_until_an_event_says_otherwise() {
    let (stage, id, path) = kept_at(3).await;
    write(&stage, &id, 4).await;
    assert_eq!(version(&stage, &path).await, 3, "no event came yet");
    stage.status_cache.invalidate(&id);
    assert_eq!(version(&stage, &path).await, 4);
    assert_eq!(version(&stage, &path).await, 4);
}

#[tokio::test]
async fn a_lost_watch_means_asking_pocketbase_until_it_is_proved_again() {
    let (stage, id, path) = kept_at(3).await;
    stage.client.end_cache_lease();
    for new in [4, 5] {
        write(&stage, &id, new).await;
        assert_eq!(version(&stage, &path).await, new);
    }
    vouch(&stage);
    assert_eq!(version(&stage, &path).await, 5);
    write(&stage, &id, 6).await;
    assert_eq!(version(&stage, &path).await, 5, "kept again");
}

#[tokio::test]
async fn who_has_seen_more_elsewhere_gets_no_older_answer() {
    let (stage, id, path) = kept_at(3).await;
    write(&stage, &id, 4).await;
    let asks = |seen: &str| send(stage.request(Method::GET, &path).header("if-none-match", seen));
    assert_eq!(asks("\"3\"").await.status, 304, "the kept one is what the caller has");
    let answer = asks("\"4\"").await;
    assert_eq!((answer.status, answer.header("etag")), (304, "\"4\""));
    assert_eq!(version(&stage, &path).await, 4, "and nobody gets the older one any more");
}

#[tokio::test]
async fn what_another_request_showed_is_not_taken_back() {
    let (stage, id, path) = kept_at(3).await;
    write(&stage, &id, 4).await;
    let full = stage.get(&format!("{path}?detail=full")).await;
    assert_eq!(full.body["version"], 4);
    assert_eq!(version(&stage, &path).await, 4);
}

#[tokio::test]
async fn a_kept_answer_is_nobody_elses() {
    let stage = Stage::start().await;
    vouch(&stage);
    let (mine, theirs) = (stage.verification("me").await, stage.verification("them").await);
    write(&stage, &mine.id(), 1).await;
    let path = format!("/api/v1/status/{}", mine.id());
    assert_eq!(version(&stage, &path).await, 1);
    let with = |token: &serde_json::Value| stage.open(Method::GET, &path).bearer_auth(token.as_str().expect("a token"));
    assert_eq!(send(with(&mine.body["client_token"])).await.status, 200);
    assert_eq!(send(with(&theirs.body["client_token"])).await.status, 404);
    assert_eq!(send(stage.open(Method::GET, &path)).await.status, 401);
}

/// A verification whose answer at `version` is kept.
async fn kept_at(number: u32) -> (Stage, String, String) {
    let stage = Stage::start().await;
    vouch(&stage);
    let id = stage.verification("r").await.id();
    let path = format!("/api/v1/status/{id}");
    write(&stage, &id, number).await;
    assert_eq!(version(&stage, &path).await, number);
    (stage, id, path)
}

/// As a heartbeat does, for longer than any test takes.
fn vouch(stage: &Stage) {
    stage.client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
}

/// What a sidecar would write; no event comes of it here.
async fn write(stage: &Stage, id: &str, version: u32) {
    stage.patch(id, json!({ "status": "processing", "version": version })).await;
}

async fn version(stage: &Stage, path: &str) -> u32 {
    let answer = stage.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_value(answer.body["version"].clone()).expect("a number")
}
