//! `GET /health`: the health that the sidecar's parts last reported, judged at the time of the
//! request.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::api::reply::Reply;
use crate::http::context::Service;
use crate::http::health::{Health, ProviderHealth, Providers};

/// Longest time without a heartbeat from the realtime stream before the service reports itself
/// unavailable: six heartbeats of 10 s.
const STALE_AFTER: Duration = Duration::from_mins(1);

/// Health of the whole service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// All dependencies work.
    Ok,
    /// Verifications are accepted, but a provider is failing or unconfigured.
    Degraded,
    /// `PocketBase` is unreachable, or its realtime stream is stale.
    Unavailable,
}

/// State of the connection to `PocketBase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PocketbaseHealth {
    /// Whether it answered the last request.
    pub reachable: bool,
    /// Whether it accepts the service's login.
    pub authenticated: bool,
    /// Seconds since a heartbeat last came back over the realtime stream; absent before the first
    /// one.
    pub realtime_age_seconds: Option<u64>,
}

/// The service's health.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HealthAnswer {
    /// Health of the whole service.
    pub status: Overall,
    /// Version of the service.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// State of the connection to `PocketBase`.
    pub pocketbase: PocketbaseHealth,
    /// State of each provider.
    pub providers: Providers,
    /// Liveness confidence (0-100) from which the default policy passes.
    #[schema(minimum = 0, maximum = 100)]
    pub face_liveness_threshold: f64,
}

impl HealthAnswer {
    /// Judges `health` at `now`, for a service that started at `started`.
    pub fn new(health: &Health, version: &str, face_liveness_threshold: f64, started: Instant, now: Instant) -> Self {
        let age = health.proved_at.map(|at| now.saturating_duration_since(at));
        let watched = age.is_some_and(|age| age <= STALE_AFTER);
        let providers = [health.providers.rekognition, health.providers.openai, health.providers.fingerprint];
        let status = if !(health.reachable && health.authenticated && watched) {
            Overall::Unavailable
        } else if providers.iter().any(|provider| *provider != ProviderHealth::Ok) {
            Overall::Degraded
        } else {
            Overall::Ok
        };
        Self {
            status,
            version: version.to_owned(),
            uptime_seconds: now.saturating_duration_since(started).as_secs(),
            pocketbase: PocketbaseHealth {
                reachable: health.reachable,
                authenticated: health.authenticated,
                realtime_age_seconds: age.map(|age| age.as_secs()),
            },
            providers: health.providers,
            face_liveness_threshold,
        }
    }

    /// 200 while verifications are served, even without a provider; 503 otherwise.
    pub fn http_status(&self) -> StatusCode {
        match self.status {
            Overall::Ok | Overall::Degraded => StatusCode::OK,
            Overall::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Health of the service. Needs no credentials and reveals no addresses.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "health",
    tag = "service",
    responses(
        (status = 200, description = "Verifications are served", body = HealthAnswer),
        (status = 503, description = "PocketBase is unreachable, or its realtime stream is stale", body = HealthAnswer),
    ),
)]
pub fn health(service: &Service) -> Reply {
    let settings = &service.settings;
    let health = *service.health.borrow();
    let threshold = settings.face_liveness_threshold;
    let answer = HealthAnswer::new(&health, &settings.version, threshold, service.started, Instant::now());
    Reply::json(answer.http_status(), &answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(proved_at: Instant) -> Health {
        let providers =
            Providers { rekognition: ProviderHealth::Ok, openai: ProviderHealth::Ok, fingerprint: ProviderHealth::Ok };
        Health { reachable: true, authenticated: true, proved_at: Some(proved_at), providers }
    }

    fn judge(health: &Health, seconds: u64) -> HealthAnswer {
        let start = health.proved_at.unwrap_or_else(Instant::now);
        HealthAnswer::new(health, "1", 75.0, start, start + Duration::from_secs(seconds))
    }

    #[test]
    fn a_realtime_stream_without_heartbeats_is_unavailable() {
        let health = well(Instant::now());
        assert_eq!(judge(&health, 60).status, Overall::Ok);
        let stale = judge(&health, 61);
        assert_eq!(stale.status, Overall::Unavailable);
        assert_eq!(stale.http_status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(stale.pocketbase.realtime_age_seconds, Some(61));
    }

    #[test]
    fn a_missing_provider_is_degraded_and_a_lost_login_is_unavailable() {
        let mut health = well(Instant::now());
        health.providers.openai = ProviderHealth::Unconfigured;
        assert_eq!(judge(&health, 0).status, Overall::Degraded);
        assert_eq!(judge(&health, 0).http_status(), StatusCode::OK);
        health.authenticated = false;
        assert_eq!(judge(&health, 0).status, Overall::Unavailable);
    }

    #[test]
    fn no_heartbeat_yet_is_not_healthy() {
        assert_eq!(judge(&Health::default(), 0).status, Overall::Unavailable);
    }
}
