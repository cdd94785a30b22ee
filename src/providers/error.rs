//! Provider errors, sorted by what to do next.
//!
//! An error never contains a provider's text or body: those can contain what was read from a
//! document, and the request id is enough to find the rest at the provider. All texts are constants
//! of this program, so the journal and the log may repeat them.

use std::time::Duration;

use crate::verification::Provider;

/// A call that gave no usable answer. Says nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {operation}: {kind}{}", provider.as_str(), request_suffix(request_id.as_deref()))]
pub struct ProviderError {
    /// The provider that was called.
    pub provider: Provider,
    /// The operation by the provider's own name.
    pub operation: &'static str,
    /// The failure.
    pub kind: ProviderErrorKind,
    /// The provider's id of the failed request.
    pub request_id: Option<String>,
}

/// The ways in which a call fails. The texts are constants of this crate and say what an operator
/// can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderErrorKind {
    /// The provider refused the call because of its rate limit.
    #[error("too many requests")]
    Throttled {
        /// Pause that the provider asks for.
        retry_after: Option<Duration>,
    },
    /// There was no connection, or the provider itself failed.
    #[error("{what}")]
    Unavailable {
        /// The failure in words.
        what: &'static str,
        /// Pause that the provider asks for.
        retry_after: Option<Duration>,
    },
    /// There was no answer within the allowed time.
    #[error("no answer in time")]
    Timeout,
    /// Keys are missing, wrong or expired, or lack a permission.
    #[error("{0}")]
    Credentials(&'static str),
    /// Region, model, endpoint, plan or limits do not fit.
    #[error("{0}")]
    Misconfigured(&'static str),
    /// The request itself is at fault: the same one will fail again.
    #[error("{0}")]
    Rejected(&'static str),
    /// There was an answer, and it cannot be used.
    #[error("{0}")]
    InvalidResponse(&'static str),
    /// The provider was not called: too many calls wait for it, and no slot came free in time.
    #[error("no slot came free in time")]
    Saturated,
}

impl ProviderError {
    /// The stable code for the journal and metrics.
    pub const fn code(&self) -> &'static str {
        use Provider::{Fingerprint, Openai, Rekognition};
        use ProviderErrorKind as Kind;
        match (self.provider, &self.kind) {
            (Rekognition, Kind::Throttled { .. }) => "rekognition.throttled",
            (Rekognition, Kind::Unavailable { .. }) => "rekognition.unavailable",
            (Rekognition, Kind::Timeout) => "rekognition.timeout",
            (Rekognition, Kind::Credentials(_)) => "rekognition.credentials",
            (Rekognition, Kind::Misconfigured(_)) => "rekognition.misconfigured",
            (Rekognition, Kind::Rejected(_)) => "rekognition.rejected",
            (Rekognition, Kind::InvalidResponse(_)) => "rekognition.garbage",
            (Rekognition, Kind::Saturated) => "rekognition.crowded",
            (Openai, Kind::Throttled { .. }) => "openai.throttled",
            (Openai, Kind::Unavailable { .. }) => "openai.unavailable",
            (Openai, Kind::Timeout) => "openai.timeout",
            (Openai, Kind::Credentials(_)) => "openai.credentials",
            (Openai, Kind::Misconfigured(_)) => "openai.misconfigured",
            (Openai, Kind::Rejected(_)) => "openai.rejected",
            (Openai, Kind::InvalidResponse(_)) => "openai.garbage",
            (Openai, Kind::Saturated) => "openai.crowded",
            (Fingerprint, Kind::Throttled { .. }) => "fingerprint.throttled",
            (Fingerprint, Kind::Unavailable { .. }) => "fingerprint.unavailable",
            (Fingerprint, Kind::Timeout) => "fingerprint.timeout",
            (Fingerprint, Kind::Credentials(_)) => "fingerprint.credentials",
            (Fingerprint, Kind::Misconfigured(_)) => "fingerprint.misconfigured",
            (Fingerprint, Kind::Rejected(_)) => "fingerprint.rejected",
            (Fingerprint, Kind::InvalidResponse(_)) => "fingerprint.garbage",
            (Fingerprint, Kind::Saturated) => "fingerprint.crowded",
        }
    }

    /// The pause that the provider asks for, if it does; the caller caps it.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ProviderErrorKind::Throttled { retry_after } | ProviderErrorKind::Unavailable { retry_after, .. } => {
                retry_after
            }
            _ => None,
        }
    }

    /// Whether the same call may succeed later. Wrong keys and settings count: an operator can fix
    /// them meanwhile.
    pub const fn is_retryable(&self) -> bool {
        !matches!(self.kind, ProviderErrorKind::Rejected(_))
    }

    /// Whether the operator (or this program) must change something before the call can succeed.
    pub const fn needs_operator(&self) -> bool {
        use ProviderErrorKind as Kind;
        matches!(self.kind, Kind::Credentials(_) | Kind::Misconfigured(_) | Kind::Rejected(_))
    }

    /// Whether the error speaks against the provider as a whole, so that the circuit breaker counts
    /// it. A rejected request and a single unusable response do not, nor does throttling: the
    /// provider is there.
    pub const fn is_outage(&self) -> bool {
        use ProviderErrorKind as Kind;
        matches!(self.kind, Kind::Unavailable { .. } | Kind::Timeout | Kind::Credentials(_) | Kind::Misconfigured(_))
    }
}

/// Settings that cannot work: every problem as a sentence that an operator can act on. Never
/// contains the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidSettings(pub Vec<String>);

fn request_suffix(request_id: Option<&str>) -> String {
    request_id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_kind() -> Vec<ProviderErrorKind> {
        vec![
            ProviderErrorKind::Throttled { retry_after: Some(Duration::from_secs(7)) },
            ProviderErrorKind::Unavailable { what: "the server answered 503", retry_after: None },
            ProviderErrorKind::Timeout,
            ProviderErrorKind::Credentials("check the key"),
            ProviderErrorKind::Misconfigured("check the region"),
            ProviderErrorKind::Rejected("the image is too large"),
            ProviderErrorKind::InvalidResponse("the answer is not JSON"),
            ProviderErrorKind::Saturated,
        ]
    }

    #[test]
    fn each_code_names_its_provider_and_is_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for provider in Provider::ALL {
            for kind in every_kind() {
                let error = ProviderError { provider, operation: "Ask", kind, request_id: None };
                assert!(error.code().starts_with(provider.as_str()));
                assert!(seen.insert(error.code()));
            }
        }
    }

    #[test]
    fn the_message_names_provider_operation_and_request() {
        let error = ProviderError {
            provider: Provider::Openai,
            operation: "chat completion",
            kind: ProviderErrorKind::Timeout,
            request_id: Some("req_1".to_owned()),
        };
        assert_eq!(error.to_string(), "openai chat completion: no answer in time (request req_1)");
    }
}
