//! Who may call, from where, and how often.

use std::time::{Duration, Instant};

use identivia::http::{Quota, Quotas, Settings};
use reqwest::Method;
use serde_json::json;

use super::stage::{Answer, KEY, ORIGIN, SECOND_KEY, Stage, png, send, settings};
use crate::harness::pocketbase::{self, PERSON, Pocketbase, SERVICE, logged_in};
use crate::harness::proxy::Proxy;

/// A token of the person who is always there.
async fn someone_elses_token(stage: &Stage) -> String {
    let login = json!({ "identity": "person@identivia.test", "password": "a-person's-password" });
    let answer = stage.admin.call(Method::POST, "api/collections/users/auth-with-password", &login).await;
    assert_eq!(answer["record"]["id"], PERSON);
    answer["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn each_kind_of_credentials_opens_what_it_should() {
    let stage = Stage::start().await;
    let begun = stage.verification("customer-1").await;
    let id = begun.id();
    let own = begun.body["client_token"].as_str().expect("a token").to_owned();
    let strangers = someone_elses_token(&stage).await;
    let superuser = {
        let login = json!({ "identity": "root@identivia.test", "password": "correct-horse-battery" });
        let answer = stage.admin.call(Method::POST, "api/collections/_superusers/auth-with-password", &login).await;
        answer["token"].as_str().expect("a token").to_owned()
    };
    let mut forged = own.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");

    let cases = [
        // What is sent; what the status, a new verification and an unknown id answer.
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
            "a wrong key beside a token",
            vec![("x-api-key", "wrong".to_owned()), ("authorization", format!("Bearer {own}"))],
            [401, 401, 401],
        ),
    ];
    for (what, headers, wanted) in cases {
        let with = |method, path: &str| {
            headers.iter().fold(stage.open(method, path), |request, (name, value)| request.header(*name, value))
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
async fn what_is_not_yours_looks_like_what_is_not_there() {
    let stage = Stage::start().await;
    let id = stage.verification("customer-1").await.id();
    let token = format!("Bearer {}", someone_elses_token(&stage).await);
    let same = |foreign: &Answer, unknown: &Answer| {
        assert_eq!((foreign.status, unknown.status), (404, 404));
        for field in ["type", "title", "detail", "code"] {
            assert_eq!(foreign.body[field], unknown.body[field]);
        }
    };
    let unknown = "aaaaaaaaaaaaaaa";
    let get = async |id: &str| {
        send(stage.open(Method::GET, &format!("/api/v1/status/{id}")).header("authorization", &token)).await
    };
    same(&get(&id).await, &get(unknown).await);
    same(&get("..%2F..%2Fsecret").await, &get("A").await);
    let liveness = async |id: &str| {
        let body = json!({ "verification_id": id });
        send(stage.open(Method::POST, "/api/v1/liveness").header("authorization", &token).json(&body)).await
    };
    same(&liveness(&id).await, &liveness(unknown).await);
    let document = async |id: &str| {
        let form = reqwest::multipart::Form::new()
            .text("verification_id", id.to_owned())
            .text("type", "passport")
            .part("front", reqwest::multipart::Part::bytes(png(100)));
        send(stage.open(Method::POST, "/api/v1/document").header("authorization", &token).multipart(form)).await
    };
    same(&document(&id).await, &document(unknown).await);
    assert_eq!(stage.admin.all("documents").await.len(), 0);
    assert_eq!(stage.admin.all("liveness_sessions").await.len(), 0);
}

#[tokio::test]
async fn pages_of_configured_origins_may_read_answers_and_no_others() {
    let stage = Stage::start().await;
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
            stage
                .open(Method::OPTIONS, "/api/v1/verify")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type"),
        )
        .await;
        assert_eq!(preflight.status, 204, "{origin}");
        let refused = send(stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("origin", origin)).await;
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
    let none = stage.get("/health").await;
    assert_eq!(none.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn quotas_end_with_429_and_tell_when_to_go_on() {
    let few = Quota { requests: 3, window: Duration::from_secs(60) };
    let quotas = Quotas { key: few, user: few, address: few };
    let stage = Stage::with(Settings { quotas, ..settings() }).await;
    for left in ["2", "1", "0"] {
        let answer = stage.get("/api/v1/status/aaaaaaaaaaaaaaa").await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=3;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")));
    }
    let refused = stage.get("/api/v1/status/aaaaaaaaaaaaaaa").await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (429, Some("rate_limited")));
    let other = stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("x-api-key", SECOND_KEY);
    assert_eq!(send(other).await.status, 404, "another key has a quota of its own");

    // Guessing ends, and whoever holds a key is not kept out by a guesser on the same address.
    for wanted in [401, 401, 401, 429] {
        let guess = stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("x-api-key", "guess");
        assert_eq!(send(guess).await.status, wanted);
    }
    let token = stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("authorization", "Bearer a.b.c");
    assert_eq!(send(token).await.status, 429);
    let holder = stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa").header("x-api-key", SECOND_KEY);
    assert_eq!(send(holder).await.status, 404);
    assert_eq!(send(stage.open(Method::GET, "/health")).await.status, 200, "probes are not counted");
}

#[tokio::test]
async fn guesses_do_not_lock_out_who_is_signed_in_behind_the_same_address() {
    let pocketbase = Pocketbase::start().await;
    let proxy = Proxy::before(pocketbase.port()).await;
    let client = logged_in(pocketbase::settings(proxy.url(), SERVICE)).await;
    let quotas = Quotas { address: Quota { requests: 3, window: Duration::from_mins(60) }, ..Quotas::default() };
    let stage = Stage::over(pocketbase, client, Settings { quotas, ..settings() }).await;
    stage.client.renew_cache_lease(Instant::now() + Duration::from_mins(60));
    let token = someone_elses_token(&stage).await;
    let never_shown = stage.verification("customer-1").await.body["client_token"].as_str().expect("a token").to_owned();
    let ask = async |token: &str| {
        let request = stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa");
        send(request.header("authorization", format!("Bearer {token}"))).await.status
    };
    assert_eq!(ask(&token).await, 404, "signed in");
    for wanted in [401, 401, 401, 429] {
        assert_eq!(ask("a.b.c").await, wanted);
    }
    assert_eq!(ask(&token).await, 404, "known to be valid");
    let before = proxy.requests();
    assert_eq!(ask(&never_shown).await, 429, "as good as a guess");
    assert_eq!(proxy.requests(), before, "so PocketBase is not asked");

    // What was known is asked about again, though the address is stopped; what turns out to be a token no more is forgotten.
    stage.client.end_cache_lease();
    assert_eq!(ask(&token).await, 404);
    let new = "a-password-of-their-own";
    stage.admin.patch("users", PERSON, json!({ "password": new, "passwordConfirm": new })).await;
    let before = proxy.requests();
    assert_eq!(ask(&token).await, 429);
    let asked = proxy.requests();
    assert!(asked > before, "asked about once more");
    assert_eq!(ask(&token).await, 429);
    assert_eq!(proxy.requests(), asked, "and never again");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_stranger_has_a_quota_of_their_own() {
    let quotas = Quotas { address: Quota { requests: 1, window: Duration::from_mins(60) }, ..Quotas::default() };
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let trusting = Stage::with(Settings { quotas, trusted_proxies, ..settings() }).await;
    let wary = Stage::with(Settings { quotas, ..settings() }).await;
    let from = async |stage: &Stage, address: &str| {
        let request = stage.open(Method::GET, "/api/v1/status/aaaaaaaaaaaaaaa");
        send(request.header("x-forwarded-for", address)).await.status
    };
    for (address, wanted) in [("203.0.113.7", 401), ("203.0.113.7", 429), ("203.0.113.8", 401)] {
        assert_eq!(from(&trusting, address).await, wanted, "{address}");
    }
    assert_eq!(from(&wary, "203.0.113.7").await, 401);
    assert_eq!(from(&wary, "203.0.113.8").await, 429, "whoever may write the header could choose an address");
}
