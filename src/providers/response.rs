//! A provider's answer with its provenance.

use crate::verification::check::Usage;

/// A provider's answer to one call, or to several about the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderResponse<T> {
    /// The answer in the core's own type.
    pub value: T,
    /// The provider's request ids, in call order.
    pub request_ids: Vec<String>,
    /// Calls and tokens that the provider charges for.
    pub usage: Usage,
    /// Model or API version that answered.
    pub model: String,
    /// Region or host that answered.
    pub region: String,
}
