//! What can go wrong with a provider, sorted by what to do next.
//!
//! A [`ProviderError`] never carries a provider's text or body: those can hold what was read from a document, and a provider's
//! request id is enough to find the rest on their side. Its words are ours, so journal and logs may repeat them.

use std::time::Duration;

use crate::verification::Provider;

/// A call that gave no answer. Says nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {operation}: {kind}{}", provider_name(*provider), request_suffix(request_id.as_deref()))]
pub struct ProviderError {
    /// Who was asked.
    pub provider: Provider,
    /// What was asked, as the provider names it.
    pub operation: &'static str,
    /// What went wrong.
    pub kind: ProviderErrorKind,
    /// The provider's id of the failed request.
    pub request_id: Option<String>,
}

/// What went wrong. The texts are written here, in this crate; they say what an operator can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderErrorKind {
    /// Too many requests.
    #[error("too many requests")]
    Throttled {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// No connection, or the provider failed by itself.
    #[error("{what}")]
    Unavailable {
        /// Which.
        what: &'static str,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// No answer within the time allowed.
    #[error("no answer in time")]
    Timeout,
    /// Keys are missing, wrong, expired or lack a permission.
    #[error("{0}")]
    Credentials(&'static str),
    /// Region, model, endpoint, plan or limits do not fit.
    #[error("{0}")]
    Misconfigured(&'static str),
    /// Our request is at fault: the same one will fail again.
    #[error("{0}")]
    Rejected(&'static str),
    /// An answer came and cannot be used.
    #[error("{0}")]
    InvalidResponse(&'static str),
    /// The provider was not asked: too many wait for it, and the turn of this call did not come in time.
    #[error("its turn did not come in time")]
    Saturated,
}

impl ProviderError {
    /// The stable word for the journal, metrics and the circuit.
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

    /// How long the provider asks to wait, as far as it said; the caller caps it.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            ProviderErrorKind::Throttled { retry_after } | ProviderErrorKind::Unavailable { retry_after, .. } => {
                retry_after
            }
            _ => None,
        }
    }

    /// Whether the same call may succeed later. Wrong keys and settings count: an operator can mend them meanwhile.
    pub const fn is_retryable(&self) -> bool {
        !matches!(self.kind, ProviderErrorKind::Rejected(_))
    }

    /// Whether the operator (or this program) must change something before it can work.
    pub const fn needs_operator(&self) -> bool {
        matches!(
            self.kind,
            ProviderErrorKind::Credentials(_) | ProviderErrorKind::Misconfigured(_) | ProviderErrorKind::Rejected(_)
        )
    }

    /// Whether it speaks against the provider as a whole, so that a circuit should count it. A rejected request and a
    /// single unusable answer do not, nor does a provider that is there and asks for patience.
    pub const fn is_outage(&self) -> bool {
        matches!(
            self.kind,
            ProviderErrorKind::Unavailable { .. }
                | ProviderErrorKind::Timeout
                | ProviderErrorKind::Credentials(_)
                | ProviderErrorKind::Misconfigured(_)
        )
    }
}

/// The provider's name as the checks store it.
pub const fn provider_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Rekognition => "rekognition",
        Provider::Openai => "openai",
        Provider::Fingerprint => "fingerprint",
    }
}

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
    fn each_code_names_the_provider_and_is_told_once() {
        let mut seen = std::collections::BTreeSet::new();
        for provider in [Provider::Rekognition, Provider::Openai, Provider::Fingerprint] {
            for kind in every_kind() {
                let trouble = ProviderError { provider, operation: "Ask", kind, request_id: None };
                assert!(trouble.code().starts_with(provider_name(provider)));
                assert!(seen.insert(trouble.code()));
            }
        }
    }

    #[test]
    fn the_sentence_names_who_what_and_which_request() {
        let trouble = ProviderError {
            provider: Provider::Openai,
            operation: "chat completion",
            kind: ProviderErrorKind::Timeout,
            request_id: Some("req_1".to_owned()),
        };
        assert_eq!(trouble.to_string(), "openai chat completion: no answer in time (request req_1)");
    }
}
