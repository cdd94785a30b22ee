//! Configuration: defaults, an optional file, the environment and `NAME_FILE` secrets, read once into one value.
//!
//! Precedence, lowest first: defaults, the TOML file named by `CONFIG_FILE`, the environment, and for every `NAME` the
//! file that `NAME_FILE` points to (Docker and Kubernetes secrets). Everything is validated together, so that one start
//! tells every problem at once.

mod network;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::base::telemetry::LogSettings;

pub use network::{Network, NotANetwork};

/// Every variable, whether it must be set, its default, and what it is. The README's table is checked against it.
pub const VARIABLES: &[Variable] = &[
    required("POCKETBASE_URL", "Internal URL of PocketBase, e.g. http://pocketbase:8090"),
    required("PB_USER_EMAIL", "E-mail of the service account (collection `services`) or of a superuser"),
    required("PB_USER_PASSWORD", "Its password"),
    required("API_KEY", "Key or comma-separated keys for X-API-Key, each at least 16 characters"),
    required("CLIENT_URL", "Origin or comma-separated origins that browsers may call from"),
    required("AWS_REGION", "Region for DetectFaces and CompareFaces"),
    required("AWS_ACCESS_KEY_ID", "AWS access key id"),
    required("AWS_SECRET_ACCESS_KEY", "AWS secret access key"),
    required("FACE_LIVENESS_THRESHOLD", "Liveness confidence from which the check passes, 0-100"),
    required("OPENAI_MODEL", "Vision model that transcribes documents"),
    required("OPENAI_API_KEY", "OpenAI API key"),
    required("FINGERPRINT_SECRET_KEY", "Fingerprint Server API secret key"),
    optional("LISTEN", "0.0.0.0:8000", "Address of the HTTP facade"),
    optional("METRICS_LISTEN", "127.0.0.1:9464", "Address of /metrics; `off` for none"),
    optional(
        "HASH_KEY",
        "",
        "Key of the stored hashes of document numbers and of requests, at least 32 characters; never change it",
    ),
    optional("INSTANCE", "", "Stable name of this sidecar; default host name and port"),
    optional("AWS_SESSION_TOKEN", "", "For temporary AWS credentials"),
    optional("AWS_LIVENESS_REGION", "", "Region of Face Liveness if it is not AWS_REGION"),
    optional("AWS_BROWSER_ROLE_ARN", "", "Role whose short-lived credentials a browser gets for the challenge"),
    optional("AWS_ENDPOINT_URL", "", "Another endpoint for AWS (sandbox)"),
    optional("OPENAI_BASE_URL", "", "Another server that speaks OpenAI's protocol"),
    optional("OPENAI_DIALECT", "auto", "auto, reasoning, classic or compatible"),
    optional("MRZ_MODEL_PATH", "", "Recognition model for our own reading of machine-readable zones; empty for none"),
    optional("FINGERPRINT_REGION", "us", "us, eu or ap"),
    optional("FINGERPRINT_BASE_URL", "", "Another endpoint for Fingerprint (sandbox)"),
    optional("ALLOW_INSECURE_ENDPOINTS", "false", "Allow http:// provider endpoints beyond loopback (tests only)"),
    optional(
        "AWS_CALLS_PER_SECOND",
        "50",
        "Rekognition calls begun per second; your account's quota divided by the sidecars",
    ),
    optional("AWS_CALLS_AT_ONCE", "32", "Rekognition calls at the same time"),
    optional("OPENAI_CALLS_PER_SECOND", "10", "Model calls begun per second"),
    optional("OPENAI_CALLS_AT_ONCE", "16", "Model calls at the same time"),
    optional("FINGERPRINT_CALLS_PER_SECOND", "20", "Fingerprint calls begun per second"),
    optional("FINGERPRINT_CALLS_AT_ONCE", "16", "Fingerprint calls at the same time"),
    optional("KEY_REQUESTS_PER_MINUTE", "6000", "Facade requests a minute for each API key"),
    optional("USER_REQUESTS_PER_MINUTE", "120", "Facade requests a minute for each person with a token of their own"),
    optional(
        "ADDRESS_REQUESTS_PER_MINUTE",
        "120",
        "Facade requests a minute for each address that shows no valid credentials",
    ),
    optional("TRUSTED_PROXIES", "", "Addresses or networks, comma-separated, whose X-Forwarded-For is believed"),
    optional("WORKERS", "32", "Verifications examined at the same time"),
    optional("SHUTDOWN_SECONDS", "25", "Grace for work in flight at a stop"),
    optional("LOG", "info", "Log filter, as in RUST_LOG"),
    optional("LOG_FORMAT", "text", "text or json"),
];

/// Document numbers are few and of known shapes: only a key that cannot be guessed keeps them from being tried out.
const HASH_KEY_LENGTH_MIN: usize = 32;

/// One row of [`VARIABLES`].
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Environment name; in the file the same in lower case.
    pub name: &'static str,
    /// Used when it is not set; `None` means it must be.
    pub default: Option<&'static str>,
    /// For people.
    pub help: &'static str,
}

const fn required(name: &'static str, help: &'static str) -> Variable {
    Variable { name, default: None, help }
}

const fn optional(name: &'static str, default: &'static str, help: &'static str) -> Variable {
    Variable { name, default: Some(default), help }
}

/// The validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `PocketBase` and the identity the service works as.
    pub pocketbase: Pocketbase,
    /// The facade.
    pub facade: Facade,
    /// AWS.
    pub aws: Aws,
    /// `OpenAI`.
    pub openai: OpenAi,
    /// Fingerprint.
    pub fingerprint: Fingerprint,
    /// How fast each provider may be asked.
    pub rates: Rates,
    /// Liveness confidence, 0-100, for policies that do not set their own.
    pub face_liveness_threshold: f64,
    /// Where Prometheus may read; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Keys the hashes of document numbers and of idempotent requests. Without it documents are not recognised by their numbers.
    pub hash_key: Option<SecretString>,
    /// Stable name of this sidecar.
    pub instance: String,
    /// Whether plain-http provider endpoints beyond loopback are allowed.
    pub allow_insecure_endpoints: bool,
    /// Verifications examined at the same time.
    pub workers: usize,
    /// Seconds for work in flight at a stop.
    pub shutdown_seconds: u64,
    /// Recognition model for machine-readable zones.
    pub mrz_model_path: Option<PathBuf>,
    /// Logging.
    pub log: LogSettings,
}

/// `PocketBase`.
#[derive(Debug, Clone)]
pub struct Pocketbase {
    /// Base URL without a trailing slash.
    pub url: Url,
    /// Login.
    pub email: String,
    /// Login.
    pub password: SecretString,
}

/// The facade.
#[derive(Debug, Clone)]
pub struct Facade {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Accepted API keys.
    pub api_keys: Vec<SecretString>,
    /// Accepted origins, exactly as a browser sends them.
    pub client_urls: Vec<String>,
    /// What each API key may ask for.
    pub key_requests_per_minute: u32,
    /// What each person may ask for.
    pub user_requests_per_minute: u32,
    /// What each address without valid credentials may ask for.
    pub address_requests_per_minute: u32,
    /// Proxies whose word on where a request comes from is believed.
    pub trusted_proxies: Vec<Network>,
}

/// AWS.
#[derive(Debug, Clone)]
pub struct Aws {
    /// Region of DetectFaces and CompareFaces.
    pub region: String,
    /// Region of Face Liveness.
    pub liveness_region: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: SecretString,
    /// For temporary credentials.
    pub session_token: Option<SecretString>,
    /// Role for browsers.
    pub browser_role_arn: Option<String>,
    /// Another endpoint.
    pub endpoint_url: Option<Url>,
}

/// `OpenAI`.
#[derive(Debug, Clone)]
pub struct OpenAi {
    /// Model name.
    pub model: String,
    /// Key.
    pub api_key: SecretString,
    /// Another server.
    pub base_url: Option<Url>,
    /// auto, reasoning, classic or compatible.
    pub dialect: String,
}

/// Fingerprint.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// Secret key.
    pub secret_key: SecretString,
    /// us, eu or ap.
    pub region: String,
    /// Another endpoint.
    pub base_url: Option<Url>,
}

/// How fast each provider may be asked.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// AWS Rekognition.
    pub aws: Rate,
    /// `OpenAI`.
    pub openai: Rate,
    /// Fingerprint.
    pub fingerprint: Rate,
}

/// How fast a provider may be asked, by this process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Calls begun per second, in the long run.
    pub per_second: f64,
    /// Calls at the same time.
    pub at_once: usize,
}

/// Every problem of a configuration, for one message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n{}", .problems.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
pub struct Invalid {
    /// One sentence each.
    pub problems: Vec<String>,
}

/// A value of the file: people write numbers and booleans without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl Text {
    fn into_string(self) -> String {
        match self {
            Text::String(text) => text,
            Text::Integer(number) => number.to_string(),
            Text::Float(number) => number.to_string(),
            Text::Boolean(flag) => flag.to_string(),
        }
    }
}

/// Reads the process's environment and, if `CONFIG_FILE` names one, the file.
pub fn load() -> Result<Config, Invalid> {
    let environment: BTreeMap<String, String> =
        Env::raw().iter().map(|(name, value)| (name.as_str().to_uppercase(), value)).collect();
    from_lookup(&|name| environment.get(name).cloned())
}

/// Reads configuration through `lookup`, the only door to the environment.
pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Config, Invalid> {
    let mut problems = Vec::new();
    let file = lookup("CONFIG_FILE").filter(|path| !path.trim().is_empty()).map(PathBuf::from);
    let values = gather(file.as_deref(), lookup, &mut problems);
    let mut reader = Reader { values, problems };
    let config = reader.config();
    if reader.problems.is_empty() { Ok(config) } else { Err(Invalid { problems: reader.problems }) }
}

fn gather(
    file: Option<&Path>,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut figment = Figment::new();
    for variable in VARIABLES {
        if let Some(default) = variable.default {
            figment = figment.join(Serialized::default(&variable.name.to_lowercase(), default));
        }
    }
    if let Some(path) = file {
        if path.is_file() {
            figment = figment.merge(Toml::file_exact(path));
        } else {
            problems.push(format!("CONFIG_FILE names {}, which is not a file", path.display()));
        }
    }
    for variable in VARIABLES {
        let key = variable.name.to_lowercase();
        if let Some(value) = lookup(variable.name).filter(|value| !value.is_empty()) {
            figment = figment.merge(Serialized::default(&key, value));
        }
        let file_name = format!("{}_FILE", variable.name);
        if let Some(path) = lookup(&file_name).filter(|path| !path.is_empty()) {
            match std::fs::read_to_string(&path) {
                Ok(value) => figment = figment.merge(Serialized::default(&key, value.trim_end_matches(['\r', '\n']))),
                Err(error) => problems.push(format!("{file_name} names {path}, which cannot be read: {error}")),
            }
        }
    }
    let values: BTreeMap<String, Text> = match figment.extract() {
        Ok(values) => values,
        Err(errors) => {
            problems.extend(errors.into_iter().map(|error| format!("the configuration file is not usable: {error}")));
            BTreeMap::new()
        }
    };
    for key in values.keys().filter(|key| !VARIABLES.iter().any(|v| v.name.to_lowercase() == **key)) {
        problems.push(format!("the configuration file sets {key}, which does not exist"));
    }
    values.into_iter().map(|(key, value)| (key, value.into_string())).collect()
}

/// Takes values out one by one and collects what is wrong with them.
struct Reader {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader {
    fn config(&mut self) -> Config {
        let region = self.text("AWS_REGION");
        let listen = self.address("LISTEN");
        let instance = self.opt("INSTANCE").unwrap_or_else(|| format!("{}:{}", host_name(), listen.port()));
        Config {
            pocketbase: Pocketbase {
                url: self.url("POCKETBASE_URL"),
                email: self.text("PB_USER_EMAIL"),
                password: self.secret("PB_USER_PASSWORD"),
            },
            facade: Facade {
                listen,
                api_keys: self.api_keys(),
                client_urls: self.origins(),
                key_requests_per_minute: self.per_minute("KEY_REQUESTS_PER_MINUTE"),
                user_requests_per_minute: self.per_minute("USER_REQUESTS_PER_MINUTE"),
                address_requests_per_minute: self.per_minute("ADDRESS_REQUESTS_PER_MINUTE"),
                trusted_proxies: self.networks("TRUSTED_PROXIES"),
            },
            aws: Aws {
                liveness_region: self.opt("AWS_LIVENESS_REGION").unwrap_or_else(|| region.clone()),
                region,
                access_key_id: self.text("AWS_ACCESS_KEY_ID"),
                secret_access_key: self.secret("AWS_SECRET_ACCESS_KEY"),
                session_token: self.opt("AWS_SESSION_TOKEN").map(SecretString::from),
                browser_role_arn: self.opt("AWS_BROWSER_ROLE_ARN"),
                endpoint_url: self.opt_url("AWS_ENDPOINT_URL"),
            },
            openai: OpenAi {
                model: self.text("OPENAI_MODEL"),
                api_key: self.secret("OPENAI_API_KEY"),
                base_url: self.opt_url("OPENAI_BASE_URL"),
                dialect: self.one_of("OPENAI_DIALECT", &["auto", "reasoning", "classic", "compatible"]),
            },
            fingerprint: Fingerprint {
                secret_key: self.secret("FINGERPRINT_SECRET_KEY"),
                region: self.one_of("FINGERPRINT_REGION", &["us", "eu", "ap"]),
                base_url: self.opt_url("FINGERPRINT_BASE_URL"),
            },
            rates: Rates { aws: self.rate("AWS"), openai: self.rate("OPENAI"), fingerprint: self.rate("FINGERPRINT") },
            face_liveness_threshold: self.threshold(),
            metrics_listen: (self.text("METRICS_LISTEN") != "off").then(|| self.address("METRICS_LISTEN")),
            hash_key: self.hash_key(),
            instance,
            allow_insecure_endpoints: self.one_of("ALLOW_INSECURE_ENDPOINTS", &["false", "true"]) == "true",
            workers: self.number("WORKERS", 1, 1024),
            shutdown_seconds: self.number("SHUTDOWN_SECONDS", 1, 600) as u64,
            mrz_model_path: self.opt("MRZ_MODEL_PATH").map(PathBuf::from),
            log: LogSettings { filter: self.text("LOG"), json: self.one_of("LOG_FORMAT", &["text", "json"]) == "json" },
        }
    }

    fn wrong(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name} {what}"));
    }

    fn opt(&mut self, name: &str) -> Option<String> {
        self.values.get(&name.to_lowercase()).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A value that must be there.
    fn text(&mut self, name: &str) -> String {
        self.opt(name).unwrap_or_else(|| {
            self.wrong(name, "is not set");
            String::new()
        })
    }

    fn secret(&mut self, name: &str) -> SecretString {
        let value = self.text(name);
        if value.chars().any(char::is_control) {
            self.wrong(name, "contains a line break or another control character");
        }
        SecretString::from(value)
    }

    fn hash_key(&mut self) -> Option<SecretString> {
        let key = self.opt("HASH_KEY")?;
        if key.len() < HASH_KEY_LENGTH_MIN || key.chars().any(char::is_control) {
            self.wrong("HASH_KEY", "must have at least 32 characters, none of them a control character");
        }
        Some(SecretString::from(key))
    }

    fn url(&mut self, name: &str) -> Url {
        let fallback = Url::parse("http://unset.invalid").unwrap_or_else(|_| unreachable!("a constant URL parses"));
        if self.opt(name).is_none() {
            self.wrong(name, "is not set");
            return fallback;
        }
        self.opt_url(name).unwrap_or(fallback)
    }

    fn opt_url(&mut self, name: &str) -> Option<Url> {
        let text = self.opt(name)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            _ => {
                self.wrong(name, "is not an http:// or https:// URL");
                None
            }
        }
    }

    fn address(&mut self, name: &str) -> SocketAddr {
        let text = self.text(name);
        text.parse().unwrap_or_else(|_| {
            self.wrong(name, "is not an address like 0.0.0.0:8000");
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn number(&mut self, name: &str, low: usize, high: usize) -> usize {
        let value = self.text(name).parse().ok().filter(|number| (low..=high).contains(number));
        value.unwrap_or_else(|| {
            self.wrong(name, &format!("is not a whole number from {low} to {high}"));
            low
        })
    }

    fn per_minute(&mut self, name: &str) -> u32 {
        const MOST: u32 = 1_000_000_000;
        u32::try_from(self.number(name, 1, MOST as usize)).unwrap_or(MOST)
    }

    /// `<provider>_CALLS_PER_SECOND` and `<provider>_CALLS_AT_ONCE`.
    fn rate(&mut self, provider: &str) -> Rate {
        const SLOWEST: f64 = 0.01;
        const FASTEST: f64 = 10_000.0;
        let name = format!("{provider}_CALLS_PER_SECOND");
        let per_second = self.text(&name).parse().ok().filter(|rate: &f64| (SLOWEST..=FASTEST).contains(rate));
        let per_second = per_second.unwrap_or_else(|| {
            self.wrong(&name, &format!("is not a number from {SLOWEST} to {FASTEST}"));
            SLOWEST
        });
        Rate { per_second, at_once: self.number(&format!("{provider}_CALLS_AT_ONCE"), 1, 1024) }
    }

    fn one_of(&mut self, name: &str, choices: &[&str]) -> String {
        let value = self.text(name).to_lowercase();
        if !choices.contains(&value.as_str()) {
            self.wrong(name, &format!("is not one of {}", choices.join(", ")));
        }
        value
    }

    fn threshold(&mut self) -> f64 {
        const NAME: &str = "FACE_LIVENESS_THRESHOLD";
        let Some(text) = self.opt(NAME) else {
            self.wrong(NAME, "is not set");
            return 100.0;
        };
        // 0 would pass every face.
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0 && *v <= 100.0);
        value.unwrap_or_else(|| {
            self.wrong(NAME, "is not a number above 0 and up to 100");
            100.0
        })
    }

    fn api_keys(&mut self) -> Vec<SecretString> {
        const SHORTEST: usize = 16;
        let keys = self.text("API_KEY");
        let keys: Vec<&str> = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
        if keys.iter().any(|key| key.len() < SHORTEST) {
            self.wrong(
                "API_KEY",
                &format!("has a key of fewer than {SHORTEST} characters; `openssl rand -hex 24` makes one"),
            );
        }
        if keys.iter().any(|key| !key.chars().all(|c| c.is_ascii_graphic())) {
            self.wrong("API_KEY", "has a key with a character that no HTTP header can carry");
        }
        keys.into_iter().map(SecretString::from).collect()
    }

    fn networks(&mut self, name: &str) -> Vec<Network> {
        let text = self.opt(name).unwrap_or_default();
        let mut networks = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.parse() {
                Ok(network) => networks.push(network),
                Err(NotANetwork) => self.wrong(name, &format!("has {part:?}, which is {NotANetwork}")),
            }
        }
        networks
    }

    fn origins(&mut self) -> Vec<String> {
        let text = self.text("CLIENT_URL");
        let mut origins = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match Url::parse(part) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() => {
                    origins.push(url.origin().ascii_serialization());
                }
                _ => {
                    self.wrong(
                        "CLIENT_URL",
                        "must be origins like https://app.example.com, without a path and never *",
                    );
                }
            }
        }
        origins
    }
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "sidecar".to_owned(), |n| n.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> BTreeMap<&'static str, String> {
        [
            ("POCKETBASE_URL", "http://127.0.0.1:8090"),
            ("PB_USER_EMAIL", "sidecar@example.com"),
            ("PB_USER_PASSWORD", "1234567890"),
            ("API_KEY", "0123456789abcdef,fedcba9876543210"),
            ("CLIENT_URL", "https://app.example.com"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("FACE_LIVENESS_THRESHOLD", "75"),
            ("OPENAI_MODEL", "gpt-6-luna"),
            ("OPENAI_API_KEY", "sk"),
            ("FINGERPRINT_SECRET_KEY", "fp"),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
    }

    fn read(values: &BTreeMap<&'static str, String>) -> Result<Config, Invalid> {
        from_lookup(&|name| values.get(name).cloned())
    }

    #[test]
    fn the_seeds_variables_are_enough() {
        let config = read(&complete()).unwrap();
        assert_eq!(config.facade.api_keys.len(), 2);
        assert_eq!(config.facade.listen.port(), 8000);
        assert_eq!(config.aws.liveness_region, "us-east-1");
    }

    #[test]
    fn proxies_are_named_by_address_or_range_and_by_default_nobody_is_believed() {
        let mut values = complete();
        assert_eq!(read(&values).unwrap().facade.trusted_proxies, []);
        values.insert("TRUSTED_PROXIES", "10.0.0.0/8, ::1,".into());
        let networks = ["10.0.0.0/8", "::1"].map(|text| text.parse::<Network>().unwrap());
        assert_eq!(read(&values).unwrap().facade.trusted_proxies, networks);
        values.insert("TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.0/33, traefik".into());
        assert_eq!(
            read(&values).unwrap_err().problems,
            ["10.0.0.0/33", "traefik"].map(|wrong| format!(
                "TRUSTED_PROXIES has {wrong:?}, which is not an address or a range such as 10.0.0.0/8"
            ))
        );
    }

    #[test]
    fn an_empty_environment_names_every_required_variable_at_once() {
        let problems = from_lookup(&|_| None).unwrap_err().problems;
        for variable in VARIABLES.iter().filter(|v| v.default.is_none()) {
            assert!(problems.iter().any(|p| p.starts_with(variable.name)), "{} in {problems:?}", variable.name);
        }
    }

    #[test]
    fn several_mistakes_are_told_together_without_their_values() {
        let mut values = complete();
        values.insert("FACE_LIVENESS_THRESHOLD", "NaN".into());
        values.insert("CLIENT_URL", "*".into());
        values.insert("API_KEY", "topsecret".into());
        values.insert("OPENAI_API_KEY", "line\nbreak".into());
        values.insert("AWS_CALLS_PER_SECOND", "0".into());
        let message = read(&values).unwrap_err().to_string();
        for name in ["FACE_LIVENESS_THRESHOLD", "CLIENT_URL", "API_KEY", "OPENAI_API_KEY", "AWS_CALLS_PER_SECOND"] {
            assert!(message.contains(name), "{message}");
        }
        assert!(!message.contains("topsecret"));
    }

    #[test]
    fn a_secret_may_come_from_a_file_and_its_line_end_is_not_part_of_it() {
        use secrecy::ExposeSecret;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from the file\n").unwrap();
        let mut values = complete();
        values.insert("PB_USER_PASSWORD_FILE", file.path().display().to_string());
        assert_eq!(read(&values).unwrap().pocketbase.password.expose_secret(), "from the file");
        values.insert("PB_USER_PASSWORD_FILE", "/nowhere/at/all".into());
        assert!(read(&values).unwrap_err().problems[0].contains("PB_USER_PASSWORD_FILE"));
    }

    #[test]
    fn a_file_gives_way_to_the_environment_and_may_hold_plain_numbers() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "workers = 7\naws_region = \"eu-west-1\"\nno_such_thing = 1\n").unwrap();
        let mut values = complete();
        values.insert("CONFIG_FILE", file.path().display().to_string());
        let problems = read(&values).unwrap_err().problems;
        assert_eq!(problems, ["the configuration file sets no_such_thing, which does not exist"]);
        std::fs::write(file.path(), "workers = 7\naws_region = \"eu-west-1\"\n").unwrap();
        let config = read(&values).unwrap();
        assert_eq!((config.workers, config.aws.region.as_str()), (7, "us-east-1"));
    }
}
