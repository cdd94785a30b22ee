//! The service itself: identity, limits, logs, metrics and the OCR model.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::parsers::{self, number, one_of, unless_empty, wrong};
use super::reader::Reader;
use super::setting::{Parsed, Setting, optional, required};
use crate::base::telemetry::LogSettings;

pub const FACE_LIVENESS_THRESHOLD: Setting<f64> = required(
    "FACE_LIVENESS_THRESHOLD",
    "Liveness confidence in percent (above 0, up to 100) from which the check passes, unless the policy has its own",
    percent,
);
pub const METRICS_LISTEN: Setting<Option<SocketAddr>> =
    optional("METRICS_LISTEN", "127.0.0.1:9464", "Address that /metrics listens on; `off` for none", |text| {
        if text == "off" { Ok(None) } else { parsers::address(text).map(Some) }
    });
pub const HASH_KEY: Setting<Option<SecretString>> = optional(
    "HASH_KEY",
    "",
    "Key of the stored hashes of document numbers and of requests, at least 32 characters; never change it",
    |text| unless_empty(text, hash_key),
);
pub const INSTANCE: Setting<Option<String>> = optional(
    "INSTANCE",
    "",
    "Stable name of this sidecar, different from every other sidecar's; empty for host name and port",
    parsers::opt_text,
);
pub const MRZ_MODEL_PATH: Setting<Option<PathBuf>> = optional(
    "MRZ_MODEL_PATH",
    "",
    "Model file for local OCR of machine-readable zones; empty for no local OCR",
    |text| unless_empty(text, |text| Ok(PathBuf::from(text))),
);
pub const ALLOW_INSECURE_ENDPOINTS: Setting<bool> = optional(
    "ALLOW_INSECURE_ENDPOINTS",
    "false",
    "Allow http:// provider endpoints beyond loopback (tests only): true or false",
    |text| one_of(text, &["false", "true"]).map(|value| value == "true"),
);
// Running work holds no worker: see controller/workers.rs.
pub const WORKERS: Setting<u32> = optional(
    "WORKERS",
    "32",
    "Verifications that are read, decided or written at the same time. Running checks do not count: \
     the *_CALLS_AT_ONCE variables and DOCUMENTS_AT_ONCE bound them",
    number::<1, 1024>,
);
pub const DOCUMENTS_AT_ONCE: Setting<u32> = optional(
    "DOCUMENTS_AT_ONCE",
    "32",
    "Documents that are checked at the same time; each holds its pictures in memory until the model has read them",
    number::<1, 1024>,
);
pub const SHUTDOWN_SECONDS: Setting<u32> = optional(
    "SHUTDOWN_SECONDS",
    "25",
    "Seconds that work in flight may take to finish when the service stops",
    number::<1, 600>,
);
pub const LOG: Setting<String> = optional("LOG", "info", "Log filter, as in RUST_LOG", parsers::text);
pub const LOG_FORMAT: Setting<String> =
    optional("LOG_FORMAT", "text", "Format of log lines: text or json", |text| one_of(text, &["text", "json"]));

/// Document numbers are few and of known shapes: with a key that can be guessed, an attacker could
/// try all of them.
const HASH_KEY_LENGTH_MIN: usize = 32;

/// Values of [`super::Config`] that belong to no other section.
pub struct Service {
    pub face_liveness_threshold: f64,
    pub metrics_listen: Option<SocketAddr>,
    pub hash_key: Option<SecretString>,
    pub instance: Option<String>,
    pub allow_insecure_endpoints: bool,
    pub workers: usize,
    pub documents_at_once: usize,
    pub shutdown_seconds: u64,
    pub mrz_model_path: Option<PathBuf>,
    pub log: LogSettings,
}

impl Service {
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let face_liveness_threshold = reader.get(&FACE_LIVENESS_THRESHOLD);
        let (metrics_listen, hash_key, instance) =
            (reader.get(&METRICS_LISTEN), reader.get(&HASH_KEY), reader.get(&INSTANCE));
        let (allow_insecure_endpoints, mrz_model_path) =
            (reader.get(&ALLOW_INSECURE_ENDPOINTS), reader.get(&MRZ_MODEL_PATH));
        let (workers, documents_at_once) = (reader.get(&WORKERS), reader.get(&DOCUMENTS_AT_ONCE));
        let shutdown_seconds = reader.get(&SHUTDOWN_SECONDS);
        let (filter, format) = (reader.get(&LOG), reader.get(&LOG_FORMAT));
        Some(Self {
            face_liveness_threshold: face_liveness_threshold?,
            metrics_listen: metrics_listen?,
            hash_key: hash_key?,
            instance: instance?,
            allow_insecure_endpoints: allow_insecure_endpoints?,
            workers: workers? as usize,
            documents_at_once: documents_at_once? as usize,
            shutdown_seconds: u64::from(shutdown_seconds?),
            mrz_model_path: mrz_model_path?,
            log: LogSettings { filter: filter?, json: format? == "json" },
        })
    }
}

/// Name of this machine, for the default of `INSTANCE`.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "sidecar".to_owned(), |name| name.trim().to_owned())
}

fn percent(text: &str) -> Parsed<f64> {
    match text.parse::<f64>() {
        // 0 would pass every face.
        Ok(value) if value.is_finite() && value > 0.0 && value <= 100.0 => Ok(value),
        _ => wrong("is not a number above 0 and up to 100"),
    }
}

fn hash_key(text: &str) -> Parsed<SecretString> {
    if text.len() < HASH_KEY_LENGTH_MIN || text.chars().any(char::is_control) {
        return wrong(format!("must have at least {HASH_KEY_LENGTH_MIN} characters, none of them a control character"));
    }
    Ok(SecretString::from(text))
}
