//! The decision: findings and the pinned policy in, a verdict with its reasons out.
//!
//! Replaying a verification's records through [`decide`] gives the same [`Decision`], byte for byte; its digest is in the
//! journal. Nothing here reads a clock: whether a document was expired is a finding, made on the day it was examined.

use serde::{Deserialize, Serialize};

use super::case::{Case, Phase};
use super::check::{Check, JudgedReason};
use super::journal;
use super::kind::{Kind, Outcome};
use super::policy::Policy;
use super::reason::{Category, Code, Disposition, Reason};
use super::status::Status;

/// A reason of a decision: the judged reason and the check it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedReason {
    /// The check; `None` for a reason that the decision itself adds.
    pub check: Option<Kind>,
    /// The reason.
    #[serde(flatten)]
    pub reason: JudgedReason,
}

/// One line of the rule tree: what a required check contributed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The required check.
    pub check: Kind,
    /// The attempt its finding is from; `None` without a finding.
    pub attempt: Option<u32>,
    /// How it ended; `None` without a finding.
    pub outcome: Option<Outcome>,
    /// What its reasons demand together.
    pub demand: Option<Disposition>,
    /// Whether it stands in the way of an approval.
    pub blocks: bool,
}

/// A verdict on one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The attempt.
    pub attempt: u32,
    /// Approved, declined, needs review or resubmission required.
    pub status: Status,
    /// The policy it rests on.
    pub policy: String,
    /// Why, gravest first.
    pub reasons: Vec<DecidedReason>,
    /// What each required check contributed.
    pub rules: Vec<Rule>,
    /// What must be handed in anew, for a resubmission.
    pub redo: Vec<Kind>,
}

impl Decision {
    /// SHA-256 of the canonical JSON, in hex.
    pub fn digest(&self) -> String {
        journal::digest(&serde_json::to_value(self).unwrap_or_default())
    }

    /// The message keys that may be shown to the person, gravest first, each once.
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

/// What is known of one required check.
enum Standing<'a> {
    /// Its finding counts.
    Found(&'a Check),
    /// It cannot be run because another check it rests on ended without usable evidence.
    Moot,
    /// It is still to come.
    Missing,
}

/// The finding of `kind` that counts now. A face match counts only for the pictures that count now.
pub fn counted(case: &Case, kind: Kind) -> Option<&Check> {
    let attempt = case.attempt();
    let found = case.finding(kind, attempt)?;
    if kind == Kind::FaceMatch {
        let newest =
            [Kind::Document, Kind::Liveness].iter().filter_map(|k| case.finding(*k, attempt)).map(|c| c.attempt).max();
        let both = [Kind::Document, Kind::Liveness].iter().all(|k| case.finding(*k, attempt).is_some());
        return (both && newest.is_some_and(|newest| found.attempt >= newest)).then_some(found);
    }
    Some(found)
}

/// Whether a finding of a document or a challenge gives a face that can be compared.
pub fn usable(check: &Check) -> bool {
    matches!(check.outcome, Outcome::Passed | Outcome::Review)
}

fn standing(case: &Case, kind: Kind) -> Standing<'_> {
    if let Some(check) = counted(case, kind) {
        return Standing::Found(check);
    }
    let unusable = |k: Kind| counted(case, k).is_some_and(|check| !usable(check));
    if kind == Kind::FaceMatch && (unusable(Kind::Document) || unusable(Kind::Liveness)) {
        return Standing::Moot;
    }
    Standing::Missing
}

/// Whether some finding already settles the attempt, so that nothing more need be asked or paid for.
pub fn settled(case: &Case, policy: &Policy) -> bool {
    policy
        .required_checks
        .iter()
        .filter_map(|kind| counted(case, *kind))
        .any(|check| matches!(check.demand(), Some(Disposition::Decline | Disposition::Resubmit)))
}

/// The verdict on the current attempt, or `None` while findings are missing that could still change it.
pub fn decide(case: &Case, policy: &Policy) -> Option<Decision> {
    let standings: Vec<_> = policy.required_checks.iter().map(|kind| (*kind, standing(case, *kind))).collect();
    let complete = !standings.iter().any(|(_, s)| matches!(s, Standing::Missing));
    if !(complete || settled(case, policy)) || policy.required_checks.is_empty() {
        return None;
    }
    let rules: Vec<Rule> = standings.iter().map(|(kind, s)| rule(*kind, s)).collect();
    let mut reasons: Vec<DecidedReason> = standings
        .iter()
        .filter_map(|(kind, s)| if let Standing::Found(check) = s { Some((*kind, check)) } else { None })
        .flat_map(|(kind, check)| {
            check.reasons.iter().map(move |reason| DecidedReason { check: Some(kind), reason: reason.clone() })
        })
        .collect();
    let (status, redo) = verdict(case.attempts_used() + 1, policy, &rules, &reasons);
    if status == Status::Declined && !rules.iter().any(|rule| rule.demand == Some(Disposition::Decline)) {
        let reason = Reason::new(Code::PolicyAttemptsExhausted, format!("{} attempts allowed", policy.attempts_max));
        reasons.push(DecidedReason { check: None, reason: JudgedReason::new(&reason, Kind::Document, policy) });
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.reason.disposition));
    Some(Decision { attempt: case.attempt(), status, policy: policy.id.clone(), reasons, rules, redo })
}

fn rule(kind: Kind, standing: &Standing<'_>) -> Rule {
    match standing {
        Standing::Found(check) => Rule {
            check: kind,
            attempt: Some(check.attempt),
            outcome: Some(check.outcome),
            demand: check.demand(),
            blocks: !clears(check),
        },
        Standing::Moot | Standing::Missing => {
            Rule { check: kind, attempt: None, outcome: None, demand: None, blocks: true }
        }
    }
}

/// Whether a finding does not stand in the way: it passed, or the policy said that it may be missing. Only the device
/// check may be; absent, unknown and undecided never clear.
fn clears(check: &Check) -> bool {
    match check.outcome {
        Outcome::Passed => check.demand().is_none(),
        Outcome::NotExecuted | Outcome::Error => {
            check.kind == Kind::Device
                && !check.reasons.is_empty()
                && check.reasons.iter().all(|r| r.disposition == Disposition::Inform)
        }
        Outcome::Failed | Outcome::Review => false,
    }
}

/// `using` is the how-manieth attempt this decision closes.
///
/// Decline, then ask again, then a person, then yes. A check whose own reasons ask for a person is not retried away.
fn verdict(using: u32, policy: &Policy, rules: &[Rule], reasons: &[DecidedReason]) -> (Status, Vec<Kind>) {
    let demands = |wanted: Disposition| rules.iter().any(|rule| rule.demand == Some(wanted));
    if demands(Disposition::Decline) {
        return (Status::Declined, Vec::new());
    }
    if demands(Disposition::Resubmit) {
        if using < policy.attempts_max {
            return (Status::ResubmissionRequired, redo(rules));
        }
        // Trouble of machines never declines a person.
        let person = reasons
            .iter()
            .any(|r| r.reason.disposition == Disposition::Resubmit && r.reason.category != Category::Technical);
        return (if person { Status::Declined } else { Status::NeedsReview }, Vec::new());
    }
    if rules.iter().any(|rule| rule.blocks) {
        return (Status::NeedsReview, Vec::new());
    }
    (Status::Approved, Vec::new())
}

/// What to hand in anew. A face match that could not be made needs both of its pictures.
fn redo(rules: &[Rule]) -> Vec<Kind> {
    let mut redo = Vec::new();
    for rule in rules.iter().filter(|rule| rule.demand == Some(Disposition::Resubmit)) {
        match rule.check {
            Kind::FaceMatch => redo.extend([Kind::Document, Kind::Liveness]),
            kind => redo.push(kind),
        }
    }
    redo.sort_unstable();
    redo.dedup();
    redo
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// `seq` of the deciding row.
    pub seq: u32,
    /// The stored status.
    pub stored: Status,
    /// The status that follows from the stored records; `None` if nothing does.
    pub recomputed: Option<Status>,
    /// Whether the digests are equal too.
    pub same: bool,
}

/// Recomputes every automatic decision of `case` from the records it rested on.
pub fn replay(case: &Case, policy: &Policy) -> Vec<Replayed> {
    case.journal
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| match &entry.event {
            journal::Event::Decided { attempt, status, source: journal::Source::Automatic, digest, .. } => {
                let mut then = case.clone();
                then.journal.truncate(index);
                then.checks.retain(|check| check.attempt <= *attempt);
                // Nothing follows for a case that was not open: whoever wrote this row broke the rules.
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
