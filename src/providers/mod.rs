//! Rekognition, `OpenAI`, Fingerprint: one request, one answer.
//!
//! A client tries once, under its own timeout, and reports; whoever calls decides when again. Answers are turned into
//! the core's own types here and nowhere else, so no provider's type leaves this module. Nothing here logs: an answer is
//! personal data, and a [`ProviderError`] says all that may be said.
//!
//! `async-openai` logs response bodies that it cannot parse. The client here never lets it see such a body, and the
//! subscriber should silence the target `async_openai` all the same.

pub mod error;
pub mod fingerprint;
pub mod limiter;
pub mod openai;
pub mod rekognition;
pub mod wire;

pub use crate::providers::error::{ProviderError, ProviderErrorKind, provider_name};
pub use wire::Timeouts;

use std::time::Duration;

use crate::verification::check::Usage;

/// Longest call of Rekognition.
pub const AWS_ATTEMPT: Duration = Duration::from_secs(15);
/// Longest call of a model: it reads a picture and may think about it.
pub const OPENAI_ATTEMPT: Duration = Duration::from_secs(90);
/// Longest call of Fingerprint.
pub const FINGERPRINT_ATTEMPT: Duration = Duration::from_secs(10);

/// A provider's answer with its provenance.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderResponse<T> {
    /// What was answered.
    pub value: T,
    /// The provider's request ids, in call order.
    pub request_ids: Vec<String>,
    /// What it cost.
    pub usage: Usage,
    /// Model or API version that answered.
    pub model: String,
    /// Region or host that answered.
    pub region: String,
    /// Wall time of the call.
    pub duration: Duration,
}

impl<T> ProviderResponse<T> {
    /// The same answer about something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> ProviderResponse<U> {
        ProviderResponse {
            value: change(self.value),
            request_ids: self.request_ids,
            usage: self.usage,
            model: self.model,
            region: self.region,
            duration: self.duration,
        }
    }
}

/// Settings that cannot work, every problem as a sentence an operator can act on. Values of secrets are never in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidSettings(pub Vec<String>);

#[cfg(test)]
mod tests;
