//! The decision: the checks of an attempt and the pinned policy in, a status with its reasons out.
//!
//! [`decide`] is a pure function of stored records, so the same records always give the same
//! [`Decision`], byte for byte; its digest is in the journal. It reads no clock: whether a document
//! was expired is a finding of the day on which it was read.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::check::{Check, JudgedReason};
use super::journal::chain;
use super::kind::{Kind, Outcome};
use super::policy::Policy;
use super::reason::{Category, Code, Disposition, Reason};
use super::status::Status;

/// A reason of a decision, with the check that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedReason {
    /// The check; `None` for a reason that the decision itself adds.
    pub check: Option<Kind>,
    /// The judged reason.
    #[serde(flatten)]
    pub reason: JudgedReason,
}

/// What one required check contributed to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The required check.
    pub check: Kind,
    /// The attempt that its finding is from; `None` without a finding.
    pub attempt: Option<u32>,
    /// How the check ended; `None` without a finding.
    pub outcome: Option<Outcome>,
    /// The most severe disposition of its reasons.
    pub demand: Option<Disposition>,
    /// Whether it prevents an approval.
    pub blocks: bool,
}

/// The decision on one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The attempt that is decided.
    pub attempt: u32,
    /// Approved, declined, needs review or resubmission required.
    pub status: Status,
    /// Id of the policy that it rests on.
    pub policy: String,
    /// The reasons, most severe first.
    pub reasons: Vec<DecidedReason>,
    /// What each required check contributed.
    pub rules: Vec<Rule>,
    /// The checks to repeat, for a resubmission.
    pub redo: Vec<Kind>,
}

impl Decision {
    /// SHA-256 of the canonical JSON, in hex.
    pub fn digest(&self) -> String {
        chain::digest(&serde_json::to_value(self).unwrap_or_default())
    }

    /// The message keys that the person may see, most severe first, each once.
    pub fn message_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for decided in &self.reasons {
            let key = &decided.reason.user_message_key;
            if decided.reason.disposition >= Disposition::Resubmit && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }
}

/// The status of one required check.
enum CheckStatus<'a> {
    /// Its finding is in effect.
    Found(&'a Check),
    /// It cannot be run, because a check that it rests on yields no face.
    Impossible,
    /// It is still to be run.
    Missing,
}

fn status_of(case: &Case, kind: Kind) -> CheckStatus<'_> {
    if let Some(check) = case.effective_check(kind) {
        return CheckStatus::Found(check);
    }
    let faceless = |base: &Kind| case.effective_check(*base).is_some_and(|check| !check.yields_face());
    if kind.spec().rests_on.iter().any(faceless) { CheckStatus::Impossible } else { CheckStatus::Missing }
}

/// Whether a check has already decided the attempt, so that no other check need be asked for or
/// paid for.
pub fn already_decided(case: &Case, policy: &Policy) -> bool {
    policy.required_checks.iter().filter_map(|kind| case.effective_check(*kind)).any(Check::ends_attempt)
}

/// The decision on the current attempt, or `None` while a missing check can still change it.
pub fn decide(case: &Case, policy: &Policy) -> Option<Decision> {
    let checks: Vec<_> = policy.required_checks.iter().map(|kind| (*kind, status_of(case, *kind))).collect();
    let complete = !checks.iter().any(|(_, status)| matches!(status, CheckStatus::Missing));
    if !(complete || already_decided(case, policy)) || policy.required_checks.is_empty() {
        return None;
    }
    let rules: Vec<Rule> = checks.iter().map(|(kind, status)| rule(*kind, status)).collect();
    let mut reasons: Vec<DecidedReason> = checks
        .iter()
        .filter_map(|(kind, status)| if let CheckStatus::Found(check) = status { Some((*kind, check)) } else { None })
        .flat_map(|(kind, check)| {
            check.reasons.iter().map(move |reason| DecidedReason { check: Some(kind), reason: reason.clone() })
        })
        .collect();
    let (status, redo) = verdict(case.attempts_used() + 1, policy, &rules, &reasons);
    if status == Status::Declined && !rules.iter().any(|rule| rule.demand == Some(Disposition::Decline)) {
        let reason = Reason::new(Code::PolicyAttemptsExhausted, format!("{} attempts allowed", policy.attempts_max));
        // No provider failure, so the disposition is the same for every kind.
        reasons.push(DecidedReason { check: None, reason: JudgedReason::new(&reason, Kind::Document, policy) });
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.reason.disposition));
    Some(Decision { attempt: case.attempt(), status, policy: policy.id.clone(), reasons, rules, redo })
}

fn rule(kind: Kind, status: &CheckStatus<'_>) -> Rule {
    match status {
        CheckStatus::Found(check) => Rule {
            check: kind,
            attempt: Some(check.attempt),
            outcome: Some(check.outcome),
            demand: check.demand(),
            blocks: !check.allows_approval(),
        },
        CheckStatus::Impossible | CheckStatus::Missing => {
            Rule { check: kind, attempt: None, outcome: None, demand: None, blocks: true }
        }
    }
}

/// The status that follows, and the checks to repeat. `number` counts the attempts that automatic
/// decisions close, from 1.
///
/// Decline comes first, then resubmission, then review, then approval. A check whose own reasons
/// ask for a reviewer is not retried away.
fn verdict(number: u32, policy: &Policy, rules: &[Rule], reasons: &[DecidedReason]) -> (Status, Vec<Kind>) {
    let demands = |wanted: Disposition| rules.iter().any(|rule| rule.demand == Some(wanted));
    if demands(Disposition::Decline) {
        return (Status::Declined, Vec::new());
    }
    if demands(Disposition::Resubmit) {
        if number < policy.attempts_max {
            return (Status::ResubmissionRequired, redo(rules));
        }
        // A technical failure never declines a person.
        let persons_part = reasons
            .iter()
            .any(|r| r.reason.disposition == Disposition::Resubmit && r.reason.category != Category::Technical);
        return (if persons_part { Status::Declined } else { Status::NeedsReview }, Vec::new());
    }
    if rules.iter().any(|rule| rule.blocks) {
        return (Status::NeedsReview, Vec::new());
    }
    (Status::Approved, Vec::new())
}

/// The checks to repeat: a face match that could not be made needs both of its pictures again.
fn redo(rules: &[Rule]) -> Vec<Kind> {
    let failed = rules.iter().filter(|rule| rule.demand == Some(Disposition::Resubmit));
    let mut redo: Vec<Kind> = failed.flat_map(|rule| rule.check.repeated_by()).collect();
    redo.sort_unstable();
    redo.dedup();
    redo
}
