//! A verification as callers see it, copied from the stored record field by field, so that no other
//! data leaks.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{Object, ObjectBuilder, Type};

use super::messages::{self, Language};
use super::responses::KNOWN_VALUES;
use crate::pocketbase::records::{CheckDetail, StoredVerification};
use crate::verification::{Code, Kind, Policy, Status};

/// Status of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusName {
    /// Stored, not processed yet.
    Created,
    /// The person must submit input.
    AwaitingInput,
    /// All input is complete; checks run.
    Processing,
    /// The person is verified.
    Approved,
    /// The verification failed.
    Declined,
    /// A reviewer must decide.
    NeedsReview,
    /// The person must submit new input for another attempt.
    ResubmissionRequired,
    /// The person or the caller canceled it.
    Canceled,
    /// The person submitted no input in time.
    Expired,
}

impl From<Status> for StatusName {
    fn from(status: Status) -> Self {
        match status {
            Status::Created => Self::Created,
            Status::AwaitingInput => Self::AwaitingInput,
            Status::Processing => Self::Processing,
            Status::Approved => Self::Approved,
            Status::Declined => Self::Declined,
            Status::NeedsReview => Self::NeedsReview,
            Status::ResubmissionRequired => Self::ResubmissionRequired,
            Status::Canceled => Self::Canceled,
            Status::Expired => Self::Expired,
        }
    }
}

/// Input that a person can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Fingerprint event of the person's device.
    Device,
    /// Pictures of an identity document.
    Document,
    /// Liveness challenge in the browser.
    Liveness,
}

impl Input {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "device" => Some(Self::Device),
            "document" => Some(Self::Document),
            "liveness" => Some(Self::Liveness),
            _ => None,
        }
    }

    fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Device => Some(Self::Device),
            Kind::Document => Some(Self::Document),
            Kind::Liveness => Some(Self::Liveness),
            Kind::FaceMatch => None,
        }
    }
}

/// Source of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The policy decided.
    Automatic,
    /// A reviewer decided.
    Reviewer,
}

/// Outcome of a check, as far as callers may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The check is not finished.
    Pending,
    /// The check found no failure.
    Passed,
    /// The check found a failure.
    Failed,
    /// A reviewer must decide.
    Review,
}

/// Number of attempts to submit input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Attempts {
    /// Attempts so far.
    pub used: u32,
    /// Most attempts that the policy allows.
    pub max: u32,
}

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckView {
    /// Outcome of the check.
    pub outcome: CheckOutcome,
    /// All stored data of the check; only for an API key with `detail=full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<CheckDetailView>,
}

/// All stored data of a check. Scores are for the partner's own risk rules; do not show them to the
/// person.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckDetailView {
    /// Attempt in which it ran.
    pub attempt: u32,
    /// `passed`, `failed`, `review`, `not_executed` or `error`.
    pub outcome: String,
    /// Reason why it did not run.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub not_executed_because: String,
    /// Findings: code, category, disposition, and whether new input can help.
    #[schema(value_type = Vec<Object>)]
    pub reasons: Value,
    /// Scores by name.
    #[schema(value_type = Object)]
    pub scores: Value,
    /// Data that the check read.
    #[schema(value_type = Object)]
    pub extracted: Value,
    /// When the check was stored.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// Checks that the policy requires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Checks {
    /// Check of the person's device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<CheckView>,
    /// Check of the identity document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<CheckView>,
    /// Check of the liveness challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<CheckView>,
    /// Comparison of the person's face with the document's portrait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face_match: Option<CheckView>,
}

impl Checks {
    fn of(&mut self, kind: Kind) -> &mut Option<CheckView> {
        match kind {
            Kind::Device => &mut self.device,
            Kind::Document => &mut self.document,
            Kind::Liveness => &mut self.liveness,
            Kind::FaceMatch => &mut self.face_match,
        }
    }
}

/// Reason for the status of a verification, safe to show to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonView {
    /// Stable code.
    #[schema(schema_with = known_codes)]
    pub code: String,
    /// `user_action`, `data`, `policy` or `technical`.
    #[schema(example = "user_action")]
    pub category: String,
    /// Message for the person, in the verification's language.
    pub message: String,
}

/// Schema of the codes that callers can see. A list for information, not for validation: later
/// versions have more.
fn known_codes() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Stable code. Later versions may add codes: handle an unknown one by its category."))
        .examples(["document.blurred"])
        .extensions(Some(Extensions::builder().add(KNOWN_VALUES, Code::public()).build()))
        .build()
}

/// State of a verification.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VerificationView {
    /// Id of the verification.
    #[schema(example = "k3j9x0q2m5n7p1r")]
    pub id: String,
    /// Status of the verification.
    pub status: StatusName,
    /// Whether the status is final. Only a reviewer can reopen a final verification.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Number of changes; 0 before it was first processed. It is also the `ETag`.
    pub version: u32,
    /// Name of the policy that decides.
    #[schema(example = "default")]
    pub policy: String,
    /// Source of the decision; absent before one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_source: Option<DecidedBy>,
    /// Inputs that the person must submit.
    pub next: Vec<Input>,
    /// Number of attempts to submit input.
    pub attempts: Attempts,
    /// Checks that the policy requires.
    pub checks: Checks,
    /// Reasons for the status.
    pub reasons: Vec<ReasonView>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
    /// When it expires without input; absent once it is final.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When an approval expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_until: Option<Timestamp>,
}

impl VerificationView {
    /// Creates the view of `stored`. `policy` tells the needed inputs while no sidecar has
    /// processed the verification yet.
    pub fn new(stored: &StoredVerification, policy: Option<&Policy>) -> Self {
        let unprocessed = policy.filter(|_| stored.version == 0);
        Self {
            id: stored.id.clone(),
            status: stored.status.into(),
            is_final: stored.is_final,
            version: stored.version,
            policy: stored.policy().to_owned(),
            decision_source: match stored.decision_source.as_str() {
                "automatic" => Some(DecidedBy::Automatic),
                "reviewer" => Some(DecidedBy::Reviewer),
                _ => None,
            },
            next: unprocessed.map_or_else(|| next(&stored.next), required_inputs),
            attempts: Attempts {
                used: stored.attempts_used,
                max: unprocessed.map_or(stored.attempts_max, |policy| policy.attempts_max),
            },
            checks: unprocessed.map_or_else(|| checks(&stored.results), all_pending),
            reasons: reasons(&stored.reasons, Language::of(&stored.locale)),
            created: stored.created,
            updated: stored.updated,
            expires_at: stored.expires_at.filter(|_| !stored.is_final),
            verified_until: stored.verified_until,
        }
    }

    /// Removes `input` from the needed inputs, because the caller just submitted it.
    #[must_use]
    pub fn without_input(mut self, input: Input) -> Self {
        self.next.retain(|needed| *needed != input);
        self
    }

    /// Adds all data of the newest check of each kind.
    pub fn add_details(&mut self, details: Vec<CheckDetail>) {
        let mut details = details;
        details.sort_by_key(|detail| detail.attempt);
        for detail in details {
            let Some(kind) = Kind::parse(&detail.kind) else { continue };
            let check = self.checks.of(kind).get_or_insert(CheckView { outcome: CheckOutcome::Pending, detail: None });
            check.detail = Some(CheckDetailView {
                attempt: detail.attempt,
                outcome: detail.outcome,
                not_executed_because: detail.not_executed_because,
                reasons: array(detail.reasons),
                scores: object(detail.scores),
                extracted: object(detail.extracted),
                created: detail.created,
            });
        }
    }
}

/// Returns the `ETag` of a version.
pub fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

fn next(stored: &Value) -> Vec<Input> {
    let inputs = stored.as_array().map(Vec::as_slice).unwrap_or_default();
    inputs.iter().filter_map(|input| Input::parse(input.as_str()?)).collect()
}

fn required_inputs(policy: &Policy) -> Vec<Input> {
    policy.required_checks.iter().filter_map(|kind| Input::of(*kind)).collect()
}

fn checks(stored: &Value) -> Checks {
    let mut checks = Checks::default();
    for kind in Kind::ALL {
        let outcome = match stored.get(kind.as_str()).and_then(Value::as_str) {
            Some("passed") => CheckOutcome::Passed,
            Some("failed") => CheckOutcome::Failed,
            Some("review") => CheckOutcome::Review,
            Some(_) => CheckOutcome::Pending,
            None => continue,
        };
        *checks.of(kind) = Some(CheckView { outcome, detail: None });
    }
    checks
}

fn all_pending(policy: &Policy) -> Checks {
    let mut checks = Checks::default();
    for kind in &policy.required_checks {
        *checks.of(*kind) = Some(CheckView { outcome: CheckOutcome::Pending, detail: None });
    }
    checks
}

fn reasons(stored: &Value, language: Language) -> Vec<ReasonView> {
    let text = |reason: &Value, name: &str| reason.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reasons = stored.as_array().map(Vec::as_slice).unwrap_or_default();
    reasons
        .iter()
        .map(|reason| ReasonView {
            code: text(reason, "code"),
            category: text(reason, "category"),
            message: messages::text(&text(reason, "message_key"), language).to_owned(),
        })
        .collect()
}

fn array(value: Value) -> Value {
    if value.is_array() { value } else { Value::Array(Vec::new()) }
}

fn object(value: Value) -> Value {
    if value.is_object() { value } else { Value::Object(serde_json::Map::new()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(version: u32) -> StoredVerification {
        serde_json::from_value(json!({
            "id": "k3j9x0q2m5n7p1r", "user": "u", "reference": "r", "policy_name": "", "status": if version == 0 { "" } else { "needs_review" },
            "final": false, "version": version, "decision_source": if version == 0 { "" } else { "automatic" },
            "reasons": [{ "code": "document.blurred", "category": "user_action", "message_key": "document.blurred" }],
            "next": ["liveness", "fingers"], "results": { "document": "failed", "device": "pending", "decision": "x" },
            "attempts_used": 1, "attempts_max": 3, "locale": "de-AT", "idempotency_key": "secret", "request_hash": "secret",
            "expires_at": "2026-11-25 10:00:00.000Z", "decided_at": "", "verified_until": "",
            "created": "2026-11-22 10:00:00.000Z", "updated": "2026-11-22 10:00:01.000Z",
        }))
        .expect("a record")
    }

    #[test]
    fn a_view_has_only_the_allowed_fields() {
        let view = serde_json::to_value(VerificationView::new(&stored(4), None)).expect("serialises");
        assert_eq!(
            view,
            json!({
                "id": "k3j9x0q2m5n7p1r", "status": "needs_review", "final": false, "version": 4,
                "policy": "default", "decision_source": "automatic", "next": ["liveness"], "attempts": { "used": 1, "max": 3 },
                "checks": { "device": { "outcome": "pending" }, "document": { "outcome": "failed" } },
                "reasons": [{
                    "code": "document.blurred", "category": "user_action",
                    "message": messages::text("document.blurred", Language::German),
                }],
                "created": "2026-11-22T10:00:00Z", "updated": "2026-11-22T10:00:01Z",
                "expires_at": "2026-11-25T10:00:00Z",
            })
        );
    }

    #[test]
    fn details_are_from_the_newest_attempt() {
        let detail = |attempt: u32| CheckDetail {
            id: String::new(),
            kind: "document".to_owned(),
            attempt,
            outcome: "passed".to_owned(),
            not_executed_because: String::new(),
            reasons: Value::Null,
            scores: json!({ "n": attempt }),
            extracted: Value::Null,
            created: Timestamp::UNIX_EPOCH,
        };
        let mut view = VerificationView::new(&stored(4), None);
        view.add_details(vec![detail(2), detail(1)]);
        let shown = view.checks.document.and_then(|check| check.detail).expect("detail");
        assert_eq!((shown.attempt, &shown.scores["n"]), (2, &json!(2)));
        assert_eq!((shown.reasons, shown.extracted), (json!([]), json!({})));
    }
}
