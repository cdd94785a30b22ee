//! What is read.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::Collection;
use crate::verification::check::JudgedReason;
use crate::verification::{
    Action, ActionKind, Actor, Check, DeviceSignal, Document, DocumentType, Entry, Event, Kind, LivenessSession,
    Outcome, Policy, SessionStatus, Status, Verification,
};

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
    /// How far its sweep has come.
    pub sweep_cursor: String,
    /// When it was last patched, on `PocketBase`'s clock.
    pub updated: Timestamp,
}

/// One GET of a verification with everything that points to it, in the order of [`CASE_EXPAND`].
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
    #[serde(default)]
    expand: Children,
}

/// What points to a verification. `PocketBase` gives the first [`EXPAND_LIMIT`] of each.
#[derive(Debug, Default, Deserialize)]
pub struct Children {
    #[serde(default, rename = "journal_via_verification")]
    pub journal: Vec<EntryRow>,
    #[serde(default, rename = "documents_via_verification")]
    pub documents: Vec<DocumentRow>,
    #[serde(default, rename = "liveness_sessions_via_verification")]
    pub sessions: Vec<SessionRow>,
    #[serde(default, rename = "device_signals_via_verification")]
    pub signals: Vec<SignalRow>,
    #[serde(default, rename = "actions_via_verification")]
    pub actions: Vec<ActionRow>,
    #[serde(default, rename = "checks_via_verification")]
    pub checks: Vec<CheckRow>,
}

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

/// A row of a collection that points to a verification.
pub trait Child: DeserializeOwned {
    /// Where it is stored.
    const COLLECTION: Collection;
    /// What is read of it.
    const FIELDS: &'static str;
    /// What it is sorted by: order of creation, then id.
    fn age(&self) -> (Timestamp, &str);
}

/// How many rows an expand gives at most.
pub const EXPAND_LIMIT: usize = 1000;

/// The journal comes first: `PocketBase` reads in this order, and what is read after the journal is never older than it.
pub const CASE_EXPAND: [Collection; 6] = [
    Collection::Journal,
    DocumentRow::COLLECTION,
    SessionRow::COLLECTION,
    SignalRow::COLLECTION,
    ActionRow::COLLECTION,
    CheckRow::COLLECTION,
];

/// What is read of a case: scores, readings and costs of checks stay where they are.
pub fn case_fields() -> String {
    const RECORD: &str = "id,user,reference,policy_name,policy,declared_name,declared_date_of_birth,declared_document_type,\
                          declared_document_number,declared_country,locale,status,version,created";
    let children = [
        (Collection::Journal, EntryRow::FIELDS),
        (DocumentRow::COLLECTION, DocumentRow::FIELDS),
        (SessionRow::COLLECTION, SessionRow::FIELDS),
        (SignalRow::COLLECTION, SignalRow::FIELDS),
        (ActionRow::COLLECTION, ActionRow::FIELDS),
        (CheckRow::COLLECTION, CheckRow::FIELDS),
    ];
    children.iter().fold(RECORD.to_owned(), |all, (collection, fields)| {
        fields.split(',').fold(all, |all, field| format!("{all},expand.{}.{field}", via_verification(*collection)))
    })
}

/// The name of the back relation.
pub fn via_verification(collection: Collection) -> String {
    format!("{}_via_verification", collection.name())
}

impl CaseRow {
    /// The record and what points to it.
    pub fn split(self) -> (Verification, Children) {
        let record = Verification {
            id: self.id,
            user: self.user,
            reference: self.reference,
            policy_name: self.policy_name,
            policy: self.policy,
            declared_name: self.declared_name,
            // The collection's pattern admits days that no calendar has; such a day says nothing.
            declared_date_of_birth: self.declared_date_of_birth.parse().ok(),
            declared_document_type: DocumentType::parse(&self.declared_document_type),
            declared_document_number: self.declared_document_number,
            declared_country: self.declared_country,
            locale: self.locale,
            status: self.status,
            version: self.version,
            created: self.created,
        };
        (record, self.expand)
    }
}

#[derive(Debug, Deserialize)]
pub struct EntryRow {
    pub seq: u32,
    event: String,
    #[serde(default)]
    data: Value,
    action: String,
    by: String,
    previous_hash: String,
    pub hash: String,
    pub created: Timestamp,
}

impl EntryRow {
    /// What is read of it.
    pub const FIELDS: &'static str = "seq,event,data,action,by,previous_hash,hash,created";
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
pub struct DocumentRow {
    id: String,
    #[serde(rename = "type")]
    document_type: DocumentType,
    country: String,
    front: String,
    back: String,
    created: Timestamp,
}

impl Child for DocumentRow {
    const COLLECTION: Collection = Collection::Documents;
    const FIELDS: &'static str = "id,type,country,front,back,created";

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
pub struct SessionRow {
    id: String,
    session_id: String,
    region: String,
    #[serde(deserialize_with = "session_status")]
    status: SessionStatus,
    #[serde(deserialize_with = "instant_or_none")]
    expires_at: Option<Timestamp>,
    created: Timestamp,
}

impl Child for SessionRow {
    const COLLECTION: Collection = Collection::LivenessSessions;
    const FIELDS: &'static str = "id,session_id,region,status,expires_at,created";

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
pub struct SignalRow {
    id: String,
    event_id: String,
    created: Timestamp,
}

impl Child for SignalRow {
    const COLLECTION: Collection = Collection::DeviceSignals;
    const FIELDS: &'static str = "id,event_id,created";

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
pub struct ActionRow {
    id: String,
    action: String,
    liveness_session: String,
    reason: String,
    #[serde(default)]
    redo: Vec<String>,
    user: String,
    reviewer: String,
    created: Timestamp,
}

impl Child for ActionRow {
    const COLLECTION: Collection = Collection::Actions;
    const FIELDS: &'static str = "id,action,liveness_session,reason,redo,user,reviewer,created";

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
pub struct CheckRow {
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

impl Child for CheckRow {
    const COLLECTION: Collection = Collection::Checks;
    const FIELDS: &'static str =
        "id,kind,attempt,outcome,not_executed_because,reasons,evidence,reference_image,portrait,created";

    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl CheckRow {
    /// The finding; `None` for the row that holds a decision's rule tree.
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
