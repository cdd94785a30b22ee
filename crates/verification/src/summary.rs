//! The summary: what the `verifications` record shows of a case. It is derived from the case each
//! time, never read back.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::case::{Case, Phase};
use super::journal::{Event, Source};
use super::kind::{Kind, Outcome};
use super::policy::Policy;
use super::reason::{Category, Code};
use super::status::Status;

/// A reason as the verified person may see it. Fraud is never named: its `code` is the neutral
/// message key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeReason {
    /// Reason code, or the neutral message key that replaces it.
    pub code: String,
    /// What the reason is about; fraud is shown as `policy`.
    pub category: Category,
    /// Key of the text to show.
    pub message_key: String,
}

/// What the service writes on the `verifications` record with every batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The derived status.
    pub status: Status,
    /// Whether nothing more happens without a person.
    pub is_final: bool,
    /// `seq` of the last journal row.
    pub version: u32,
    /// Who made the decision that is in force.
    pub decision_source: Option<Source>,
    /// The reasons of that decision, as the person may see them.
    pub reasons: Vec<SafeReason>,
    /// The checks for which the person must submit something.
    pub next: Vec<Kind>,
    /// Outcome of each required check; `None` until there is one.
    pub results: Vec<(Kind, Option<Outcome>)>,
    /// Number of attempts that automatic decisions closed.
    pub attempts_used: u32,
    /// Number of attempts that the person has.
    pub attempts_max: u32,
    /// When the verification expires if the person submits nothing.
    pub expires_at: Option<Timestamp>,
    /// When the decision in force was made.
    pub decided_at: Option<Timestamp>,
    /// Until when an approval is valid.
    pub verified_until: Option<Timestamp>,
    /// Id of the pinned policy.
    pub policy: String,
}

/// The required checks for which the person must still submit something in the current attempt.
pub fn missing(case: &Case, policy: &Policy) -> Vec<Kind> {
    let required = policy.required_checks.iter().copied();
    required.filter(|kind| case.effective_check(*kind).is_none() && !case.has_input(*kind)).collect()
}

/// The status that follows from the journal, the evidence and the checks.
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
    let last = case.journal.iter().rev().find_map(|entry| match &entry.event {
        Event::Decided { source, codes, .. } => Some((entry.created, *source, codes)),
        _ => None,
    });
    // A reopened verification has no decision in force; an open one shows the reasons of the
    // attempt that just failed.
    let decided = last.filter(|_| !matches!(case.phase(), Phase::Reopened | Phase::Canceled | Phase::Expired));
    let next = if open { missing(case, policy) } else { Vec::new() };
    Summary {
        status,
        is_final: status.is_final(),
        version: case.seq(),
        decision_source: decided.map(|(_, source, _)| source),
        reasons: decided.map(|(_, _, codes)| codes.iter().map(|key| safe(key)).collect()).unwrap_or_default(),
        results: policy.required_checks.iter().map(|kind| (*kind, outcome(case, *kind, &next))).collect(),
        next,
        attempts_used: case.attempts_used(),
        attempts_max: policy.attempts_max,
        expires_at: if open { case.expires_at(policy) } else { None },
        decided_at: decided.map(|(at, _, _)| at),
        verified_until: decided
            .filter(|_| status == Status::Approved && policy.verified_days > 0)
            .map(|(at, _, _)| at + SignedDuration::from_hours(24 * i64::from(policy.verified_days))),
        policy: policy.id.clone(),
    }
}

/// The outcome to show for `kind`: of the check in effect, or of the last one while the person must
/// repeat it.
fn outcome(case: &Case, kind: Kind, owed: &[Kind]) -> Option<Outcome> {
    let last = || case.checks.iter().filter(|check| check.kind == kind).max_by_key(|check| check.attempt);
    let check = case.effective_check(kind).or_else(|| last().filter(|_| owed.contains(&kind)));
    check.map(|check| check.outcome)
}

fn safe(key: &str) -> SafeReason {
    let category = match Code::parse(key).map(|code| code.entry().category) {
        Some(Category::Fraud) | None => Category::Policy,
        Some(category) => category,
    };
    SafeReason { code: key.to_owned(), category, message_key: key.to_owned() }
}
