//! Which provider calls were allowed, and so paid for.

use std::collections::{BTreeMap, BTreeSet};

use identivia::verification::{Kind, Work};

use super::{Observed, Stored};
use crate::system::sandbox::Call;

/// Most requests for a liveness result under one claim: the browser may report "finished" a moment
/// too early.
const RESULT_TRIES: usize = 10;
/// Most requests for an event that its provider does not know yet. Once it knows the event there
/// are no more.
const UNKNOWN_TRIES: usize = 3;
/// The status under which such a call is counted.
pub const UNKNOWN_EVENT: &str = "events.get (404)";

/// Checks that every call was claimed before it was made. All calls for one challenge carried one
/// key and got one session.
pub fn are_claimed(observed: &Observed) -> Vec<String> {
    let mut budget = Budget::default();
    for stored in observed.stored.values() {
        budget.add(stored);
    }
    let mut found = Vec::new();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut sessions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for call in &observed.calls {
        if !call.attempt.is_empty() && !call.attempt.starts_with("attempt=1") {
            found.push(format!("call {}: the SDK repeated {} by itself", call.seq, call.operation));
        }
        if call.operation == "CreateFaceLivenessSession" && !call.subject.is_empty() {
            sessions.entry(&call.idempotency_token).or_default().insert(&call.subject);
        }
        if let Some(key) = key(call) {
            *seen.entry((counted_as(call).to_owned(), key)).or_default() += 1;
        }
    }
    let torn = sessions.iter().filter(|(_, ids)| ids.len() > 1);
    found.extend(torn.map(|(token, ids)| format!("challenge {token} was opened as {} sessions", ids.len())));
    for (what, calls) in seen {
        let claimed = budget.claimed.get(&what).copied();
        let ours = observed.alone || (claimed.is_some() && !what.1.is_empty());
        let claimed = claimed.unwrap_or(0);
        if ours && calls > claimed {
            found.push(format!("{} for {:?}: {calls} calls under claims for {claimed}", what.0, what.1));
        }
    }
    found
}

/// The subject of a call; empty for pictures, which no journal names. `None` for calls that are
/// free and change nothing.
fn key(call: &Call) -> Option<String> {
    match call.operation.as_str() {
        "CreateFaceLivenessSession" => Some(call.idempotency_token.clone()),
        "GetFaceLivenessSessionResults" | "events.get" => Some(call.subject.clone()),
        "models.list" | "models.retrieve" => None,
        _ => Some(String::new()),
    }
}

fn counted_as(call: &Call) -> &str {
    if call.operation == "events.get" && call.status == Some(404) { UNKNOWN_EVENT } else { &call.operation }
}

/// The calls that claims allow, by operation and key.
#[derive(Default)]
struct Budget {
    claimed: BTreeMap<(String, String), usize>,
}

impl Budget {
    fn add(&mut self, stored: &Stored) {
        for claim in stored.case.claims() {
            let evidence = claim.work.evidence();
            match claim.work {
                Work::OpenSession { .. } => self.allow("CreateFaceLivenessSession", evidence, 1),
                Work::Liveness { .. } => {
                    let session = stored.case.session(evidence).map_or("", |session| session.session_id.as_str());
                    self.allow("GetFaceLivenessSessionResults", session, RESULT_TRIES);
                }
                Work::Device { .. } => {
                    let signal = stored.case.signals.iter().find(|signal| signal.id == evidence);
                    let event = signal.map_or("", |signal| signal.event_id.as_str());
                    self.allow("events.get", event, 1);
                    self.allow(UNKNOWN_EVENT, event, UNKNOWN_TRIES);
                }
                Work::Document { .. } => {
                    self.allow("DetectFaces", "", 1);
                    self.allow("chat.completions", "", 1);
                }
                Work::FaceMatch { .. } => self.allow("CompareFaces", "", 1),
            }
        }
    }

    fn allow(&mut self, operation: &str, key: &str, calls: usize) {
        *self.claimed.entry((operation.to_owned(), key.to_owned())).or_default() += calls;
    }
}

impl Observed {
    /// Paid calls that led to no finding of their own, by operation: the price of crashes between
    /// answer and record, and of provider errors.
    pub fn repeated(&self) -> BTreeMap<&'static str, usize> {
        let checks = |kind: Kind| self.stored.values().flat_map(|s| &s.case.checks).filter(|c| c.kind == kind).count();
        let opened = self.stored.values().flat_map(|s| &s.case.sessions).filter(|s| !s.session_id.is_empty()).count();
        let needed = [
            ("CreateFaceLivenessSession", opened),
            ("GetFaceLivenessSessionResults", checks(Kind::Liveness)),
            ("events.get", checks(Kind::Device)),
            ("DetectFaces", checks(Kind::Document)),
            ("chat.completions", checks(Kind::Document)),
            ("CompareFaces", checks(Kind::FaceMatch)),
        ];
        needed
            .into_iter()
            .map(|(operation, needed)| (operation, self.count(operation).saturating_sub(needed)))
            .collect()
    }
}
