//! Submitting documents.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, begin, jpeg, png, send};

const MIB: usize = 1024 * 1024;

fn form(id: &str) -> Form {
    Form::new().text("verification_id", id.to_owned()).text("type", "identity_card").text("country", "UTO")
}

fn picture(bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name("card.gif").mime_str("image/gif").expect("a type")
}

fn extension(file: &Value) -> &str {
    file.as_str().and_then(|name| name.rsplit('.').next()).expect("a stored file")
}

async fn upload(fixture: &Fixture, form: Form) -> Answer {
    send(fixture.request(Method::POST, "/api/v1/document").multipart(form)).await
}

/// Sends a body as it is.
async fn raw(fixture: &Fixture, content_type: &str, body: Vec<u8>) -> Answer {
    send(fixture.request(Method::POST, "/api/v1/document").header("content-type", content_type).body(body)).await
}

#[tokio::test]
async fn pictures_are_stored_by_their_real_format() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let full = form(&id).part("front", picture(png(2 * MIB))).part("back", picture(jpeg(5 * MIB)));
    let answer = upload(&fixture, full.text("device_event_id", "1732269000000.Ab3xYz")).await;
    assert_eq!((answer.status, answer.id()), (202, id.clone()), "{}", answer.text);
    assert_eq!(answer.header("location"), format!("/api/v1/status/{id}"));
    let stored = fixture.admin.get("documents", answer.body["document_id"].as_str().expect("an id")).await;
    assert_eq!((&stored["type"], &stored["country"]), (&json!("identity_card"), &json!("UTO")));
    assert_eq!(extension(&stored["front"]), "png");
    assert_eq!(extension(&stored["back"]), "jpg");
    let signals = fixture.admin.all("device_signals").await;
    assert_eq!((&signals[0]["verification"], &signals[0]["stage"]), (&json!(id), &json!("document")));
}

#[tokio::test]
async fn a_person_submits_their_own_document() {
    let fixture = Fixture::start().await;
    let started = fixture.verification("r").await;
    let token = format!("Bearer {}", started.body["client_token"].as_str().expect("a token"));
    let request = fixture.open(Method::POST, "/api/v1/document").header("authorization", token);
    assert_eq!(send(request.multipart(form(&started.id()).part("front", picture(png(100))))).await.status, 202);
}

#[tokio::test]
async fn invalid_forms_are_rejected_and_store_nothing() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let form = || form(&id);
    let front = || picture(png(100));
    let cases = vec![
        ("no picture", form(), 422, "/front"),
        ("no type", Form::new().text("verification_id", id.clone()).part("front", front()), 422, "/type"),
        (
            "a wrong type",
            Form::new().text("verification_id", id.clone()).text("type", "visa").part("front", front()),
            422,
            "/type",
        ),
        ("no verification", Form::new().text("type", "passport").part("front", front()), 422, "/verification_id"),
        ("a field twice", form().text("type", "passport").part("front", front()), 422, "/type"),
        ("a picture twice", form().part("front", front()).part("front", front()), 422, "/front"),
        ("an unknown field", form().text("score", "100").part("front", front()), 422, "/score"),
        ("a PDF", form().part("front", picture(b"%PDF-1.7 and more of it".to_vec())), 415, "/front"),
        (
            "a script that calls itself PNG",
            form().part(
                "front",
                Part::bytes(b"<svg onload=x>".to_vec()).file_name("a.png").mime_str("image/png").expect("a type"),
            ),
            415,
            "/front",
        ),
        ("an empty picture", form().part("front", picture(Vec::new())), 415, "/front"),
        ("a picture too large", form().part("front", picture(png(5 * MIB + 1))), 413, "/front"),
        (
            "an unknown verification",
            Form::new().text("verification_id", "aaaaaaaaaaaaaaa").text("type", "passport").part("front", front()),
            404,
            "",
        ),
    ];
    for (what, form, status, pointer) in cases {
        let answer = upload(&fixture, form).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        let found = answer.body["errors"][0]["pointer"].as_str().unwrap_or_default();
        assert_eq!(found, pointer, "{what}");
    }
    assert_eq!(fixture.admin.all("documents").await.len(), 0);
}

#[tokio::test]
async fn bodies_that_are_not_forms_are_rejected() {
    let fixture = Fixture::start().await;
    let mut many = Vec::new();
    for i in 0..10_000 {
        many.extend(format!("--b\r\nContent-Disposition: form-data; name=\"f{i}\"\r\n\r\nx\r\n").bytes());
    }
    many.extend(b"--b--\r\n");
    let endless_header = [b"--b\r\nContent-Disposition: form-data; name=\"".to_vec(), vec![b'a'; MIB]].concat();
    let cases: Vec<(&str, &str, Vec<u8>, &[u16])> = vec![
        ("JSON", "application/json", b"{}".to_vec(), &[415]),
        ("no boundary", "multipart/form-data", b"--b--".to_vec(), &[400]),
        ("another boundary", "multipart/form-data; boundary=c", b"--b\r\n\r\n--b--".to_vec(), &[400]),
        (
            "no end",
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nx".to_vec(),
            &[400],
        ),
        ("nothing", "multipart/form-data; boundary=b", Vec::new(), &[400]),
        ("ten thousand parts", "multipart/form-data; boundary=b", many, &[413]),
        ("an endless header", "multipart/form-data; boundary=b", endless_header, &[400, 413]),
        ("far too much", "multipart/form-data; boundary=b", vec![b'x'; 24 * MIB], &[413]),
    ];
    for (what, content_type, body, wanted) in cases {
        let answer = raw(&fixture, content_type, body).await;
        assert!(wanted.contains(&answer.status), "{what}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_final_verification_accepts_no_document() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    fixture.patch(&id, json!({ "status": "declined", "final": true, "version": 5 })).await;
    let answer = upload(&fixture, form(&id).part("front", picture(png(100)))).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (409, Some("verification_final")));
}

#[tokio::test]
async fn a_wait_ends_with_the_check_of_this_document() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let form = form(&id).part("front", picture(png(100)));
    let request = fixture.request(Method::POST, "/api/v1/document").header("prefer", "wait=20").multipart(form);
    let waiting = begin(send(request));
    let document = crate::harness::eventually("the document is stored", async || {
        fixture.admin.all("documents").await.first().map(|d| d["id"].as_str().expect("an id").to_owned())
    })
    .await;
    // The check of another document does not end the wait, the check of this one does.
    for (attempt, evidence) in [(1, "otherdocument00"), (2, document.as_str())] {
        assert!(!waiting.is_finished());
        let check = json!({
            "verification": id, "kind": "document", "attempt": attempt, "outcome": "passed", "evidence": [evidence],
            "reasons": [], "scores": {}, "extracted": {},
        });
        fixture.admin.create("checks", check).await;
        let row = json!({
            "verification": id, "seq": attempt, "event": "check_finished", "data": {}, "by": "test", "hash": "0".repeat(64),
        });
        fixture.admin.create("journal", row).await;
        let patch = json!({ "status": "awaiting_input", "version": attempt, "results": { "document": "passed" } });
        fixture.patch(&id, patch).await;
    }
    let answer = waiting.await.expect("no panic");
    assert_eq!((answer.status, &answer.body["document_id"]), (200, &json!(document)), "{}", answer.text);
    assert_eq!(answer.body["checks"]["document"]["outcome"], "passed");
}

#[tokio::test]
async fn a_wait_that_is_too_short_is_202() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("r").await.id();
    let form = form(&id).part("front", picture(png(100)));
    let request = fixture.request(Method::POST, "/api/v1/document").header("prefer", "wait=1").multipart(form);
    let answer = send(request).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("created")));
    assert_eq!(answer.body["next"], json!(["device", "liveness"]));
}
