//! Modules that any room may use and that use no other room.

pub mod backoff;
pub mod failpoints;
pub mod keyed_hash;
pub mod lock;
pub mod refcounted;
pub mod telemetry;
