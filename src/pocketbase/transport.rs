//! The HTTP layer: sends a request once, reads the answer within its limit, and keeps
//! `PocketBase`'s time.
//!
//! It holds no session: each request is sent with the token that it is given.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use reqwest::multipart::{Form, Part};
use reqwest::{Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::clock::{ServerClock, parse_date};
use super::error::{PocketbaseError, Result};
use super::request::{Answer, FilePart, Payload, Request};
use crate::base::lock::Mutex;

/// How long an idle connection is kept. A router may forget a connection that is idle for longer,
/// and the next heartbeat must not be sent over such a one.
const POOL_IDLE: Duration = Duration::from_secs(5);

/// Where `PocketBase` is, and the account of the service there.
#[derive(Clone)]
pub struct Settings {
    /// Base address, without user name, query or fragment. Prefer `127.0.0.1` to `localhost`.
    pub url: Url,
    /// E-mail address of a `services` record, or of a superuser.
    pub email: String,
    /// Password of that account.
    pub password: SecretString,
    /// How long it may take to connect.
    pub connect_timeout: Duration,
    /// How long a request may take in all, including its uploads.
    pub request_timeout: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("connect_timeout", &self.connect_timeout).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) struct Transport {
    settings: Settings,
    /// Base address without a slash at its end.
    base: String,
    http: reqwest::Client,
    /// `None` before the first answer.
    clock: Mutex<Option<ServerClock>>,
}

impl Transport {
    pub fn new(settings: Settings) -> Result<Self> {
        let url = &settings.url;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain || url.fragment().is_some() {
            let what = "the address must be http:// or https://, without user name, query and fragment";
            return Err(PocketbaseError::Misuse { operation: "set up", what });
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .build()
            .map_err(|source| PocketbaseError::Unreachable { operation: "set up", source: Some(source) })?;
        let base = settings.url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { settings, base, http, clock: Mutex::default() })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The address of `path`.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends `request` once, with `token` if there is one.
    pub async fn send(&self, request: &Request, token: Option<&SecretString>) -> Result<Answer> {
        let mut builder = self.http.request(request.method.clone(), self.address(&request.path)).query(&request.query);
        if let Some(token) = token {
            builder = builder.header(AUTHORIZATION, token.expose_secret());
        }
        builder = match &request.payload {
            Payload::Empty => builder,
            Payload::Json(json) => builder.header(CONTENT_TYPE, "application/json").body(json.to_string()),
            Payload::Multipart { json, files } => builder.multipart(form(json, files, request.operation)?),
        };
        let sent = Instant::now();
        let mut response = builder.send().await.map_err(|e| request.lost(e))?;
        let received = Instant::now();
        let date = date_of(&response);
        let status = response.status();
        let body = read_body(request, &mut response).await?;
        if !status.is_success() {
            return Err(request.refusal(status.as_u16(), &body));
        }
        if let Some(date) = date {
            let mut clock = self.clock.lock();
            clock.get_or_insert_with(|| ServerClock::new(date, received)).observe(date, sent, received);
        }
        Ok(Answer { operation: request.operation, body })
    }

    /// `PocketBase`'s time now, estimated from the answers so far; `None` before the first answer.
    pub fn now(&self) -> Option<Timestamp> {
        let clock = *self.clock.lock();
        clock.map(|clock| clock.now(Instant::now()))
    }

    /// `PocketBase`'s time now, after an answer.
    pub fn now_after(&self, operation: &'static str) -> Result<Timestamp> {
        self.now().ok_or_else(|| PocketbaseError::Unexpected {
            operation,
            what: "it has no Date header; a proxy in between must keep it".to_owned(),
        })
    }

    /// Corrects the clock by a timestamp of the server that was just read.
    pub fn observe_stamp(&self, stamp: Timestamp) {
        if let Some(clock) = self.clock.lock().as_mut() {
            clock.observe_stamp(stamp, Instant::now());
        }
    }
}

/// Reads the body of an answer, up to the request's limit.
async fn read_body(request: &Request, response: &mut Response) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| request.lost(e))? {
        if body.len() + chunk.len() > request.limit {
            return Err(request.unexpected(format!("it has more than {} bytes", request.limit)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn form(json: &Value, files: &[FilePart], operation: &'static str) -> Result<Form> {
    files.iter().try_fold(Form::new().text("@jsonPayload", json.to_string()), |form, file| {
        let length = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        Part::stream_with_length(file.bytes.clone(), length)
            .file_name(file.file_name.clone())
            .mime_str(file.content_type)
            .map(|part| form.part(file.field.clone(), part))
            .map_err(|_| PocketbaseError::Misuse { operation, what: "the content type of a file is malformed" })
    })
}

fn date_of(response: &Response) -> Option<Timestamp> {
    parse_date(response.headers().get(DATE)?.to_str().ok()?)
}
