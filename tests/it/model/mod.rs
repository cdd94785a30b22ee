//! A model of the protocol of claim, fence and decision: the real core against a store, a network
//! and crashes that a seed decides.
//!
//! Sidecars run `next_step`, `finished`, `may_finish` and `apply` as the service does. The store is
//! `PocketBase` as far as the protocol rests on it: one clock, whole batches, a unique number per
//! journal row. Messages are late, lost, or stored without an answer. Sidecars crash, restart, or
//! pause past the end of their claims. The invariants are checked at every stored batch and when a
//! history has come to rest. Planted flaws, one for each thing on which the protocol rests, prove
//! that the model finds them.

mod invariants;
mod sidecar;
mod simulation;
mod store;

use std::collections::BTreeMap;

use simulation::{End, Simulation};

/// Histories in a normal run, which takes a few seconds.
const HISTORIES: u64 = 2000;
/// Histories in a long run.
const MANY_HISTORIES: u64 = 200_000;
/// Number of histories within which a planted flaw must have shown.
const HISTORIES_TO_A_FLAW: u64 = 2000;

/// A flaw of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The protocol as it is.
    None,
    /// The store accepts a batch whatever the number of its first row.
    NoUniqueNumber,
    /// A late result is written although another instance answered its claim, and no row of that
    /// name is in the way.
    NoFence,
    /// A write without an answer is treated as failed and made again.
    TimeoutIsNo,
    /// Whether a batch was stored is read from its first row, which another instance may have
    /// written word for word, instead of its last.
    ReadsBackTheFirstRow,
    /// The ends of claims are measured on the instance's own clock, which is wrong.
    OwnClock,
    /// A sidecar forgets which work it is running.
    ForgetsItsWork,
    /// The cached case has the times at which its rows were made, not those at which they were
    /// stored.
    KeepsItsOwnStamps,
    /// At its start a sidecar takes an empty list for "nothing to do" and waits for events.
    TrustsAnEmptyList,
}

#[test]
fn in_thousands_of_histories_nothing_is_decided_twice_and_each_comes_to_rest() {
    run(HISTORIES);
}

#[test]
#[ignore = "minutes: cargo test --features crash-points --test it -- --ignored model"]
fn in_hundreds_of_thousands_of_histories_too() {
    run(MANY_HISTORIES);
}

#[expect(clippy::print_stdout, reason = "what a run covered")]
fn run(histories: u64) {
    let mut ends: BTreeMap<End, u64> = BTreeMap::new();
    let mut events = simulation::Events::default();
    for seed in 0..histories {
        let mut simulation = Simulation::new(seed, Flaw::None);
        let end = simulation.play();
        assert!(simulation.broken().is_empty(), "seed {seed}: {:#?}\n{}", simulation.broken(), simulation.story());
        *ends.entry(end).or_default() += 1;
        events.add(simulation.events());
    }
    println!("{histories} histories ended {ends:?}; {events:?}");
    // A model in which nothing happens keeps every promise.
    for end in [End::Approved, End::Declined, End::NeedsReview, End::Expired, End::Canceled] {
        assert!(ends.get(&end).is_some_and(|times| *times > histories / 200), "{end:?} is too rare: {ends:?}");
    }
    assert!(events.all_happened(histories / 20), "{events:?}");
}

#[test]
fn each_planted_flaw_is_seen() {
    for flaw in [
        Flaw::NoUniqueNumber,
        Flaw::NoFence,
        Flaw::TimeoutIsNo,
        Flaw::ReadsBackTheFirstRow,
        Flaw::OwnClock,
        Flaw::ForgetsItsWork,
        Flaw::KeepsItsOwnStamps,
        Flaw::TrustsAnEmptyList,
    ] {
        let found = (0..HISTORIES_TO_A_FLAW).find_map(|seed| {
            let mut simulation = Simulation::new(seed, flaw);
            simulation.play();
            simulation.broken().first().map(|what| (seed, what.clone()))
        });
        let (seed, what) = found.unwrap_or_else(|| panic!("{flaw:?} was not seen in {HISTORIES_TO_A_FLAW} histories"));
        println!("{flaw:?} was seen in history {seed}: {what}");
    }
}
