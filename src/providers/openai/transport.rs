//! Sends `async-openai`'s requests with this program's HTTP client.
//!
//! The crate's own transport retries, sleeps as long as a server asks, follows redirects and
//! resends the document, reads without limit, and logs bodies that it cannot parse. So the crate
//! gets a response from here only when it is a success, complete, small enough and JSON. Everything
//! else becomes a [`Fault`] before the crate sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::base::lock::Mutex;
use crate::providers::error::ProviderErrorKind;
use crate::providers::openai::errors::{self, Fault};
use crate::providers::wire;

/// Largest response that is read. A transcription has some ten kilobytes.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The id of one call's request, set by the transport: the crate drops the headers.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestId(Arc<Mutex<Option<String>>>);

impl RequestId {
    fn set(&self, id: Option<String>) {
        *self.0.lock() = id;
    }

    pub(super) fn get(&self) -> Option<String> {
        self.0.lock().clone()
    }
}

/// Address and key of the server. Unlike the crate's own configuration it reads no environment
/// variable and cannot panic on a key.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    base: String,
    headers: HeaderMap,
    /// For `Config::api_key` only; the header above is what is sent.
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

/// Sends one request once and reads its response completely.
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
        return Err(errors::refusal(response).await);
    }
    let body = wire::body(response, BODY_BYTES_MAX).await?;
    // Parsed here first, because the crate logs what it cannot parse.
    serde_json::from_slice::<serde::de::IgnoredAny>(&body)
        .map_err(|_| ProviderErrorKind::InvalidResponse("the answer is not JSON"))?;
    Ok(http::Response::new(body).into())
}
