//! Why a command cannot run.

use std::net::SocketAddr;

use crate::checks::ocr_model::ModelError;
use crate::config::Config;
use crate::pocketbase::PocketbaseError;

/// Why a command cannot run. Each is one message for an operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, or is not one of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address from `LISTEN` or `METRICS_LISTEN`.
        address: SocketAddr,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// `PocketBase` does not answer, or refuses the login.
    #[error("PocketBase at {url} cannot be used")]
    Pocketbase {
        /// Base URL from `POCKETBASE_URL`.
        url: String,
        /// The error of the request that failed.
        #[source]
        source: PocketbaseError,
    },
    /// Collections, rules, settings or the default policy are not as this version needs them; one
    /// sentence each.
    #[error("PocketBase is not what this version expects:\n{}", bullets(.0))]
    Schema(Vec<String>),
    /// Settings of the providers cannot work; one sentence each.
    #[error("a provider's settings cannot be used:\n{}", bullets(.0))]
    Provider(Vec<String>),
    /// The OCR model is damaged or is another model.
    #[error("MRZ_MODEL_PATH names {path}, which cannot be used")]
    Model {
        /// Path from `MRZ_MODEL_PATH`.
        path: String,
        /// What is wrong with the file.
        source: ModelError,
    },
    /// The metrics recorder cannot be installed.
    #[error("metrics cannot be recorded: {0}")]
    Metrics(String),
    /// A stored verification is missing, or its records contradict each other.
    #[error("{0}")]
    Replay(String),
    /// The running service is not healthy, or is not running.
    #[error("not healthy: {0}")]
    Unhealthy(String),
}

impl StartError {
    /// [`StartError::Pocketbase`] with the configured URL.
    pub(super) fn pocketbase(config: &Config, source: PocketbaseError) -> Self {
        Self::Pocketbase { url: config.pocketbase.url.to_string(), source }
    }
}

fn bullets(problems: &[String]) -> String {
    problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n")
}
