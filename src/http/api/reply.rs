//! Answers before they are bytes on a connection.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;

use super::problem::{Kind, Problem};

/// An answer's body.
pub type ResponseBody = Full<Bytes>;

/// An answer of a handler: status, headers of its own, body.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

impl Reply {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// `value` as JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        Self::serialised(status, JSON, value)
    }

    /// `body` as it is.
    pub fn content(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, headers: vec![(header::CONTENT_TYPE, content_type)], body: body.into() }
    }

    /// JSON that was written before.
    pub fn written(body: Bytes) -> Self {
        Self::content(JSON, body)
    }

    /// The body.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// A problem that `instance` (the path) met.
    pub fn problem(problem: &Problem, instance: &str, request_id: &str) -> Self {
        let mut reply = Self::serialised(problem.kind.status(), PROBLEM, &problem.body(instance, request_id));
        if let Some(seconds) = problem.retry_after {
            reply = reply.with(header::RETRY_AFTER, &seconds.to_string());
        }
        if problem.kind == Kind::Unauthorized {
            reply = reply.with(header::WWW_AUTHENTICATE, "Bearer realm=\"identivia\"");
        }
        reply
    }

    fn serialised(status: StatusCode, content_type: HeaderValue, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status, headers: vec![(header::CONTENT_TYPE, content_type)], body: body.into() },
            // Our own types have text keys and finite numbers, so this is a bug; the caller gets a plain 500.
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Self::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The same with another header. A value that is no header value is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// As hyper wants it.
    pub fn into_response(self) -> Response<ResponseBody> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
