//! Configuration: defaults, an optional file, the environment and `NAME_FILE` secrets, read once
//! into one value.
//!
//! Precedence, lowest first: defaults, the TOML file named by `CONFIG_FILE`, the environment, and
//! for each `NAME` the file that `NAME_FILE` names (Docker and Kubernetes secrets). All problems
//! are reported together, so that one start names every one.
//!
//! A variable is declared once, in the file of its section: name, default, help and parser.
//! [`VARIABLES`] lists them in the order in which people read them.

mod aws;
mod facade;
mod fingerprint;
mod network;
mod openai;
mod parsers;
mod pocketbase;
mod rates;
mod reader;
mod service;
mod setting;
mod sources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use figment::providers::Env;
use secrecy::SecretString;

use crate::base::telemetry::LogSettings;

pub use aws::Aws;
pub use facade::Facade;
pub use fingerprint::Fingerprint;
pub use network::{Network, NotANetwork};
pub use openai::OpenAi;
pub use pocketbase::Pocketbase;
pub use rates::{Rate, Rates};
pub use setting::Variable;

use reader::Reader;
use service::Service;

/// Every variable. A test holds the table in docs/configuration.md against it.
pub const VARIABLES: &[Variable] = &[
    pocketbase::URL.variable,
    pocketbase::EMAIL.variable,
    pocketbase::PASSWORD.variable,
    facade::API_KEY.variable,
    facade::CLIENT_URL.variable,
    aws::REGION.variable,
    aws::ACCESS_KEY_ID.variable,
    aws::SECRET_ACCESS_KEY.variable,
    service::FACE_LIVENESS_THRESHOLD.variable,
    openai::MODEL.variable,
    openai::API_KEY.variable,
    fingerprint::SECRET_KEY.variable,
    facade::LISTEN.variable,
    service::METRICS_LISTEN.variable,
    service::HASH_KEY.variable,
    service::INSTANCE.variable,
    aws::SESSION_TOKEN.variable,
    aws::LIVENESS_REGION.variable,
    aws::BROWSER_ROLE_ARN.variable,
    aws::ENDPOINT_URL.variable,
    openai::BASE_URL.variable,
    openai::DIALECT.variable,
    service::MRZ_MODEL_PATH.variable,
    fingerprint::REGION.variable,
    fingerprint::BASE_URL.variable,
    service::ALLOW_INSECURE_ENDPOINTS.variable,
    rates::AWS_CALLS_PER_SECOND.variable,
    rates::AWS_CALLS_AT_ONCE.variable,
    rates::OPENAI_CALLS_PER_SECOND.variable,
    rates::OPENAI_CALLS_AT_ONCE.variable,
    rates::FINGERPRINT_CALLS_PER_SECOND.variable,
    rates::FINGERPRINT_CALLS_AT_ONCE.variable,
    facade::KEY_REQUESTS_PER_MINUTE.variable,
    facade::USER_REQUESTS_PER_MINUTE.variable,
    facade::ADDRESS_REQUESTS_PER_MINUTE.variable,
    facade::TRUSTED_PROXIES.variable,
    service::WORKERS.variable,
    service::DOCUMENTS_AT_ONCE.variable,
    service::SHUTDOWN_SECONDS.variable,
    service::LOG.variable,
    service::LOG_FORMAT.variable,
];

/// The validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where `PocketBase` is, and the service's account there.
    pub pocketbase: Pocketbase,
    /// The HTTP facade.
    pub facade: Facade,
    /// AWS Rekognition.
    pub aws: Aws,
    /// `OpenAI`, or another server with its protocol.
    pub openai: OpenAi,
    /// Fingerprint.
    pub fingerprint: Fingerprint,
    /// How fast this process may call each provider.
    pub rates: Rates,
    /// Liveness confidence in percent, for policies that do not set their own.
    pub face_liveness_threshold: f64,
    /// Where Prometheus may scrape; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Keys the stored hashes of document numbers and of idempotent requests. Without it documents
    /// are not recognised by their numbers.
    pub hash_key: Option<SecretString>,
    /// Stable name of this sidecar, unique among the sidecars of one `PocketBase`.
    pub instance: String,
    /// Whether provider endpoints with plain http are allowed beyond loopback.
    pub allow_insecure_endpoints: bool,
    /// Verifications that are read, decided or written at the same time.
    pub workers: usize,
    /// Documents that are checked at the same time.
    pub documents_at_once: usize,
    /// Seconds that work in flight may take to finish at a stop.
    pub shutdown_seconds: u64,
    /// File of the OCR model for machine-readable zones.
    pub mrz_model_path: Option<PathBuf>,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// Everything that is wrong with a configuration, for one message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n{}", .problems.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
pub struct Invalid {
    /// One sentence each; none quotes a secret.
    pub problems: Vec<String>,
}

/// Reads the process's environment and, if `CONFIG_FILE` names one, the file.
pub fn load() -> Result<Config, Invalid> {
    let environment: BTreeMap<String, String> =
        Env::raw().iter().map(|(name, value)| (name.as_str().to_uppercase(), value)).collect();
    from_lookup(&|name| environment.get(name).cloned())
}

/// Reads the configuration; `lookup` returns the value of an environment variable.
pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, Invalid> {
    let mut problems = Vec::new();
    let values = sources::gather(VARIABLES, lookup, &mut problems);
    let mut reader = Reader::new(VARIABLES, values, problems);
    let config = read(&mut reader);
    let problems = reader.into_problems();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(Invalid { problems }),
    }
}

/// `None` if a value is missing or wrong. Each section reads all its variables before it gives up,
/// and all sections are read, so that no problem hides another.
fn read(reader: &mut Reader) -> Option<Config> {
    let pocketbase = Pocketbase::read(reader);
    let facade = Facade::read(reader);
    let aws = Aws::read(reader);
    let openai = OpenAi::read(reader);
    let fingerprint = Fingerprint::read(reader);
    let rates = Rates::read(reader);
    let service = Service::read(reader);
    let (facade, service) = (facade?, service?);
    Some(Config {
        pocketbase: pocketbase?,
        aws: aws?,
        openai: openai?,
        fingerprint: fingerprint?,
        rates: rates?,
        face_liveness_threshold: service.face_liveness_threshold,
        metrics_listen: service.metrics_listen,
        hash_key: service.hash_key,
        instance: service.instance.unwrap_or_else(|| format!("{}:{}", service::host_name(), facade.listen.port())),
        allow_insecure_endpoints: service.allow_insecure_endpoints,
        workers: service.workers,
        documents_at_once: service.documents_at_once,
        shutdown_seconds: service.shutdown_seconds,
        mrz_model_path: service.mrz_model_path,
        log: service.log,
        facade,
    })
}

#[cfg(test)]
mod tests;
