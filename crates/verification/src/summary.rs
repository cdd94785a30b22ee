//! The summary: what the `verifications` record shows of a case. Derived, never remembered.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::case::{Case, Phase};
use super::decision::counted;
use super::journal::{Event, Source};
use super::kind::{Kind, Outcome, SessionStatus};
use super::policy::Policy;
use super::reason::{Category, Code};
use super::status::Status;

/// A reason as the verified person may see it. Fraud is never named: its `code` is the neutral message key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeReason {
    /// Reason code, or the neutral key that stands for it.
    pub code: String,
    /// What kind of thing it is; fraud shows as `policy`.
    pub category: Category,
    /// Key of the text to show.
    pub message_key: String,
}

/// What the service writes on the `verifications` record with every batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Derived status.
    pub status: Status,
    /// Whether nothing more happens by itself.
    pub is_final: bool,
    /// Last journal `seq`.
    pub version: u32,
    /// Who decided, once decided.
    pub decision_source: Option<Source>,
    /// Why, safe for the person.
    pub reasons: Vec<SafeReason>,
    /// What the person owes.
    pub next: Vec<Kind>,
    /// Outcome of each required check; `None` while it is to come.
    pub results: Vec<(Kind, Option<Outcome>)>,
    /// Attempts that a decision closed.
    pub attempts_used: u32,
    /// Attempts in all.
    pub attempts_max: u32,
    /// When silence ends it.
    pub expires_at: Option<Timestamp>,
    /// When the standing decision was made.
    pub decided_at: Option<Timestamp>,
    /// Until when an approval holds.
    pub verified_until: Option<Timestamp>,
    /// Id of the pinned policy.
    pub policy: String,
}

/// The inputs that the current attempt still lacks, as far as nothing has settled it.
pub fn missing(case: &Case, policy: &Policy) -> Vec<Kind> {
    policy
        .required_checks
        .iter()
        .copied()
        .filter(|kind| kind.needs_input() && counted(case, *kind).is_none())
        .filter(|kind| match kind {
            Kind::Device => case.fresh_signal().is_none(),
            Kind::Document => case.fresh_document().is_none(),
            Kind::Liveness => {
                !case.sessions.iter().any(|s| s.status == SessionStatus::Open && case.said_completed(&s.id))
            }
            Kind::FaceMatch => false,
        })
        .collect()
}

/// The status that follows from the journal, the evidence and the findings.
pub fn status(case: &Case, policy: &Policy) -> Status {
    match case.phase() {
        Phase::Unstarted => Status::Created,
        Phase::Decided(status, _) => status,
        Phase::Reopened => Status::NeedsReview,
        Phase::Canceled => Status::Canceled,
        Phase::Expired => Status::Expired,
        Phase::Open if missing(case, policy).is_empty() => Status::Processing,
        Phase::Open if case.attempt() == 1 => Status::AwaitingInput,
        Phase::Open => Status::ResubmissionRequired,
    }
}

/// The summary of `case` under its pinned `policy`.
pub fn summary(case: &Case, policy: &Policy) -> Summary {
    let status = status(case, policy);
    let open = case.phase() == Phase::Open;
    let decided = case.journal.iter().rev().find_map(|entry| match &entry.event {
        Event::Decided { source, codes, .. } => Some((entry.created, *source, codes)),
        _ => None,
    });
    // A reopened verification has no standing decision; an open one shows the reasons of the attempt that just failed.
    let standing = decided.filter(|_| !matches!(case.phase(), Phase::Reopened | Phase::Canceled | Phase::Expired));
    let next = if open { missing(case, policy) } else { Vec::new() };
    Summary {
        status,
        is_final: status.is_final(),
        version: case.seq(),
        decision_source: standing.map(|(_, source, _)| source),
        reasons: standing.map(|(_, _, codes)| codes.iter().map(|key| safe(key)).collect()).unwrap_or_default(),
        results: policy.required_checks.iter().map(|kind| (*kind, outcome(case, *kind, &next))).collect(),
        next,
        attempts_used: case.attempts_used(),
        attempts_max: policy.attempts_max,
        expires_at: if open { case.expires_at(policy) } else { None },
        decided_at: standing.map(|(at, _, _)| at),
        verified_until: standing
            .filter(|_| status == Status::Approved && policy.verified_days > 0)
            .map(|(at, _, _)| at + SignedDuration::from_hours(24 * i64::from(policy.verified_days))),
        policy: policy.id.clone(),
    }
}

/// The outcome to show for `kind`: the one that counts, or, while the person owes new evidence, the one that asked for it.
fn outcome(case: &Case, kind: Kind, owed: &[Kind]) -> Option<Outcome> {
    let last = || case.checks.iter().filter(|check| check.kind == kind).max_by_key(|check| check.attempt);
    counted(case, kind).or_else(|| last().filter(|_| owed.contains(&kind))).map(|check| check.outcome)
}

fn safe(key: &str) -> SafeReason {
    let category = match Code::parse(key).map(|code| code.entry().category) {
        Some(Category::Fraud) | None => Category::Policy,
        Some(category) => category,
    };
    SafeReason { code: key.to_owned(), category, message_key: key.to_owned() }
}
