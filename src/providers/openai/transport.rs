//! How a call travels: our HTTP client under `async-openai`'s requests.
//!
//! The crate's own way retries, sleeps as long as a server asks, follows redirects with the document, reads without
//! limit, and logs bodies that it cannot parse. So it gets a response from here only when the answer is a success, whole,
//! small enough and JSON; everything else becomes a [`Fault`] before the crate sees it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::super::ProviderErrorKind;
use super::super::wire;
use super::RequestId;

/// Largest answer read. A transcription has some ten kilobytes.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest error answer looked at.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// What a 404 means.
pub(super) const NOT_FOUND: &str =
    "the server does not know the model or the path: check OPENAI_MODEL and OPENAI_BASE_URL";

/// Where and as whom. Unlike the crate's own configuration it reads no environment and cannot panic on a key.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    base: String,
    headers: HeaderMap,
    /// The trait wants to lend it; the header above is what is sent.
    key: SecretString,
}

impl Endpoint {
    /// `anonymous` allows an empty key.
    pub(super) fn new(base: &Url, key: &SecretString, anonymous: bool) -> Result<Self, &'static str> {
        let mut headers = HeaderMap::new();
        if !(anonymous && key.expose_secret().is_empty()) {
            headers.insert(AUTHORIZATION, wire::bearer(key)?);
        }
        Ok(Self { base: wire::prefix(base), headers, key: key.clone() })
    }
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// Why there is no answer to parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The call failed.
    #[error(transparent)]
    Kind(#[from] ProviderErrorKind),
    /// The provider's filter refused the picture: about the picture, not about the call.
    #[error("the content filter refused")]
    ContentFiltered,
}

impl Fault {
    /// The fault inside the crate's error. The crate's own variants can hold a body, so they are not looked into.
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

/// One exchange: sent once, read whole, told apart.
#[derive(Clone)]
pub(super) struct Transport {
    pub(super) http: reqwest::Client,
    pub(super) request_id: RequestId,
}

impl tower::Service<HttpRequestFactory> for Transport {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<reqwest::Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let Self { http, request_id } = self.clone();
        Box::pin(async move {
            let request = request.build().await?;
            exchange(&http, request, &request_id).await.map_err(|fault| OpenAIError::Boxed(Box::new(fault)))
        })
    }
}

async fn exchange(
    http: &reqwest::Client,
    request: reqwest::Request,
    request_id: &RequestId,
) -> Result<reqwest::Response, Fault> {
    let response = http.execute(request).await.map_err(|error| wire::failure(&error))?;
    request_id.set(wire::request_id(response.headers(), "x-request-id"));
    if response.status() != reqwest::StatusCode::OK {
        return Err(refusal(response).await);
    }
    let body = wire::body(response, BODY_BYTES_MAX).await?;
    // Parsed here once to be sure, and by the crate once more: it logs what it cannot parse.
    serde_json::from_slice::<serde::de::IgnoredAny>(&body)
        .map_err(|_| ProviderErrorKind::InvalidResponse("the answer is not JSON"))?;
    Ok(http::Response::new(body).into())
}

/// What an answer other than 200 means. Of its body only known code words are used.
async fn refusal(response: reqwest::Response) -> Fault {
    let status = response.status().as_u16();
    let retry_after = wire::retry_after(response.headers());
    // An error whose body cannot be read is still an error with a status.
    let body = wire::body(response, ERROR_BYTES_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    // `code` is a word at OpenAI and a number at some compatible servers; `type` may be the only word.
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
