//! The facade over HTTP, before a real PocketBase. What a sidecar would do is written straight into the records.

mod callers;
mod described;
mod document;
mod liveness;
mod protocol;
mod stage;
mod status;
mod status_cache;
mod verify;
