//! The replay: recomputes stored decisions from the records that they rested on.

use std::fmt;

use super::case::{Case, Phase};
use super::decision::decide;
use super::journal::{Event, Source};
use super::policy::Policy;
use super::status::Status;

/// A stored decision and the recomputed one. `Display` is a line for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// `seq` of the deciding row.
    pub seq: u32,
    /// The stored status.
    pub stored: Status,
    /// The status that follows from the stored records; `None` if no decision follows.
    pub recomputed: Option<Status>,
    /// Whether the digests are equal.
    pub same: bool,
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recomputed = self.recomputed.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
        let verdict = if self.same { "identical" } else { "DIFFERENT" };
        write!(f, "decision at {}: stored {}, recomputed {recomputed}, {verdict}", self.seq, self.stored)
    }
}

/// Recomputes every automatic decision of `case` under its pinned `policy`.
pub fn replay(case: &Case, policy: &Policy) -> Vec<Replayed> {
    case.journal
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| match &entry.event {
            Event::Decided { attempt, status, source: Source::Automatic, digest, .. } => {
                let mut then = case.clone();
                then.journal.truncate(index);
                then.checks.retain(|check| check.attempt <= *attempt);
                // No decision follows for a case that was not open: the writer of this row broke
                // the rules.
                let decision = (then.phase() == Phase::Open).then(|| decide(&then, policy)).flatten();
                Some(Replayed {
                    seq: entry.seq,
                    stored: *status,
                    recomputed: decision.as_ref().map(|d| d.status),
                    same: decision.is_some_and(|d| d.digest() == *digest),
                })
            }
            _ => None,
        })
        .collect()
}
