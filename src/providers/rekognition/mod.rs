//! AWS Rekognition: exactly four operations, and STS for the browser's part of a liveness
//! challenge.
//!
//! The SDK signs and parses. Here it neither retries nor waits without limit, and its endpoint
//! comes from [`Settings`] alone, never from the environment.

mod body_limit;
mod client;
mod errors;
mod read;
mod settings;

pub use self::client::{OpenedSession, Rekognition, SESSION_LIFETIME};
pub use self::read::BrowserCredentials;
pub use self::settings::{Settings, StaticCredentials, TIMEOUTS};
