//! The parts of the service, built from the configuration.

use std::time::Duration;

use tokio::sync::watch;

use super::error::StartError;
use crate::checks::ocr_model::{ModelError, OcrModel};
use crate::config::{Config, Rates};
use crate::http::{self, Facade, Health, Notifier, StatusCache};
use crate::pocketbase::{self, Client};
use crate::providers::fingerprint::{self, Fingerprint};
use crate::providers::limiter::{ProviderLimiters, RateLimit};
use crate::providers::openai::{self, OpenAi};
use crate::providers::rekognition::{self, Rekognition};
use crate::verification::Provider;

/// Version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Timeout of a connection to `PocketBase`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of one request to `PocketBase`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// The clients of the three providers.
pub struct Providers {
    pub rekognition: Rekognition,
    pub openai: OpenAi,
    pub fingerprint: Fingerprint,
}

impl Providers {
    /// Builds all three; an error holds everything that is wrong with their settings.
    pub async fn new(config: &Config) -> Result<Self, StartError> {
        let rekognition = Rekognition::new(rekognition_settings(config)).await;
        let openai = OpenAi::new(&openai_settings(config));
        let fingerprint = Fingerprint::new(&fingerprint_settings(config));
        match (rekognition, openai, fingerprint) {
            (Ok(rekognition), Ok(openai), Ok(fingerprint)) => Ok(Self { rekognition, openai, fingerprint }),
            (rekognition, openai, fingerprint) => Err(StartError::Provider(
                [rekognition.err(), openai.err(), fingerprint.err()]
                    .into_iter()
                    .flatten()
                    .flat_map(|bad| bad.0)
                    .collect(),
            )),
        }
    }
}

/// The OCR model, where there is one, and a line that says so. Without a model every document check
/// says that no local OCR was done. A file that is damaged or another model is the operator's
/// mistake and an error.
pub fn ocr_model(config: &Config, threads: usize) -> Result<(Option<OcrModel>, String), StartError> {
    const OFF: &str = "local OCR of machine-readable zones: off, the model provider alone reads them:";
    let Some(path) = &config.mrz_model_path else {
        return Ok((None, format!("{OFF} MRZ_MODEL_PATH is not set")));
    };
    match OcrModel::load(path, threads) {
        Ok(model) => Ok((Some(model), "local OCR of machine-readable zones: on".to_owned())),
        Err(ModelError::Read(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok((None, format!("{OFF} there is no file {}", path.display())))
        }
        Err(source) => Err(StartError::Model { path: path.display().to_string(), source }),
    }
}

/// A limiter for each provider.
pub fn limiters(rates: &Rates) -> ProviderLimiters {
    ProviderLimiters::new(|provider| {
        let rate = match provider {
            Provider::Rekognition => rates.aws,
            Provider::Openai => rates.openai,
            Provider::Fingerprint => rates.fingerprint,
        };
        RateLimit::new(rate.per_second, rate.at_once)
    })
}

/// A client that is not logged in yet.
pub fn client(config: &Config) -> Result<Client, StartError> {
    Client::new(pocketbase::Settings {
        url: config.pocketbase.url.clone(),
        email: config.pocketbase.email.clone(),
        password: config.pocketbase.password.clone(),
        connect_timeout: CONNECT_TIMEOUT,
        request_timeout: REQUEST_TIMEOUT,
    })
    .map_err(|source| StartError::pocketbase(config, source))
}

/// The facade, not listening yet.
pub fn facade(
    config: &Config,
    client: &Client,
    providers: &Providers,
    health: watch::Receiver<Health>,
    changes: Notifier,
    status_cache: StatusCache,
) -> Facade {
    Facade {
        settings: http::Settings {
            api_keys: config.facade.api_keys.clone(),
            client_urls: config.facade.client_urls.clone(),
            trusted_proxies: config.facade.trusted_proxies.clone(),
            hash_key: config.hash_key.clone(),
            face_liveness_threshold: config.face_liveness_threshold,
            version: VERSION.to_owned(),
            quotas: http::Quotas {
                key: http::Quota::per_minute(config.facade.key_requests_per_minute),
                user: http::Quota::per_minute(config.facade.user_requests_per_minute),
                address: http::Quota::per_minute(config.facade.address_requests_per_minute),
            },
            ..http::Settings::default()
        },
        pocketbase: client.clone(),
        health,
        changes,
        status_cache,
        rekognition: providers.rekognition.offers_browser_credentials().then(|| providers.rekognition.clone()),
        metrics: None,
    }
}

fn rekognition_settings(config: &Config) -> rekognition::Settings {
    rekognition::Settings {
        region: config.aws.region.clone(),
        liveness_region: Some(config.aws.liveness_region.clone()),
        endpoint_url: config.aws.endpoint_url.clone(),
        allow_insecure_endpoints: config.allow_insecure_endpoints,
        credentials: Some(rekognition::StaticCredentials {
            access_key_id: config.aws.access_key_id.clone(),
            secret_access_key: config.aws.secret_access_key.clone(),
            session_token: config.aws.session_token.clone(),
        }),
        audit_images: 0,
        browser_role_arn: config.aws.browser_role_arn.clone(),
        timeouts: rekognition::TIMEOUTS,
    }
}

fn openai_settings(config: &Config) -> openai::Settings {
    openai::Settings {
        api_key: config.openai.api_key.clone(),
        base_url: config.openai.base_url.clone(),
        allow_insecure_endpoints: config.allow_insecure_endpoints,
        model: config.openai.model.clone(),
        dialect: openai::Dialect::parse(&config.openai.dialect),
        reasoning_effort: "low".to_owned(),
        output_tokens_max: 8_000,
        timeouts: openai::TIMEOUTS,
    }
}

fn fingerprint_settings(config: &Config) -> fingerprint::Settings {
    fingerprint::Settings {
        secret_key: config.fingerprint.secret_key.clone(),
        region: fingerprint::Region::parse(&config.fingerprint.region).unwrap_or(fingerprint::Region::Us),
        base_url: config.fingerprint.base_url.clone(),
        allow_insecure_endpoints: config.allow_insecure_endpoints,
        timeouts: fingerprint::TIMEOUTS,
    }
}
