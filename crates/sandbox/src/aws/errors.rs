//! AWS errors and how Rekognition (JSON) and STS (XML) spell them.

use http::StatusCode;
use serde_json::json;

use crate::wire::Reply;

/// An error of the AWS APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// HTTP status in the JSON protocol.
    pub status: StatusCode,
    /// Such as `InvalidParameterException`.
    pub code: String,
    pub message: String,
}

impl AwsError {
    /// An error of the client; the JSON protocol always answers 400 for those.
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.to_owned(), message: message.into() }
    }

    /// A value that breaks a constraint of the service model.
    pub fn validation(value: &str, field: &str, constraint: &str) -> Self {
        Self::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {constraint}"
            ),
        )
    }

    /// A request that is well-formed but cannot be processed.
    pub fn invalid_parameter() -> Self {
        Self::client("InvalidParameterException", "Request has invalid parameters")
    }

    /// The answer of Rekognition.
    pub fn json(&self, request_id: &str) -> Reply {
        let body = json!({"__type": self.code, "Code": self.code, "Logref": request_id, "Message": self.message});
        let reply = Reply::json(self.status, &body);
        Reply { headers: http::HeaderMap::new(), ..reply }
            .with("content-type", "application/x-amz-json-1.1")
            .with("x-amzn-errortype", &self.code)
    }

    /// The answer of STS: the same errors have other names there, and status 403 where the caller
    /// is unknown or not allowed.
    pub fn xml(&self, request_id: &str) -> Reply {
        let (status, code) = match self.code.as_str() {
            "UnrecognizedClientException" => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            "InvalidSignatureException" => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            "ExpiredTokenException" => (StatusCode::FORBIDDEN, "ExpiredToken"),
            "AccessDeniedException" => (StatusCode::FORBIDDEN, "AccessDenied"),
            "MissingAuthenticationTokenException" => (StatusCode::FORBIDDEN, "MissingAuthenticationToken"),
            "IncompleteSignatureException" => (StatusCode::BAD_REQUEST, "IncompleteSignature"),
            "ValidationException" => (StatusCode::BAD_REQUEST, "ValidationError"),
            "ThrottlingException" => (StatusCode::BAD_REQUEST, "Throttling"),
            "InternalServerError" => (self.status, "InternalFailure"),
            other => (self.status, other),
        };
        let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>{fault}</Type>\n    <Code>{code}</Code>\n    <Message>{}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
            escape(&self.message)
        );
        Reply::new(status, "text/xml", body)
    }
}

/// Escapes text for XML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
