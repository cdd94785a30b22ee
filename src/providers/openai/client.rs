//! The client: reads pictures, and asks about the configured model.

use async_openai::error::OpenAIError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::providers::error::{InvalidSettings, ProviderError, ProviderErrorKind};
use crate::providers::openai::dialect::{self, Dialect};
use crate::providers::openai::errors::{Fault, NOT_FOUND};
use crate::providers::openai::image::Image;
use crate::providers::openai::reply::{self, ModelStatus, Reading};
use crate::providers::openai::settings::Settings;
use crate::providers::openai::transport::{Endpoint, RequestId, Transport};
use crate::providers::response::ProviderResponse;
use crate::providers::wire;
use crate::verification::Provider;
use crate::verification::check::Usage;

const OPENAI: &str = "https://api.openai.com/v1";
const TRANSCRIBE: &str = "POST /chat/completions";
const PROBE: &str = "GET /models";
/// Longest safety identifier that the API takes.
const SAFETY_IDENTIFIER_CHARS_MAX: usize = 64;

/// The client of `OpenAI`. Clones share connections.
#[derive(Clone)]
pub struct OpenAi {
    http: reqwest::Client,
    endpoint: Endpoint,
    model: String,
    dialect: Dialect,
    reasoning_effort: String,
    output_tokens_max: u32,
    region: String,
}

impl OpenAi {
    /// Creates a client, or lists everything that is wrong with `settings`.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let mut problems = Vec::new();
        let base = match &settings.base_url {
            Some(url) => url.clone(),
            None => Url::parse(OPENAI).map_err(|e| InvalidSettings(vec![e.to_string()]))?,
        };
        if let Some(problem) = wire::endpoint_problem(&base, settings.allow_insecure_endpoints) {
            problems.push(format!("OPENAI_BASE_URL {problem}"));
        }
        if let Some(problem) = settings.timeouts.problem() {
            problems.push(format!("OpenAI: {problem}"));
        }
        if settings.model.trim().is_empty() {
            problems.push("OPENAI_MODEL is not set".to_owned());
        }
        if settings.output_tokens_max == 0 {
            problems.push("OpenAI: output_tokens_max is 0, so the model could not answer".to_owned());
        }
        let endpoint = Endpoint::new(&base, &settings.api_key, settings.base_url.is_some())
            .map_err(|problem| problems.push(format!("OPENAI_API_KEY {problem}")))
            .ok();
        let http = wire::client(&base, settings.timeouts).map_err(|problem| problems.push(problem)).ok();
        match (endpoint, http) {
            (Some(endpoint), Some(http)) if problems.is_empty() => Ok(Self {
                http,
                endpoint,
                model: settings.model.trim().to_owned(),
                dialect: settings.dialect.unwrap_or_else(|| Dialect::guess(&base, &settings.model)),
                reasoning_effort: settings.reasoning_effort.clone(),
                output_tokens_max: settings.output_tokens_max,
                region: base.host_str().unwrap_or_default().to_owned(),
            }),
            _ => Err(InvalidSettings(problems)),
        }
    }

    /// Reads the document side that `images` show (one picture, or several of the same side).
    ///
    /// `safety_identifier` tells the provider which requests concern the same person without naming
    /// the person: a keyed hash, cut at 64 characters.
    pub async fn transcribe(
        &self,
        images: &[Image],
        safety_identifier: &str,
    ) -> Result<ProviderResponse<Reading>, ProviderError> {
        let safety_identifier: String = safety_identifier.chars().take(SAFETY_IDENTIFIER_CHARS_MAX).collect();
        let request = dialect::request(
            self.dialect,
            &self.model,
            &self.reasoning_effort,
            self.output_tokens_max,
            &safety_identifier,
            images,
        );
        let request_id = RequestId::default();
        let client = self.client(&request_id);
        let answer: Result<Value, _> = client.chat().create_byot(request).await;
        let mut usage = Usage { calls: 1, ..Usage::default() };
        let mut model = self.model.clone();
        let value = match answer.map_err(Fault::of) {
            Ok(body) => {
                reply::count(&body, &mut usage);
                model = reply::model(&body).unwrap_or(model);
                reply::read(&body).map_err(|kind| error(TRANSCRIBE, kind, &request_id))?
            }
            Err(Fault::ContentFiltered) => Reading::ContentFiltered,
            Err(Fault::Kind(kind)) => return Err(error(TRANSCRIBE, kind, &request_id)),
        };
        Ok(self.response(value, &request_id, usage, model))
    }

    /// Asks the server about the configured model.
    pub async fn probe_model(&self) -> Result<ProviderResponse<ModelStatus>, ProviderError> {
        let request_id = RequestId::default();
        let client = self.client(&request_id);
        let name = utf8_percent_encode(&self.model, NON_ALPHANUMERIC).to_string();
        let answer: Result<Value, OpenAIError> = client.models().retrieve_byot(&name).await;
        let mut status = ModelStatus { id: self.model.clone(), known: Some(true), shutdown_date: None };
        match answer.map_err(Fault::of) {
            Ok(body) => status.shutdown_date = reply::shutdown_date(&body),
            Err(Fault::Kind(ProviderErrorKind::Misconfigured(NOT_FOUND))) => {
                status.known = (self.dialect != Dialect::Compatible).then_some(false);
            }
            Err(Fault::Kind(kind)) => return Err(error(PROBE, kind, &request_id)),
            Err(Fault::ContentFiltered) => {
                let kind = ProviderErrorKind::InvalidResponse("a content filter answered a question about a model");
                return Err(error(PROBE, kind, &request_id));
            }
        }
        Ok(self.response(status, &request_id, Usage::default(), self.model.clone()))
    }

    /// One client per call: its transport reports the id of this call's request. Calls share the
    /// connection pool and nothing else.
    fn client(&self, request_id: &RequestId) -> async_openai::Client<Endpoint> {
        async_openai::Client::build(self.http.clone(), self.endpoint.clone())
            .with_http_service(Transport { http: self.http.clone(), request_id: request_id.clone() })
    }

    fn response<T>(&self, value: T, request_id: &RequestId, usage: Usage, model: String) -> ProviderResponse<T> {
        let request_ids = request_id.get().into_iter().collect();
        ProviderResponse { value, request_ids, usage, model, region: self.region.clone() }
    }
}

fn error(operation: &'static str, kind: ProviderErrorKind, request_id: &RequestId) -> ProviderError {
    ProviderError { provider: Provider::Openai, operation, kind, request_id: request_id.get() }
}

impl std::fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAi")
            .field("region", &self.region)
            .field("model", &self.model)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}
