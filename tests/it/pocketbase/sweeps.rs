//! The lists that sweeps read, to find what no event announced.

use identivia::pocketbase::records::NewHeartbeat;
use identivia::verification::{Event, Transition};
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::pocketbase::{PERSON, Pocketbase};
use crate::harness::scene::{started, step, verification};

#[tokio::test]
async fn open_verifications_are_listed_in_pages_and_final_ones_are_left_out() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let mut expected = Vec::new();
    for number in 0..7 {
        let id = verification(&client).await;
        if number == 3 {
            admin.patch("verifications", &id, json!({ "final": true })).await;
        } else {
            expected.push(id);
        }
    }
    expected.sort();
    let (mut walked, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.open_ids(&after, 4).await.expect("a page");
        let last = page.len() < 4;
        after = page.last().cloned().unwrap_or(after);
        walked.extend(page);
        if last {
            break;
        }
    }
    assert_eq!(walked, expected);
    assert_eq!(
        client.open_ids("' || true || '", 4).await.expect_err("no id").remedy(),
        identivia::pocketbase::Remedy::Never
    );
}

#[tokio::test]
async fn a_light_sweep_finds_what_is_due_and_new_evidence_and_not_those_that_wait() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let now = client.probe().await.expect("logged in");
    let hour = SignedDuration::from_hours(1);
    let (created, busy, waiting, silent) = (
        verification(&client).await,
        verification(&client).await,
        verification(&client).await,
        verification(&client).await,
    );
    admin.patch("verifications", &busy, json!({ "status": "processing" })).await;
    let soon = json!({ "status": "awaiting_input", "expires_at": (now + hour).to_string() });
    admin.patch("verifications", &waiting, soon).await;
    let past = json!({ "status": "awaiting_input", "expires_at": (now - hour).to_string() });
    admin.patch("verifications", &silent, past).await;
    let mut expected = vec![created, busy, silent];
    expected.sort();
    assert_eq!(client.due_ids(now, "", 10).await.expect("a page"), expected);

    admin.create("liveness_sessions", json!({ "verification": waiting })).await;
    assert_eq!(client.ids_with_evidence_since(now - hour, 10).await.expect("a list"), [waiting]);
    assert_eq!(client.ids_with_evidence_since(now + hour, 10).await.expect("a list"), Vec::<String>::new());
}

#[tokio::test]
async fn an_action_is_found_until_a_journal_row_names_it_even_if_the_verification_is_final() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let case = started(&client).await;
    assert_eq!(client.unhandled_action_ids(None, 10).await.expect("a list"), Vec::<String>::new());
    admin.patch("verifications", case.id(), json!({ "final": true })).await;
    let reopen = json!({ "verification": case.id(), "action": "reopen", "reason": "wrong" });
    let action = admin.create("actions", reopen).await["id"].as_str().expect("an id").to_owned();
    assert_eq!(client.unhandled_action_ids(None, 10).await.expect("a list"), [case.id()]);
    let now = client.now().expect("answers came");
    let hour = SignedDuration::from_hours(1);
    assert_eq!(client.unhandled_action_ids(Some(now - hour), 10).await.expect("a list"), [case.id()]);
    assert_eq!(client.unhandled_action_ids(Some(now + hour), 10).await.expect("a list"), Vec::<String>::new());

    let (transition, entry, patch) = step(&case, Transition::new(Event::Reopened {}, "superuser").handling(&action));
    client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect("an outcome");
    assert_eq!(client.unhandled_action_ids(None, 10).await.expect("a list"), Vec::<String>::new());
}

/// A quadratic join takes 30 s here, and then fails.
#[tokio::test]
async fn the_sweep_for_actions_stays_fast_with_many_rows() {
    const ROWS: u32 = 10_000;
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let numbers = format!("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {ROWS})");
    let insert = [
        format!(
            "{numbers} INSERT INTO verifications (id, user, final, version, created, updated)
             SELECT printf('v%014d', x), '{PERSON}', 1, 1, '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z' FROM n"
        ),
        format!(
            "{numbers} INSERT INTO actions (id, verification, action, redo, created)
             SELECT printf('a%014d', x), printf('v%014d', x), 'cancel', '[]', '2026-01-01 00:00:00.000Z' FROM n"
        ),
        format!(
            "{numbers} INSERT INTO journal (id, verification, seq, event, data, action, hash, created)
             SELECT printf('j%014d', x), printf('v%014d', x), 1, 'canceled', '{{}}',
                    CASE WHEN x = 7777 THEN '' ELSE printf('a%014d', x) END, 'h', '2026-01-01 00:00:00.000Z' FROM n"
        ),
    ];
    for statement in insert {
        admin.sql(&statement).await;
    }
    let started = std::time::Instant::now();
    let found = client.unhandled_action_ids(None, 100).await.expect("a list");
    assert_eq!(found, ["v00000000007777"]);
    assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
}

#[tokio::test]
async fn heartbeats_have_one_row_for_each_instance() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let beat = |instance, beat| NewHeartbeat { instance, version: "1.2.3", beat, started_at: client.now() };
    let first = client.heartbeat(&beat("one", 1)).await.expect("created");
    client.heartbeat(&beat("two", 1)).await.expect("created");
    assert_eq!(client.heartbeat(&beat("one", 2)).await.expect("patched"), first);
    let (beats, now) = client.heartbeats().await.expect("a list");
    let mut seen: Vec<_> = beats.iter().map(|b| (b.instance.as_str(), b.beat)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("one", 2), ("two", 1)]);
    assert!(beats.iter().all(|b| now.duration_since(b.updated) < SignedDuration::from_secs(20)));
}
