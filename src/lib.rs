//! Identivia: identity verification beside `PocketBase`.
//!
//! Imports point one way: `main -> run -> {watcher, queue, reconcile, http} -> {pocketbase, providers} -> verification ->
//! pixels`.

pub use identivia_pixels as pixels;
pub use identivia_verification as verification;

pub mod answers;
pub mod backoff;
pub mod config;
pub mod crowd;
pub mod examine;
pub mod faces;
pub mod gate;
pub mod holdings;
pub mod http;
pub mod keyed;
pub mod pocketbase;
pub mod providers;
pub mod queue;
pub mod recognition;
pub mod reconcile;
pub mod run;
pub mod sabotage;
pub mod telemetry;
pub mod watcher;
pub mod worker;
