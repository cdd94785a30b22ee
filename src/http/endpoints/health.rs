//! `GET /health`: what the rest of the sidecar last said about itself, judged now.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// How long the watch may go without proof before the service calls itself unhealthy: six heartbeats of 10 s.
pub const STALE_AFTER: Duration = Duration::from_mins(1);

/// How a provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderHealth {
    /// It answers, as far as we know.
    Ok,
    /// It failed lately; checks that need it wait.
    Degraded,
    /// No credentials were given for it.
    #[default]
    Unconfigured,
}

/// How each provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Providers {
    /// AWS Rekognition.
    pub rekognition: ProviderHealth,
    /// `OpenAI` or a server that speaks its protocol.
    pub openai: ProviderHealth,
    /// Fingerprint Server API.
    pub fingerprint: ProviderHealth,
}

/// What the rest of the sidecar publishes; ages are computed when somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Whether `PocketBase` answered the last time it was asked.
    pub reachable: bool,
    /// Whether it accepts our login.
    pub authenticated: bool,
    /// When a heartbeat of ours last came back over the realtime stream.
    pub proved_at: Option<Instant>,
    /// How each provider stands.
    pub providers: Providers,
}

/// One word for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overall {
    /// Everything works.
    Ok,
    /// Verifications are taken, but a provider is away or unconfigured.
    Degraded,
    /// `PocketBase` is out of reach, or the watch on it is stale.
    Unavailable,
}

/// How the connection to `PocketBase` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PocketbaseHealth {
    /// Whether it answered the last time it was asked.
    pub reachable: bool,
    /// Whether it accepts the service's login.
    pub authenticated: bool,
    /// Seconds since the realtime stream was last proved to work; absent before the first proof.
    pub realtime_age_seconds: Option<u64>,
}

/// The service's health.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HealthAnswer {
    /// One word for all of it.
    pub status: Overall,
    /// Version of the service.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// The connection to `PocketBase`.
    pub pocketbase: PocketbaseHealth,
    /// The providers.
    pub providers: Providers,
    /// Liveness confidence (0-100) from which the default policy passes.
    #[schema(minimum = 0, maximum = 100)]
    pub face_liveness_threshold: f64,
}

impl HealthAnswer {
    /// `health` seen at `now` by a service that began at `started`.
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

    /// 200 while verifications are served, a provider missing or not; 503 otherwise.
    pub fn http_status(&self) -> StatusCode {
        match self.status {
            Overall::Ok | Overall::Degraded => StatusCode::OK,
            Overall::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
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
    fn silence_of_the_watch_is_a_failure() {
        let health = well(Instant::now());
        assert_eq!(judge(&health, 60).status, Overall::Ok);
        let stale = judge(&health, 61);
        assert_eq!(stale.status, Overall::Unavailable);
        assert_eq!(stale.http_status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(stale.pocketbase.realtime_age_seconds, Some(61));
    }

    #[test]
    fn a_missing_provider_degrades_and_a_lost_login_ends_service() {
        let mut health = well(Instant::now());
        health.providers.openai = ProviderHealth::Unconfigured;
        assert_eq!(judge(&health, 0).status, Overall::Degraded);
        assert_eq!(judge(&health, 0).http_status(), StatusCode::OK);
        health.authenticated = false;
        assert_eq!(judge(&health, 0).status, Overall::Unavailable);
    }

    #[test]
    fn nothing_proved_yet_is_not_healthy() {
        assert_eq!(judge(&Health::default(), 0).status, Overall::Unavailable);
    }
}
