//! What is written. A date or a choice that is null is stored empty.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::verification::check::Hashes;
use crate::verification::check::{JudgedReason, ProviderTrace, Usage, check_id};
use crate::verification::decision::DecidedReason;
use crate::verification::summary::Summary;
use crate::verification::{
    ActionKind, Check, Decision, DocumentType, Entry, Finding, Kind, Outcome, SessionPatch, Source, Status,
};

/// What the service writes on a `verifications` record beside each journal row: the summary of the case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordPatch {
    /// Pinned policy record.
    pub policy: String,
    /// Where it stands.
    pub status: Status,
    /// Whether nothing more happens unless a person reopens it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// `seq` of the last journal row of the batch.
    pub version: u32,
    /// Who decided, if anybody.
    pub decision_source: Option<Source>,
    /// `[{code, category, message_key}]`, safe for the person.
    pub reasons: Value,
    /// Inputs the person owes.
    pub next: Value,
    /// `{kind: outcome}`, safe for the person.
    pub results: Value,
    /// Attempts begun.
    pub attempts_used: u32,
    /// Attempts in all.
    pub attempts_max: u32,
    /// When silence ends it.
    pub expires_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Until when an approval holds.
    pub verified_until: Option<Timestamp>,
}

impl From<Summary> for RecordPatch {
    fn from(summary: Summary) -> Self {
        let results: Map<String, Value> = summary
            .results
            .iter()
            .map(|(kind, outcome)| (kind.as_str().to_owned(), outcome.map_or("pending", |o| o.as_str()).into()))
            .collect();
        Self {
            policy: summary.policy,
            status: summary.status,
            is_final: summary.is_final,
            version: summary.version,
            decision_source: summary.decision_source,
            reasons: json!(summary.reasons),
            next: summary.next.iter().map(|kind| kind.as_str()).collect(),
            results: results.into(),
            attempts_used: summary.attempts_used,
            attempts_max: summary.attempts_max,
            expires_at: summary.expires_at,
            decided_at: summary.decided_at,
            verified_until: summary.verified_until,
        }
    }
}

/// A notification to send, stored in the batch of what it tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// `webhook_endpoints` record.
    pub endpoint: String,
    /// The journal row that is told.
    pub seq: u32,
    /// `verification.<status>`.
    pub event: String,
    /// What is sent.
    pub payload: Value,
    /// When to send it first; `None` for at once.
    pub next_attempt_at: Option<Timestamp>,
}

/// A verification that the facade creates for somebody. Empty texts mean "not said".
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewVerification {
    /// The person's `users` record.
    pub user: String,
    /// The partner's name for the person.
    pub reference: String,
    /// Policy asked for; empty means `default`.
    pub policy_name: String,
    /// Full name.
    pub declared_name: String,
    /// `YYYY-MM-DD`.
    pub declared_date_of_birth: String,
    /// Document type.
    pub declared_document_type: Option<DocumentType>,
    /// Document number.
    pub declared_document_number: String,
    /// Issuing state, ISO 3166, two or three letters.
    pub declared_country: String,
    /// E-mail address.
    pub contact_email: String,
    /// Telephone number.
    pub contact_phone: String,
    /// Which text the person agreed to.
    pub consent_version: String,
    /// When.
    pub consent_given_at: Option<Timestamp>,
    /// `es`, `en-GB` ...
    pub locale: String,
    /// The caller's own data, at most 4 KiB.
    pub metadata: Option<Value>,
    /// Hex; unique where not empty.
    pub idempotency_key: String,
    /// Hex.
    pub request_hash: String,
}

/// A document that the facade hands in for somebody.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The case.
    pub verification: String,
    /// What the person says it is.
    pub document_type: DocumentType,
    /// Issuing state; may be empty.
    pub country: String,
    /// The side with the portrait: JPEG or PNG. The bytes are shared, not copied.
    pub front: Bytes,
    /// The other side.
    pub back: Option<Bytes>,
}

/// The fields of a document beside its files.
#[derive(Debug, Serialize)]
pub struct DocumentFields<'a> {
    pub verification: &'a str,
    #[serde(rename = "type")]
    pub document_type: DocumentType,
    pub country: &'a str,
}

/// A challenge that the facade asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewLivenessSession {
    /// The case.
    pub verification: String,
}

/// A device event that the facade hands in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewDeviceSignal {
    /// The case.
    pub verification: String,
    /// Fingerprint's event id.
    pub event_id: String,
    /// `start`, `document` or `liveness`.
    pub stage: &'static str,
}

/// Something a person did through the facade.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewAction {
    /// The case.
    pub verification: String,
    /// The person: the case's `user`.
    pub user: String,
    /// What.
    #[serde(serialize_with = "action")]
    pub action: ActionKind,
    /// Which challenge, for [`ActionKind::LivenessCompleted`]; else empty.
    pub liveness_session: String,
}

/// A journal row as stored.
#[derive(Debug, Serialize)]
pub struct EntryFields<'a> {
    verification: &'a str,
    seq: u32,
    event: &'a str,
    data: &'a Value,
    action: &'a str,
    by: &'a str,
    previous_hash: &'a str,
    hash: &'a str,
}

impl<'a> EntryFields<'a> {
    pub fn new(verification: &'a str, entry: &'a Entry) -> Self {
        Self {
            verification,
            seq: entry.seq,
            event: &entry.name,
            data: &entry.data,
            action: &entry.action,
            by: &entry.by,
            previous_hash: &entry.previous_hash,
            hash: &entry.hash,
        }
    }
}

/// A finding as stored, beside its pictures.
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

/// What a document is known by, as stored. The row has the id of its check.
#[derive(Debug, Serialize)]
pub struct HashFields<'a> {
    id: &'a str,
    verification: &'a str,
    number: &'a str,
    number_first: bool,
    picture: &'a str,
    picture_first: bool,
    #[serde(flatten)]
    bands: BTreeMap<String, &'a str>,
}

impl<'a> HashFields<'a> {
    pub fn new(verification: &'a str, check: &'a str, hashes: &'a Hashes) -> Self {
        Self {
            id: check,
            verification,
            number: &hashes.number,
            number_first: hashes.number_first,
            picture: &hashes.picture,
            picture_first: hashes.picture_first,
            bands: hashes.bands.iter().enumerate().map(|(at, band)| (band_field(at), band.as_str())).collect(),
        }
    }
}

/// The field of a part of a picture's hash.
pub fn band_field(at: usize) -> String {
    format!("band_{at}")
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

/// The `kind` of the row that holds a decision.
const DECISION: &str = "decision";

/// What changes on a challenge: its status, and when it is opened the provider's side.
#[derive(Debug, Serialize)]
pub struct SessionFields<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl<'a> From<&'a SessionPatch> for SessionFields<'a> {
    fn from(patch: &'a SessionPatch) -> Self {
        let opened = patch.opened.as_ref();
        Self {
            status: patch.status.as_str(),
            session_id: opened.map(|o| o.session_id.as_str()),
            region: opened.map(|o| o.region.as_str()),
            challenge: opened.map(|o| o.challenge.as_str()),
            expires_at: opened.map(|o| o.expires_at),
        }
    }
}

/// A notification as stored.
#[derive(Debug, Serialize)]
pub struct DeliveryFields<'a> {
    verification: &'a str,
    status: &'static str,
    #[serde(flatten)]
    delivery: &'a Delivery,
}

impl<'a> DeliveryFields<'a> {
    pub fn new(verification: &'a str, delivery: &'a Delivery) -> Self {
        Self { verification, status: "pending", delivery }
    }
}

/// Our heartbeat as stored.
#[derive(Debug, Serialize)]
pub struct HeartbeatFields<'a> {
    pub instance: &'a str,
    pub version: &'a str,
    pub beat: u64,
    pub started_at: Option<Timestamp>,
}

/// A person known only by a partner's reference.
#[derive(Serialize)]
pub struct UserFields<'a> {
    pub id: &'a str,
    pub reference: &'a str,
    pub password: &'a str,
    #[serde(rename = "passwordConfirm")]
    pub password_again: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn action<S: Serializer>(action: &ActionKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(action.as_str())
}
