//! `checks`: the finding of each check, and the rule tree of each decision.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::columns::{Aged, list_or_null};
use crate::verification::check::{JudgedReason, Pictures, ProviderTrace, Usage, check_id};
use crate::verification::decision::DecidedReason;
use crate::verification::{Check, Decision, Finding, Kind, Outcome, Status};

/// The `kind` of the row that holds a decision.
const DECISION: &str = "decision";

/// The parts of a `checks` record that only reviewers and partners' servers may see.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CheckDetail {
    /// Record id.
    pub id: String,
    /// Name of the check, such as `document`, or `decision`.
    pub kind: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// `passed`, `failed`, `review`, `not_executed` or `error`.
    pub outcome: String,
    /// Why the check was not executed; may be empty.
    pub not_executed_because: String,
    /// `[{code, category, disposition ..}]`.
    #[serde(default)]
    pub reasons: Value,
    /// Scores by name.
    #[serde(default)]
    pub scores: Value,
    /// What was read from the evidence.
    #[serde(default)]
    pub extracted: Value,
    /// When the record was created.
    pub created: Timestamp,
}

/// A finding as stored, apart from its pictures.
#[derive(Debug, Serialize)]
pub struct CheckFields<'a> {
    id: &'a str,
    verification: &'a str,
    kind: Kind,
    attempt: u32,
    outcome: Outcome,
    not_executed_because: &'a str,
    reasons: &'a [JudgedReason],
    scores: &'a Value,
    extracted: &'a Value,
    evidence: &'a [String],
    provider: &'a ProviderTrace,
    usage: &'a Usage,
    duration_ms: u64,
    started_at: Timestamp,
}

impl<'a> CheckFields<'a> {
    pub fn new(verification: &'a str, check: &'a Check, finding: &'a Finding, started_at: Timestamp) -> Self {
        Self {
            id: &check.id,
            verification,
            kind: check.kind,
            attempt: check.attempt,
            outcome: check.outcome,
            not_executed_because: &check.not_executed_because,
            reasons: &check.reasons,
            scores: &finding.judgement.scores,
            extracted: &finding.judgement.extracted,
            evidence: &check.evidence,
            provider: &finding.provider,
            usage: &finding.usage,
            duration_ms: finding.duration_ms,
            started_at,
        }
    }
}

/// The pictures of a finding, by their file fields.
pub fn pictures_of(finding: &Finding) -> impl Iterator<Item = (&'static str, &[u8])> {
    let pictures = [("reference_image", &finding.reference_image), ("portrait", &finding.portrait)];
    pictures.into_iter().filter_map(|(field, bytes)| Some((field, bytes.as_deref()?)))
}

/// A decision as stored: the row of kind `decision` that closes an attempt, with its rule tree.
#[derive(Debug, Serialize)]
pub struct DecisionFields<'a> {
    id: String,
    verification: &'a str,
    kind: &'static str,
    attempt: u32,
    outcome: Outcome,
    reasons: &'a [DecidedReason],
    extracted: Value,
    started_at: Timestamp,
}

impl<'a> DecisionFields<'a> {
    pub fn new(verification: &'a str, decision: &'a Decision, decided_at: Timestamp) -> Self {
        Self {
            id: check_id(verification, DECISION, decision.attempt),
            verification,
            kind: DECISION,
            attempt: decision.attempt,
            outcome: match decision.status {
                Status::Approved => Outcome::Passed,
                Status::NeedsReview => Outcome::Review,
                _ => Outcome::Failed,
            },
            reasons: &decision.reasons,
            extracted: json!({
                "status": decision.status,
                "policy": decision.policy,
                "redo": decision.redo,
                "rules": decision.rules,
            }),
            started_at: decided_at,
        }
    }
}

/// What a batch returns of a record that it created. A record of another collection has no
/// pictures.
#[derive(Deserialize)]
pub struct WrittenRow {
    pub created: Option<Timestamp>,
    id: Option<String>,
    #[serde(default)]
    reference_image: String,
    #[serde(default)]
    portrait: String,
}

impl WrittenRow {
    /// What is asked for of a `checks` record.
    pub const FIELDS: &'static str = "id,reference_image,portrait";
    /// What is asked for of any other record.
    pub const FIELDS_ELSEWHERE: &'static str = "created";

    /// The names under which the pictures of a finding were stored; `None` for a record without
    /// pictures.
    pub fn pictures(self) -> Option<Pictures> {
        let Self { id, reference_image, portrait, .. } = self;
        let named = !reference_image.is_empty() || !portrait.is_empty();
        id.filter(|_| named).map(|check| Pictures { check, reference_image, portrait })
    }
}

#[derive(Debug, Deserialize)]
pub struct CheckRow {
    id: String,
    kind: String,
    attempt: u32,
    outcome: Outcome,
    not_executed_because: String,
    #[serde(deserialize_with = "list_or_null")]
    reasons: Vec<JudgedReason>,
    #[serde(deserialize_with = "list_or_null")]
    evidence: Vec<String>,
    reference_image: String,
    portrait: String,
    created: Timestamp,
}

impl Aged for CheckRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl CheckRow {
    /// The finding; `None` for the row that holds a decision.
    pub fn into_check(self) -> Option<Check> {
        Some(Check {
            kind: Kind::parse(&self.kind)?,
            id: self.id,
            attempt: self.attempt,
            outcome: self.outcome,
            not_executed_because: self.not_executed_because,
            reasons: self.reasons,
            evidence: self.evidence,
            reference_image: self.reference_image,
            portrait: self.portrait,
        })
    }
}
