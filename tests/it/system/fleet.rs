//! Two sidecars on one PocketBase under load: every verification is decided once.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::join_all;
use identivia::verification::Event;

use super::person::{Challenge, Person};
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, oracle::Observed};

const VERIFICATIONS: usize = 200;
const PERSONS: usize = 16;

#[tokio::test]
async fn two_sidecars_decide_two_hundred_verifications_once_each() {
    let mut stack = Stack::start().await;
    stack.add_sidecar("two").await;
    let persons = stack.persons(PERSONS).await;
    let turn = Cell::new(0);
    let began = Instant::now();
    join_all(persons.iter().map(|person| walk_until_enough(person, &turn))).await;
    let seconds = began.elapsed().as_secs_f64();

    let observed = stack.audit(&persons[0]).await;
    assert_eq!(observed.stored.len(), VERIFICATIONS);
    let approved = observed.stored.values().filter(|stored| stored.record["status"] == "approved").count();
    assert_eq!(approved, VERIFICATIONS);
    let deciders = deciders(&observed);
    println!("{VERIFICATIONS} verifications by {PERSONS} persons in {seconds:.1} s: {:.1} a second", rate(seconds));
    println!("decided by {deciders:?}; calls beyond one each: {:?}", observed.repeated());
    assert_eq!(deciders.len(), 2, "one of two did nothing");
    assert_eq!(deciders.values().sum::<usize>(), VERIFICATIONS);
    assert!(observed.repeated().iter().all(|(operation, calls)| *operation == RESULTS || *calls == 0), "paid twice");
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn rate(seconds: f64) -> f64 {
    VERIFICATIONS as f64 / seconds
}

/// A result that is not ready may be asked for again; that is not charged.
const RESULTS: &str = "GetFaceLivenessSessionResults";

async fn walk_until_enough(person: &Person, turn: &Cell<usize>) {
    while turn.get() < VERIFICATIONS {
        turn.set(turn.get() + 1);
        let id = person.begin().await;
        person.submit_all(&id, &snapshot(), Challenge::default()).await;
        person.settled_within(&id, 3 * PATIENCE).await;
    }
}

/// Number of verifications that each instance decided.
fn deciders(observed: &Observed) -> BTreeMap<&str, usize> {
    let mut deciders = BTreeMap::new();
    for entry in observed.stored.values().flat_map(|stored| &stored.case.journal) {
        if matches!(entry.event, Event::Decided { .. }) {
            *deciders.entry(entry.by.as_str()).or_default() += 1;
        }
    }
    deciders
}
