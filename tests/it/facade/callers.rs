//! Authentication, CORS and rate limits.

use std::time::{Duration, Instant};

use identivia::http::{Quota, Quotas, Settings};
use reqwest::Method;
use serde_json::json;

use super::fixture::{Answer, Fixture, KEY, ORIGIN, SECOND_KEY, png, send, settings};
use crate::harness::pocketbase::{self, PERSON, Pocketbase, SERVICE, logged_in};
use crate::harness::proxy::Proxy;

/// Token of the person who exists in every test database.
async fn someone_elses_token(fixture: &Fixture) -> String {
    let login = json!({ "identity": "person@identivia.test", "password": "a-person's-password" });
    let answer = fixture.admin.call(Method::POST, "api/collections/users/auth-with-password", &login).await;
    assert_eq!(answer["record"]["id"], PERSON);
    answer["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn each_kind_of_credentials_gives_the_access_it_should() {
    let fixture = Fixture::start().await;
    let started = fixture.verification("customer-1").await;
    let id = started.id();
    let own = started.body["client_token"].as_str().expect("a token").to_owned();
    let strangers = someone_elses_token(&fixture).await;
    let superuser = {
        let login = json!({ "identity": "root@identivia.test", "password": "correct-horse-battery" });
        let answer = fixture.admin.call(Method::POST, "api/collections/_superusers/auth-with-password", &login).await;
        answer["token"].as_str().expect("a token").to_owned()
    };
    let mut forged = own.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");

    let cases = [
        // Name; headers sent; statuses for the verification, a new one, and an unknown id.
        ("nothing", vec![], [401, 401, 401]),
        ("the first key", vec![("x-api-key", KEY.to_owned())], [200, 201, 404]),
        ("the second key", vec![("x-api-key", SECOND_KEY.to_owned())], [200, 201, 404]),
        ("a wrong key", vec![("x-api-key", format!("{KEY}x"))], [401, 401, 401]),
        ("both keys at once", vec![("x-api-key", format!("{KEY},{SECOND_KEY}"))], [401, 401, 401]),
        ("the person's token", vec![("authorization", format!("Bearer {own}"))], [200, 201, 404]),
        ("another person's token", vec![("authorization", format!("Bearer {strangers}"))], [404, 201, 404]),
        ("a superuser's token", vec![("authorization", format!("Bearer {superuser}"))], [401, 401, 401]),
        ("a forged token", vec![("authorization", format!("Bearer {forged}"))], [401, 401, 401]),
        ("a token without Bearer", vec![("authorization", own.clone())], [401, 401, 401]),
        ("garbage", vec![("authorization", "Bearer a.b.c".to_owned())], [401, 401, 401]),
        (
            "a wrong key and a token",
            vec![("x-api-key", "wrong".to_owned()), ("authorization", format!("Bearer {own}"))],
            [401, 401, 401],
        ),
    ];
    for (what, headers, wanted) in cases {
        let with = |method, path: &str| {
            headers.iter().fold(fixture.open(method, path), |request, (name, value)| request.header(*name, value))
        };
        let status = send(with(Method::GET, &format!("/api/v1/status/{id}"))).await;
        let verify = send(with(Method::POST, "/api/v1/verify").json(&json!({}))).await;
        let unknown = send(with(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa")).await;
        assert_eq!([status.status, verify.status, unknown.status], wanted, "{what}");
        if status.status == 401 {
            assert!(status.header("www-authenticate").starts_with("Bearer"), "{what}");
        }
        for path in ["/health", "/openapi.json", "/docs"] {
            assert_eq!(send(with(Method::GET, path)).await.status, 200, "{what} {path}");
        }
    }
}

#[tokio::test]
async fn another_persons_verification_looks_like_an_unknown_one() {
    let fixture = Fixture::start().await;
    let id = fixture.verification("customer-1").await.id();
    let token = format!("Bearer {}", someone_elses_token(&fixture).await);
    let same = |foreign: &Answer, unknown: &Answer| {
        assert_eq!((foreign.status, unknown.status), (404, 404));
        for field in ["type", "title", "detail", "code"] {
            assert_eq!(foreign.body[field], unknown.body[field]);
        }
    };
    let unknown = "aaaaaaaaaaaaaaa";
    let get = async |id: &str| {
        send(fixture.open(Method::GET, &format!("/api/v1/status/{id}")).header("authorization", &token)).await
    };
    same(&get(&id).await, &get(unknown).await);
    same(&get("..%2F..%2Fsecret").await, &get("A").await);
    let liveness = async |id: &str| {
        let body = json!({ "verification_id": id });
        send(fixture.open(Method::POST, "/api/v1/liveness").header("authorization", &token).json(&body)).await
    };
    same(&liveness(&id).await, &liveness(unknown).await);
    let document = async |id: &str| {
        let form = reqwest::multipart::Form::new()
            .text("verification_id", id.to_owned())
            .text("type", "passport")
            .part("front", reqwest::multipart::Part::bytes(png(100)));
        send(fixture.open(Method::POST, "/api/v1/document").header("authorization", &token).multipart(form)).await
    };
    same(&document(&id).await, &document(unknown).await);
    assert_eq!(fixture.admin.all("documents").await.len(), 0);
    assert_eq!(fixture.admin.all("liveness_sessions").await.len(), 0);
}

#[tokio::test]
async fn only_pages_of_configured_origins_may_read_answers() {
    let fixture = Fixture::start().await;
    for (origin, allowed) in [
        (ORIGIN, true),
        ("http://localhost:5173", true),
        ("https://app.example.org.evil.test", false),
        ("https://example.org", false),
        ("http://app.example.org", false),
        ("http://localhost", false),
        ("null", false),
        ("*", false),
    ] {
        let preflight = send(
            fixture
                .open(Method::OPTIONS, "/api/v1/verify")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type"),
        )
        .await;
        assert_eq!(preflight.status, 204, "{origin}");
        let refused = send(fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("origin", origin)).await;
        assert_eq!(refused.status, 401);
        for answer in [&preflight, &refused] {
            let wanted = if allowed { origin } else { "" };
            assert_eq!(answer.header("access-control-allow-origin"), wanted, "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
        assert_eq!(preflight.header("access-control-allow-methods").contains("POST"), allowed);
        assert_eq!(preflight.header("access-control-allow-headers").contains("authorization"), allowed);
        assert_eq!(refused.header("access-control-expose-headers").contains("etag"), allowed);
    }
    let none = fixture.get("/health").await;
    assert_eq!(none.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn an_exhausted_quota_is_429_and_says_when_to_continue() {
    let few = Quota { requests: 3, window: Duration::from_secs(60) };
    let quotas = Quotas { key: few, user: few, address: few };
    let fixture = Fixture::with(Settings { quotas, ..settings() }).await;
    for left in ["2", "1", "0"] {
        let answer = fixture.get("/api/v1/status/aaaaaaaaaaaaaaa").await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=3;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")));
    }
    let refused = fixture.get("/api/v1/status/aaaaaaaaaaaaaaa").await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (429, Some("rate_limited")));
    let other = fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("x-api-key", SECOND_KEY);
    assert_eq!(send(other).await.status, 404, "another key has a quota of its own");

    // An address that guesses keys is stopped; a holder of a key on the same address is not.
    for wanted in [401, 401, 401, 429] {
        let guess = fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("x-api-key", "guess");
        assert_eq!(send(guess).await.status, wanted);
    }
    let token = fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("authorization", "Bearer a.b.c");
    assert_eq!(send(token).await.status, 429);
    let holder = fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("x-api-key", SECOND_KEY);
    assert_eq!(send(holder).await.status, 404);
    assert_eq!(send(fixture.open(Method::GET, "/health")).await.status, 200, "probes are not counted");
}

#[tokio::test]
async fn guesses_do_not_lock_out_signed_in_people_behind_the_same_address() {
    let pocketbase = Pocketbase::start().await;
    let proxy = Proxy::before(pocketbase.port()).await;
    let client = logged_in(pocketbase::settings(proxy.url(), SERVICE)).await;
    let quotas = Quotas { address: Quota { requests: 3, window: Duration::from_mins(60) }, ..Quotas::default() };
    let fixture = Fixture::over(pocketbase, client, Settings { quotas, ..settings() }).await;
    fixture.client.renew_cache_lease(Instant::now() + Duration::from_mins(60));
    let token = someone_elses_token(&fixture).await;
    let not_used_yet =
        fixture.verification("customer-1").await.body["client_token"].as_str().expect("a token").to_owned();
    let ask = async |token: &str| {
        let request = fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa");
        send(request.header("authorization", format!("Bearer {token}"))).await.status
    };
    assert_eq!(ask(&token).await, 404, "signed in");
    for wanted in [401, 401, 401, 429] {
        assert_eq!(ask("a.b.c").await, wanted);
    }
    assert_eq!(ask(&token).await, 404, "known to be valid");
    let before = proxy.requests();
    assert_eq!(ask(&not_used_yet).await, 429, "treated like a guess");
    assert_eq!(proxy.requests(), before, "so PocketBase is not asked");

    // A known token is verified again although its address is stopped. A token that is no longer
    // valid is forgotten.
    fixture.client.end_cache_lease();
    assert_eq!(ask(&token).await, 404);
    let new = "a-password-of-their-own";
    fixture.admin.patch("users", PERSON, json!({ "password": new, "passwordConfirm": new })).await;
    let before = proxy.requests();
    assert_eq!(ask(&token).await, 429);
    let asked = proxy.requests();
    assert!(asked > before, "verified once more");
    assert_eq!(ask(&token).await, 429);
    assert_eq!(proxy.requests(), asked, "and not again");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_address_has_its_own_quota() {
    let quotas = Quotas { address: Quota { requests: 1, window: Duration::from_mins(60) }, ..Quotas::default() };
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let trusting = Fixture::with(Settings { quotas, trusted_proxies, ..settings() }).await;
    let wary = Fixture::with(Settings { quotas, ..settings() }).await;
    let from = async |fixture: &Fixture, address: &str| {
        let request = fixture.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa");
        send(request.header("x-forwarded-for", address)).await.status
    };
    for (address, wanted) in [("203.0.113.7", 401), ("203.0.113.7", 429), ("203.0.113.8", 401)] {
        assert_eq!(from(&trusting, address).await, wanted, "{address}");
    }
    assert_eq!(from(&wary, "203.0.113.7").await, 401);
    assert_eq!(from(&wary, "203.0.113.8").await, 429, "a client must not choose its address with the header");
}
