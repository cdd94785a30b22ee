//! Reading the state of a verification.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::fixture::{Fixture, begin, send};

#[tokio::test]
async fn the_state_is_shown_in_the_persons_language() {
    let fixture = Fixture::start().await;
    let started =
        fixture.post("/api/v1/verify", &json!({ "reference": "r", "locale": "fr", "metadata": { "a": 1 } })).await;
    let id = started.id();
    fixture
        .patch(
            &id,
            json!({
                "status": "resubmission_required", "version": 7, "next": ["document"], "attempts_used": 1, "attempts_max": 3,
                "decision_source": "automatic", "results": { "document": "failed", "device": "passed" },
                "reasons": [{ "code": "document.blurred", "category": "user_action", "message_key": "document.blurred" }],
                "expires_at": "2026-11-25 10:00:00.000Z",
            }),
        )
        .await;
    let answer = fixture.get(&format!("/api/v1/status/{id}")).await;
    assert_eq!((answer.status, answer.header("etag"), answer.header("cache-control")), (200, "\"7\"", "no-store"));
    let mut body = answer.body.clone();
    for varying in ["created", "updated"] {
        assert!(body[varying].as_str().is_some_and(|time| time.ends_with('Z') && time.contains('T')), "{varying}");
        body.as_object_mut().expect("an object").remove(varying);
    }
    assert_eq!(
        body,
        json!({
            "id": id, "status": "resubmission_required", "final": false, "version": 7, "policy": "default",
            "decision_source": "automatic", "next": ["document"], "attempts": { "used": 1, "max": 3 },
            "checks": { "device": { "outcome": "passed" }, "document": { "outcome": "failed" } },
            "reasons": [{
                "code": "document.blurred", "category": "user_action",
                "message": "L'image est floue. Tenez l'appareil immobile, laissez-le faire la mise au point et réessayez.",
            }],
            "expires_at": "2026-11-25T10:00:00Z",
        })
    );
}

#[tokio::test]
async fn scores_are_for_keys_only() {
    let fixture = Fixture::start().await;
    let started = fixture.verification("r").await;
    let id = started.id();
    fixture.patch(&id, json!({ "status": "needs_review", "version": 3, "results": { "document": "review" } })).await;
    for attempt in [1, 2] {
        let check = json!({
            "verification": id, "kind": "document", "attempt": attempt, "outcome": "review",
            "reasons": [{ "code": "document.mrz_visual_mismatch", "category": "fraud", "disposition": "review" }],
            "scores": { "similarity": 91.5 }, "extracted": { "number": "L898902C3" },
        });
        fixture.admin.create("checks", check).await;
    }
    let path = format!("/api/v1/status/{id}");
    let plain = fixture.get(&path).await;
    assert!(!plain.text.contains("similarity") && !plain.text.contains("L898902C3"));
    let full = fixture.get(&format!("{path}?detail=full")).await;
    let detail = &full.body["checks"]["document"]["detail"];
    assert_eq!((&detail["attempt"], &detail["scores"]["similarity"]), (&json!(2), &json!(91.5)));
    assert_eq!(detail["reasons"][0]["code"], "document.mrz_visual_mismatch");

    let token = format!("Bearer {}", started.body["client_token"].as_str().expect("a token"));
    let person = fixture.open(Method::GET, &format!("{path}?detail=full")).header("authorization", token);
    let refused = send(person).await;
    assert_eq!(refused.pointers(), ["detail"]);
    assert!(!refused.text.contains("similarity"));
    assert_eq!(fixture.get(&format!("{path}?detail=some")).await.pointers(), ["detail"]);
}

#[tokio::test]
async fn an_unchanged_version_is_304() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let ask = async |tag: &str| {
        send(fixture.request(Method::GET, &format!("/api/v1/status/{id}")).header("if-none-match", tag)).await
    };
    for (tag, status) in
        [("\"0\"", 304), ("W/\"0\"", 304), ("\"9\", \"0\"", 304), ("*", 304), ("\"1\"", 200), ("0", 200)]
    {
        let answer = ask(tag).await;
        assert_eq!((answer.status, answer.header("etag")), (status, "\"0\""), "{tag}");
        assert_eq!(answer.text.is_empty(), status == 304);
    }
    fixture.patch(&id, json!({ "status": "awaiting_input", "version": 1 })).await;
    assert_eq!(ask("\"0\"").await.status, 200);
}

#[tokio::test]
async fn a_wait_ends_with_the_change_it_waits_for() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let path = format!("/api/v1/status/{id}");
    for (version, request) in [
        (1, fixture.request(Method::GET, &format!("{path}?wait=20")).header("if-none-match", "\"0\"")),
        (2, fixture.request(Method::GET, &path).header("prefer", "wait=20").header("if-none-match", "\"1\"")),
        (3, fixture.request(Method::GET, &format!("{path}?wait=20"))),
    ] {
        let started = Instant::now();
        let waiting = begin(send(request));
        crate::harness::eventually("a request waits", async || (!fixture.changes.is_empty()).then_some(())).await;
        fixture.patch(&id, json!({ "status": "processing", "version": version })).await;
        let answer = waiting.await.expect("no panic");
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)));
        assert_eq!(answer.header("preference-applied"), "wait=20");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        crate::harness::eventually("no request waits", async || fixture.changes.is_empty().then_some(())).await;
    }
}

#[tokio::test]
async fn a_change_without_a_notification_is_found_too() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let waiting = begin(send(fixture.request(Method::GET, &format!("/api/v1/status/{id}?wait=20"))));
    crate::harness::eventually("a request waits", async || (!fixture.changes.is_empty()).then_some(())).await;
    fixture.admin.patch("verifications", &id, json!({ "status": "processing", "version": 1 })).await;
    assert_eq!(waiting.await.expect("no panic").body["version"], 1);
}

#[tokio::test]
async fn a_wait_ends_in_time_and_a_final_verification_is_not_waited_for() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let path = format!("/api/v1/status/{id}?wait=1");
    let started = Instant::now();
    let unchanged = send(fixture.request(Method::GET, &path).header("if-none-match", "\"0\"")).await;
    assert_eq!(unchanged.status, 304);
    assert!(started.elapsed() >= Duration::from_secs(1));
    let current = fixture.get(&path).await;
    assert_eq!((current.status, &current.body["version"]), (200, &json!(0)));

    fixture.patch(&id, json!({ "status": "approved", "final": true, "version": 4 })).await;
    let started = Instant::now();
    let final_ = fixture.get(&format!("/api/v1/status/{id}?wait=20")).await;
    assert_eq!((final_.status, &final_.body["final"]), (200, &json!(true)));
    assert!(started.elapsed() < Duration::from_secs(5));
    for wrong in ["soon", "-1", "1.5", ""] {
        assert_eq!(fixture.get(&format!("/api/v1/status/{id}?wait={wrong}")).await.pointers(), ["wait"], "{wrong:?}");
    }
}

#[tokio::test]
async fn stopping_answers_waiting_requests_with_the_current_state() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let waiting = begin(send(fixture.request(Method::GET, &format!("/api/v1/status/{id}?wait=50"))));
    crate::harness::eventually("a request waits", async || (!fixture.changes.is_empty()).then_some(())).await;
    let started = Instant::now();
    fixture.shutdown.cancel();
    assert_eq!(waiting.await.expect("no panic").status, 200);
    fixture.task.await.expect("no panic").expect("no error");
    assert!(started.elapsed() < Duration::from_secs(5));
}
