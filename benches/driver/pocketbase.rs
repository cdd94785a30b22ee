//! Plain requests to a `PocketBase` with a token.

use anyhow::{Context as _, bail};
use rand::Rng as _;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// Length of a record id.
const ID_LENGTH: usize = 15;
const ID_ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A caller with a token.
#[derive(Clone)]
pub struct Caller {
    /// Connections, kept alive.
    pub http: Client,
    /// Base address without a slash at the end.
    pub base: String,
    token: String,
}

impl Caller {
    /// A caller with `token` at `base`, with connections of its own.
    pub fn new(base: &str, token: &str) -> anyhow::Result<Self> {
        let http = Client::builder().no_proxy().build().context("an HTTP client")?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    /// Creates a record.
    pub async fn create(&self, collection: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.post(self.records(collection)).json(body)).await.context(collection.to_owned())
    }

    /// Creates a record with a picture.
    pub async fn create_with_picture(
        &self,
        collection: &str,
        body: &Value,
        field: &'static str,
        picture: bytes::Bytes,
    ) -> anyhow::Result<Value> {
        let form = Form::new().text("@jsonPayload", body.to_string()).part(field, jpeg(picture)?);
        self.send(self.http.post(self.records(collection)).multipart(form)).await.context(collection.to_owned())
    }

    /// One transaction; `files` are named `requests.N.field`.
    pub async fn batch(&self, requests: &Value, files: Vec<(String, bytes::Bytes)>) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}/api/batch", self.base));
        let request = if files.is_empty() {
            request.json(requests)
        } else {
            let mut form = Form::new().text("@jsonPayload", requests.to_string());
            for (name, bytes) in files {
                form = form.part(name, jpeg(bytes)?);
            }
            request.multipart(form)
        };
        self.send(request).await.context("batch")
    }

    /// The request with the token.
    pub fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("Authorization", &self.token)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = self.signed(request).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }

    fn records(&self, collection: &str) -> String {
        format!("{}/api/collections/{collection}/records", self.base)
    }
}

fn jpeg(bytes: bytes::Bytes) -> anyhow::Result<Part> {
    Part::stream(bytes).file_name("picture.jpg").mime_str("image/jpeg").context("a media type")
}

/// A fresh record id.
pub fn record_id() -> String {
    let mut random = rand::rng();
    (0..ID_LENGTH).map(|_| char::from(ID_ALPHABET[random.random_range(0..ID_ALPHABET.len())])).collect()
}
