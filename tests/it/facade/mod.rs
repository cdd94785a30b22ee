//! The facade over HTTP, with a real PocketBase. The tests write into the records what a sidecar
//! would write.

mod callers;
mod described;
mod document;
mod fixture;
mod liveness;
mod protocol;
mod status;
mod status_cache;
mod verify;
