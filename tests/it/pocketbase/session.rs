//! The session: which account it belongs to, how it is renewed, and that a lost one never looks
//! like an empty answer.

use std::time::Duration;

use identivia::pocketbase::{Client, Identity, Remedy};
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::pocketbase::{Pocketbase, SERVICE, settings};
use crate::harness::scene::{read, started, verification};

async fn rotate_tokens(server: &Pocketbase, password: &str) {
    let admin = server.admin().await;
    let id = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
    admin.patch("services", &id, json!({ "password": password, "passwordConfirm": password })).await;
}

#[tokio::test]
async fn a_service_account_is_tried_first_and_a_superuser_second() {
    let server = Pocketbase::start().await;
    assert_eq!(server.client().await.identity(), Some(Identity::Service));
    assert_eq!(server.superuser_client().await.identity(), Some(Identity::Superuser));
}

#[tokio::test]
async fn wrong_credentials_are_reported_and_not_tried_again_at_once() {
    let server = Pocketbase::start().await;
    let client = Client::new(settings(server.url(), (SERVICE.0, "wrong"))).expect("a client");
    for _ in 0..50 {
        let error = client.login().await.expect_err("wrong password");
        assert_eq!(error.remedy(), Remedy::Login);
        assert!(error.to_string().contains("PB_USER_PASSWORD"), "{error}");
        assert!(!format!("{error:?}").contains(SERVICE.0), "{error:?}");
    }
    // Superusers may sign in ten times a minute: of the fifty tries above, one reached the server.
    assert_eq!(server.superuser_client().await.identity(), Some(Identity::Superuser));
}

#[tokio::test]
async fn a_revoked_token_never_looks_like_an_empty_answer() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    // The same password ends the token all the same, and the client can log in again.
    for _ in 0..2 {
        rotate_tokens(&server, SERVICE.1).await;
        assert!(client.open_ids("", 10).await.expect("logged in again").contains(&case.id().to_owned()));
        rotate_tokens(&server, SERVICE.1).await;
        assert_eq!(read(&client, case.id()).await.0.seq(), 1);
        rotate_tokens(&server, SERVICE.1).await;
        verification(&client).await;
        rotate_tokens(&server, SERVICE.1).await;
        client.probe().await.expect("logged in again");
        let rest = client.open_ids(case.id(), 10).await.expect("an answer");
        assert!(!rest.contains(&case.id().to_owned()));
    }
}

#[tokio::test]
async fn an_account_that_cannot_log_in_is_an_error_everywhere() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    rotate_tokens(&server, "another-password").await;
    for error in [
        client.open_ids("", 10).await.expect_err("not an empty list"),
        client.read_case(case.id()).await.map(drop).expect_err("not an absent case"),
        client.heartbeats().await.map(drop).expect_err("not an empty list"),
        client.live_policy("default").await.map(drop).expect_err("not an absent policy"),
        client.probe().await.map(drop).expect_err("no proof"),
        client.connect(&[]).await.map(drop).expect_err("no stream that receives nothing"),
    ] {
        assert_eq!(error.remedy(), Remedy::Login, "{error:?}");
    }
}

#[tokio::test]
async fn a_short_token_is_renewed_before_it_expires() {
    let server = Pocketbase::start().await;
    let admin = server.admin().await;
    admin.call(reqwest::Method::PATCH, "api/collections/services", &json!({ "authToken": { "duration": 10 } })).await;
    let client = server.client().await;
    let case = started(&client).await;
    // From here on no login by password is possible, only a renewal.
    let no_passwords = json!({ "passwordAuth": { "enabled": false } });
    admin.call(reqwest::Method::PATCH, "api/collections/services", &no_passwords).await;
    let started = std::time::Instant::now();
    while started.elapsed() < Duration::from_secs(14) {
        assert_eq!(read(&client, case.id()).await.0.seq(), 1);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn the_time_is_that_of_the_server() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    for _ in 0..20 {
        client.probe().await.expect("proof");
    }
    let now = client.now().expect("answers came");
    let ours = jiff::Timestamp::now();
    assert!(now.duration_since(ours).abs() < SignedDuration::from_millis(1500), "{now} {ours}");
}

#[tokio::test]
async fn an_unreachable_server_means_later() {
    let mut server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    server.kill();
    let error = client.read_case(case.id()).await.map(drop).expect_err("unreachable");
    assert_eq!(error.remedy(), Remedy::Later, "{error:?}");
    assert!(!format!("{error:?}").contains("token"), "{error:?}");
    server.resume_life().await;
    assert_eq!(read(&client, case.id()).await.0.seq(), 1);
}
