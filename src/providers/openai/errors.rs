//! Errors of a call: why there is no response to parse.

use async_openai::error::OpenAIError;
use serde_json::Value;

use crate::providers::error::ProviderErrorKind;
use crate::providers::wire;

/// Largest error body that is read.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// The meaning of a 404.
pub(super) const NOT_FOUND: &str =
    "the server does not know the model or the path: check OPENAI_MODEL and OPENAI_BASE_URL";

/// Why there is no response to parse. Travels through `async-openai` as a boxed error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Kind(#[from] ProviderErrorKind),
    /// The provider's content filter refused the picture. The call itself succeeded.
    #[error("the content filter refused")]
    ContentFiltered,
}

impl Fault {
    /// The fault inside the crate's error. The crate's own variants can contain a body, so their
    /// contents are not read.
    pub(super) fn of(error: OpenAIError) -> Self {
        match error {
            OpenAIError::Boxed(inner) => match inner.downcast::<Fault>() {
                Ok(fault) => *fault,
                Err(_) => Fault::Kind(ProviderErrorKind::InvalidResponse("the answer could not be read")),
            },
            OpenAIError::Reqwest(error) => Fault::Kind(wire::failure(&error)),
            OpenAIError::InvalidArgument(_) => {
                Fault::Kind(ProviderErrorKind::Rejected("the request could not be built"))
            }
            _ => Fault::Kind(ProviderErrorKind::InvalidResponse("the answer could not be read")),
        }
    }
}

/// The meaning of a response other than 200. Of its body only known codes are used.
pub(super) async fn refusal(response: reqwest::Response) -> Fault {
    let status = response.status().as_u16();
    let retry_after = wire::retry_after(response.headers());
    // An error whose body cannot be read is still an error with a status.
    let body = wire::body(response, ERROR_BYTES_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    // `code` is a word at OpenAI and a number at some compatible servers, where `type` may be the
    // only word.
    let error = &body["error"];
    let code = error["code"].as_str().or_else(|| error["type"].as_str()).unwrap_or_default();
    let kind = error["type"].as_str().unwrap_or_default();
    Fault::Kind(match (status, code) {
        (400, "content_filter" | "content_policy_violation" | "image_content_policy_violation") => {
            return Fault::ContentFiltered;
        }
        (400 | 404, "model_not_found") | (404 | 405, _) => ProviderErrorKind::Misconfigured(NOT_FOUND),
        (400 | 422, "unsupported_parameter" | "unsupported_value" | "unknown_parameter") => {
            ProviderErrorKind::Misconfigured(
                "the model does not take one of our parameters: set OPENAI_DIALECT to reasoning, classic or compatible",
            )
        }
        (401, _) => ProviderErrorKind::Credentials("the key was refused: check OPENAI_API_KEY"),
        (403, _) => {
            ProviderErrorKind::Credentials("the key may not do this: check the project's permissions and country")
        }
        (402, _) | (_, "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active") => {
            ProviderErrorKind::Misconfigured("the account's quota or budget is used up")
        }
        (429, _) if kind == "insufficient_quota" => {
            ProviderErrorKind::Misconfigured("the account's quota or budget is used up")
        }
        (429, _) => ProviderErrorKind::Throttled { retry_after },
        (408 | 409 | 425, _) => ProviderErrorKind::Unavailable { what: "the server gave up waiting", retry_after },
        (300..=399, _) => {
            ProviderErrorKind::Misconfigured("the server redirects, which is not followed: check OPENAI_BASE_URL")
        }
        (500..=599, _) => ProviderErrorKind::Unavailable { what: "the server failed", retry_after },
        (400..=499, _) => ProviderErrorKind::Rejected("the request was refused"),
        (_, _) => ProviderErrorKind::InvalidResponse("the answer has an unexpected status"),
    })
}
