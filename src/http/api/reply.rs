//! Answers of endpoints, before they become HTTP responses.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;

use super::problem::{Kind, Problem};

/// Body of an answer.
pub type ResponseBody = Full<Bytes>;

/// Answer of an endpoint: status, its own headers, body.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status of the answer.
    pub status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

impl Reply {
    /// Creates an answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Creates an answer with `value` as JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        Self::to_json(status, JSON, value)
    }

    /// Creates a 200 answer with `body` as it is.
    pub fn content(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, headers: vec![(header::CONTENT_TYPE, content_type)], body: body.into() }
    }

    /// Creates a 200 answer with a body that is JSON already.
    pub fn serialized(body: Bytes) -> Self {
        Self::content(JSON, body)
    }

    /// Returns the body; a cheap clone.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Creates the answer for a problem of a request to the path `instance`.
    pub fn problem(problem: &Problem, instance: &str, request_id: &str) -> Self {
        let mut reply = Self::to_json(problem.kind.status(), PROBLEM, &problem.body(instance, request_id));
        if let Some(seconds) = problem.retry_after {
            reply = reply.with(header::RETRY_AFTER, &seconds.to_string());
        }
        if problem.kind == Kind::Unauthorized {
            reply = reply.with(header::WWW_AUTHENTICATE, "Bearer realm=\"identivia\"");
        }
        reply
    }

    fn to_json(status: StatusCode, content_type: HeaderValue, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status, headers: vec![(header::CONTENT_TYPE, content_type)], body: body.into() },
            // A bug: all types of answers have text keys and finite numbers. The caller gets a
            // plain 500.
            Err(error) => {
                tracing::error!(%error, "could not serialize an answer as JSON");
                Self::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Adds a header. An invalid header value is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Converts the answer to an HTTP response.
    pub fn into_response(self) -> Response<ResponseBody> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
