//! Rows 9 and 12 to 16: the realtime stream breaks, falls silent or sends garbage. Events are
//! hints, so each verification ends all the same.

use std::time::Duration;

use super::{PATIENCE, assert_memory, assert_paid_once, begun, behind_proxies, judged};
use crate::harness::proxy::Fault;
use crate::harness::stream::Events;
use crate::system::person::Challenge;
use crate::system::specimen::snapshot;

#[tokio::test]
async fn row_09_a_stream_that_is_cut_or_reset_and_a_pocketbase_that_restarts_are_found_again() {
    let (mut stack, between) = behind_proxies().await;
    let person = stack.person().await;
    between.pocketbase.cut();
    let id = begun(&person).await;
    println!("after a cut: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    between.pocketbase.reset();
    let id = begun(&person).await;
    println!("after a reset: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    stack.pocketbase.stop();
    stack.pocketbase.resume_life().await;
    let id = begun(&person).await;
    println!("after a restart of PocketBase: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    let log = stack.sidecars[0].log();
    assert!(log.matches("watch lost").count() >= 3, "{log}");
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_12_a_stream_that_is_half_open_is_noticed_by_its_heartbeat() {
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    // Open connections never work again, without a sign. New connections work.
    between.pocketbase.freeze();
    between.pocketbase.mend();
    let id = begun(&person).await;
    println!("half-open: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_13_a_stream_without_events_is_noticed_by_its_heartbeat() {
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    between.pocketbase.events(Events::Lost);
    let id = begun(&person).await;
    println!("no events: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    assert!(stack.sidecars[0].log().contains("a heartbeat did not come back"), "{}", stack.sidecars[0].log());
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_14_garbage_in_the_stream_does_no_harm() {
    // The parser takes quadratic time over one message before any code can measure it. The service
    // asks for three short fields only. RELIABILITY.md names more than this as a limit.
    const FLOOD: usize = 256 * 1024;
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    for events in [Events::Garbled, Events::CarriageReturns, Events::CutLetters, Events::Flooded(FLOOD)] {
        between.pocketbase.events(events);
        let id = begun(&person).await;
        println!("{events:?}: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    }
    between.pocketbase.events(Events::Untouched);
    between.pocketbase.fail_next("GET /api/realtime", Fault::Drip(Duration::from_millis(5)));
    between.pocketbase.cut();
    let id = begun(&person).await;
    println!("slow drip: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    assert_memory(&stack);
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_15_events_doubled_shuffled_and_lost_change_nothing_but_the_time() {
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    for events in [Events::Doubled, Events::Shuffled, Events::Lost] {
        between.pocketbase.events(events);
        let id = person.begin().await;
        person.submit_all(&id, &snapshot(), Challenge::default()).await;
        let record = person.settled_within(&id, 2 * PATIENCE).await;
        assert_eq!(record["status"], "approved", "{events:?}: {record}");
    }
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_16_a_storm_of_events_about_one_verification_is_one_entry_in_the_queue() {
    const TIMES: usize = 10_000;
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    between.pocketbase.events(Events::Stormy(TIMES));
    let before = between.pocketbase.requests();
    let id = begun(&person).await;
    println!("storm: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    // Another verification is not starved.
    let id = begun(&person).await;
    println!("the next: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    let requests = between.pocketbase.requests() - before;
    println!("{requests} requests");
    assert!(requests < 1000, "{requests} requests for a few events, each sent {TIMES} times");
    assert_memory(&stack);
    assert_paid_once(&stack.audit(&person).await);
}
