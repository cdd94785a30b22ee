//! Starting verifications.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use identivia::http::{Quota, Quotas, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fixture::{Answer, Fixture, KEY, SECOND_KEY, begin, send, settings};
use crate::harness::eventually;
use crate::harness::pocketbase::{self, PERSON, Pocketbase, SERVICE, logged_in};
use crate::harness::proxy::{Fault, Proxy};

fn full() -> Value {
    json!({
        "reference": "customer-4711",
        "declared": {
            "name": "Anna Maria Eriksson", "date_of_birth": "1974-08-12", "document_type": "passport",
            "document_number": "L898902C3", "country": "UTO",
        },
        "contact": { "email": "anna@example.org", "phone": "+49 30 1234567" },
        "device": { "event_id": "1732269000000.Ab3xYz" },
        "consent": { "version": "2026-03", "given_at": "2026-11-22T09:59:00Z" },
        "locale": "de", "metadata": { "order": 7 },
    })
}

/// The person's `Authorization` header.
async fn bearer(fixture: &Fixture) -> String {
    let login = json!({ "identity": "person@identivia.test", "password": "a-person's-password" });
    let token = fixture.admin.call(Method::POST, "api/collections/users/auth-with-password", &login).await;
    format!("Bearer {}", token["token"].as_str().expect("a token"))
}

/// Creates a policy: the one in every test database, with `changes`. Returns its id.
async fn policy(fixture: &Fixture, changes: Value) -> String {
    let mut record = fixture.admin.all("policies").await.remove(0);
    let fields = record.as_object_mut().expect("a record");
    fields.retain(|name, _| !["id", "created", "collectionId", "collectionName"].contains(&name.as_str()));
    fields.extend(changes.as_object().expect("an object").clone());
    fixture.admin.create("policies", record).await["id"].as_str().expect("an id").to_owned()
}

async fn keyed(fixture: &Fixture, key: &str, body: &Value) -> Answer {
    send(fixture.request(Method::POST, "/api/v1/verify").header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn a_request_becomes_the_records_a_client_would_have_written() {
    let fixture = Fixture::start().await;
    let answer = fixture.post("/api/v1/verify", &full()).await;
    let id = answer.id();
    assert_eq!((answer.status, &answer.body["status"], &answer.body["version"]), (201, &json!("created"), &json!(0)));
    assert_eq!(answer.body["next"], json!(["document", "liveness"]));
    assert_eq!(answer.body["attempts"], json!({ "used": 0, "max": 3 }));
    assert_eq!(answer.header("location"), format!("/api/v1/status/{id}"));
    assert_eq!(answer.body["links"]["self"], answer.header("location"));

    let stored = fixture.admin.get("verifications", &id).await;
    for (field, value) in [
        ("reference", json!("customer-4711")),
        ("declared_name", json!("Anna Maria Eriksson")),
        ("declared_date_of_birth", json!("1974-08-12")),
        ("declared_document_type", json!("passport")),
        ("declared_country", json!("UTO")),
        ("contact_email", json!("anna@example.org")),
        ("consent_given_at", json!("2026-11-22 09:59:00.000Z")),
        ("locale", json!("de")),
        ("metadata", json!({ "order": 7 })),
        ("status", json!("")),
        ("idempotency_key", json!("")),
    ] {
        assert_eq!(stored[field], value, "{field}");
    }
    let signals = fixture.admin.all("device_signals").await;
    assert_eq!((&signals[0]["verification"], &signals[0]["stage"]), (&json!(id), &json!("start")));

    // The token belongs to the person: PocketBase lets it read this record.
    let token = answer.body["client_token"].as_str().expect("a token");
    let path = format!("{}api/collections/verifications/records/{id}", fixture.pocketbase.url());
    let read = fixture.http.get(path).header("authorization", token).send().await.expect("an answer");
    assert_eq!(read.status(), 200);
}

#[tokio::test]
async fn without_a_reference_each_verification_gets_a_new_person() {
    let fixture = Fixture::start().await;
    let one = fixture.post("/api/v1/verify", &json!({})).await;
    let two = fixture.post("/api/v1/verify", &json!({})).await;
    assert_eq!((one.status, two.status), (201, 201));
    let user = async |id: &str| fixture.admin.get("verifications", id).await["user"].clone();
    assert_ne!(user(&one.id()).await, user(&two.id()).await);

    // Naming the generated reference does not give the person's token.
    let person = fixture.admin.get("users", user(&one.id()).await.as_str().expect("an id")).await;
    let named = fixture.post("/api/v1/verify", &json!({ "reference": person["reference"] })).await;
    assert_eq!(named.pointers(), ["/reference"]);
    assert_eq!(one.body["next"], json!(["device", "document", "liveness"]));
}

#[tokio::test]
async fn an_open_verification_of_the_same_reference_is_returned() {
    let fixture = Fixture::start().await;
    let body = json!({ "reference": "customer-1" });
    let first = fixture.post("/api/v1/verify", &body).await;
    let again = fixture.post("/api/v1/verify", &body).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(again.id(), first.id());
    assert!(again.body["client_token"].is_string());

    fixture.patch(&first.id(), json!({ "status": "approved", "final": true, "version": 9 })).await;
    let next = fixture.post("/api/v1/verify", &body).await;
    assert_eq!(next.status, 201);
    assert_ne!(next.id(), first.id());
}

#[tokio::test]
async fn an_open_verification_under_another_policy_is_not_returned_as_the_requested_one() {
    let fixture = Fixture::start().await;
    policy(&fixture, json!({ "name": "strict", "required_checks": ["document"] })).await;
    let ask = async |reference: &str, policy: &str| {
        fixture.post("/api/v1/verify", &json!({ "reference": reference, "policy": policy })).await
    };
    for (reference, open, others) in [("customer-1", "", &["strict"][..]), ("customer-2", "strict", &["", "default"])] {
        let first = ask(reference, open).await;
        let name = if open.is_empty() { "default" } else { open };
        assert_eq!((first.status, &first.body["policy"]), (201, &json!(name)));
        for other in others {
            let refused = ask(reference, other).await;
            assert_eq!((refused.status, &refused.body["code"]), (409, &json!("open_under_another_policy")), "{other}");
            let detail = refused.body["detail"].as_str().expect("text");
            assert!(detail.contains(&first.id()) && detail.contains("cancel") && detail.contains(name), "{detail}");
        }
        let again = ask(reference, name).await;
        assert_eq!((again.status, again.id(), &again.body["policy"]), (200, first.id(), &json!(name)));
        let status = fixture.get(&format!("/api/v1/status/{}", first.id())).await;
        assert_eq!(status.body["policy"], name);
    }
    assert_eq!(fixture.admin.all("verifications").await.len(), 2);

    // Another version of the same policy is the same policy.
    policy(&fixture, json!({ "name": "strict", "version": 2, "required_checks": ["document", "liveness"] })).await;
    assert_eq!(ask("customer-2", "strict").await.status, 200);
}

#[tokio::test]
async fn many_requests_for_one_reference_start_one_verification() {
    let fixture = Fixture::start().await;
    let body = json!({ "reference": "customer-1" });
    let answers = join_all((0..12).map(|_| fixture.post("/api/v1/verify", &body))).await;
    let ids: BTreeSet<String> = answers.iter().map(Answer::id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(fixture.admin.all("verifications").await.len(), 1);
}

#[tokio::test]
async fn requests_without_a_reference_do_not_wait_for_each_other() {
    // Enough requests that some would block each other if they shared a lock, as requests for one
    // reference do.
    const AT_ONCE: u64 = 128;
    let pocketbase = Pocketbase::start().await;
    let proxy = Proxy::before(pocketbase.port()).await;
    let client = logged_in(pocketbase::settings(proxy.url(), SERVICE)).await;
    let quotas = Quotas { user: Quota::per_minute(1_000), ..Quotas::default() };
    let fixture = Fixture::over(pocketbase, client, Settings { quotas, ..settings() }).await;
    // Each request is then a single one to PocketBase: the token's owner and the policy are cached.
    fixture.client.renew_cache_lease(Instant::now() + Duration::from_mins(10));
    let token = bearer(&fixture).await;
    let ask = || send(fixture.open(Method::POST, "/api/v1/verify").header("authorization", &token).json(&json!({})));
    assert_eq!(ask().await.status, 201);

    let before = proxy.requests();
    proxy.fail_all("POST /api/collections/verifications/records", Fault::Hold);
    let all_wait = async {
        eventually("each waits for PocketBase", async || (proxy.requests() == before + AT_ONCE).then_some(())).await;
        proxy.mend();
    };
    let (answers, ()) = tokio::join!(join_all((0..AT_ONCE).map(|_| ask())), all_wait);
    assert!(answers.iter().all(|answer| answer.status == 201));
}

#[tokio::test]
async fn the_same_key_and_body_start_one_verification() {
    let fixture = Fixture::start().await;
    let body = json!({ "declared": { "name": "Anna", "country": "UTO" } });
    let first = keyed(&fixture, "key-1", &body).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
    let reordered = json!({ "declared": { "country": "UTO", "name": "Anna" } });
    let again = keyed(&fixture, "\"key-1\"", &reordered).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.id(), first.id());
    assert!(again.body["client_token"].is_string());

    // The API key is rotated between the request and its retry.
    let rotated = fixture.open(Method::POST, "/api/v1/verify").header("x-api-key", SECOND_KEY);
    let rotated = send(rotated.header("idempotency-key", "key-1").json(&body)).await;
    assert_eq!(rotated.id(), first.id());

    let other = keyed(&fixture, "key-1", &json!({})).await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("idempotency_key_reused")));
    let wrong = keyed(&fixture, "", &body).await;
    assert_eq!(wrong.pointers(), ["Idempotency-Key"]);
    assert_eq!(fixture.admin.all("verifications").await.len(), 1);
    assert_eq!(fixture.admin.all("users").await.len(), 2, "the person of the test database, and one more");
}

#[tokio::test]
async fn stored_hashes_of_a_keyed_request_cannot_be_guessed_without_the_hash_key() {
    let body = json!({ "declared": { "date_of_birth": "1974-08-12" } });
    let guesses = ["server\n/api/v1/verify\nkey-1".to_owned(), body.to_string()];
    let [key, request] = guesses.map(|guess| hex::encode(Sha256::digest(guess)));
    for (hash_key, guessed) in [(None, true), (Some("a-key-of-the-operator".into()), false)] {
        let fixture = Fixture::with(Settings { hash_key, ..settings() }).await;
        let first = keyed(&fixture, "key-1", &body).await;
        let again = keyed(&fixture, "key-1", &body).await;
        assert_eq!((again.header("idempotent-replayed"), again.id()), ("true", first.id()));
        assert_eq!(keyed(&fixture, "key-1", &json!({})).await.body["code"], "idempotency_key_reused");

        let stored = fixture.admin.get("verifications", &first.id()).await;
        let person = fixture.admin.get("users", stored["user"].as_str().expect("an id")).await;
        assert_eq!(stored["idempotency_key"] == key, guessed);
        assert_eq!(stored["request_hash"] == request, guessed);
        assert_eq!(person["reference"] == format!("auto-{}", &key[..32]), guessed);
    }
}

#[tokio::test]
async fn the_same_key_many_times_at_once_starts_one_verification() {
    let fixture = Fixture::start().await;
    let body = json!({ "reference": "customer-1" });
    let answers = join_all((0..12).map(|_| keyed(&fixture, "key-1", &body))).await;
    let mut ids = BTreeSet::new();
    for answer in &answers {
        match answer.status {
            201 => drop(ids.insert(answer.id())),
            409 => assert_eq!(answer.body["code"], "idempotency_in_flight"),
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|a| a.status == 201 && a.header("idempotent-replayed").is_empty()).count(), 1);
    assert_eq!(fixture.admin.all("verifications").await.len(), 1);
}

#[tokio::test]
async fn wrong_values_are_named_and_no_record_is_stored() {
    let fixture = Fixture::start().await;
    let body = json!({ "declared": { "date_of_birth": "12.08.1974" }, "policy": "no-such-policy", "extra": 1 });
    assert_eq!(fixture.post("/api/v1/verify", &body).await.pointers(), ["/extra", "/declared/date_of_birth"]);
    assert_eq!(fixture.post("/api/v1/verify", &json!({ "policy": "no-such" })).await.pointers(), ["/policy"]);
    let broken = fixture.request(Method::POST, "/api/v1/verify").header("content-type", "application/json");
    assert_eq!(send(broken.body("{\"declared\":")).await.status, 400);
    let form =
        fixture.request(Method::POST, "/api/v1/verify").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(send(form.body("a=b")).await.status, 415);
    let large = json!({ "declared": { "name": "x".repeat(70_000) } });
    assert_eq!(fixture.post("/api/v1/verify", &large).await.status, 413);
    assert_eq!(fixture.admin.all("verifications").await.len(), 0);
}

#[tokio::test]
async fn a_device_event_counts_once() {
    let fixture = Fixture::start().await;
    let body = |reference: &str| json!({ "reference": reference, "device": { "event_id": "1732269000000.Ab3xYz" } });
    let first = fixture.post("/api/v1/verify", &body("customer-1")).await;
    assert_eq!(first.body["next"], json!(["document", "liveness"]));
    let second = fixture.post("/api/v1/verify", &body("customer-2")).await;
    assert_eq!((second.status, &second.body["next"]), (201, &json!(["device", "document", "liveness"])));
    assert_eq!(fixture.admin.all("device_signals").await.len(), 1);
}

#[tokio::test]
async fn a_person_starts_for_themselves_under_open_policies_only() {
    let fixture = Fixture::start().await;
    policy(&fixture, json!({ "name": "strict", "open_to_users": false, "required_checks": ["document"] })).await;

    let token = bearer(&fixture).await;
    let ask = async |body: Value| {
        send(fixture.open(Method::POST, "/api/v1/verify").header("authorization", &token).json(&body)).await
    };
    let own = ask(json!({ "declared": { "name": "Erika Muster" } })).await;
    assert_eq!((own.status, own.body.get("client_token")), (201, None));
    assert_eq!(fixture.admin.get("verifications", &own.id()).await["user"], PERSON);
    assert_eq!(ask(json!({ "policy": "strict" })).await.pointers(), ["/policy"]);
    assert_eq!(ask(json!({ "policy": "default" })).await.status, 201);
    assert_eq!(ask(json!({ "reference": "customer-1" })).await.pointers(), ["/reference"]);
    let partner =
        fixture.open(Method::POST, "/api/v1/verify").header("x-api-key", KEY).json(&json!({ "policy": "strict" }));
    let partners = send(partner).await;
    assert_eq!((partners.status, &partners.body["next"]), (201, &json!(["document"])));
    let status = fixture.get(&format!("/api/v1/status/{}", partners.id())).await;
    assert_eq!(status.body["next"], json!(["document"]), "as its own policy requires");
}

#[tokio::test]
async fn no_verification_starts_under_an_unusable_policy_until_it_is_repaired() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("customer-1").await.id();
    let policy = fixture.admin.all("policies").await[0]["id"].as_str().expect("an id").to_owned();
    let begin = async || fixture.post("/api/v1/verify", &json!({ "reference": "customer-2" })).await;
    let status = async || fixture.get(&format!("/api/v1/status/{id}")).await;
    for (broken, repaired) in [
        (json!({ "dispositions": { "document.expired": "maybe" } }), json!({ "dispositions": null })),
        (json!({ "allowed_countries": "ESP" }), json!({ "allowed_countries": [] })),
    ] {
        fixture.admin.patch("policies", &policy, broken).await;
        for answer in [begin().await, status().await] {
            assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{}", answer.text);
            assert_eq!(answer.body["code"], "unavailable");
            assert!(!answer.text.contains(&policy), "{}", answer.text);
        }
        let said = fixture.client.live_policy("default").await.expect_err("unusable").to_string();
        assert!(said.contains(&policy) && said.contains("default, version 1"), "{said}");
        fixture.admin.patch("policies", &policy, repaired).await;
        assert_eq!(status().await.status, 200);
    }
    // A policy that can be read, but would approve every person.
    fixture.admin.patch("policies", &policy, json!({ "face_match_pass": 0, "face_match_review": 0 })).await;
    assert_eq!(begin().await.status, 503);
    assert_eq!(fixture.admin.all("verifications").await.len(), 1);
}

#[tokio::test]
async fn a_wait_ends_with_the_first_result() {
    let fixture = Fixture::start().await;
    let request = fixture.request(Method::POST, "/api/v1/verify").header("prefer", "wait=10").json(&json!({}));
    let waiting = begin(send(request));
    let id = eventually("the verification is stored", async || {
        fixture.admin.all("verifications").await.first().map(|v| v["id"].as_str().expect("an id").to_owned())
    })
    .await;
    fixture
        .patch(&id, json!({ "status": "awaiting_input", "version": 1, "next": ["document"], "attempts_max": 3 }))
        .await;
    let answer = waiting.await.expect("no panic");
    assert_eq!((answer.status, &answer.body["status"]), (201, &json!("awaiting_input")));
    assert_eq!(answer.body["next"], json!(["document"]));
}
