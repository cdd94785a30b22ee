//! Requesting a challenge and finishing it.

use std::time::Duration;

use identivia::http::Settings;
use identivia::providers::rekognition::{self, Rekognition, StaticCredentials, TIMEOUTS};
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, begin, send, settings};
use crate::harness::eventually;
use crate::system::sandbox::Sandbox;
use crate::system::sidecar::AWS_SECRET;

fn ask(fixture: &Fixture, id: &str) -> tokio::task::JoinHandle<Answer> {
    begin(send(fixture.request(Method::POST, "/api/v1/liveness").json(&json!({ "verification_id": id }))))
}

/// Waits for the requested challenge and returns its id.
async fn requested(fixture: &Fixture) -> String {
    eventually("a challenge is requested", async || {
        fixture.admin.all("liveness_sessions").await.first().map(|s| s["id"].as_str().expect("an id").to_owned())
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
async fn a_challenge_is_requested_opened_and_finished_once() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let waiting = ask(&fixture, &id);
    let session = requested(&fixture).await;
    fixture.admin.patch("liveness_sessions", &session, open()).await;
    fixture.changes.publish(&id);
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
        let finished = fixture.post("/api/v1/liveness", &finish).await;
        assert_eq!((finished.status, &finished.body["liveness_session_id"]), (202, &json!(session)));
    }
    let actions = fixture.admin.all("actions").await;
    assert_eq!(actions.len(), 1, "reported twice, recorded once");
    assert_eq!(actions[0]["action"], "liveness_completed");
    assert_eq!(actions[0]["user"], fixture.admin.get("verifications", &id).await["user"]);
    assert_eq!((&actions[0]["liveness_session"], &actions[0]["reviewer"]), (&json!(session), &json!("")));
}

#[tokio::test]
async fn a_challenge_that_is_not_opened_in_time_can_be_requested_again() {
    let fixture = Fixture::with(Settings { liveness_open: Duration::from_millis(300), ..settings() }).await;
    let id = fixture.verification("r").await.id();
    let pending = fixture.post("/api/v1/liveness", &json!({ "verification_id": id })).await;
    assert_eq!((pending.status, pending.header("retry-after")), (202, "2"));
    let session = pending.body["liveness_session_id"].as_str().expect("an id").to_owned();
    fixture.admin.patch("liveness_sessions", &session, open()).await;
    let again = json!({ "verification_id": id, "liveness_session_id": session });
    let opened = fixture.post("/api/v1/liveness", &again).await;
    assert_eq!((opened.status, &opened.body["liveness_session_id"]), (201, &json!(session)));
    assert_eq!(fixture.admin.all("liveness_sessions").await.len(), 1);
}

#[tokio::test]
async fn a_refused_or_foreign_challenge_is_rejected() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let waiting = ask(&fixture, &id);
    let session = requested(&fixture).await;
    fixture.admin.patch("liveness_sessions", &session, json!({ "status": "refused" })).await;
    fixture.changes.publish(&id);
    let refused = waiting.await.expect("no panic");
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("liveness_refused")));

    let other = fixture.verification("other").await.id();
    let foreign = json!({ "verification_id": other, "liveness_session_id": session });
    assert_eq!(fixture.post("/api/v1/liveness", &foreign).await.pointers(), ["/liveness_session_id"]);
    let unknown = json!({ "verification_id": other, "session_id": "no-such-session" });
    assert_eq!(fixture.post("/api/v1/liveness", &unknown).await.pointers(), ["/session_id"]);
    let score = json!({ "verification_id": other, "session_id": "s", "score": 99.9, "isLive": true });
    assert_eq!(fixture.post("/api/v1/liveness", &score).await.pointers(), ["/score", "/isLive"]);
}

#[tokio::test]
async fn a_final_verification_gets_no_challenge() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    fixture.patch(&id, json!({ "status": "expired", "final": true, "version": 2 })).await;
    let answer = fixture.post("/api/v1/liveness", &json!({ "verification_id": id })).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (409, Some("verification_final")));
    assert_eq!(fixture.admin.all("liveness_sessions").await.len(), 0);
}

const BROWSER_ROLE: &str = "arn:aws:iam::000000000000:role/identivia-browser";

/// Starts a facade that gets credentials for browsers from `sandbox`, with this key and secret, for
/// this role.
async fn with_role(sandbox: &Sandbox, key: &str, secret: &str, role: &str) -> Fixture {
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
    Fixture::with_credentials_of(Rekognition::new(settings).await.expect("settings")).await
}

/// Requests a challenge while no credentials for the browser can be issued.
async fn refused(fixture: &Fixture, id: &str, why: &str) {
    let answer = fixture.post("/api/v1/liveness", &json!({ "verification_id": id })).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{why}: {}", answer.text);
    assert_eq!(answer.body["code"], "unavailable", "{why}");
    assert!(!answer.text.contains("arn:") && !answer.text.contains("AWS"), "{why}: {}", answer.text);
    assert_eq!(fixture.admin.all("liveness_sessions").await.len(), 0, "{why}: no challenge is created");
}

#[tokio::test]
async fn a_wrong_aws_key_of_the_operator_is_not_the_callers_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::start(folder.path(), 1);
    for (why, key, secret, role) in [
        ("another role", "AKIASANDBOX000000001", AWS_SECRET, "arn:aws:iam::000000000000:role/somebody-elses"),
        ("an unknown key", "AKIASANDBOX000000002", AWS_SECRET, BROWSER_ROLE),
        ("a wrong secret", "AKIASANDBOX000000001", "not-the-secret-of-the-sandbox-0000000000", BROWSER_ROLE),
    ] {
        let fixture = with_role(&sandbox, key, secret, role).await;
        let id = fixture.verification("r").await.id();
        refused(&fixture, &id, why).await;
    }
}

#[tokio::test]
async fn no_challenge_is_created_while_sts_fails_and_later_ones_have_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::start(folder.path(), 1);
    let control = sandbox.control();
    let fixture = with_role(&sandbox, "AKIASANDBOX000000001", AWS_SECRET, BROWSER_ROLE).await;
    let id = fixture.verification("r").await.id();
    for fault in ["expired_credential", "throttle", "error_5xx", "reset", "garbage", "html"] {
        control.fault(json!({ "provider": "sts", "operation": "AssumeRole", "fault": fault })).await;
        refused(&fixture, &id, fault).await;
        control.mend().await;
    }
    let waiting = ask(&fixture, &id);
    let session = requested(&fixture).await;
    fixture.admin.patch("liveness_sessions", &session, open()).await;
    fixture.changes.publish(&id);
    let answer = waiting.await.expect("no panic");
    assert_eq!(answer.status, 201, "{}", answer.text);
    let credentials = &answer.body["credentials"];
    assert!(credentials["access_key_id"].as_str().is_some_and(|key| key.starts_with("ASIA")), "{}", answer.text);
    for secret in ["secret_access_key", "session_token", "expires_at"] {
        assert!(credentials[secret].as_str().is_some_and(|text| !text.is_empty()), "{secret}");
    }
}
