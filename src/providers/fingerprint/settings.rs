//! Settings of the client of Fingerprint.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::providers::wire::Timeouts;

/// Timeouts of one call.
pub const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(10) };

/// The region of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Region {
    /// The global region.
    #[default]
    Us,
    /// The European Union.
    Eu,
    /// Asia and the Pacific.
    Ap,
}

impl Region {
    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Region::Us => "us",
            Region::Eu => "eu",
            Region::Ap => "ap",
        }
    }

    /// The region with the name `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Region::Us, Region::Eu, Region::Ap].into_iter().find(|r| r.as_str() == text)
    }

    pub(super) const fn host(self) -> &'static str {
        match self {
            Region::Us => "https://api.fpjs.io",
            Region::Eu => "https://eu.api.fpjs.io",
            Region::Ap => "https://ap.api.fpjs.io",
        }
    }
}

/// How to reach the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Secret API key of the workspace or environment.
    pub secret_key: SecretString,
    /// Region of the workspace.
    pub region: Region,
    /// Another server, instead of the region's.
    pub base_url: Option<Url>,
    /// Whether `base_url` may be plain http beyond this machine.
    pub allow_insecure_endpoints: bool,
    /// Timeouts of one call.
    pub timeouts: Timeouts,
}
