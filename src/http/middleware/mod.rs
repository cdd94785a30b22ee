//! What stands between a connection and an endpoint: who calls, from where, how often.

pub(crate) mod address;
pub(crate) mod auth;
pub(crate) mod cors;
pub(crate) mod idempotency;
pub(crate) mod limits;
pub(crate) mod request_metrics;
