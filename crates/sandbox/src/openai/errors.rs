//! `OpenAI`'s errors.

use http::StatusCode;
use serde_json::json;

use crate::faults::{Fault, FaultKind};
use crate::wire::Reply;

/// An error of the `OpenAI` API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenaiError {
    pub status: StatusCode,
    /// Such as `invalid_request_error`.
    pub kind: &'static str,
    /// Such as `invalid_api_key`; often absent.
    pub code: Option<String>,
    /// The parameter that is invalid.
    pub param: Option<String>,
    pub message: String,
}

impl OpenaiError {
    /// An error in the request.
    pub fn invalid(param: &str, code: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            code: code.map(str::to_owned),
            param: (!param.is_empty()).then(|| param.to_owned()),
            message: message.into(),
        }
    }

    /// A missing or wrong key; the message shows only the start of a wrong one.
    pub fn unauthorized(key: Option<&str>) -> Self {
        let message = match key {
            None => "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).".to_owned(),
            Some(key) => {
                let shown: String = key.chars().take(3).collect();
                format!("Incorrect API key provided: {shown}***. You can find your API key at https://platform.openai.com/account/api-keys.")
            }
        };
        let code = key.map(|_| "invalid_api_key");
        Self { status: StatusCode::UNAUTHORIZED, ..Self::invalid("", code, message) }
    }

    /// The error that a fault makes of any request.
    pub fn of_fault(fault: &Fault) -> Option<Self> {
        let (status, kind, code, message) = match fault.kind {
            FaultKind::Throttle => (
                StatusCode::TOO_MANY_REQUESTS,
                "requests",
                Some("rate_limit_exceeded"),
                "Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1.",
            ),
            FaultKind::Quota => (
                StatusCode::TOO_MANY_REQUESTS,
                "insufficient_quota",
                Some("insufficient_quota"),
                "You exceeded your current quota, please check your plan and billing details.",
            ),
            FaultKind::Error5xx => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                None,
                "The server had an error while processing your request. Sorry about that!",
            ),
            FaultKind::ExpiredCredential => return Some(Self::unauthorized(Some("sk-revoked"))),
            _ => return None,
        };
        Some(Self {
            status: fault.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(status),
            kind,
            code: fault.code.clone().or_else(|| code.map(str::to_owned)),
            param: None,
            message: message.to_owned(),
        })
    }

    /// The answer of the API.
    pub fn reply(&self) -> Reply {
        let error = json!({"message": self.message, "type": self.kind, "param": self.param, "code": self.code});
        Reply::json(self.status, &json!({"error": error}))
    }
}
