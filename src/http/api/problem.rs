//! Errors as RFC 9457 `application/problem+json`: a stable code for programs, a sentence for
//! people, no data of other callers.

use std::borrow::Cow;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::telemetry::chain;
use crate::pocketbase::PocketbaseError;

macro_rules! kinds {
    ($($variant:ident = $code:literal, $status:ident, $title:literal, $help:literal;)+) => {
        /// Kind of a problem. Its code is stable: clients branch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $help] $variant,)+
        }

        impl Kind {
            /// All kinds, in order of status.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)+];

            /// Stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Kind::$variant => $code,)+ }
            }

            /// HTTP status of the kind.
            pub const fn status(self) -> StatusCode {
                match self { $(Kind::$variant => StatusCode::$status,)+ }
            }

            /// Title, the same for every problem of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Kind::$variant => $title,)+ }
            }

            /// What the caller can do; shown on the page that `type` points to.
            pub const fn help(self) -> &'static str {
                match self { $(Kind::$variant => $help,)+ }
            }
        }
    };
}

kinds! {
    Malformed = "malformed", BAD_REQUEST, "The request cannot be read",
        "The body does not match its Content-Type, or it ended early. Correct it and send it again.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "Credentials are required",
        "Send a valid X-API-Key header, or Authorization: Bearer with a `PocketBase` user token that has not expired.";
    NotFound = "not_found", NOT_FOUND, "Not found",
        "The address is wrong, or it names something that does not exist or that you may not see.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address does not support the method",
        "The Allow header lists the supported methods.";
    Timeout = "request_timeout", REQUEST_TIMEOUT, "The request took too long to arrive",
        "The body stopped arriving or was too slow. Send it again.";
    InFlight = "idempotency_in_flight", CONFLICT, "The same request is still in progress",
        "A request with this Idempotency-Key is in progress. Wait for the seconds in Retry-After, then repeat it to get its answer.";
    Final = "verification_final", CONFLICT, "The verification has ended",
        "It accepts no further input. Start a new verification.";
    OtherPolicy = "open_under_another_policy", CONFLICT, "This reference has an open verification under another policy",
        "Let the person finish or cancel the open verification, or repeat the request with its policy. `detail` names it and both policies.";
    LivenessRefused = "liveness_refused", CONFLICT, "No liveness challenge is possible now",
        "No challenge is needed at this point, the challenge has ended, or too many were opened. GET the status: `next` lists the inputs that are needed.";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The request is too large",
        "A picture may have at most 5 MiB, a JSON body at most 64 KiB, a form at most 10 fields.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "This kind of content is not accepted",
        "Send JSON where JSON is expected, multipart/form-data for documents, and pictures as JPEG or PNG.";
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "The request has values that cannot be accepted",
        "`errors` names each value by a JSON pointer and says what is wrong with it.";
    KeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request",
        "A key always belongs to one body. Use a new key for a new request.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "Wait for the seconds in Retry-After. The `RateLimit` headers say how many requests are left.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error of the service",
        "The log has details under the request id. Repeating the request may help.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service cannot do this at the moment",
        "A dependency is unreachable or busy. Wait for the seconds in Retry-After, then repeat the request.";
}

/// One value that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body; for a form, `/` and the field's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/declared/date_of_birth")]
    pub pointer: Option<String>,
    /// Name of the query parameter or header, if the value is not in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What is wrong, or what the value must be. Never repeats the value.
    #[schema(example = "must be a date as YYYY-MM-DD")]
    pub detail: String,
}

impl FieldError {
    /// Error of the value at `pointer` in the body.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    /// Error of a query parameter or header.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() }
    }
}

/// Error of a request, before it is serialized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Kind of the problem.
    pub kind: Kind,
    /// Explanation of this occurrence, for the caller.
    pub detail: Cow<'static, str>,
    /// Wrong values, for [`Kind::Invalid`].
    pub errors: Vec<FieldError>,
    /// Seconds after which the caller may try again.
    pub retry_after: Option<u64>,
    /// Cause, for the operator's log only.
    pub cause: Option<Cow<'static, str>>,
}

/// Result of an endpoint or a step of one.
pub type Result<T> = std::result::Result<T, Problem>;

/// Seconds after which a caller may try again when a dependency is unavailable.
pub const RETRY_AFTER_SECONDS: u64 = 5;

/// Detail for the caller when an operator must repair a policy.
pub const NO_USABLE_POLICY: &str =
    "The policy for this verification is missing or cannot be used. The operator must repair it.";

impl Problem {
    /// Creates a problem of `kind`, explained by `detail`.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = match kind {
            Kind::Unavailable => Some(RETRY_AFTER_SECONDS),
            Kind::InFlight => Some(1),
            _ => None,
        };
        Self { kind, detail: detail.into(), errors: Vec::new(), retry_after, cause: None }
    }

    /// Adds a cause, which only the operator's log shows.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Creates the problem of values that cannot be accepted.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.len() {
            1 => Cow::from("One value cannot be accepted; see errors."),
            n => Cow::from(format!("{n} values cannot be accepted; see errors.")),
        };
        Self { kind: Kind::Invalid, detail, errors, retry_after: None, cause: None }
    }

    /// Creates the problem of a verification that does not exist or that the caller may not see:
    /// both look the same.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "There is no such verification, or you may not see it.")
    }

    /// Returns the body of the answer.
    pub fn body(&self, instance: &str, request_id: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("/docs#{}", self.kind.code()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.to_string(),
            instance: instance.to_owned(),
            code: self.kind.code().to_owned(),
            errors: self.errors.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

impl From<PocketbaseError> for Problem {
    /// Tells the caller whether to try again; the operator finds the chain of causes in the log,
    /// with the request id. An endpoint handles errors with another meaning, such as a rejected
    /// field, before this conversion.
    fn from(error: PocketbaseError) -> Self {
        let chain = chain(&error);
        match error {
            PocketbaseError::Unreachable { .. }
            | PocketbaseError::Unknown { .. }
            | PocketbaseError::Transient { .. }
            | PocketbaseError::Unauthorized { .. }
            | PocketbaseError::Stale { .. } => {
                Self::new(Kind::Unavailable, "The service cannot use its database at the moment. Try again later.")
                    .because(chain)
            }
            PocketbaseError::UnusablePolicy { .. } => Self::new(Kind::Unavailable, NO_USABLE_POLICY).because(chain),
            PocketbaseError::NotFound { .. } => Self::not_found(),
            PocketbaseError::Invalid { .. }
            | PocketbaseError::Conflict { .. }
            | PocketbaseError::Unexpected { .. }
            | PocketbaseError::Misuse { .. } => {
                Self::new(Kind::Internal, "The request could not be completed.").because(chain)
            }
        }
    }
}

/// An error, in the format of RFC 9457.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Address of an explanation of the problem's kind.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/docs#invalid")]
    pub kind: String,
    /// Title, the same for every problem of the kind.
    pub title: String,
    /// HTTP status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// Explanation of this occurrence.
    pub detail: String,
    /// Path of the request.
    #[schema(format = "uri-reference")]
    pub instance: String,
    /// Stable code of the kind.
    #[schema(example = "invalid")]
    pub code: String,
    /// All values that cannot be accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// Same as the `X-Request-Id` header. Quote it when you ask for support.
    pub request_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_its_status_is_an_error() {
        for (i, kind) in Kind::ALL.iter().enumerate() {
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
            assert!(!Kind::ALL[..i].iter().any(|other| other.code() == kind.code()), "{}", kind.code());
        }
    }

    #[test]
    fn an_unusable_policy_is_named_only_in_the_log() {
        let problem = Problem::from(PocketbaseError::UnusablePolicy {
            operation: "read a policy",
            record: "policypolicy001".to_owned(),
            name: "strict, version 2".to_owned(),
            what: "unknown variant `maybe`".to_owned(),
        });
        assert_eq!((problem.kind, problem.retry_after), (Kind::Unavailable, Some(RETRY_AFTER_SECONDS)));
        let cause = problem.cause.expect("for the log");
        assert!(["policypolicy001", "strict, version 2", "`maybe`"].iter().all(|word| cause.contains(word)), "{cause}");
        assert!(!problem.detail.contains("strict"));
    }

    #[test]
    fn a_problem_is_serialized_with_pointers() {
        let problem = Problem::invalid(vec![FieldError::at("/declared/name", "must be text")]);
        let body = serde_json::to_value(problem.body("/api/v1/verify", "r-1")).expect("serialises");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/docs#invalid", "title": "The request has values that cannot be accepted", "status": 422,
                "detail": "One value cannot be accepted; see errors.", "instance": "/api/v1/verify", "code": "invalid",
                "errors": [{ "pointer": "/declared/name", "detail": "must be text" }], "request_id": "r-1",
            })
        );
    }
}
