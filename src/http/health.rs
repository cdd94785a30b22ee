//! Health of the sidecar's parts, as they last reported it.

use std::time::Instant;

use serde::Serialize;
use utoipa::ToSchema;

/// State of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderHealth {
    /// No recent call failed.
    Ok,
    /// Recent calls failed; checks that need this provider wait.
    Degraded,
    /// No credentials are configured for it.
    #[default]
    Unconfigured,
}

/// State of each provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Providers {
    /// AWS Rekognition.
    pub rekognition: ProviderHealth,
    /// `OpenAI`, or a server with the same protocol.
    pub openai: ProviderHealth,
    /// Fingerprint Server API.
    pub fingerprint: ProviderHealth,
}

/// Report of the sidecar's parts. Ages are computed when a request asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Whether `PocketBase` answered the last request to it.
    pub reachable: bool,
    /// Whether `PocketBase` accepts the sidecar's login.
    pub authenticated: bool,
    /// When a heartbeat of this sidecar last came back over the realtime stream.
    pub proved_at: Option<Instant>,
    /// State of each provider.
    pub providers: Providers,
}
