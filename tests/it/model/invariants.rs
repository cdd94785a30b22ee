//! The invariants of the protocol.

use identivia::verification::case::{Phase, claims::ClaimState};
use identivia::verification::journal::chain;
use identivia::verification::{Entry, Event, Source, Work, replay};

use super::sidecar::{Purpose, Sidecar};
use super::store::Store;

/// Checks a batch: `before` is the phase before it, `new` its rows.
pub fn of_a_batch(store: &Store, sidecars: &[Sidecar], before: &Phase, new: &[Entry]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut open = matches!(before, Phase::Open);
    for entry in new {
        match &entry.event {
            Event::Started { .. } => open = true,
            Event::Decided { attempt, source, status, .. } => {
                if *source == Source::Automatic && store.decisions(*attempt) > 1 {
                    broken.push(format!("row {}: attempt {attempt} is decided twice", entry.seq));
                }
                open = *status == identivia::verification::Status::ResubmissionRequired;
            }
            Event::Canceled {} | Event::Expired {} => open = false,
            Event::WorkClaimed { work, .. } => {
                if !open {
                    broken.push(format!("row {}: work is claimed although nothing is open", entry.seq));
                }
                for item in work {
                    broken.extend(excluded(store, sidecars, entry.seq, item));
                }
            }
            Event::CheckFinished { .. } | Event::LivenessSessionOpened { .. } | Event::WorkFailed { .. } if !open => {
                broken.push(format!("row {}: a fenced writer wrote {}", entry.seq, entry.name));
            }
            _ => {}
        }
    }
    broken.extend(answered_once(store));
    broken.extend(numbered(store, new));
    broken
}

/// Checks that no instance claims work to which another live instance is still entitled.
fn excluded(store: &Store, sidecars: &[Sidecar], seq: u32, item: &Work) -> Vec<String> {
    let same = |other: &Work| match (item, other) {
        (Work::OpenSession { .. } | Work::Liveness { .. }, _) => item == other,
        _ => item.check() == other.check() && item.attempt() == other.attempt(),
    };
    let claims = store.case.claims();
    let earlier = claims.iter().filter(|claim| claim.seq < seq && same(claim.work));
    let running = earlier.filter(|claim| matches!(claim.state, ClaimState::Pending { until } if until > store.now));
    let mut broken = Vec::new();
    for claim in running {
        let works = |sidecar: &Sidecar| {
            let task = |purpose: &Purpose| matches!(purpose, Purpose::Work { claim: c, work } if *c == claim.seq && work == claim.work);
            sidecar.alive && sidecar.tasks.iter().any(|t| task(&t.purpose))
        };
        if sidecars.iter().any(works) {
            broken.push(format!("row {seq} claims what row {} is still working on", claim.seq));
        }
    }
    broken
}

/// Checks that a claim has one answer per work item, and an attempt one finding per kind.
fn answered_once(store: &Store) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for check in &store.case.checks {
        if !seen.insert((check.kind, check.attempt)) {
            broken.push(format!("attempt {} has two findings of kind {}", check.attempt, check.kind));
        }
    }
    broken
}

/// Checks that numbers have no gaps, and that each row is chained to the one before it.
fn numbered(store: &Store, new: &[Entry]) -> Vec<String> {
    let journal = &store.case.journal;
    let from = journal.len() - new.len();
    let mut broken = Vec::new();
    for index in from..journal.len() {
        let previous = index.checked_sub(1).map(|before| &journal[before]);
        let (number, hash) = previous.map_or((0, ""), |entry| (entry.seq, entry.hash.as_str()));
        if journal[index].seq != number + 1 || journal[index].previous_hash != hash {
            broken.push(format!("row {} follows row {number} and does not fit", journal[index].seq));
        }
    }
    broken
}

/// Checks a history that has come to rest.
pub fn at_rest(store: &Store) -> Vec<String> {
    let mut broken = Vec::new();
    if let Err(error) = chain::verify(store.case.id(), &store.case.journal) {
        broken.push(error.to_string());
    }
    let replayed = replay::replay(&store.case, &store.policy);
    let wrong = replayed.iter().filter(|replayed| !replayed.same);
    broken
        .extend(wrong.map(|replayed| format!("the decision at row {} does not follow from the records", replayed.seq)));
    if store.case.unhandled_actions().next().is_some() {
        broken.push("what a person did was never handled".to_owned());
    }
    broken
}
