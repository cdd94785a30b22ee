//! What describes the service instead of a verification: health, the API's description, figures.

use std::time::Instant;

use http::{HeaderName, HeaderValue, header};

use super::health::HealthAnswer;
use crate::http::api::problem::{Kind, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::dispatch::Service;
use crate::http::openapi::Problems;
use crate::http::routes::Operation;

/// Answers the operations that concern no verification.
pub fn answer(service: &Service, operation: Operation) -> Result<Reply> {
    match operation {
        Operation::Health => Ok(health(service)),
        Operation::OpenApi => Ok(openapi(service)),
        Operation::Docs => Ok(docs(service)),
        Operation::Metrics => metrics(service),
        // The table lets nobody get here without a caller.
        Operation::Verify | Operation::Document | Operation::Liveness | Operation::Status => {
            Err(Problem::new(Kind::Unauthorized, "Credentials are needed."))
        }
    }
}

/// How the service is. Needs no credentials and tells no addresses.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "health",
    tag = "service",
    responses(
        (status = 200, description = "Verifications are served", body = HealthAnswer),
        (status = 503, description = "PocketBase is out of reach, or the watch on it is stale", body = HealthAnswer),
    ),
)]
fn health(service: &Service) -> Reply {
    let settings = &service.settings;
    let health = *service.facade.health.borrow();
    let answer = HealthAnswer::new(
        &health,
        &settings.version,
        settings.face_liveness_threshold,
        service.started,
        Instant::now(),
    );
    Reply::json(answer.http_status(), &answer)
}

/// This description, as `OpenAPI` 3.1.
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
fn openapi(service: &Service) -> Reply {
    let json = HeaderValue::from_static("application/json");
    Reply::content(json, service.description.clone()).with(header::CACHE_CONTROL, "public, max-age=300")
}

/// This description, as a page.
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
fn docs(service: &Service) -> Reply {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    Reply::content(html, service.docs.page.clone())
        .with(header::CACHE_CONTROL, "public, max-age=300")
        .with(header::CONTENT_SECURITY_POLICY, &service.docs.policy)
        .with(HeaderName::from_static("referrer-policy"), "no-referrer")
}

/// RequestMetrics for Prometheus, when the operator serves them here too; usually they have a port of their own.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "service",
    responses(
        (status = 200, description = "Prometheus' text format", body = String, content_type = "text/plain"),
        (status = 404, description = "RequestMetrics are not served on this port", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = [])),
)]
fn metrics(service: &Service) -> Result<Reply> {
    let render = service.facade.metrics.as_ref();
    let render = render.ok_or_else(|| Problem::new(Kind::NotFound, "RequestMetrics are not served on this port."))?;
    Ok(Reply::content(METRICS_TYPE, render()))
}

/// The content type of Prometheus' text format.
pub const METRICS_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
