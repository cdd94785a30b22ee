//! What every room uses and what uses none of them.

pub mod backoff;
pub mod failpoints;
pub mod refcounted;
pub mod telemetry;
