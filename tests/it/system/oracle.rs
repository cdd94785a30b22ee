//! The checker at the end of every story: what was acknowledged, what is stored and what was paid
//! for must fit the promises.
//!
//! It derives the promises independently where it can: an approval needs passed checks, whatever
//! `decide` says; a claim excludes other claims, whatever `next_step` says. [`violations`] is a
//! function of [`Observed`], so that handmade values can prove that it finds what it must find.

mod calls;
pub mod canary;
mod gather;
mod journal;
mod record;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use identivia::verification::{Case, Policy};
use serde_json::Value;

use super::person::Acknowledged;
use super::sandbox::Call;

pub use gather::gather;

/// Everything that the oracle observes of a system.
#[derive(Clone)]
pub struct Observed {
    /// The writes that were acknowledged to persons.
    pub acknowledged: Vec<Acknowledged>,
    /// What is stored about their verifications.
    pub stored: BTreeMap<String, Stored>,
    /// The requests that the providers received.
    pub calls: Vec<Call>,
    /// Whether the system had no other users, so that every call must be for one of these
    /// verifications.
    pub alone: bool,
    /// Ids of the webhook endpoints, which all subscribe to every event.
    pub endpoints: Vec<String>,
    /// The logs of the sidecars, by name.
    pub logs: BTreeMap<String, String>,
}

/// What is stored about one verification.
#[derive(Clone)]
pub struct Stored {
    /// The case, read as the service reads it.
    pub case: Case,
    /// The pinned policy.
    pub policy: Policy,
    /// The `verifications` record as the superuser sees it.
    pub record: Value,
    /// Attempts that have a `checks` row of kind `decision`; one entry per row.
    pub decisions: Vec<u32>,
    /// `(endpoint, event)` of each `webhook_deliveries` row.
    pub deliveries: Vec<(String, String)>,
}

/// Every broken promise, one sentence each.
pub fn violations(observed: &Observed) -> Vec<String> {
    let mut found = nothing_is_lost(observed);
    for (id, stored) in &observed.stored {
        let of_one = [
            journal::is_whole(stored),
            journal::decides_once(stored),
            journal::recomputes(stored),
            journal::claims_exclude(stored),
            journal::answers_its_own_claims(stored),
            record::follows(stored),
            record::is_not_silent(stored),
            record::checks_are_journalled(stored),
            record::approval_is_earned(stored),
            record::tells_partners(stored, &observed.endpoints),
        ];
        found.extend(of_one.into_iter().flatten().map(|what| format!("verification {id}: {what}")));
    }
    found.extend(calls::are_claimed(observed));
    found.extend(canary::is_nowhere(observed));
    found
}

/// Checks that every acknowledged write is stored.
fn nothing_is_lost(observed: &Observed) -> Vec<String> {
    let is_there = |entry: &Acknowledged| {
        let Some(Stored { case, .. }) = observed.stored.get(&entry.verification) else { return false };
        match entry.collection {
            "verifications" => case.record.id == entry.id,
            "documents" => case.documents.iter().any(|row| row.id == entry.id),
            "liveness_sessions" => case.sessions.iter().any(|row| row.id == entry.id),
            "device_signals" => case.signals.iter().any(|row| row.id == entry.id),
            "actions" => case.actions.iter().any(|row| row.id == entry.id),
            _ => false,
        }
    };
    let lost = observed.acknowledged.iter().filter(|entry| !is_there(entry));
    lost.map(|entry| format!("{} {} was acknowledged and is lost", entry.collection, entry.id)).collect()
}

/// `problem` unless `good` holds.
fn unless(good: bool, problem: impl FnOnce() -> String) -> Option<String> {
    (!good).then(problem)
}

impl Observed {
    /// Every reason code of the checks, as reviewers see them.
    pub fn codes(&self) -> BTreeSet<&'static str> {
        let checks = self.stored.values().flat_map(|stored| &stored.case.checks);
        checks.flat_map(|check| &check.reasons).map(|reason| reason.code.as_str()).collect()
    }

    pub fn count(&self, operation: &str) -> usize {
        self.calls.iter().filter(|call| call.operation == operation).count()
    }
}
