//! The fenced commit: one writer wins, and a lost answer is resolved by reading back.

use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use identivia::pocketbase::records::{Collection, Delivery};
use identivia::pocketbase::{Client, Commit, PocketbaseError, Remedy};
use identivia::verification::check::{ProviderTrace, Usage};
use identivia::verification::transition::Opened;
use identivia::verification::{
    Case, Check, Event, Finding, Judgement, Kind, Outcome, SessionPatch, SessionStatus, Transition, Work,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::harness::pocketbase::{Pocketbase, SERVICE, logged_in, settings};
use crate::harness::proxy::{Fault, Proxy};
use crate::harness::scene::{self, claim, read, started, step};

/// A 1x1 PNG.
const PICTURE: &[u8] = include_bytes!("../harness/pixel.png");

async fn commit(client: &Client, case: &Case, by: &str) -> Result<Commit, PocketbaseError> {
    let (transition, entry, patch) = claim(case, by);
    client.commit(case.id(), &[transition], &[entry], &patch, &[]).await
}

/// Each of `clients` writes the next row of one case at the same time.
async fn race(clients: &[Client]) -> Vec<Commit> {
    let case = Arc::new(started(&clients[0]).await);
    let barrier = Arc::new(Barrier::new(clients.len()));
    let mut writers = JoinSet::new();
    for (number, client) in clients.iter().cloned().enumerate() {
        let (case, barrier) = (case.clone(), barrier.clone());
        writers.spawn(async move {
            barrier.wait().await;
            commit(&client, &case, &format!("writer-{number}")).await.expect("an outcome")
        });
    }
    let outcomes = writers.join_all().await;
    let (after, _) = read(&clients[0], case.id()).await;
    assert_eq!((after.seq(), after.record.version), (2, 2), "one row and its patch");
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn of_24_writers_exactly_one_wins() {
    const WRITERS: usize = 24;
    const ROUNDS: usize = 10;
    let server = Pocketbase::start().await;
    for one in [server.client().await, server.superuser_client().await] {
        let clients = vec![one; WRITERS];
        for _ in 0..ROUNDS {
            let outcomes = race(&clients).await;
            let won = outcomes.iter().filter(|outcome| matches!(outcome, Commit::Won { .. })).count();
            assert_eq!(won, 1, "{outcomes:?}");
            assert_eq!(outcomes.iter().filter(|outcome| **outcome == Commit::Lost).count(), WRITERS - 1);
        }
    }
}

#[tokio::test]
async fn an_action_is_handled_once() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    let admin = server.admin().await;
    let action =
        admin.create("actions", json!({ "verification": case.id(), "action": "cancel", "reason": "asked" })).await;
    let id = action["id"].as_str().expect("an id");
    let handle = |case: &Case| step(case, Transition::new(Event::Canceled {}, "superuser").handling(id));

    let (transition, entry, patch) = handle(&case);
    let first = client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect("an outcome");
    assert!(matches!(first, Commit::Won { .. }));
    let (case, _) = read(&client, case.id()).await;
    let (transition, entry, patch) = handle(&case);
    let again = client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect("an outcome");
    assert_eq!(again, Commit::Lost);
}

#[tokio::test]
async fn a_lost_answer_is_read_back() {
    let server = Pocketbase::start().await;
    let proxy = Proxy::before(server.port()).await;
    let client = logged_in(settings(proxy.url(), SERVICE)).await;
    let case = started(&client).await;

    proxy.fail_next("POST /api/batch", Fault::LoseAnswer);
    let outcome = commit(&client, &case, "ours").await.expect("read back");
    assert!(proxy.failed() && matches!(outcome, Commit::Won { .. }), "{outcome:?}");

    let (case, _) = read(&client, case.id()).await;
    assert_eq!(case.seq(), 2);
    commit(&server.client().await, &case, "theirs").await.expect("an outcome");
    proxy.fail_next("POST /api/batch", Fault::LoseRequest);
    assert_eq!(commit(&client, &case, "ours").await.expect("read back"), Commit::Lost);
}

#[tokio::test]
async fn a_batch_with_the_winners_first_row_has_lost_all_the_same() {
    let server = Pocketbase::start().await;
    let proxy = Proxy::before(server.port()).await;
    let client = logged_in(settings(proxy.url(), SERVICE)).await;
    let case = started(&client).await;
    // A row that handles a person's action names the person and not its writer.
    let batch = |by: &str| {
        let handled = Event::LivenessSessionEnded {
            liveness_session: "session00000001".to_owned(),
            status: "refused".to_owned(),
            code: "liveness.not_wanted".to_owned(),
        };
        let mut case = case.clone();
        let first = Transition::new(handled, "user");
        let first_entry = case.apply(&first, Timestamp::UNIX_EPOCH);
        let (second, second_entry, patch) = claim(&case, by);
        (vec![first, second], vec![first_entry, second_entry], patch)
    };
    let (transitions, entries, patch) = batch("theirs");
    let theirs = server.client().await.commit(case.id(), &transitions, &entries, &patch, &[]).await;
    assert!(matches!(theirs, Ok(Commit::Won { .. })), "{theirs:?}");
    proxy.fail_next("POST /api/batch", Fault::LoseAnswer);
    let (transitions, entries, patch) = batch("ours");
    let ours = client.commit(case.id(), &transitions, &entries, &patch, &[]).await.expect("read back");
    assert!(proxy.failed());
    assert_eq!(ours, Commit::Lost, "the claim of another sidecar was taken for its own");
}

#[tokio::test]
async fn a_request_that_may_still_arrive_has_an_unknown_outcome() {
    let server = Pocketbase::start().await;
    let proxy = Proxy::before(server.port()).await;
    let client = logged_in(settings(proxy.url(), SERVICE)).await;
    let case = started(&client).await;
    proxy.fail_next("POST /api/batch", Fault::LoseRequest);
    let error = commit(&client, &case, "ours").await.expect_err("the outcome is unknown");
    assert_eq!(error.remedy(), Remedy::ReadBack, "{error:?}");
    // The caller then tries again.
    let outcome = commit(&client, &case, "ours").await.expect("an outcome");
    assert!(matches!(outcome, Commit::Won { .. }));
}

#[tokio::test]
async fn a_write_that_a_frozen_server_stores_after_the_timeout_is_never_doubled() {
    let server = Pocketbase::start().await;
    let patient = server.client().await;
    let case = started(&patient).await;
    let mut hasty = settings(server.url(), SERVICE);
    hasty.request_timeout = Duration::from_secs(2);
    let hasty = logged_in(hasty).await;
    server.freeze();
    let error = commit(&hasty, &case, "ours").await.expect_err("the outcome is unknown");
    assert_eq!(error.remedy(), Remedy::ReadBack, "{error:?}");
    server.thaw();
    // The batch may or may not have been stored. A second try settles it either way, and never
    // stores it twice.
    let outcome = commit(&patient, &case, "ours").await.expect("an outcome");
    let (after, _) = read(&patient, case.id()).await;
    assert_eq!(after.seq(), 2, "{outcome:?}");
}

#[tokio::test]
async fn nothing_is_stored_when_one_item_is_refused() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    let (transition, entry, mut patch) = claim(&case, "ours");
    patch.policy = "nosuchpolicy001".to_owned();
    let error = client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect_err("no such policy");
    assert_eq!(
        error.to_string(),
        "store what happened to a verification: PocketBase refused verifications.policy (validation_missing_rel_records)"
    );
    assert_eq!(read(&client, case.id()).await.0.seq(), 1);
}

#[tokio::test]
async fn a_refused_notification_makes_the_endpoints_be_read_again() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
    let endpoint = json!({
        "name": "partner", "url": "https://partner.test/hook", "secret": "a-long-secret-of-the-partner",
        "enabled": true, "events": ["approved"],
    });
    let endpoint = admin.create("webhook_endpoints", endpoint).await["id"].as_str().expect("an id").to_owned();
    let case = started(&client).await;
    let receivers = async || client.webhook_endpoints("approved").await.expect("an answer");
    assert_eq!(receivers().await, [endpoint.as_str()]);
    admin.delete("webhook_endpoints", &endpoint).await;

    let (transition, entry, patch) = claim(&case, "ours");
    let commit_with = async |endpoints: Vec<String>| {
        let delivery = |endpoint| Delivery {
            endpoint,
            seq: 2,
            event: "verification.approved".to_owned(),
            payload: json!({}),
            next_attempt_at: None,
        };
        let outbox: Vec<Delivery> = endpoints.into_iter().map(delivery).collect();
        client.commit(case.id(), slice::from_ref(&transition), slice::from_ref(&entry), &patch, &outbox).await
    };
    let refused =
        commit_with(receivers().await).await.expect_err("no event came yet, so the deleted endpoint is still cached");
    assert!(matches!(refused, PocketbaseError::Invalid { .. }), "{refused:?}");
    let again = commit_with(receivers().await).await.expect("an outcome");
    assert!(matches!(again, Commit::Won { .. }), "{again:?}");
}

#[tokio::test]
async fn a_finding_its_pictures_a_session_and_a_notification_are_stored_together() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let admin = server.admin().await;
    let case = started(&client).await;
    let session = admin.create("liveness_sessions", json!({ "verification": case.id() })).await;
    let session = session["id"].as_str().expect("an id").to_owned();
    let endpoint = json!({ "name": "partner", "url": "https://partner.test/hook", "secret": "a-long-secret-of-the-partner", "enabled": true });
    let endpoint = admin.create("webhook_endpoints", endpoint).await["id"].as_str().expect("an id").to_owned();
    let (case, _) = read(&client, case.id()).await;
    let work = Work::Liveness { attempt: 1, evidence: session.clone() };

    let check = Check {
        id: identivia::verification::check::check_id(case.id(), "liveness", 1),
        kind: Kind::Liveness,
        attempt: 1,
        outcome: Outcome::Passed,
        not_executed_because: String::new(),
        reasons: Vec::new(),
        evidence: vec![session.clone()],
        reference_image: String::new(),
        portrait: String::new(),
    };
    let finding = Finding {
        judgement: Judgement { reasons: Vec::new(), scores: json!({ "confidence": 98.6 }), extracted: json!(null) },
        evidence: vec![session.clone()],
        provider: ProviderTrace { name: "rekognition".to_owned(), ..Default::default() },
        usage: Usage { calls: 2, ..Default::default() },
        duration_ms: 1234,
        reference_image: Some(PICTURE.to_vec()),
        portrait: Some(PICTURE.to_vec()),
        ..Default::default()
    };
    let expires_at: Timestamp = "2030-01-01T00:00:00Z".parse().expect("an instant");
    let opened = Opened {
        session_id: "provider-session".to_owned(),
        region: "eu-west-1".to_owned(),
        challenge: "FaceMovementAndLightChallenge".to_owned(),
        expires_at,
    };
    let transitions = [
        Transition::new(Event::WorkClaimed { work: vec![work], seconds: 45 }, "ours").changing(SessionPatch {
            id: session.clone(),
            status: SessionStatus::Open,
            opened: Some(opened),
        }),
        Transition::new(
            Event::CheckFinished {
                claim: 2,
                kind: Kind::Liveness,
                attempt: 1,
                outcome: Outcome::Passed,
                codes: Vec::new(),
            },
            "ours",
        )
        .storing(check.clone(), finding)
        .changing(SessionPatch { id: session.clone(), status: SessionStatus::Completed, opened: None }),
    ];
    let mut copy = case.clone();
    let entries: Vec<_> = transitions.iter().map(|t| copy.apply(t, Timestamp::UNIX_EPOCH)).collect();
    let (_, _, mut patch) = step(&case, transitions[0].clone());
    patch.version = 3;
    let delivery = Delivery {
        endpoint,
        seq: 3,
        event: "verification.processing".to_owned(),
        payload: json!({ "status": "processing" }),
        next_attempt_at: None,
    };
    let outcome = client.commit(case.id(), &transitions, &entries, &patch, &[delivery]).await.expect("an outcome");
    assert!(matches!(outcome, Commit::Won { .. }));

    let (case, _) = read(&client, case.id()).await;
    assert_eq!(case.seq(), 3);
    let stored = &case.checks[0];
    assert_eq!(
        stored,
        &Check { reference_image: stored.reference_image.clone(), portrait: stored.portrait.clone(), ..check }
    );
    assert_eq!(
        (case.sessions[0].status, case.sessions[0].session_id.as_str()),
        (SessionStatus::Completed, "provider-session")
    );
    assert_eq!(case.sessions[0].expires_at, Some(expires_at));
    for name in [&stored.reference_image, &stored.portrait] {
        let bytes = client.download(Collection::Checks, &stored.id, name, 1024).await.expect("readable");
        assert_eq!(bytes.as_deref(), Some(PICTURE));
    }
    assert_eq!(admin.all("webhook_deliveries").await[0]["status"], "pending");
    let row = &admin.get("checks", &stored.id).await;
    assert_eq!(
        (&row["scores"]["confidence"], &row["duration_ms"], &row["usage"]["calls"]),
        (&json!(98.6), &json!(1234), &json!(2))
    );
}

#[tokio::test]
async fn a_won_commit_returns_the_stored_timestamp() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    let Commit::Won { at, .. } = commit(&client, &case, "ours").await.expect("an outcome") else {
        panic!("no other writer")
    };
    assert_eq!(scene::read(&client, case.id()).await.0.journal[1].created, at);
}
