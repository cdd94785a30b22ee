//! What holds for all requests: addresses, methods, sizes, slow clients, an unreachable PocketBase,
//! the stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use identivia::http::{ProviderHealth, serve_metrics};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, KEY, begin, description, png, send, settings};
use crate::harness::pocketbase::{self, Pocketbase, SERVICE, logged_in};
use crate::harness::proxy::{Fault, Proxy};

#[tokio::test]
async fn health_follows_the_reports_of_the_sidecar() {
    let fixture = Fixture::start().await;
    let well = fixture.get("/health").await;
    assert_eq!((well.status, &well.body["status"]), (200, &json!("ok")));
    fixture.health.send_modify(|health| health.providers.openai = ProviderHealth::Degraded);
    let degraded = fixture.get("/health").await;
    assert_eq!((degraded.status, &degraded.body["status"]), (200, &json!("degraded")));
    fixture.health.send_modify(|health| health.reachable = false);
    let away = fixture.get("/health").await;
    assert_eq!((away.status, &away.body["status"]), (503, &json!("unavailable")));
    for secret in ["127.0.0.1", "@", KEY, "http"] {
        assert!(!away.text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems() {
    let fixture = Fixture::start().await;
    let nowhere = fixture.get("/api/v1/nothing").await;
    assert_eq!((nowhere.status, nowhere.body["code"].as_str()), (404, Some("not_found")));
    for (method, path, allow) in [
        (Method::GET, "/api/v1/verify", "POST, OPTIONS"),
        (Method::DELETE, "/api/v1/status/aaaaaaaaaaaaaaa", "GET, HEAD, OPTIONS"),
        (Method::PUT, "/health", "GET, HEAD, OPTIONS"),
        (Method::TRACE, "/health", "GET, HEAD, OPTIONS"),
    ] {
        let answer = send(fixture.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let options = send(fixture.open(Method::OPTIONS, "/api/v1/verify")).await;
    assert_eq!((options.status, options.header("allow")), (204, "POST, OPTIONS"));
    let head = send(fixture.open(Method::HEAD, "/health")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(fixture.get("/metrics").await.status, 404);
}

#[tokio::test]
async fn request_ids_are_echoed_if_safe() {
    let fixture = Fixture::start().await;
    for (sent, echoed) in [("abc-1.2_3", true), ("a b", false), ("<script>", false), (&"x".repeat(65), false)] {
        let answer = send(fixture.open(Method::GET, "/health").header("x-request-id", sent)).await;
        assert_eq!(answer.header("x-request-id") == sent, echoed, "{sent}");
    }
}

#[tokio::test]
async fn the_description_and_its_page_are_served() {
    let fixture = Fixture::start().await;
    let served = fixture.get("/openapi.json").await;
    let mut described = description().clone();
    described["info"]["version"] = served.body["info"]["version"].clone();
    assert_eq!(served.body, described);
    let page = fixture.get("/docs").await;
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(page.text.contains("/api/v1/verify"));
}

#[tokio::test]
async fn while_pocketbase_is_unreachable_callers_get_503_with_retry_after() {
    let mut fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    fixture.pocketbase.kill();
    let form =
        Form::new().text("verification_id", id.clone()).text("type", "passport").part("front", Part::bytes(png(100)));
    let requests = [
        fixture.request(Method::GET, &format!("/api/v1/status/{id}")),
        fixture.request(Method::POST, "/api/v1/verify").json(&json!({})),
        fixture.request(Method::POST, "/api/v1/liveness").json(&json!({ "verification_id": id })),
        fixture.request(Method::POST, "/api/v1/document").multipart(form),
        fixture.open(Method::GET, &format!("/api/v1/status/{id}")).header("authorization", {
            // The token of a person, which only PocketBase can verify.
            let header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
            let claims = "eyJpZCI6InBlcnNvbnBlcnNvbjAwMSIsInR5cGUiOiJhdXRoIiwiZXhwIjo0MTAyNDQ0ODAwLCJjb2xsZWN0aW9uSWQiOiJfcGJfdXNlcnNfYXV0aF8ifQ";
            format!("Bearer {header}.{claims}.c2ln")
        }),
    ];
    for request in requests {
        let answer = send(request).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{}", answer.text);
        assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
    }
    fixture.pocketbase.resume_life().await;
    crate::harness::eventually("it is served again", async || {
        (fixture.get(&format!("/api/v1/status/{id}")).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_throttled_sidecar_is_never_the_callers_fault() {
    let pocketbase = Pocketbase::start().await;
    let proxy = Proxy::before(pocketbase.port()).await;
    let client = logged_in(pocketbase::settings(proxy.url(), SERVICE)).await;
    let fixture = Fixture::over(pocketbase, client, settings()).await;
    let started = fixture.verification("r").await;
    let id = started.id();
    let token = format!("Bearer {}", started.body["client_token"].as_str().expect("a token"));
    let post = |path: &str, body: Value| fixture.request(Method::POST, path).json(&body);
    let form = |event: &str| {
        let form = Form::new().text("verification_id", id.clone()).text("type", "passport");
        let form = form.text("device_event_id", event.to_owned()).part("front", Part::bytes(png(100)));
        fixture.request(Method::POST, "/api/v1/document").multipart(form)
    };
    let status = format!("/api/v1/status/{id}");
    let event = "1732269000000.Ab3xYz";
    // The throttled request to PocketBase, and the request to the facade that needs it.
    for (mark, request) in [
        ("auth-refresh", fixture.open(Method::GET, &status).header("authorization", token)),
        ("GET /api/collections/verifications", fixture.request(Method::GET, &status)),
        ("GET /api/collections/policies", post("/api/v1/verify", json!({}))),
        ("GET /api/collections/users", post("/api/v1/verify", json!({ "reference": "r" }))),
        ("POST /api/collections/users/records", post("/api/v1/verify", json!({}))),
        ("auth-with-password", post("/api/v1/verify", json!({}))),
        ("POST /api/collections/verifications", post("/api/v1/verify", json!({}))),
        ("POST /api/collections/documents", form(event)),
        ("POST /api/collections/device_signals", form(event)),
        ("POST /api/collections/liveness_sessions", post("/api/v1/liveness", json!({ "verification_id": id }))),
    ] {
        proxy.fail_next(mark, Fault::Throttle);
        let answer = send(request).await;
        assert!(proxy.failed(), "{mark}: this request was not made");
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{mark}: {}", answer.text);
        assert_eq!(answer.body["code"], "unavailable", "{mark}");
    }
}

#[tokio::test]
async fn a_wait_outlives_a_restart_of_pocketbase() {
    let mut fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let waiting = begin(send(fixture.request(Method::GET, &format!("/api/v1/status/{id}?wait=30"))));
    crate::harness::eventually("a request waits", async || (!fixture.changes.is_empty()).then_some(())).await;
    fixture.pocketbase.kill();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!waiting.is_finished());
    fixture.pocketbase.resume_life().await;
    fixture.patch(&id, json!({ "status": "processing", "version": 1 })).await;
    assert_eq!(waiting.await.expect("no panic").body["version"], 1);
}

#[tokio::test]
async fn requests_in_progress_finish_when_the_service_stops() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let address = fixture.base.socket_addrs(|| None).expect("an address")[0];
    let mut slow = TcpStream::connect(address).await.expect("a connection");
    let body = format!("{{\"verification_id\":\"{id}\",\"session_id\":\"none\"}}");
    let head = format!(
        "POST /api/v1/liveness HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.expect("sent");
    slow.write_all(&body.as_bytes()[..10]).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(200)).await;
    fixture.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(address).await.is_err(), "no new connection is accepted");
    slow.write_all(&body.as_bytes()[10..]).await.expect("sent");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    fixture.task.await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_rejected_and_a_slow_one_is_closed() {
    let fixture = Fixture::start().await;
    let address = fixture.base.socket_addrs(|| None).expect("an address")[0];
    let mut long = TcpStream::connect(address).await.expect("a connection");
    let head = format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Junk: {}\r\n\r\n", "j".repeat(20_000));
    let _ = long.write_all(head.as_bytes()).await;
    let mut answer = String::new();
    let _ = long.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    let started = Instant::now();
    let mut slow = TcpStream::connect(address).await.expect("a connection");
    slow.write_all(b"GET /health HTTP/1.1\r\nHo").await.expect("sent");
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!((10..25).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn metrics_have_their_own_port() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    let shutdown = CancellationToken::new();
    let render = Arc::new(|| "up 1\n".to_owned());
    let task = begin(serve_metrics(listener, render, shutdown.clone()));
    let answer = reqwest::get(format!("{base}/metrics")).await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.text().await.expect("text"), "up 1\n");
    assert_eq!(reqwest::get(format!("{base}/health")).await.expect("an answer").status(), 404);
    shutdown.cancel();
    task.await.expect("no panic").expect("no error");
}
