//! Asking for a challenge and finishing it.

use std::time::Duration;

use identivia::http::Settings;
use identivia::providers::rekognition::{self, Rekognition, StaticCredentials, TIMEOUTS};
use reqwest::Method;
use serde_json::{Value, json};

use super::stage::{Answer, Stage, begin, send, settings};
use crate::harness::eventually;
use crate::system::sandbox::Sandbox;
use crate::system::sidecar::AWS_SECRET;

fn ask(stage: &Stage, id: &str) -> tokio::task::JoinHandle<Answer> {
    begin(send(stage.request(Method::POST, "/api/v1/liveness").json(&json!({ "verification_id": id }))))
}

/// The one challenge that was asked for.
async fn requested(stage: &Stage) -> String {
    eventually("a challenge is asked for", async || {
        stage.admin.all("liveness_sessions").await.first().map(|s| s["id"].as_str().expect("an id").to_owned())
    })
    .await
}

fn open() -> Value {
    json!({
        "status": "open", "session_id": "0c7a1b5e-6f1d-4f0a-9a53-6a4a3d2f1e10", "region": "eu-west-1",
        "challenge": "FaceMovementAndLightChallenge", "expires_at": "2026-11-22 10:03:00.000Z",
    })
}

#[tokio::test]
async fn a_challenge_is_asked_for_opened_and_finished_once() {
    let stage = Stage::start().await;
    let id = stage.verification("r").await.id();
    let waiting = ask(&stage, &id);
    let session = requested(&stage).await;
    stage.admin.patch("liveness_sessions", &session, open()).await;
    stage.changes.publish(&id);
    let answer = waiting.await.expect("no panic");
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(
        answer.body,
        json!({
            "id": id, "liveness_session_id": session, "session_id": "0c7a1b5e-6f1d-4f0a-9a53-6a4a3d2f1e10",
            "region": "eu-west-1", "challenge": "FaceMovementAndLightChallenge", "expires_at": "2026-11-22T10:03:00Z",
        })
    );
    assert_eq!(answer.header("cache-control"), "no-store");

    let finish = json!({ "verification_id": id, "session_id": answer.body["session_id"] });
    for _ in 0..2 {
        let finished = stage.post("/api/v1/liveness", &finish).await;
        assert_eq!((finished.status, &finished.body["liveness_session_id"]), (202, &json!(session)));
    }
    let actions = stage.admin.all("actions").await;
    assert_eq!(actions.len(), 1, "said twice, noted once");
    assert_eq!(actions[0]["action"], "liveness_completed");
    assert_eq!(actions[0]["user"], stage.admin.get("verifications", &id).await["user"]);
    assert_eq!((&actions[0]["liveness_session"], &actions[0]["reviewer"]), (&json!(session), &json!("")));
}

#[tokio::test]
async fn a_challenge_that_is_not_opened_in_time_can_be_asked_for_again() {
    let stage = Stage::with(Settings { liveness_open: Duration::from_millis(300), ..settings() }).await;
    let id = stage.verification("r").await.id();
    let pending = stage.post("/api/v1/liveness", &json!({ "verification_id": id })).await;
    assert_eq!((pending.status, pending.header("retry-after")), (202, "2"));
    let session = pending.body["liveness_session_id"].as_str().expect("an id").to_owned();
    stage.admin.patch("liveness_sessions", &session, open()).await;
    let again = json!({ "verification_id": id, "liveness_session_id": session });
    let opened = stage.post("/api/v1/liveness", &again).await;
    assert_eq!((opened.status, &opened.body["liveness_session_id"]), (201, &json!(session)));
    assert_eq!(stage.admin.all("liveness_sessions").await.len(), 1);
}

#[tokio::test]
async fn a_refused_or_foreign_challenge_is_told_apart_from_an_open_one() {
    let stage = Stage::start().await;
    let id = stage.verification("r").await.id();
    let waiting = ask(&stage, &id);
    let session = requested(&stage).await;
    stage.admin.patch("liveness_sessions", &session, json!({ "status": "refused" })).await;
    stage.changes.publish(&id);
    let refused = waiting.await.expect("no panic");
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("liveness_refused")));

    let other = stage.verification("other").await.id();
    let foreign = json!({ "verification_id": other, "liveness_session_id": session });
    assert_eq!(stage.post("/api/v1/liveness", &foreign).await.pointers(), ["/liveness_session_id"]);
    let unknown = json!({ "verification_id": other, "session_id": "no-such-session" });
    assert_eq!(stage.post("/api/v1/liveness", &unknown).await.pointers(), ["/session_id"]);
    let score = json!({ "verification_id": other, "session_id": "s", "score": 99.9, "isLive": true });
    assert_eq!(stage.post("/api/v1/liveness", &score).await.pointers(), ["/score", "/isLive"]);
}

#[tokio::test]
async fn an_ended_verification_gets_no_challenge() {
    let stage = Stage::start().await;
    let id = stage.verification("r").await.id();
    stage.patch(&id, json!({ "status": "expired", "final": true, "version": 2 })).await;
    let answer = stage.post("/api/v1/liveness", &json!({ "verification_id": id })).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (409, Some("verification_final")));
    assert_eq!(stage.admin.all("liveness_sessions").await.len(), 0);
}

const BROWSER_ROLE: &str = "arn:aws:iam::000000000000:role/identivia-browser";

/// A facade that gets credentials for browsers from `sandbox`, with this key, its secret and for this role.
async fn with_role(sandbox: &Sandbox, key: &str, secret: &str, role: &str) -> Stage {
    let settings = rekognition::Settings {
        region: "eu-west-1".to_owned(),
        liveness_region: None,
        endpoint_url: Some(sandbox.url().parse().expect("an address")),
        allow_insecure_endpoints: false,
        credentials: Some(StaticCredentials {
            access_key_id: key.to_owned(),
            secret_access_key: secret.into(),
            session_token: None,
        }),
        audit_images: 0,
        browser_role_arn: Some(role.to_owned()),
        timeouts: TIMEOUTS,
    };
    Stage::with_credentials_of(Rekognition::new(settings).await.expect("settings")).await
}

/// Asks for a challenge that no credentials can be had for.
async fn refused(stage: &Stage, id: &str, why: &str) {
    let answer = stage.post("/api/v1/liveness", &json!({ "verification_id": id })).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{why}: {}", answer.text);
    assert_eq!(answer.body["code"], "unavailable", "{why}");
    assert!(!answer.text.contains("arn:") && !answer.text.contains("AWS"), "{why}: {}", answer.text);
    assert_eq!(stage.admin.all("liveness_sessions").await.len(), 0, "{why}: no challenge is begun in vain");
}

#[tokio::test]
async fn what_is_wrong_with_our_keys_for_browsers_is_not_the_callers_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::start(folder.path(), 1);
    for (why, key, secret, role) in [
        ("another role", "AKIASANDBOX000000001", AWS_SECRET, "arn:aws:iam::000000000000:role/somebody-elses"),
        ("an unknown key", "AKIASANDBOX000000002", AWS_SECRET, BROWSER_ROLE),
        ("a wrong secret", "AKIASANDBOX000000001", "not-the-secret-of-the-sandbox-0000000000", BROWSER_ROLE),
    ] {
        let stage = with_role(&sandbox, key, secret, role).await;
        let id = stage.verification("r").await.id();
        refused(&stage, &id, why).await;
    }
}

#[tokio::test]
async fn while_sts_is_away_a_challenge_is_not_begun_and_afterwards_it_comes_with_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::start(folder.path(), 1);
    let control = sandbox.control();
    let stage = with_role(&sandbox, "AKIASANDBOX000000001", AWS_SECRET, BROWSER_ROLE).await;
    let id = stage.verification("r").await.id();
    for fault in ["expired_credential", "throttle", "error_5xx", "reset", "garbage", "html"] {
        control.fault(json!({ "provider": "sts", "operation": "AssumeRole", "fault": fault })).await;
        refused(&stage, &id, fault).await;
        control.mend().await;
    }
    let waiting = ask(&stage, &id);
    let session = requested(&stage).await;
    stage.admin.patch("liveness_sessions", &session, open()).await;
    stage.changes.publish(&id);
    let answer = waiting.await.expect("no panic");
    assert_eq!(answer.status, 201, "{}", answer.text);
    let credentials = &answer.body["credentials"];
    assert!(credentials["access_key_id"].as_str().is_some_and(|key| key.starts_with("ASIA")), "{}", answer.text);
    for secret in ["secret_access_key", "session_token", "expires_at"] {
        assert!(credentials[secret].as_str().is_some_and(|text| !text.is_empty()), "{secret}");
    }
}
