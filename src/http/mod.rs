//! The facade: a plain HTTP API for systems without a `PocketBase` client.
//!
//! A request becomes the records that a `PocketBase` client would have written, under the same
//! rules. An answer is read from the records. The facade decides nothing about a verification, and
//! between requests it remembers nothing of one but finished answers (`status_cache`), which it
//! serves only while the cache lease is valid.
//!
//! From bottom to top:
//!
//! - `api`: what requests and answers are made of: bodies, validation, views, problems, messages
//!   for people.
//! - `middleware`: what happens around an endpoint: authentication, rate limits, CORS, idempotency,
//!   metrics.
//! - `long_poll`: requests that wait for a verification to change.
//! - `context`: the state and the helpers that endpoints share.
//! - `endpoints`: one file for each endpoint.
//! - `openapi`: the API description, collected from the endpoints and their types.
//! - `dispatch`: takes one request through authentication and routing to its endpoint.
//! - `server`: accepts connections.

pub mod api;
pub mod endpoints;
pub mod middleware;

mod context;
mod dispatch;
mod health;
pub(crate) mod long_poll;
mod openapi;
mod routes;
mod server;
mod settings;
pub(crate) mod status_cache;

pub use crate::http::context::{Facade, RenderMetrics};
pub use crate::http::health::{Health, ProviderHealth, Providers};
pub use crate::http::long_poll::notify::{Notifier, Subscription};
pub use crate::http::middleware::limits::{Quota, Quotas};
pub use crate::http::settings::Settings;
pub use crate::http::status_cache::StatusCache;
pub use openapi::document as openapi_document;
pub use server::{serve, serve_metrics};
