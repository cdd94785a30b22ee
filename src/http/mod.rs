//! The facade: plain HTTP for systems without a `PocketBase` client.
//!
//! Thin on purpose: a request becomes the records that a `PocketBase` client would have written, by the same rules, and an
//! answer is read from the records. Nothing is decided here, and nothing of a verification is kept between requests but finished
//! answers that the watch vouches for (`status_cache`).
//!
//! `server` takes connections, `service` takes requests through identity, limits and routing to the handlers (`verify`,
//! `document`, `liveness`, `status`, `meta`), `problem` says what went wrong. Types of requests and answers carry their own
//! description; `openapi` collects it.

pub mod api;
pub mod endpoints;
pub mod middleware;

pub(crate) mod dispatch;
pub(crate) mod long_poll;
mod openapi;
mod routes;
mod server;
pub(crate) mod status_cache;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::watch;

pub use crate::http::endpoints::health::{Health, ProviderHealth, Providers};
pub use crate::http::long_poll::notify::{Notifier, Subscription};
pub use crate::http::middleware::limits::{Quota, Quotas};
pub use crate::http::status_cache::StatusCache;
pub use openapi::document as openapi_document;
pub use server::{serve, serve_metrics};

use crate::config::Network;
use crate::pocketbase;
use crate::providers::rekognition::Rekognition;

/// Writes the figures of the whole process in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Accepted API keys.
    pub api_keys: Vec<SecretString>,
    /// Pages that browsers may call from, as URLs; their origins count.
    pub client_urls: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Keys the stored hashes of idempotency keys and of their requests.
    pub hash_key: Option<SecretString>,
    /// Version of the service, for `/health` and the description.
    pub version: String,
    /// Liveness confidence (0-100) from which the default policy passes, for `/health`.
    pub face_liveness_threshold: f64,
    /// How much callers may ask for.
    pub quotas: Quotas,
    /// Most bytes of a JSON body.
    pub json_bytes_max: usize,
    /// Most bytes of one picture.
    pub picture_bytes_max: usize,
    /// Connections at the same time; more wait in the listener's backlog.
    pub connections_max: usize,
    /// Document uploads at the same time: what bounds the memory for pictures.
    pub uploads_max: usize,
    /// How long `POST /api/v1/liveness` waits for the challenge to be opened.
    pub liveness_open: Duration,
    /// Longest wait that a caller may ask for.
    pub wait_max: Duration,
    /// How long requests in flight may take at a stop.
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

/// Everything the facade needs from the rest of the sidecar.
#[derive(Clone)]
pub struct Facade {
    /// What the operator chose.
    pub settings: Settings,
    /// Where the records are.
    pub pocketbase: pocketbase::Client,
    /// What the rest of the sidecar last said about itself.
    pub health: watch::Receiver<Health>,
    /// Wakes requests that wait; the watcher publishes.
    pub changes: Notifier,
    /// Finished answers; the watcher says when they are no longer true.
    pub status_cache: StatusCache,
    /// Who gives browsers their share of a liveness challenge; `None` when nobody does.
    pub rekognition: Option<Rekognition>,
    /// RequestMetrics, when `GET /metrics` shall be answered here too (with an API key); usually only [`serve_metrics`] is.
    pub metrics: Option<RenderMetrics>,
}
