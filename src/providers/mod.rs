//! Clients of Rekognition, `OpenAI` and Fingerprint: one request, one answer.
//!
//! A client tries once, under its own timeout, and reports; the caller decides about another try.
//! Responses are turned into the core's own types here and nowhere else, so no provider's type
//! leaves this module. Nothing here logs a response, because responses are personal data. A
//! [`ProviderError`] contains only what may be logged.
//!
//! `async-openai` logs response bodies that it cannot parse. The client here never passes such a
//! body to it; the log filter should silence the target `async_openai` all the same.
//!
//! Every call passes the [`limiter`] of its provider.

mod error;
pub mod fingerprint;
pub mod limiter;
pub mod openai;
pub mod rekognition;
mod response;
mod wire;

pub use self::error::{InvalidSettings, ProviderError, ProviderErrorKind};
pub use self::response::ProviderResponse;
pub use self::wire::Timeouts;

#[cfg(test)]
mod tests;
