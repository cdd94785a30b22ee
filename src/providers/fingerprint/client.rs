//! The client: fetches events.

use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::providers::error::{InvalidSettings, ProviderError, ProviderErrorKind};
use crate::providers::fingerprint::settings::Settings;
use crate::providers::fingerprint::{errors, event};
use crate::providers::response::ProviderResponse;
use crate::providers::wire;
use crate::verification::Provider;
use crate::verification::check::Usage;
use crate::verification::rules::device::DeviceEvent;

/// Largest event that is read; real ones have a few kilobytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const OPERATION: &str = "GET /v4/events";

/// The client of Fingerprint. Clones share connections.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    http: reqwest::Client,
    authorization: HeaderValue,
    base: String,
    region: &'static str,
}

impl Fingerprint {
    /// Creates a client, or lists everything that is wrong with `settings`.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let mut problems = Vec::new();
        let base = match &settings.base_url {
            Some(url) => url.clone(),
            None => Url::parse(settings.region.host()).map_err(|e| InvalidSettings(vec![e.to_string()]))?,
        };
        if let Some(problem) = wire::endpoint_problem(&base, settings.allow_insecure_endpoints) {
            problems.push(format!("FINGERPRINT_BASE_URL {problem}"));
        }
        if let Some(problem) = settings.timeouts.problem() {
            problems.push(format!("Fingerprint: {problem}"));
        }
        let authorization = wire::bearer(&settings.secret_key)
            .map_err(|problem| problems.push(format!("FINGERPRINT_SECRET_KEY {problem}")))
            .ok();
        let http = wire::client(&base, settings.timeouts).map_err(|problem| problems.push(problem)).ok();
        match (authorization, http) {
            (Some(authorization), Some(http)) if problems.is_empty() => {
                Ok(Self { http, authorization, base: wire::prefix(&base), region: settings.region.as_str() })
            }
            _ => Err(InvalidSettings(problems)),
        }
    }

    /// Fetches the event `event_id`; `None` when there is no such event, or no event could have
    /// such an id. An id that no event could have is not sent.
    ///
    /// An event can be missing for a second or two after the browser got its id.
    pub async fn event(&self, event_id: &str) -> Result<ProviderResponse<Option<DeviceEvent>>, ProviderError> {
        let mut usage = Usage::default();
        let mut request_id = None;
        let value = if event::is_event_id(event_id) {
            usage.calls = 1;
            self.ask(event_id, &mut request_id).await.map_err(|kind| ProviderError {
                provider: Provider::Fingerprint,
                operation: OPERATION,
                kind,
                request_id: request_id.clone(),
            })?
        } else {
            None
        };
        Ok(ProviderResponse {
            value,
            request_ids: request_id.into_iter().collect(),
            usage,
            model: "v4".to_owned(),
            region: self.region.to_owned(),
        })
    }

    async fn ask(
        &self,
        event_id: &str,
        request_id: &mut Option<String>,
    ) -> Result<Option<DeviceEvent>, ProviderErrorKind> {
        let response = self
            .http
            .get(format!("{}/v4/events/{event_id}", self.base))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| wire::failure(&error))?;
        *request_id = wire::request_id(response.headers(), "x-request-id");
        let status = response.status();
        if status != StatusCode::OK {
            return errors::refusal(response).await;
        }
        let body = wire::body(response, BODY_BYTES_MAX).await?;
        let event: Value =
            serde_json::from_slice(&body).map_err(|_| ProviderErrorKind::InvalidResponse("the answer is not JSON"))?;
        match event["event_id"].as_str() {
            Some(id) if id == event_id => Ok(Some(event::read(&event))),
            _ => Err(ProviderErrorKind::InvalidResponse("the answer is another event than the one asked for")),
        }
    }
}
