//! Cached answers: served without `PocketBase` while the cache lease is valid, and never older than
//! an answer shown before.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::fixture::{Fixture, send};

#[tokio::test]
async fn an_answer_is_cached_until_an_event_invalidates_it() {
    let (fixture, id, path) = cached_at(3).await;
    write(&fixture, &id, 4).await;
    assert_eq!(version(&fixture, &path).await, 3, "no event came yet");
    fixture.status_cache.invalidate(&id);
    assert_eq!(version(&fixture, &path).await, 4);
    assert_eq!(version(&fixture, &path).await, 4);
}

#[tokio::test]
async fn a_lost_watch_means_asking_pocketbase_until_it_is_proved_again() {
    let (fixture, id, path) = cached_at(3).await;
    fixture.client.end_cache_lease();
    for new in [4, 5] {
        write(&fixture, &id, new).await;
        assert_eq!(version(&fixture, &path).await, new);
    }
    renew_lease(&fixture);
    assert_eq!(version(&fixture, &path).await, 5);
    write(&fixture, &id, 6).await;
    assert_eq!(version(&fixture, &path).await, 5, "cached again");
}

#[tokio::test]
async fn a_caller_that_saw_a_newer_version_elsewhere_gets_no_older_answer() {
    let (fixture, id, path) = cached_at(3).await;
    write(&fixture, &id, 4).await;
    let asks = |seen: &str| send(fixture.request(Method::GET, &path).header("if-none-match", seen));
    assert_eq!(asks("\"3\"").await.status, 304, "the caller has the cached version");
    let answer = asks("\"4\"").await;
    assert_eq!((answer.status, answer.header("etag")), (304, "\"4\""));
    assert_eq!(version(&fixture, &path).await, 4, "and the older answer is gone");
}

#[tokio::test]
async fn a_version_that_another_request_showed_is_not_taken_back() {
    let (fixture, id, path) = cached_at(3).await;
    write(&fixture, &id, 4).await;
    let full = fixture.get(&format!("{path}?detail=full")).await;
    assert_eq!(full.body["version"], 4);
    assert_eq!(version(&fixture, &path).await, 4);
}

#[tokio::test]
async fn a_cached_answer_is_only_for_callers_that_may_see_it() {
    let fixture = Fixture::start().await;
    renew_lease(&fixture);
    let (mine, theirs) = (fixture.verification("me").await, fixture.verification("them").await);
    write(&fixture, &mine.id(), 1).await;
    let path = format!("/api/v1/status/{}", mine.id());
    assert_eq!(version(&fixture, &path).await, 1);
    let with =
        |token: &serde_json::Value| fixture.open(Method::GET, &path).bearer_auth(token.as_str().expect("a token"));
    assert_eq!(send(with(&mine.body["client_token"])).await.status, 200);
    assert_eq!(send(with(&theirs.body["client_token"])).await.status, 404);
    assert_eq!(send(fixture.open(Method::GET, &path)).await.status, 401);
}

/// Starts a verification whose answer is cached at version `number`.
async fn cached_at(number: u32) -> (Fixture, String, String) {
    let fixture = Fixture::start().await;
    renew_lease(&fixture);
    let id = fixture.verification("r").await.id();
    let path = format!("/api/v1/status/{id}");
    write(&fixture, &id, number).await;
    assert_eq!(version(&fixture, &path).await, number);
    (fixture, id, path)
}

/// Renews the cache lease as a heartbeat does, for longer than any test takes.
fn renew_lease(fixture: &Fixture) {
    fixture.client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
}

/// Writes what a sidecar would write, without an event.
async fn write(fixture: &Fixture, id: &str, version: u32) {
    fixture.patch(id, json!({ "status": "processing", "version": version })).await;
}

async fn version(fixture: &Fixture, path: &str) -> u32 {
    let answer = fixture.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_value(answer.body["version"].clone()).expect("a number")
}
