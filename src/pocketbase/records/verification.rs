//! `verifications`: one record for each verification, with what the person declared and the summary
//! of the case.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::columns::instant_or_none;
use super::policy::DEFAULT_POLICY;
use crate::pocketbase::error::Result;
use crate::pocketbase::filter::{Alternative, Filter};
use crate::pocketbase::record_id::id_of;
use crate::verification::summary::Summary;
use crate::verification::{DocumentType, Source, Status};

const FINAL: &str = "final";
/// The hash of the idempotency key; unique where not empty.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";

/// A `verifications` record as the facade shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredVerification {
    /// Record id.
    pub id: String,
    /// Id of the person's record in `users`.
    pub user: String,
    /// The partner's name for the person; may be empty.
    pub reference: String,
    /// The policy that was asked for; empty means [`DEFAULT_POLICY`].
    pub policy_name: String,
    /// Status of the case.
    pub status: Status,
    /// Whether the case is closed; only a reviewer or operator can reopen it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// `seq` of the last journal row; 0 before the first pass.
    pub version: u32,
    /// `automatic`, `reviewer`, or empty while undecided.
    pub decision_source: String,
    /// `[{code, category, message_key}]`, or null.
    #[serde(default)]
    pub reasons: Value,
    /// The inputs that the person still has to submit, such as `["document"]`, or null.
    #[serde(default)]
    pub next: Value,
    /// `{kind: outcome}`, or null.
    #[serde(default)]
    pub results: Value,
    /// Number of attempts that were begun.
    pub attempts_used: u32,
    /// Number of attempts that the policy allows; 0 before the first pass.
    pub attempts_max: u32,
    /// Language of the texts for the person; may be empty.
    pub locale: String,
    /// Hash of the facade's idempotency key; may be empty.
    pub idempotency_key: String,
    /// Hash of the request that the idempotency key was sent with; may be empty.
    pub request_hash: String,
    /// When the verification expires unless the person submits something.
    #[serde(deserialize_with = "instant_or_none")]
    pub expires_at: Option<Timestamp>,
    /// When the case was decided.
    #[serde(deserialize_with = "instant_or_none")]
    pub decided_at: Option<Timestamp>,
    /// Until when an approval is valid.
    #[serde(deserialize_with = "instant_or_none")]
    pub verified_until: Option<Timestamp>,
    /// When the record was created.
    pub created: Timestamp,
    /// When the record was last changed.
    pub updated: Timestamp,
}

impl StoredVerification {
    pub(in crate::pocketbase) const FIELDS: &'static str = "id,user,reference,policy_name,status,final,version,decision_source,reasons,next,results,attempts_used,attempts_max,locale,\
         idempotency_key,request_hash,expires_at,decided_at,verified_until,created,updated";

    /// Name of the policy that the verification is decided under.
    pub fn policy(&self) -> &str {
        if self.policy_name.is_empty() { DEFAULT_POLICY } else { &self.policy_name }
    }
}

/// A verification that the facade creates. An empty text means that it was not given.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewVerification {
    /// Id of the person's record in `users`.
    pub user: String,
    /// The partner's name for the person.
    pub reference: String,
    /// The policy that is asked for; empty means [`DEFAULT_POLICY`].
    pub policy_name: String,
    /// Full name.
    pub declared_name: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub declared_date_of_birth: String,
    /// Type of the document that the person will show.
    pub declared_document_type: Option<DocumentType>,
    /// Number of that document.
    pub declared_document_number: String,
    /// Issuing state of that document, ISO 3166, two or three letters.
    pub declared_country: String,
    /// E-mail address.
    pub contact_email: String,
    /// Telephone number.
    pub contact_phone: String,
    /// Version of the text that the person agreed to.
    pub consent_version: String,
    /// When the person agreed to it.
    pub consent_given_at: Option<Timestamp>,
    /// Language of the texts for the person, such as `es` or `en-GB`.
    pub locale: String,
    /// Data of the caller's own, at most 4 KiB.
    pub metadata: Option<Value>,
    /// Hash of the idempotency key, in hexadecimal digits; unique where not empty.
    pub idempotency_key: String,
    /// Hash of the request, in hexadecimal digits.
    pub request_hash: String,
}

/// What every batch writes on a `verifications` record: the summary of the case.
///
/// A date or a choice that is null is stored empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordPatch {
    /// Id of the pinned policy record.
    pub policy: String,
    /// Status of the case.
    pub status: Status,
    /// Whether the case is closed.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// `seq` of the last journal row of the batch.
    pub version: u32,
    /// What decided the case: the rules or a reviewer.
    pub decision_source: Option<Source>,
    /// `[{code, category, message_key}]`, safe for the person to see.
    pub reasons: Value,
    /// The inputs that the person still has to submit, such as `["document"]`.
    pub next: Value,
    /// `{kind: outcome}`, safe for the person to see.
    pub results: Value,
    /// Number of attempts that were begun.
    pub attempts_used: u32,
    /// Number of attempts that the policy allows.
    pub attempts_max: u32,
    /// When the verification expires unless the person submits something.
    pub expires_at: Option<Timestamp>,
    /// When the case was decided.
    pub decided_at: Option<Timestamp>,
    /// Until when an approval is valid.
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

/// The id of the verification that is created with an idempotency key, so that the key can be
/// looked up without a search.
pub fn id_of_idempotency_key(key: &str) -> String {
    id_of(&format!("verifications/{key}"))
}

/// The verifications that are not final.
pub fn open() -> Filter {
    Filter::default().equal_bool(FINAL, false)
}

/// The open verifications that may be due although no event says so: new, processing, or past their
/// expiry at `now`.
pub fn due(now: Timestamp) -> Result<Filter> {
    open().any_of([
        Alternative::equal("status", "")?,
        Alternative::equal("status", Status::Processing.as_str())?,
        Alternative::reached("expires_at", now),
    ])
}

/// The open verifications of a person.
pub fn open_of(user: &str) -> Result<Filter> {
    Ok(Filter::default().equal("user", user)?.equal_bool(FINAL, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_due_is_new_or_processing_or_expired() {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        assert_eq!(
            String::from(due(now).expect("a filter")),
            "final = false && (status = '' || status = 'processing' || \
             (expires_at != '' && expires_at <= '2027-01-15 08:00:00.000Z'))"
        );
    }
}
