//! Identivia: identity verification beside `PocketBase`.
//!
//! Imports point one way: `main -> run -> {watcher, queue, reconcile, http} -> {pocketbase, providers} -> verification ->
//! pixels`.

pub mod app;
pub mod base;
pub mod checks;
pub mod controller;

pub use identivia_pixels as pixels;
pub use identivia_verification as verification;

pub mod config;
pub mod http;
pub mod pocketbase;
pub mod providers;
