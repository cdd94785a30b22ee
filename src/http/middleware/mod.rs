//! What happens around an endpoint: client addresses, authentication, CORS, idempotency, rate
//! limits, metrics.

pub(crate) mod address;
pub(crate) mod auth;
pub(crate) mod cors;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod request_metrics;
