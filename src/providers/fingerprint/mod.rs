//! Fingerprint Server API v4: fetches one identification event.

mod client;
mod errors;
mod event;
mod settings;

pub use self::client::Fingerprint;
pub use self::settings::{Region, Settings, TIMEOUTS};
