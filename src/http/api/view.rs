//! A verification as callers see it: made from the stored record alone, field by field, so that nothing slips out.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::{Object, ObjectBuilder, Type};

use super::messages::{self, Language};
use crate::http::openapi::KNOWN_VALUES;
use crate::pocketbase::records::{CheckDetail, StoredVerification};
use crate::verification::{Code, Kind, Policy, Status};

/// Where a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusName {
    /// Taken in, not looked at yet.
    Created,
    /// The person owes evidence.
    AwaitingInput,
    /// All evidence is here; checks run.
    Processing,
    /// Verified.
    Approved,
    /// Refused.
    Declined,
    /// A reviewer must decide.
    NeedsReview,
    /// The person owes new evidence for another attempt.
    ResubmissionRequired,
    /// Withdrawn.
    Canceled,
    /// The person stayed silent too long.
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

/// What a person can owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A Fingerprint event.
    Device,
    /// Pictures of a document.
    Document,
    /// A liveness challenge.
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

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The policy.
    Automatic,
    /// A person.
    Reviewer,
}

/// How a check ended, as far as callers may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Not finished.
    Pending,
    /// Nothing stands against it.
    Passed,
    /// Something does.
    Failed,
    /// A person must look.
    Review,
}

/// How often evidence was and may be handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Attempts {
    /// Attempts begun.
    pub used: u32,
    /// Attempts in all.
    pub max: u32,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckView {
    /// How it ended.
    pub outcome: CheckOutcome,
    /// Everything about it: only for an API key with `detail=full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<CheckDetailView>,
}

/// Everything about a check. Scores are of use to the partner's own risk rules; they must not be shown to the person.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckDetailView {
    /// In which attempt it ran.
    pub attempt: u32,
    /// `passed`, `failed`, `review`, `not_executed` or `error`.
    pub outcome: String,
    /// Why it did not run.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub not_executed_because: String,
    /// What was seen: code, category, disposition, whether new evidence can help.
    #[schema(value_type = Vec<Object>)]
    pub reasons: Value,
    /// Numbers.
    #[schema(value_type = Object)]
    pub scores: Value,
    /// What was read.
    #[schema(value_type = Object)]
    pub extracted: Value,
    /// When it was stored.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// The checks that the policy asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Checks {
    /// Device intelligence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<CheckView>,
    /// The identity document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<CheckView>,
    /// The liveness challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<CheckView>,
    /// The person's face against the document's portrait.
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

/// Why a verification stands where it stands, safe for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonView {
    /// Stable code.
    #[schema(schema_with = known_codes)]
    pub code: String,
    /// `user_action`, `data`, `policy` or `technical`.
    #[schema(example = "user_action")]
    pub category: String,
    /// What to tell the person, in the verification's language.
    pub message: String,
}

/// The codes of the catalogue that are told. A list to know them by and not to check against: another version has more.
fn known_codes() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Stable code. More may come: treat one you do not know by its category."))
        .examples(["document.blurred"])
        .extensions(Some(Extensions::builder().add(KNOWN_VALUES, Code::told()).build()))
        .build()
}

/// Where a verification stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VerificationView {
    /// The verification.
    #[schema(example = "k3j9x0q2m5n7p1r")]
    pub id: String,
    /// Where it stands.
    pub status: StatusName,
    /// Whether nothing more happens unless a reviewer reopens it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Counts every change; 0 before the first look. The `ETag` is made of it.
    pub version: u32,
    /// Name of the policy that decides.
    #[schema(example = "default")]
    pub policy: String,
    /// Who decided; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_source: Option<DecidedBy>,
    /// What the person owes.
    pub next: Vec<Input>,
    /// How often evidence was and may be handed in.
    pub attempts: Attempts,
    /// The checks.
    pub checks: Checks,
    /// Why it stands there.
    pub reasons: Vec<ReasonView>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
    /// When silence ends it; absent once it is final.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Until when an approval holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_until: Option<Timestamp>,
}

impl VerificationView {
    /// `stored` as callers see it. `policy` tells what will be owed while no sidecar has looked at it yet.
    pub fn new(stored: &StoredVerification, policy: Option<&Policy>) -> Self {
        let unseen = policy.filter(|_| stored.version == 0);
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
            next: unseen.map_or_else(|| next(&stored.next), owed),
            attempts: Attempts {
                used: stored.attempts_used,
                max: unseen.map_or(stored.attempts_max, |policy| policy.attempts_max),
            },
            checks: unseen.map_or_else(|| checks(&stored.results), all_pending),
            reasons: reasons(&stored.reasons, Language::of(&stored.locale)),
            created: stored.created,
            updated: stored.updated,
            expires_at: stored.expires_at.filter(|_| !stored.is_final),
            verified_until: stored.verified_until,
        }
    }

    /// The same without `input` among what is owed: the caller just handed it in.
    #[must_use]
    pub fn given(mut self, input: Input) -> Self {
        self.next.retain(|owed| *owed != input);
        self
    }

    /// Adds everything that the newest check of each kind holds.
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

/// The validator of a version.
pub fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

fn next(stored: &Value) -> Vec<Input> {
    let inputs = stored.as_array().map(Vec::as_slice).unwrap_or_default();
    inputs.iter().filter_map(|input| Input::parse(input.as_str()?)).collect()
}

fn owed(policy: &Policy) -> Vec<Input> {
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
    fn a_record_is_shown_by_its_allowed_fields_only() {
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
    fn details_are_of_the_newest_attempt() {
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
