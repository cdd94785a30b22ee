//! What is read.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::verification::check::JudgedReason;
use crate::verification::{
    Action, ActionKind, Actor, Case, Check, DeviceSignal, Document, DocumentType, Entry, Event, Kind, LivenessSession,
    Outcome, Policy, SessionStatus, Status, Verification,
};

/// The policy of verifications that name none.
pub const DEFAULT_POLICY: &str = "default";

/// A `verifications` record as the facade shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredVerification {
    /// Record id.
    pub id: String,
    /// The person.
    pub user: String,
    /// The partner's name for the person.
    pub reference: String,
    /// Policy asked for; empty means `default`.
    pub policy_name: String,
    /// Where it stands.
    pub status: Status,
    /// Whether nothing more happens unless a person reopens it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// `seq` of the last journal row; 0 before the first pass.
    pub version: u32,
    /// `automatic`, `reviewer`, or empty.
    pub decision_source: String,
    /// `[{code, category, message_key}]`, or null.
    #[serde(default)]
    pub reasons: Value,
    /// Inputs the person owes, or null.
    #[serde(default)]
    pub next: Value,
    /// `{kind: outcome}`, or null.
    #[serde(default)]
    pub results: Value,
    /// Attempts begun.
    pub attempts_used: u32,
    /// Attempts in all; 0 before the first pass.
    pub attempts_max: u32,
    /// Language for the person's texts; may be empty.
    pub locale: String,
    /// Hash of the facade's idempotency key; may be empty.
    pub idempotency_key: String,
    /// Hash of the facade's request; may be empty.
    pub request_hash: String,
    /// When silence ends it.
    #[serde(deserialize_with = "instant_or_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was decided.
    #[serde(deserialize_with = "instant_or_none")]
    pub decided_at: Option<Timestamp>,
    /// Until when an approval holds.
    #[serde(deserialize_with = "instant_or_none")]
    pub verified_until: Option<Timestamp>,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl StoredVerification {
    pub(in crate::pocketbase) const FIELDS: &'static str = "id,user,reference,policy_name,status,final,version,decision_source,reasons,next,results,attempts_used,attempts_max,locale,\
         idempotency_key,request_hash,expires_at,decided_at,verified_until,created,updated";

    /// Name of the policy it is decided under, whichever version.
    pub fn policy(&self) -> &str {
        if self.policy_name.is_empty() { DEFAULT_POLICY } else { &self.policy_name }
    }
}

/// A `liveness_sessions` record as the facade shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredSession {
    /// Record id.
    pub id: String,
    /// The case.
    pub verification: String,
    /// The provider's session id; empty until opened.
    pub session_id: String,
    /// Where it was opened.
    pub region: String,
    /// Challenge type.
    pub challenge: String,
    /// Where it stands.
    #[serde(deserialize_with = "session_status")]
    pub status: SessionStatus,
    /// Until when the provider keeps it.
    #[serde(deserialize_with = "instant_or_none")]
    pub expires_at: Option<Timestamp>,
}

/// The parts of a `checks` record that only reviewers and partners' servers may see.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CheckDetail {
    /// Record id.
    pub id: String,
    /// What was checked.
    pub kind: String,
    /// In which attempt.
    pub attempt: u32,
    /// How it ended.
    pub outcome: String,
    /// Why it did not run; may be empty.
    pub not_executed_because: String,
    /// `[{code, category, disposition ..}]`.
    #[serde(default)]
    pub reasons: Value,
    /// Numbers.
    #[serde(default)]
    pub scores: Value,
    /// What was read.
    #[serde(default)]
    pub extracted: Value,
    /// When it was stored.
    pub created: Timestamp,
}

/// A `heartbeats` record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Heartbeat {
    /// Record id.
    pub id: String,
    /// Name of one running sidecar.
    pub instance: String,
    /// Its version.
    pub version: String,
    /// Counts up while it lives.
    pub beat: u64,
    /// When it was last patched, on `PocketBase`'s clock.
    pub updated: Timestamp,
}

/// A row of the view `cases`: a verification with everything that belongs to it, all of one moment.
#[derive(Debug, Deserialize)]
pub struct CaseRow {
    id: String,
    user: String,
    reference: String,
    policy_name: String,
    policy: String,
    declared_name: String,
    declared_date_of_birth: String,
    declared_document_type: String,
    declared_document_number: String,
    declared_country: String,
    locale: String,
    status: Status,
    version: u32,
    created: Timestamp,
    journal: Vec<EntryRow>,
    documents: Vec<DocumentRow>,
    liveness_sessions: Vec<SessionRow>,
    device_signals: Vec<SignalRow>,
    actions: Vec<ActionRow>,
    checks: Vec<CheckRow>,
}

/// How many rows `PocketBase` gives at most of what an expand brings.
pub const EXPAND_LIMIT: usize = 1000;

/// The back relation from a person to their verifications.
pub const VERIFICATIONS_OF_USER: &str = "verifications_via_user";

/// A person with their verifications.
#[derive(Debug, Deserialize)]
pub struct UserRow {
    #[serde(default)]
    expand: UserChildren,
}

#[derive(Debug, Default, Deserialize)]
struct UserChildren {
    #[serde(default, rename = "verifications_via_user")]
    verifications: Vec<StoredVerification>,
}

impl UserRow {
    /// Their verifications, at most [`EXPAND_LIMIT`].
    pub fn verifications(self) -> Vec<StoredVerification> {
        self.expand.verifications
    }
}

/// What is read of a person.
pub fn fields_of_user() -> String {
    let fields = StoredVerification::FIELDS.split(',');
    fields.fold("id".to_owned(), |all, field| format!("{all},expand.{VERIFICATIONS_OF_USER}.{field}"))
}

/// A row that has an age.
trait Aged {
    /// Order of creation, then id.
    fn age(&self) -> (Timestamp, &str);
}

fn oldest_first<R: Aged>(mut rows: Vec<R>) -> impl Iterator<Item = R> {
    rows.sort_by(|a, b| a.age().cmp(&b.age()));
    rows.into_iter()
}

impl From<CaseRow> for Case {
    fn from(row: CaseRow) -> Self {
        let record = Verification {
            id: row.id,
            user: row.user,
            reference: row.reference,
            policy_name: row.policy_name,
            policy: row.policy,
            declared_name: row.declared_name,
            // The collection's pattern admits days that no calendar has; such a day says nothing.
            declared_date_of_birth: row.declared_date_of_birth.parse().ok(),
            declared_document_type: DocumentType::parse(&row.declared_document_type),
            declared_document_number: row.declared_document_number,
            declared_country: row.declared_country,
            locale: row.locale,
            status: row.status,
            version: row.version,
            created: row.created,
        };
        let mut journal: Vec<Entry> = row.journal.into_iter().map(Into::into).collect();
        journal.sort_by_key(|entry| entry.seq);
        Self {
            record,
            journal,
            documents: oldest_first(row.documents).map(Into::into).collect(),
            sessions: oldest_first(row.liveness_sessions).map(Into::into).collect(),
            signals: oldest_first(row.device_signals).map(Into::into).collect(),
            actions: oldest_first(row.actions).map(Into::into).collect(),
            checks: oldest_first(row.checks).filter_map(CheckRow::into_check).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct EntryRow {
    seq: u32,
    event: String,
    #[serde(default)]
    data: Value,
    action: String,
    by: String,
    previous_hash: String,
    hash: String,
    created: Timestamp,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            seq: row.seq,
            event: Event::from_parts(&row.event, &row.data),
            data: row.data,
            name: row.event,
            action: row.action,
            by: row.by,
            previous_hash: row.previous_hash,
            hash: row.hash,
            created: row.created,
        }
    }
}

#[derive(Debug, Deserialize)]
struct DocumentRow {
    id: String,
    #[serde(rename = "type")]
    document_type: DocumentType,
    country: String,
    front: String,
    back: String,
    created: Timestamp,
}

impl Aged for DocumentRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<DocumentRow> for Document {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: row.id,
            document_type: row.document_type,
            country: row.country,
            front: row.front,
            back: row.back,
            created: row.created,
        }
    }
}

#[derive(Debug, Deserialize)]
struct SessionRow {
    id: String,
    session_id: String,
    region: String,
    #[serde(deserialize_with = "session_status")]
    status: SessionStatus,
    #[serde(deserialize_with = "instant_or_none")]
    expires_at: Option<Timestamp>,
    created: Timestamp,
}

impl Aged for SessionRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<SessionRow> for LivenessSession {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            session_id: row.session_id,
            region: row.region,
            status: row.status,
            expires_at: row.expires_at,
            created: row.created,
        }
    }
}

#[derive(Debug, Deserialize)]
struct SignalRow {
    id: String,
    event_id: String,
    created: Timestamp,
}

impl Aged for SignalRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<SignalRow> for DeviceSignal {
    fn from(row: SignalRow) -> Self {
        Self { id: row.id, event_id: row.event_id, created: row.created }
    }
}

#[derive(Debug, Deserialize)]
struct ActionRow {
    id: String,
    action: String,
    liveness_session: String,
    reason: String,
    #[serde(deserialize_with = "null_is_empty")]
    redo: Vec<String>,
    user: String,
    reviewer: String,
    created: Timestamp,
}

impl Aged for ActionRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<ActionRow> for Action {
    fn from(row: ActionRow) -> Self {
        let actor = if !row.reviewer.is_empty() {
            Actor::Reviewer(row.reviewer)
        } else if !row.user.is_empty() {
            Actor::User
        } else {
            Actor::Superuser
        };
        Self {
            id: row.id,
            kind: ActionKind::parse(&row.action),
            name: row.action,
            liveness_session: row.liveness_session,
            reason: row.reason,
            redo: row.redo.iter().filter_map(|kind| Kind::parse(kind)).collect(),
            actor,
            created: row.created,
        }
    }
}

#[derive(Debug, Deserialize)]
struct CheckRow {
    id: String,
    kind: String,
    attempt: u32,
    outcome: Outcome,
    not_executed_because: String,
    #[serde(deserialize_with = "null_is_empty")]
    reasons: Vec<JudgedReason>,
    #[serde(deserialize_with = "null_is_empty")]
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
    /// The finding; `None` for the row that holds a decision's rule tree.
    fn into_check(self) -> Option<Check> {
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

/// A policy as stored. A JSON field that nobody filled in is null, which here means the field's default.
pub fn policy(stored: Value) -> Result<Policy, serde_json::Error> {
    let Value::Object(mut fields) = stored else {
        return Err(de::Error::custom("not an object"));
    };
    fields.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(fields))
}

/// A stored date, where empty means none.
fn instant_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(de::Error::custom)
}

fn session_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SessionStatus, D::Error> {
    let text = String::deserialize(deserializer)?;
    SessionStatus::parse(&text).ok_or_else(|| de::Error::custom("unknown session status"))
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
