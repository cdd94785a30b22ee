//! A client of the facade, as a partner's server would have it: HTTP, an API key, JSON.

use std::time::Duration;

use anyhow::{Context as _, bail};
use http::header;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::specimen::Pictures;

/// How long the facade may hold one request.
const WAIT_SECONDS: u64 = 20;
/// Timeout of one request, including its wait.
const TIMEOUT: Duration = Duration::from_secs(WAIT_SECONDS + 10);

/// The client of the facade.
pub struct Facade {
    http: Client,
    url: String,
    api_key: String,
}

/// An answer of the facade.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// The `ETag`, for a request that waits until it changes.
    pub etag: Option<String>,
    /// JSON; null for an empty body.
    pub body: Value,
}

impl Facade {
    /// Creates a client. Sends nothing yet.
    pub fn new(http: Client, url: &str, api_key: &str) -> Self {
        Self { http, url: url.trim_end_matches('/').into(), api_key: api_key.into() }
    }

    /// Starts a verification.
    pub async fn verify(&self, body: &Value) -> anyhow::Result<Answer> {
        self.send(self.http.post(self.at("/api/v1/verify")).json(body)).await
    }

    /// Submits a document and a device event, and waits for the outcome of the document check.
    pub async fn document(
        &self,
        verification: &str,
        device_event: &str,
        kind: &str,
        pictures: Pictures,
    ) -> anyhow::Result<Answer> {
        let jpeg = |bytes: bytes::Bytes, name: &'static str| Part::stream(bytes).file_name(name).mime_str("image/jpeg");
        let mut form = Form::new()
            .text("verification_id", verification.to_owned())
            .text("device_event_id", device_event.to_owned())
            .text("type", kind.to_owned())
            .text("country", "UTO")
            .part("front", jpeg(pictures.front, "front.jpg")?);
        if let Some(back) = pictures.back {
            form = form.part("back", jpeg(back, "back.jpg")?);
        }
        let request = self.http.post(self.at("/api/v1/document")).multipart(form);
        self.send(request.header("prefer", format!("wait={WAIT_SECONDS}"))).await
    }

    /// Opens a liveness challenge.
    pub async fn challenge(&self, verification: &str) -> anyhow::Result<Answer> {
        self.send(self.http.post(self.at("/api/v1/liveness")).json(&json!({ "verification_id": verification }))).await
    }

    /// Reports that the challenge was taken.
    pub async fn challenge_taken(&self, verification: &str, session: &str) -> anyhow::Result<Answer> {
        let body = json!({ "verification_id": verification, "session_id": session });
        self.send(self.http.post(self.at("/api/v1/liveness")).json(&body)).await
    }

    /// The status. With an `etag`, waits for a newer one for a while.
    pub async fn status(&self, verification: &str, etag: Option<&str>) -> anyhow::Result<Answer> {
        let mut request = self.http.get(self.at(&format!("/api/v1/status/{verification}")));
        if let Some(etag) = etag {
            request = request.query(&[("wait", WAIT_SECONDS)]).header(header::IF_NONE_MATCH, etag);
        }
        self.send(request).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let request = request.header("x-api-key", &self.api_key).timeout(TIMEOUT).build()?;
        let what = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).await.with_context(|| format!("{what} got no answer"))?;
        let status = response.status();
        let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let text = response.text().await.with_context(|| format!("{what}: the answer was cut off"))?;
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            bail!("{what} answered {status}: {text}");
        }
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
        Ok(Answer { status, etag, body })
    }
}
