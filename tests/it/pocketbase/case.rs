//! Reading a case: whole, in order, and never half.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use identivia::pocketbase::{PocketbaseError, Remedy};
use identivia::verification::journal::chain;
use identivia::verification::{ActionKind, Actor, Event, Kind, Transition, Work};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::pocketbase::{PERSON, Pocketbase};
use crate::harness::scene::{claim, read, started, step, verification};

#[tokio::test]
async fn everything_about_a_case_is_read_in_order() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let case = started(&client).await;
    let id = case.id().to_owned();
    // Two rows may be created in the same millisecond; then their ids give the order.
    for (signal, event) in [("signal000000001", "1700000000000.abcdef"), ("signal000000002", "1700000000001.abcdef")] {
        let taken = json!({ "id": signal, "verification": id, "event_id": event, "stage": "start" });
        admin.create("device_signals", taken).await;
    }
    let session = admin.create("liveness_sessions", json!({ "verification": id })).await;
    let done = json!({
        "id": "action000000001", "verification": id, "action": "liveness_completed", "liveness_session": session["id"],
        "user": PERSON,
    });
    admin.create("actions", done).await;
    let again = json!({
        "id": "action000000002", "verification": id, "action": "request_resubmission", "reason": "blurred",
        "redo": ["document"],
    });
    admin.create("actions", again).await;
    let superuser = admin.own_id().await;

    let (read_case, now) = read(&client, &id).await;
    assert_eq!(read_case.record.user, PERSON);
    assert_eq!(read_case.record.declared_name, "Erika Muster");
    assert_eq!(read_case.record.version, 1);
    assert_eq!(chain::verify(&id, &read_case.journal), Ok(()));
    assert!(matches!(read_case.journal[0].event, Event::Started { .. }));
    let events: Vec<_> = read_case.signals.iter().map(|s| s.event_id.as_str()).collect();
    assert_eq!(events, ["1700000000000.abcdef", "1700000000001.abcdef"]);
    assert_eq!(read_case.actions[0].kind, Some(ActionKind::LivenessCompleted));
    assert_eq!(read_case.actions[0].actor, Actor::User);
    assert_eq!(read_case.actions[0].liveness_session, read_case.sessions[0].id);
    assert_eq!(
        (&read_case.actions[1].actor, read_case.actions[1].redo.as_slice()),
        (&Actor::Superuser(Some(superuser)), [Kind::Document].as_slice())
    );
    let age = now.duration_since(read_case.record.created);
    assert!(age >= SignedDuration::ZERO && age < SignedDuration::from_secs(20), "{age:?}");
}

#[tokio::test]
async fn an_absent_case_is_none_after_a_proof() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    for id in ["nosuchrecord001", "", "no-id", "../../../health"] {
        assert!(client.read_case(id).await.expect("an answer").is_none(), "{id}");
    }
}

#[tokio::test]
async fn without_its_view_a_case_is_an_error_and_not_absent() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let id = verification(&client).await;
    admin.call(Method::DELETE, "api/collections/cases", &json!(null)).await;
    let error = client.read_case(&id).await.expect_err("the view is gone");
    assert!(error.to_string().contains("cases"), "{error}");
    assert!(client.read_case("nosuchrecord001").await.expect("an answer").is_none());
}

/// `PocketBase` accepts any bytes as the text of a form, and rows that were not written through its
/// API may have empty text in place of JSON.
#[tokio::test]
async fn strange_text_in_a_row_does_not_make_a_case_unreadable() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let id = started(&client).await.id().to_owned();
    let form = [
        ("verification", id.as_bytes()),
        ("action", b"cancel"),
        ("user", PERSON.as_bytes()),
        ("reason", b"\xff\x00\"\\\xed\xa0\x80"),
    ];
    admin.create_by_form("actions", &form).await;
    admin.sql("UPDATE actions SET redo = ''").await;
    admin.sql("UPDATE journal SET data = ''").await;
    let (case, _) = read(&client, &id).await;
    assert_eq!((case.actions.len(), case.journal.len()), (1, 1));
}

#[tokio::test]
async fn a_journal_that_lost_rows_is_stale() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let case = started(&client).await;
    let row = admin.all("journal").await[0]["id"].as_str().expect("an id").to_owned();
    admin.delete("journal", &row).await;
    let error = client.read_case(case.id()).await.expect_err("rows are missing");
    assert!(matches!(error, PocketbaseError::Stale { version: 1, rows: 0, .. }), "{error:?}");
    assert_eq!(error.remedy(), Remedy::Later);
}

#[tokio::test]
async fn a_long_journal_is_read_whole_and_of_a_persons_rows_the_oldest_thousand() {
    const ROWS: u32 = 2300;
    const PERSONS: usize = 1000;
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let id = verification(&client).await;
    let numbers = format!("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {ROWS})");
    admin
        .sql(&format!(
            "{numbers} INSERT INTO journal (id, verification, seq, event, data, hash, created)
             SELECT printf('j%014d', x), '{id}', x, 'expired', '{{}}', 'h', '2026-01-01 00:00:00.000Z' FROM n"
        ))
        .await;
    admin
        .sql(&format!(
            "{numbers} INSERT INTO device_signals (id, verification, event_id, stage, created)
             SELECT printf('s%014d', x), '{id}', printf('%013d.abcdef', x), '', printf('2026-01-01 00:00:00.%03dZ', {ROWS} - x) FROM n"
        ))
        .await;
    admin
        .sql(&format!(
            "{numbers} INSERT INTO actions (id, verification, action, reason, user, created)
             SELECT printf('a%014d', x), '{id}', 'cancel', printf('%02000d', x), '{PERSON}', '2026-01-01 00:00:00.000Z' FROM n"
        ))
        .await;
    admin.create("actions", json!({ "verification": id, "action": "decline", "reason": "a flood" })).await;
    admin.sql(&format!("UPDATE verifications SET version = {ROWS} WHERE id = '{id}'")).await;
    let (case, _) = read(&client, &id).await;
    assert_eq!(case.seq(), ROWS);
    assert_eq!(case.signals.len(), PERSONS);
    assert!(case.signals.is_sorted_by_key(|s| (s.created, s.id.clone())));
    assert_eq!(case.signals[0].id, format!("s{ROWS:014}"), "the oldest");
    assert_eq!(case.actions.len(), PERSONS);
    let decline =
        case.actions.iter().find(|action| action.kind == Some(ActionKind::Decline)).expect("still among them");
    assert_eq!(decline.reason, "a flood");
    assert!(case.actions.iter().filter(|action| action.actor == Actor::User).all(|action| action.reason.is_empty()));
}

/// The fence would not catch a conclusion from a new journal and old findings. It catches the
/// opposite.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_case_is_never_older_than_its_journal() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let mut case = started(&client).await;
    let session = admin.create("liveness_sessions", json!({ "verification": case.id() })).await;
    let session = session["id"].as_str().expect("an id").to_owned();
    case = read(&client, case.id()).await.0;
    let id = case.id().to_owned();

    let done = Arc::new(AtomicBool::new(false));
    let mut reader = JoinSet::new();
    reader.spawn({
        let (client, done) = (client.clone(), done.clone());
        async move {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let (case, _) = read(&client, &id).await;
                // Each journal row writes its number into the session's region.
                let region: u32 = case.sessions[0].region.parse().unwrap_or_default();
                assert!(region >= case.seq() || case.seq() < 2, "journal {} but session {region}", case.seq());
                reads += 1;
            }
            reads
        }
    });
    for seq in 2..120 {
        let work = vec![Work::OpenSession { attempt: 1, evidence: session.clone() }];
        let opened = identivia::verification::transition::Opened {
            session_id: format!("session-{seq}"),
            region: seq.to_string(),
            challenge: String::new(),
            expires_at: Timestamp::UNIX_EPOCH,
        };
        let transition = Transition::new(Event::WorkClaimed { work, seconds: 30 }, "ours").changing(
            identivia::verification::SessionPatch {
                id: session.clone(),
                status: identivia::verification::SessionStatus::Open,
                opened: Some(opened),
            },
        );
        let entry = case.apply(&transition, Timestamp::UNIX_EPOCH);
        let (_, _, mut patch) = claim(&case, "unused");
        patch.version = entry.seq;
        client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect("no other writer");
    }
    done.store(true, Ordering::Relaxed);
    let reads = reader.join_next().await.expect("a reader").expect("no torn read");
    assert!(reads > 0);
}

#[tokio::test]
async fn a_pinned_policy_is_read_once_and_the_live_one_is_the_highest_version() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let first = client.live_policy("default").await.expect("an answer").expect("the seed");
    assert_eq!((first.version, first.problems()), (1, Vec::new()));
    let mut next = admin.get("policies", &first.id).await;
    next["version"] = json!(2);
    next["minimum_age"] = json!(21);
    next["allowed_countries"] = json!(null);
    next.as_object_mut().expect("an object").remove("id");
    admin.create("policies", next).await;
    let live = client.live_policy("default").await.expect("an answer").expect("the new one");
    assert_eq!((live.version, live.minimum_age, live.allowed_countries.len()), (2, 21, 0));
    assert_eq!(client.policy(&first.id).await.expect("an answer"), Some(first));
    assert_eq!(client.live_policy("it's \\ not there").await.expect("an answer"), None);
    assert_eq!(client.policy("nosuchpolicy001").await.expect("an answer"), None);
}

#[tokio::test]
async fn an_event_of_a_newer_version_is_kept_and_its_hash_holds() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    let event = Event::Other { event: "moon_landed".to_owned() };
    let (transition, entry, patch) = step(&case, Transition::new(event.clone(), "newer"));
    client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect("an outcome");
    let (case, _) = read(&client, case.id()).await;
    assert_eq!(case.journal[1].event, event);
    assert_eq!(chain::verify(case.id(), &case.journal), Ok(()));
}
