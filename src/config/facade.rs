//! The HTTP facade: where it listens, who may call, and how often.

use std::net::SocketAddr;

use secrecy::SecretString;
use url::Url;

use super::network::{Network, NotANetwork};
use super::parsers::{self, number, parts, wrong};
use super::reader::Reader;
use super::setting::{Parsed, Setting, optional, required};

pub const API_KEY: Setting<Vec<SecretString>> =
    required("API_KEY", "Key or comma-separated keys for X-API-Key, each at least 16 characters", api_keys);
pub const CLIENT_URL: Setting<Vec<String>> =
    required("CLIENT_URL", "Origin or comma-separated origins that browsers may call from", origins);
pub const LISTEN: Setting<SocketAddr> =
    optional("LISTEN", "0.0.0.0:8000", "Address that the HTTP facade listens on", parsers::address);
pub const KEY_REQUESTS_PER_MINUTE: Setting<u32> =
    optional("KEY_REQUESTS_PER_MINUTE", "6000", "Requests per minute for each API key", number::<1, RATE_MAX>);
pub const USER_REQUESTS_PER_MINUTE: Setting<u32> = optional(
    "USER_REQUESTS_PER_MINUTE",
    "120",
    "Requests per minute for each person who calls with their own token",
    number::<1, RATE_MAX>,
);
pub const ADDRESS_REQUESTS_PER_MINUTE: Setting<u32> = optional(
    "ADDRESS_REQUESTS_PER_MINUTE",
    "120",
    "Requests per minute for each address without valid credentials",
    number::<1, RATE_MAX>,
);
pub const TRUSTED_PROXIES: Setting<Vec<Network>> = optional(
    "TRUSTED_PROXIES",
    "",
    "Proxies whose X-Forwarded-For is trusted: addresses or networks, comma-separated",
    networks,
);

const RATE_MAX: u32 = 1_000_000_000;
const API_KEY_LENGTH_MIN: usize = 16;

/// Settings of the HTTP facade.
#[derive(Debug, Clone)]
pub struct Facade {
    /// Address that it listens on.
    pub listen: SocketAddr,
    /// Accepted API keys.
    pub api_keys: Vec<SecretString>,
    /// Accepted origins, exactly as a browser sends them.
    pub client_urls: Vec<String>,
    /// Quota of each API key.
    pub key_requests_per_minute: u32,
    /// Quota of each person with a token.
    pub user_requests_per_minute: u32,
    /// Quota of each address without valid credentials.
    pub address_requests_per_minute: u32,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Network>,
}

impl Facade {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let (api_keys, client_urls, listen) = (reader.get(&API_KEY), reader.get(&CLIENT_URL), reader.get(&LISTEN));
        let key_requests_per_minute = reader.get(&KEY_REQUESTS_PER_MINUTE);
        let user_requests_per_minute = reader.get(&USER_REQUESTS_PER_MINUTE);
        let address_requests_per_minute = reader.get(&ADDRESS_REQUESTS_PER_MINUTE);
        let trusted_proxies = reader.get(&TRUSTED_PROXIES);
        Some(Self {
            listen: listen?,
            api_keys: api_keys?,
            client_urls: client_urls?,
            key_requests_per_minute: key_requests_per_minute?,
            user_requests_per_minute: user_requests_per_minute?,
            address_requests_per_minute: address_requests_per_minute?,
            trusted_proxies: trusted_proxies?,
        })
    }
}

fn api_keys(text: &str) -> Parsed<Vec<SecretString>> {
    let keys: Vec<&str> = parts(text).collect();
    let mut problems = Vec::new();
    if keys.is_empty() {
        problems.push("has no key; `openssl rand -hex 24` makes one".to_owned());
    }
    if keys.iter().any(|key| key.len() < API_KEY_LENGTH_MIN) {
        problems
            .push(format!("has a key of fewer than {API_KEY_LENGTH_MIN} characters; `openssl rand -hex 24` makes one"));
    }
    if keys.iter().any(|key| !key.chars().all(|c| c.is_ascii_graphic())) {
        problems.push("has a key with a character that no HTTP header can carry".to_owned());
    }
    if problems.is_empty() { Ok(keys.into_iter().map(SecretString::from).collect()) } else { Err(problems) }
}

fn origins(text: &str) -> Parsed<Vec<String>> {
    if parts(text).next().is_none() {
        return wrong("has no origin");
    }
    parts(text)
        .map(|part| match Url::parse(part) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() => {
                Ok(url.origin().ascii_serialization())
            }
            _ => wrong("must be origins like https://app.example.com, without a path and never *"),
        })
        .collect()
}

fn networks(text: &str) -> Parsed<Vec<Network>> {
    let (mut networks, mut problems) = (Vec::new(), Vec::new());
    for part in parts(text) {
        match part.parse() {
            Ok(network) => networks.push(network),
            Err(NotANetwork) => problems.push(format!("has {part:?}, which is {NotANetwork}")),
        }
    }
    if problems.is_empty() { Ok(networks) } else { Err(problems) }
}
