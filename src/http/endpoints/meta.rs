//! Endpoints that describe the service itself: the API description and the metrics.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

use crate::http::api::problem::{Kind, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::responses::Problems;
use crate::http::context::Service;

/// Content type of Prometheus' text format.
pub const METRICS_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Description of this API, as `OpenAPI` 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "service",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json"),
        (status = 429, description = "Too many requests", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub fn openapi(description: &Bytes) -> Reply {
    let json = HeaderValue::from_static("application/json");
    Reply::content(json, description.clone()).with(header::CACHE_CONTROL, "public, max-age=300")
}

/// Description of this API, as a page for people.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docs",
    tag = "service",
    responses(
        (status = 200, description = "A page", body = String, content_type = "text/html"),
        (status = 429, description = "Too many requests", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub fn docs(page: &Bytes, content_security_policy: &str) -> Reply {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    Reply::content(html, page.clone())
        .with(header::CACHE_CONTROL, "public, max-age=300")
        .with(header::CONTENT_SECURITY_POLICY, content_security_policy)
        .with(HeaderName::from_static("referrer-policy"), "no-referrer")
}

/// Metrics for Prometheus, if the operator serves them on this port too.
///
/// Usually they have their own port.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "service",
    responses(
        (status = 200, description = "Prometheus' text format", body = String, content_type = "text/plain"),
        (status = 404, description = "Metrics are not served on this port", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = [])),
)]
pub fn metrics(service: &Service) -> Result<Reply> {
    let render = service.metrics.as_ref();
    let render = render.ok_or_else(|| Problem::new(Kind::NotFound, "Metrics are not served on this port."))?;
    Ok(Reply::content(METRICS_TYPE, render()))
}
