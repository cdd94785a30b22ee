//! The realtime stream: hints arrive, and an end is noticed.

use std::time::{Duration, Instant};

use identivia::pocketbase::realtime::{Change, Connection, End, Event};
use identivia::pocketbase::records::Collection;
use identivia::pocketbase::records::NewHeartbeat;
use serde_json::json;

use crate::harness::eventually;
use crate::harness::pocketbase::{Pocketbase, SERVICE, logged_in, settings};
use crate::harness::scene::{started, verification};

const ALL: &[Collection] = &[
    Collection::Verifications,
    Collection::Documents,
    Collection::LivenessSessions,
    Collection::DeviceSignals,
    Collection::Actions,
    Collection::Journal,
    Collection::Heartbeats,
];

async fn next(connection: &mut Connection) -> Result<Event, End> {
    tokio::time::timeout(Duration::from_secs(10), connection.next()).await.expect("a hint or an end in time")
}

/// The next event that fits. Events come in no order.
async fn wait_for(connection: &mut Connection, fits: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = next(connection).await.expect("the stream lives");
        if fits(&event) {
            return event;
        }
    }
}

#[tokio::test]
async fn an_event_comes_for_what_is_committed_after_connecting() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let mut connection = client.connect(ALL).await.expect("a stream");
    let id = verification(&client).await;
    let event = wait_for(&mut connection, |e| e.collection == Collection::Verifications).await;
    assert_eq!(
        (event.record.as_str(), event.verification.as_str(), event.change),
        (id.as_str(), id.as_str(), Change::Create)
    );

    let signal = json!({ "verification": id, "event_id": "1700000000000.abcdef", "stage": "start" });
    server.admin().await.create("device_signals", signal).await;
    let event = wait_for(&mut connection, |e| e.collection == Collection::DeviceSignals).await;
    assert_eq!(event.verification, id);

    let case = started(&client).await;
    let event = wait_for(&mut connection, |e| e.collection == Collection::Journal).await;
    assert_eq!(event.verification, case.id());

    let beat = NewHeartbeat { instance: "one", version: "1", beat: 41, started_at: None };
    client.heartbeat(&beat).await.expect("created");
    let event = wait_for(&mut connection, |e| e.collection == Collection::Heartbeats).await;
    assert_eq!(event.beat, Some(("one".to_owned(), 41)));
}

#[tokio::test]
async fn a_killed_server_ends_the_stream_and_a_new_one_is_opened() {
    let mut server = Pocketbase::start().await;
    let client = server.client().await;
    let mut connection = client.connect(ALL).await.expect("a stream");
    server.kill();
    let end = next(&mut connection).await.expect_err("the server is gone");
    assert!(matches!(end, End::Broken(_) | End::Closed), "{end:?}");
    assert!(client.connect(ALL).await.is_err());
    server.resume_life().await;
    let mut connection = eventually("a new stream", async || client.connect(ALL).await.ok()).await;
    let id = verification(&client).await;
    assert_eq!(next(&mut connection).await.expect("a hint").verification, id);
}

/// What the old stream had received and the client had not read is lost with it, so the next
/// stream begins without a cache lease.
#[tokio::test]
async fn a_stream_that_ends_ends_the_lease_even_when_the_next_stream_is_open() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let renew = || client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
    let old = client.connect(ALL).await.expect("a stream");
    renew();
    let first = client.cache_epoch().expect("in force");
    let new = client.connect(ALL).await.expect("another");
    assert_eq!(client.cache_epoch(), Some(first), "the old one is still open");
    drop(old);
    assert_eq!(client.cache_epoch(), None, "the new one has renewed nothing");
    renew();
    let second = client.cache_epoch().expect("in force");
    assert_ne!(second, first, "what was read before is read again");
    drop(new);
    assert_eq!(client.cache_epoch(), None);
}

/// A session is lost silently: its stream stays open and receives nothing. So opening a stream
/// proves the session.
#[tokio::test]
async fn a_stream_opened_after_the_token_was_revoked_receives_events() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let id = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
    admin.patch("services", &id, json!({ "password": SERVICE.1, "passwordConfirm": SERVICE.1 })).await;
    let mut connection = client.connect(ALL).await.expect("a stream, with a new session");
    let id = verification(&client).await;
    assert_eq!(next(&mut connection).await.expect("a hint").verification, id);
}

#[tokio::test]
async fn a_host_name_with_two_address_families_works() {
    let server = Pocketbase::start().await;
    let mut url = server.url();
    url.set_host(Some("localhost")).expect("a host");
    let client = logged_in(settings(url, SERVICE)).await;
    let mut connection = client.connect(ALL).await.expect("a stream");
    let id = verification(&client).await;
    assert_eq!(next(&mut connection).await.expect("a hint").verification, id);
}

#[tokio::test]
async fn large_fields_are_not_sent() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let mut connection = client.connect(ALL).await.expect("a stream");
    let new = identivia::pocketbase::records::NewVerification {
        user: crate::harness::pocketbase::PERSON.to_owned(),
        metadata: Some(json!({ "note": "x".repeat(4000) })),
        ..Default::default()
    };
    let id = client.create_verification(&new).await.expect("a verification").id;
    assert_eq!(next(&mut connection).await.expect("a hint").verification, id);
}
