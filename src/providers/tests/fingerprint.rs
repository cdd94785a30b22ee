//! The client of Fingerprint.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use super::{Reply, SHORT, Stub, TIMEOUTS};
use crate::providers::fingerprint::{Fingerprint, Region, Settings};
use crate::providers::{ProviderError, ProviderErrorKind, Timeouts};

const EVENT: &str = "1763800000000.abc123";

fn settings(url: &Url, timeouts: Timeouts) -> Settings {
    Settings {
        secret_key: SecretString::from("fp-secret"),
        region: Region::Eu,
        base_url: Some(url.clone()),
        allow_insecure_endpoints: false,
        timeouts,
    }
}

async fn fails(reply: Reply, timeouts: Timeouts) -> ProviderError {
    let stub = Stub::start(reply).await;
    let client = Fingerprint::new(&settings(&stub.url, timeouts)).unwrap();
    let error = client.event(EVENT).await.unwrap_err();
    assert_eq!(stub.requests().len(), 1, "a client makes no retry");
    assert!(!format!("{error} {error:?}").contains("ERIKSSON"), "no provider text in an error");
    error
}

fn event() -> Value {
    json!({
        "event_id": EVENT, "timestamp": 1_763_800_000_000_i64, "linked_id": "verification00a",
        "identification": { "visitor_id": "v1", "visitor_found": true, "confidence": { "score": 0.95, "version": "1.1" } },
        "replayed": false, "bot": "not_detected", "tampering": true, "tampering_details": { "anti_detect_browser": true },
        "vpn": "yes", "ip_blocklist": { "tor_node": false },
        "ip_info": { "v4": { "datacenter_result": false, "geolocation": { "country_code": "DE" } }, "v6": { "datacenter_result": true } },
        "suspect_score": 12, "a_field_of_next_month": [1, 2]
    })
}

#[tokio::test]
async fn an_absent_field_of_an_event_is_not_false() {
    let stub = Stub::start(Reply::json(200, &event()).with("x-request-id", "fp-1")).await;
    let answer = Fingerprint::new(&settings(&stub.url, TIMEOUTS)).unwrap().event(EVENT).await.unwrap();
    let request = stub.request();
    assert_eq!(request.line, format!("GET /v4/events/{EVENT} HTTP/1.1"));
    assert_eq!(request.header("authorization"), "Bearer fp-secret");
    assert_eq!((answer.request_ids, answer.region.as_str()), (vec!["fp-1".to_owned()], "eu"));
    let event = answer.value.unwrap();
    assert_eq!(event.timestamp.unwrap().as_millisecond(), 1_763_800_000_000);
    assert_eq!(event.linked_id.as_deref(), Some("verification00a"));
    assert_eq!(event.visitor_id.as_deref(), Some("v1"));
    assert_eq!(event.confidence, Some(0.95));
    assert_eq!((event.replayed, event.bot, event.tampering), (Some(false), Some(false), Some(true)));
    assert_eq!(event.anti_detect_browser, Some(true));
    assert_eq!(event.vpn, None, "a word instead of a boolean is ignored");
    assert_eq!(event.proxy, None);
    assert_eq!((event.tor, event.datacenter), (Some(false), Some(true)));
    assert_eq!(event.ip_country.as_deref(), Some("DE"));
    assert!(!event.partially_completed);
}

#[tokio::test]
async fn a_partial_identification_is_recognised() {
    let mut half = event();
    half["incremental_identification_status"] = json!("partially_completed");
    let stub = Stub::start(Reply::json(200, &half)).await;
    let answer = Fingerprint::new(&settings(&stub.url, TIMEOUTS)).unwrap().event(EVENT).await.unwrap();
    assert!(answer.value.unwrap().partially_completed);
}

#[tokio::test]
async fn an_unknown_event_is_an_answer_and_no_error() {
    let stub =
        Stub::start(Reply::json(404, &json!({ "error": { "code": "event_not_found", "message": "gone" } }))).await;
    let answer = Fingerprint::new(&settings(&stub.url, TIMEOUTS)).unwrap().event(EVENT).await.unwrap();
    assert_eq!((answer.value, answer.usage.calls), (None, 1));
}

#[tokio::test]
async fn an_id_of_another_form_is_never_sent() {
    let stub = Stub::start(Reply::json(200, &event())).await;
    let client = Fingerprint::new(&settings(&stub.url, TIMEOUTS)).unwrap();
    for id in [
        "",
        "..",
        ".",
        "%2e%2e",
        "1763800000000",
        "1763800000000.abc12",
        "1763800000000.abc1234",
        "176380000000.abc1234",
        "1763800000000.ab/123",
        "1763800000000.abc123?ruleset_id=x",
        "1763800000000.abc123/../../v4/visitors",
        "１763800000000.abc123",
    ] {
        let answer = client.event(id).await.unwrap();
        assert_eq!((answer.value, answer.usage.calls), (None, 0), "{id}");
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn each_refusal_has_the_code_of_its_remedy() {
    let error = |status, code: &str| Reply::json(status, &json!({ "error": { "code": code, "message": "ERIKSSON" } }));
    for (reply, code) in [
        (error(403, "secret_api_key_not_found"), "fingerprint.credentials"),
        (error(403, "wrong_region"), "fingerprint.misconfigured"),
        (error(403, "subscription_not_active"), "fingerprint.misconfigured"),
        (error(409, "state_not_ready"), "fingerprint.unavailable"),
        (error(400, "ruleset_not_found"), "fingerprint.rejected"),
        (error(500, "failed"), "fingerprint.unavailable"),
        (Reply::html(404), "fingerprint.misconfigured"),
        (Reply::html(503), "fingerprint.unavailable"),
        (Reply::html(200), "fingerprint.garbage"),
        (Reply::html(204), "fingerprint.garbage"),
    ] {
        assert_eq!(fails(reply, TIMEOUTS).await.code(), code);
    }
}

#[tokio::test]
async fn a_throttled_call_reports_the_pause() {
    let reply = Reply::json(429, &json!({ "error": { "code": "too_many_requests" } })).with("retry-after", "17");
    let error = fails(reply, TIMEOUTS).await;
    assert_eq!((error.code(), error.retry_after()), ("fingerprint.throttled", Some(Duration::from_secs(17))));
}

#[tokio::test]
async fn an_incomplete_or_endless_answer_is_an_error() {
    assert_eq!(fails(Reply::Hang, SHORT).await.kind, ProviderErrorKind::Timeout);
    assert_eq!(fails(Reply::HangInBody, SHORT).await.kind, ProviderErrorKind::Timeout);
    assert_eq!(fails(Reply::CutBody { sent: "{\"event_id\":" }, TIMEOUTS).await.code(), "fingerprint.unavailable");
    assert_eq!(fails(Reply::Gigabyte, TIMEOUTS).await.code(), "fingerprint.garbage");
    assert_eq!(fails(Reply::AnnouncedGigabyte, TIMEOUTS).await.code(), "fingerprint.garbage");
}

#[tokio::test]
async fn an_answer_about_another_event_is_an_error() {
    let mut other = event();
    other["event_id"] = json!("1763800000000.zzz999");
    assert_eq!(fails(Reply::json(200, &other), TIMEOUTS).await.code(), "fingerprint.garbage");
    let version_3 = json!({ "products": { "identification": { "data": { "requestId": EVENT } } } });
    assert_eq!(fails(Reply::json(200, &version_3), TIMEOUTS).await.code(), "fingerprint.garbage");
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_along() {
    let elsewhere = Stub::start(Reply::json(200, &event())).await;
    let to = format!("{}v4/events/{EVENT}", elsewhere.url);
    let error = fails(Reply::html(307).with("location", &to), TIMEOUTS).await;
    assert_eq!(error.code(), "fingerprint.misconfigured");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_refused_connection_is_an_error_at_once() {
    let url = Stub::start(Reply::Hang).await.url.clone();
    let client = Fingerprint::new(&settings(&url, TIMEOUTS)).unwrap();
    let error = client.event(EVENT).await.unwrap_err();
    assert_eq!(error.code(), "fingerprint.unavailable");
}

#[test]
fn all_invalid_settings_are_reported_without_the_key() {
    let bad = Settings {
        secret_key: SecretString::from("fp-secret\n"),
        base_url: Some(Url::parse("http://10.1.2.3/").unwrap()),
        timeouts: Timeouts { connect: Duration::ZERO, ..TIMEOUTS },
        ..settings(&Url::parse("https://eu.api.fpjs.io").unwrap(), TIMEOUTS)
    };
    let problems = Fingerprint::new(&bad).unwrap_err();
    assert_eq!(problems.0.len(), 3, "{problems}");
    assert!(problems.to_string().contains("FINGERPRINT_SECRET_KEY has a line break"));
    assert!(!problems.to_string().contains("fp-secret"));
}
