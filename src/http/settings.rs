//! Settings of the facade, as the operator configured them.

use std::time::Duration;

use secrecy::SecretString;

use crate::config::Network;
use crate::http::middleware::limits::Quotas;

/// Settings of the facade.
#[derive(Debug, Clone)]
pub struct Settings {
    /// API keys that are accepted.
    pub api_keys: Vec<SecretString>,
    /// URLs of the pages that browsers may call from; only their origins count.
    pub client_urls: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Key of the stored hashes of idempotency keys and of their requests.
    pub hash_key: Option<SecretString>,
    /// Version of the service, shown by `/health` and the API description.
    pub version: String,
    /// Liveness confidence (0-100) from which the default policy passes, shown by `/health`.
    pub face_liveness_threshold: f64,
    /// Request quotas of each kind of caller.
    pub quotas: Quotas,
    /// Most bytes of a JSON body.
    pub json_bytes_max: usize,
    /// Most bytes of one picture.
    pub picture_bytes_max: usize,
    /// Most connections at the same time; further ones wait in the listener's backlog.
    pub connections_max: usize,
    /// Most document uploads at the same time. This bounds the memory for pictures.
    pub uploads_max: usize,
    /// How long `POST /api/v1/liveness` waits for a sidecar to open the challenge.
    pub liveness_open: Duration,
    /// Longest wait that a caller may ask for.
    pub wait_max: Duration,
    /// Time that requests in flight get to finish when the service stops.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_keys: Vec::new(),
            client_urls: Vec::new(),
            trusted_proxies: Vec::new(),
            hash_key: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            face_liveness_threshold: 75.0,
            quotas: Quotas::default(),
            json_bytes_max: 64 * 1024,
            picture_bytes_max: 5 * 1024 * 1024,
            connections_max: 1024,
            uploads_max: 16,
            liveness_open: Duration::from_secs(8),
            wait_max: Duration::from_mins(1),
            drain: Duration::from_secs(10),
        }
    }
}
