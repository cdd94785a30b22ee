//! What holds for every request: addresses, methods, sizes, slowness, absence of PocketBase, the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use identivia::http::{ProviderHealth, serve_metrics};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::stage::{KEY, Stage, begin, description, png, send, settings};
use crate::harness::pocketbase::{self, Pocketbase, SERVICE, logged_in};
use crate::harness::proxy::{Fault, Proxy};

#[tokio::test]
async fn health_follows_what_the_sidecar_says() {
    let stage = Stage::start().await;
    let well = stage.get("/health").await;
    assert_eq!((well.status, &well.body["status"]), (200, &json!("ok")));
    stage.health.send_modify(|health| health.providers.openai = ProviderHealth::Degraded);
    let degraded = stage.get("/health").await;
    assert_eq!((degraded.status, &degraded.body["status"]), (200, &json!("degraded")));
    stage.health.send_modify(|health| health.reachable = false);
    let away = stage.get("/health").await;
    assert_eq!((away.status, &away.body["status"]), (503, &json!("unavailable")));
    for secret in ["127.0.0.1", "@", KEY, "http"] {
        assert!(!away.text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems() {
    let stage = Stage::start().await;
    let nowhere = stage.get("/api/v1/nothing").await;
    assert_eq!((nowhere.status, nowhere.body["code"].as_str()), (404, Some("not_found")));
    for (method, path, allow) in [
        (Method::GET, "/api/v1/verify", "POST, OPTIONS"),
        (Method::DELETE, "/api/v1/status/aaaaaaaaaaaaaaa", "GET, HEAD, OPTIONS"),
        (Method::PUT, "/health", "GET, HEAD, OPTIONS"),
        (Method::TRACE, "/health", "GET, HEAD, OPTIONS"),
    ] {
        let answer = send(stage.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let options = send(stage.open(Method::OPTIONS, "/api/v1/verify")).await;
    assert_eq!((options.status, options.header("allow")), (204, "POST, OPTIONS"));
    let head = send(stage.open(Method::HEAD, "/health")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(stage.get("/metrics").await.status, 404);
}

#[tokio::test]
async fn request_ids_are_echoed_when_harmless() {
    let stage = Stage::start().await;
    for (sent, echoed) in [("abc-1.2_3", true), ("a b", false), ("<script>", false), (&"x".repeat(65), false)] {
        let answer = send(stage.open(Method::GET, "/health").header("x-request-id", sent)).await;
        assert_eq!(answer.header("x-request-id") == sent, echoed, "{sent}");
    }
}

#[tokio::test]
async fn the_description_and_its_page_are_served_as_they_are() {
    let stage = Stage::start().await;
    let served = stage.get("/openapi.json").await;
    let mut described = description().clone();
    described["info"]["version"] = served.body["info"]["version"].clone();
    assert_eq!(served.body, described);
    let page = stage.get("/docs").await;
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(page.text.contains("/api/v1/verify"));
}

#[tokio::test]
async fn while_pocketbase_is_away_callers_are_told_to_come_back() {
    let mut stage = Stage::start().await;
    let id = stage.verification("r").await.id();
    stage.pocketbase.kill();
    let form =
        Form::new().text("verification_id", id.clone()).text("type", "passport").part("front", Part::bytes(png(100)));
    let requests = [
        stage.request(Method::GET, &format!("/api/v1/status/{id}")),
        stage.request(Method::POST, "/api/v1/verify").json(&json!({})),
        stage.request(Method::POST, "/api/v1/liveness").json(&json!({ "verification_id": id })),
        stage.request(Method::POST, "/api/v1/document").multipart(form),
        stage.open(Method::GET, &format!("/api/v1/status/{id}")).header("authorization", {
            // The token of a person, so that PocketBase must be asked.
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
    stage.pocketbase.resume_life().await;
    crate::harness::eventually("it is served again", async || {
        (stage.get(&format!("/api/v1/status/{id}")).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn that_pocketbase_throttles_us_is_never_told_as_the_callers_fault() {
    let pocketbase = Pocketbase::start().await;
    let proxy = Proxy::before(pocketbase.port()).await;
    let client = logged_in(pocketbase::settings(proxy.url(), SERVICE)).await;
    let stage = Stage::over(pocketbase, client, settings()).await;
    let begun = stage.verification("r").await;
    let id = begun.id();
    let token = format!("Bearer {}", begun.body["client_token"].as_str().expect("a token"));
    let post = |path: &str, body: Value| stage.request(Method::POST, path).json(&body);
    let form = |event: &str| {
        let form = Form::new().text("verification_id", id.clone()).text("type", "passport");
        let form = form.text("device_event_id", event.to_owned()).part("front", Part::bytes(png(100)));
        stage.request(Method::POST, "/api/v1/document").multipart(form)
    };
    let status = format!("/api/v1/status/{id}");
    let event = "1732269000000.Ab3xYz";
    // What is throttled, and what is asked meanwhile.
    for (mark, request) in [
        ("auth-refresh", stage.open(Method::GET, &status).header("authorization", token)),
        ("GET /api/collections/verifications", stage.request(Method::GET, &status)),
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
        assert!(proxy.failed(), "{mark}: nobody asked that");
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{mark}: {}", answer.text);
        assert_eq!(answer.body["code"], "unavailable", "{mark}");
    }
}

#[tokio::test]
async fn a_wait_outlives_a_restart_of_pocketbase() {
    let mut stage = Stage::start().await;
    let id = stage.verification("r").await.id();
    let waiting = begin(send(stage.request(Method::GET, &format!("/api/v1/status/{id}?wait=30"))));
    crate::harness::eventually("somebody waits", async || (!stage.changes.is_empty()).then_some(())).await;
    stage.pocketbase.kill();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!waiting.is_finished());
    stage.pocketbase.resume_life().await;
    stage.patch(&id, json!({ "status": "processing", "version": 1 })).await;
    assert_eq!(waiting.await.expect("no panic").body["version"], 1);
}

#[tokio::test]
async fn requests_under_way_are_finished_at_a_stop() {
    let stage = Stage::start().await;
    let id = stage.verification("r").await.id();
    let address = stage.base.socket_addrs(|| None).expect("an address")[0];
    let mut slow = TcpStream::connect(address).await.expect("a connection");
    let body = format!("{{\"verification_id\":\"{id}\",\"session_id\":\"none\"}}");
    let head = format!(
        "POST /api/v1/liveness HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.expect("sent");
    slow.write_all(&body.as_bytes()[..10]).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    slow.write_all(&body.as_bytes()[10..]).await.expect("sent");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    stage.task.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_a_slow_one_is_cut() {
    let stage = Stage::start().await;
    let address = stage.base.socket_addrs(|| None).expect("an address")[0];
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
async fn figures_have_a_port_of_their_own() {
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
    task.await.expect("no panic").expect("a clean end");
}
