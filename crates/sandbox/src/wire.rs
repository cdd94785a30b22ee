//! Requests and answers as the sandbox handles them: a whole body in, a whole body out.

use std::io;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

/// The body of a response on the wire; an error in it cuts the connection.
pub type WireBody = UnsyncBoxBody<Bytes, io::Error>;

/// One request, read to its end.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    /// Path as sent, still percent-encoded.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: String,
    /// Headers as sent.
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer TOKEN`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether a browser asks beforehand what it may send (CORS preflight).
    pub fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS && self.header("access-control-request-method").is_some()
    }

    /// The first value of a query parameter, decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// One answer, before a fault is applied to it.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// An answer with a body of the given type.
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body: body.into() }
    }

    pub fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub fn html(page: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "text/html; charset=utf-8", page)
    }

    /// Adds a header; a value that no header can carry is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The response with this answer's own body.
    pub fn into_response(self) -> Response<WireBody> {
        let body = Full::new(self.body.clone()).map_err(|never| match never {}).boxed_unsync();
        self.with_body(body)
    }

    /// The response with this status and these headers but another body.
    pub fn with_body(self, body: WireBody) -> Response<WireBody> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
