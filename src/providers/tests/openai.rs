//! The client of `OpenAI`.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use super::{Reply, SHORT, Stub, TIMEOUTS};
use crate::providers::openai::{Dialect, Image, MediaType, ModelStatus, OpenAi, Reading, Settings};
use crate::providers::{ProviderError, ProviderErrorKind, ProviderResponse, Timeouts};

fn settings(url: &Url, timeouts: Timeouts) -> Settings {
    Settings {
        api_key: SecretString::from("sk-secret"),
        base_url: Some(url.join("v1").unwrap()),
        allow_insecure_endpoints: false,
        model: "gpt-6-luna".to_owned(),
        dialect: Some(Dialect::Reasoning),
        reasoning_effort: "low".to_owned(),
        output_tokens_max: 8_000,
        timeouts,
    }
}

fn image() -> Image {
    Image { media_type: MediaType::Jpeg, bytes: bytes::Bytes::from_static(b"\xFF\xD8\xFF") }
}

async fn transcribe(stub: &Stub, timeouts: Timeouts) -> Result<ProviderResponse<Reading>, ProviderError> {
    let client = OpenAi::new(&settings(&stub.url, timeouts)).unwrap();
    let answer = client.transcribe(&[image()], "keyed-hash").await;
    assert_eq!(stub.requests().len(), 1, "a client makes no retry");
    answer
}

async fn fails(reply: Reply, timeouts: Timeouts) -> ProviderError {
    let stub = Stub::start(reply).await;
    let failure = transcribe(&stub, timeouts).await.unwrap_err();
    assert!(!format!("{failure} {failure:?}").contains("ERIKSSON"), "no provider text in an error");
    failure
}

async fn reads(reply: Reply) -> Reading {
    let stub = Stub::start(reply).await;
    transcribe(&stub, TIMEOUTS).await.unwrap().value
}

fn transcription() -> Value {
    json!({
        "document_type": "passport", "issuing_state": "UTO", "side": "front",
        "fields": { "surname": "ERIKSSON", "given_names": "ANNA MARIA" },
        "mrz_lines": [], "readable": "good", "suspicions": [], "visible_text": ["PASSPORT"], "instructions_seen": false
    })
}

fn completion(message: &Value, finish_reason: &str) -> Reply {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-6-luna-2026-09-01",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason }],
        "usage": { "prompt_tokens": 2600, "completion_tokens": 900, "total_tokens": 3500 },
        "service_tier": "a tier of next month"
    });
    Reply::json(200, &body).with("x-request-id", "req_1")
}

fn message(content: &Value) -> Value {
    json!({ "role": "assistant", "content": content.to_string() })
}

#[tokio::test]
async fn a_picture_is_read() {
    let stub = Stub::start(completion(&message(&transcription()), "stop")).await;
    let answer = transcribe(&stub, TIMEOUTS).await.unwrap();
    let Reading::Transcribed(read) = answer.value else { panic!("not transcribed") };
    assert_eq!(read.fields.surname.as_deref(), Some("ERIKSSON"));
    assert_eq!(answer.request_ids, ["req_1"]);
    assert_eq!(answer.model, "gpt-6-luna-2026-09-01");
    assert_eq!((answer.usage.calls, answer.usage.input_tokens, answer.usage.output_tokens), (1, 2600, 900));

    let request = stub.request();
    assert_eq!(request.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(request.header("authorization"), "Bearer sk-secret");
    let body = request.json();
    assert_eq!(body["model"], "gpt-6-luna");
    assert_eq!(body["safety_identifier"], "keyed-hash");
    assert_eq!(body["store"], false);
    assert_eq!(body["messages"][1]["content"][1]["image_url"]["url"], "data:image/jpeg;base64,/9j/");
}

#[tokio::test]
async fn a_refusal_to_read_is_an_answer_and_no_error() {
    let refused = json!({ "role": "assistant", "content": null, "refusal": "I cannot read ERIKSSON" });
    assert_eq!(reads(completion(&refused, "stop")).await, Reading::Refused);
    assert_eq!(reads(completion(&json!({ "content": "" }), "content_filter")).await, Reading::ContentFiltered);
    let azure = json!({ "error": { "code": "content_filter", "message": "ERIKSSON", "innererror": { "code": "x" } } });
    assert_eq!(reads(Reply::json(400, &azure)).await, Reading::ContentFiltered);
}

#[tokio::test]
async fn an_unusable_completion_is_an_invalid_response() {
    for reply in [
        completion(&message(&transcription()), "length"),
        completion(&json!({ "content": "{\"surname\":\"ERIKS" }), "stop"),
        completion(&json!({ "content": "I see ERIKSSON" }), "stop"),
        completion(&message(&json!({ "surname": "ERIKSSON" })), "stop"),
        completion(&json!({ "content": null }), "stop"),
        Reply::json(200, &json!({ "choices": [] })),
        Reply::json(200, &json!("ERIKSSON")),
        Reply::html(200),
        Reply::html(204),
    ] {
        let failure = fails(reply, TIMEOUTS).await;
        assert!(matches!(failure.kind, ProviderErrorKind::InvalidResponse(_)), "{failure}");
    }
}

#[tokio::test]
async fn each_refusal_has_the_code_of_its_remedy() {
    let error = |status, code: Value, kind: &str| {
        Reply::json(status, &json!({ "error": { "message": "ERIKSSON", "type": kind, "code": code, "param": null } }))
    };
    for (reply, code) in [
        (error(401, json!("invalid_api_key"), "invalid_request_error"), "openai.credentials"),
        (Reply::json(401, &json!({ "statusCode": 401, "message": "ERIKSSON" })), "openai.credentials"),
        (error(403, json!("unsupported_country_region_territory"), "request_forbidden"), "openai.credentials"),
        (error(404, json!("model_not_found"), "invalid_request_error"), "openai.misconfigured"),
        (error(400, json!("unsupported_parameter"), "invalid_request_error"), "openai.misconfigured"),
        (error(429, json!("insufficient_quota"), "insufficient_quota"), "openai.misconfigured"),
        (error(429, json!(null), "insufficient_quota"), "openai.misconfigured"),
        (error(429, json!("insufficient_quota"), "requests"), "openai.misconfigured"),
        (error(400, json!(400), "BadRequestError"), "openai.rejected"),
        (error(400, json!("invalid_base64_image"), "invalid_request_error"), "openai.rejected"),
        (error(500, json!(500), "server_error"), "openai.unavailable"),
        (Reply::html(413), "openai.rejected"),
        (Reply::html(429), "openai.throttled"),
        (Reply::html(502), "openai.unavailable"),
        (Reply::html(503), "openai.unavailable"),
    ] {
        assert_eq!(fails(reply, TIMEOUTS).await.code(), code);
    }
}

#[tokio::test]
async fn the_client_reports_a_pause_and_does_not_wait() {
    let started = std::time::Instant::now();
    let error = json!({ "error": { "message": "slow down", "type": "requests", "code": "rate_limit_exceeded" } });
    let failure = fails(Reply::json(429, &error).with("retry-after", "3600"), TIMEOUTS).await;
    assert_eq!(failure.retry_after(), Some(Duration::from_hours(1)));
    let failure = fails(Reply::json(429, &error).with("retry-after-ms", "40"), TIMEOUTS).await;
    assert_eq!(failure.retry_after(), Some(Duration::from_millis(40)));
    assert!(started.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn an_incomplete_or_endless_answer_is_an_error() {
    assert_eq!(fails(Reply::Hang, SHORT).await.kind, ProviderErrorKind::Timeout);
    assert_eq!(fails(Reply::HangInBody, SHORT).await.kind, ProviderErrorKind::Timeout);
    assert_eq!(fails(Reply::CutBody { sent: "{\"choices\":" }, TIMEOUTS).await.code(), "openai.unavailable");
    assert_eq!(fails(Reply::Gigabyte, TIMEOUTS).await.code(), "openai.garbage");
    assert_eq!(fails(Reply::AnnouncedGigabyte, TIMEOUTS).await.code(), "openai.garbage");
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_document_along() {
    let elsewhere = Stub::start(completion(&message(&transcription()), "stop")).await;
    let to = format!("{}v1/chat/completions", elsewhere.url);
    assert_eq!(fails(Reply::html(307).with("location", &to), TIMEOUTS).await.code(), "openai.misconfigured");
    assert!(elsewhere.requests().is_empty());
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panicked here").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_request_nor_response_reaches_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    for reply in [
        completion(&message(&transcription()), "stop"),
        completion(&json!({ "content": "I see ERIKSSON" }), "a reason of next month"),
        Reply::json(200, &json!("ERIKSSON")),
        Reply::json(400, &json!({ "error": { "message": "ERIKSSON", "code": 400 } })),
        Reply::html(200),
        Reply::html(503),
    ] {
        let stub = Stub::start(reply).await;
        let _ = transcribe(&stub, TIMEOUTS).await;
    }
    tracing::info!("the log works");
    drop(guard);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log works"));
    for secret in ["ERIKSSON", "sk-secret", "/9j/", "keyed-hash"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

async fn probe(reply: Reply, change: impl FnOnce(&mut Settings)) -> (Result<ModelStatus, ProviderError>, String) {
    let stub = Stub::start(reply).await;
    let mut settings = settings(&stub.url, TIMEOUTS);
    change(&mut settings);
    let answer = OpenAi::new(&settings).unwrap().probe_model().await;
    (answer.map(|a| a.value), stub.request().line)
}

#[tokio::test]
async fn a_model_is_probed() {
    let model =
        json!({ "id": "gpt-6-luna", "object": "model", "created": 1, "owned_by": "x", "shutdown_date": "2027-01-14" });
    let (status, line) = probe(Reply::json(200, &model), |_| {}).await;
    let status = status.unwrap();
    assert_eq!(line, "GET /v1/models/gpt%2D6%2Dluna HTTP/1.1");
    assert_eq!((status.known, status.shutdown_date.unwrap().to_string()), (Some(true), "2027-01-14".to_owned()));

    let unknown = json!({ "error": { "message": "no such model", "code": "model_not_found" } });
    let (status, _) = probe(Reply::json(404, &unknown), |_| {}).await;
    assert_eq!(status.unwrap().known, Some(false));

    let (status, line) = probe(Reply::html(404), |s| {
        s.dialect = Some(Dialect::Compatible);
        s.model = "org/model?x".to_owned();
    })
    .await;
    assert_eq!(status.unwrap().known, None, "some compatible servers cannot be asked");
    assert_eq!(line, "GET /v1/models/org%2Fmodel%3Fx HTTP/1.1");

    let (status, _) = probe(Reply::html(401), |_| {}).await;
    assert_eq!(status.unwrap_err().code(), "openai.credentials");
}

#[test]
fn all_invalid_settings_are_reported_without_the_key() {
    let bad = Settings {
        api_key: SecretString::from("sk-secret\n"),
        base_url: Some(Url::parse("http://10.1.2.3/v1").unwrap()),
        model: " ".to_owned(),
        output_tokens_max: 0,
        ..settings(&Url::parse("https://api.openai.com").unwrap(), TIMEOUTS)
    };
    let problems = OpenAi::new(&bad).unwrap_err();
    assert_eq!(problems.0.len(), 4, "{problems}");
    assert!(problems.to_string().contains("OPENAI_API_KEY has a line break"));
    assert!(!problems.to_string().contains("sk-secret"));
}

#[tokio::test]
async fn a_self_hosted_server_may_need_no_key() {
    let stub = Stub::start(completion(&message(&transcription()), "stop")).await;
    let settings = Settings { api_key: SecretString::from(""), dialect: None, ..settings(&stub.url, TIMEOUTS) };
    OpenAi::new(&settings).unwrap().transcribe(&[image()], "hash").await.unwrap();
    let request = stub.request();
    assert_eq!(request.header("authorization"), "");
    assert_eq!(request.json()["messages"][0]["role"], "system");
    let public = Settings { base_url: None, ..settings };
    assert!(OpenAi::new(&public).is_err());
}
