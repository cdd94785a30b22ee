//! `OpenAI`, or a server that speaks its protocol: one picture in, one transcription out.
//!
//! The crate `async-openai` builds the calls; everything that decides how they travel is ours (see [`transport`]). The
//! model is never told what the person declared, so it cannot read what it was told.

mod dialect;
mod prompt;
mod reply;
mod transport;

pub use dialect::Dialect;
pub use prompt::PROMPT_VERSION;

use std::sync::Arc;
use std::time::Duration;

use async_openai::error::OpenAIError;
use jiff::civil::Date;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use self::transport::{Endpoint, Fault, Transport};
use super::wire::{self, Timeouts};
use super::{InvalidSettings, ProviderError, ProviderErrorKind, ProviderResponse};
use crate::base::lock::Mutex;
use crate::verification::Provider;
use crate::verification::check::Usage;
use crate::verification::rules::document::readings::transcription::Transcription;

/// Timeouts that suit it: a reasoning model takes its time over a picture.
pub const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(90) };
/// Tokens that suit it: some thousand for a full transcription, the rest for hidden reasoning.
pub const OUTPUT_TOKENS_MAX: u32 = 16_000;
/// A reasoning effort that suits it: copying takes little thought.
pub const REASONING_EFFORT: &str = "low";
const OPENAI: &str = "https://api.openai.com/v1";
const TRANSCRIBE: &str = "POST /chat/completions";
const PROBE: &str = "GET /models";
/// Longest safety identifier the API takes.
const SAFETY_IDENTIFIER_CHARS_MAX: usize = 64;

/// How to reach it and what to ask for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// API key. May be empty only with a `base_url`: local servers often want none.
    pub api_key: SecretString,
    /// Another server that speaks the protocol, with its version path (`http://127.0.0.1:9000/v1`).
    pub base_url: Option<Url>,
    /// Whether `base_url` may be plain http beyond this machine.
    pub allow_insecure_endpoints: bool,
    /// Model that reads pictures.
    pub model: String,
    /// How it wants to be asked; `None` guesses from model and server.
    pub dialect: Option<Dialect>,
    /// How long a reasoning model may think (`none`, `minimal`, `low`, `medium`, `high`).
    pub reasoning_effort: String,
    /// Most tokens an answer may have, hidden reasoning included.
    pub output_tokens_max: u32,
    /// Timeouts of one call.
    pub timeouts: Timeouts,
}

/// A picture to be read. `Debug` shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// What the bytes are.
    pub media_type: MediaType,
    /// The file.
    pub bytes: bytes::Bytes,
}

/// Picture formats that the API takes and we make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
}

impl MediaType {
    /// The MIME name.
    pub const fn as_str(self) -> &'static str {
        match self {
            MediaType::Jpeg => "image/jpeg",
            MediaType::Png => "image/png",
        }
    }
}

/// What came of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// It was read. (Boxed: it is large, and the others are nothing.)
    Transcribed(Box<Transcription>),
    /// The model declined to read it.
    Refused,
    /// The provider's content filter stopped it.
    ContentFiltered,
}

/// What the server says of the configured model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatus {
    /// Its name.
    pub id: String,
    /// Whether the server knows it; `None` when the server cannot be asked (some compatible servers).
    pub known: Option<bool>,
    /// The day it is shut down, if announced.
    pub shutdown_date: Option<Date>,
}

/// The client.
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
    /// A client, or everything that is wrong with `settings`.
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
            problems.push("OpenAI: output_tokens_max is 0, so no answer could come".to_owned());
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
    /// `safety_identifier` tells the provider which person a request is about without telling who: a keyed hash, cut at
    /// 64 characters.
    pub async fn transcribe(
        &self,
        images: &[Image],
        safety_identifier: &str,
    ) -> Result<ProviderResponse<Reading>, ProviderError> {
        let started = Instant::now();
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
        let value = match answer {
            Ok(body) => {
                reply::count(&body, &mut usage);
                model = reply::model(&body).unwrap_or(model);
                reply::read(&body).map_err(|kind| request_id.trouble(TRANSCRIBE, kind))?
            }
            Err(error) => match Fault::of(error) {
                Fault::ContentFiltered => Reading::ContentFiltered,
                Fault::Kind(kind) => return Err(request_id.trouble(TRANSCRIBE, kind)),
            },
        };
        Ok(ProviderResponse {
            value,
            request_ids: request_id.get().into_iter().collect(),
            usage,
            model,
            region: self.region.clone(),
            duration: started.elapsed(),
        })
    }

    /// Asks the server about the configured model.
    pub async fn probe_model(&self) -> Result<ProviderResponse<ModelStatus>, ProviderError> {
        let started = Instant::now();
        let request_id = RequestId::default();
        let client = self.client(&request_id);
        let name = utf8_percent_encode(&self.model, NON_ALPHANUMERIC).to_string();
        let answer: Result<Value, OpenAIError> = client.models().retrieve_byot(&name).await;
        let mut status = ModelStatus { id: self.model.clone(), known: Some(true), shutdown_date: None };
        match answer.map_err(Fault::of) {
            Ok(body) => {
                status.shutdown_date = reply::shutdown_date(&body);
            }
            Err(Fault::Kind(ProviderErrorKind::Misconfigured(transport::NOT_FOUND))) => {
                status.known = (self.dialect != Dialect::Compatible).then_some(false);
            }
            Err(Fault::Kind(kind)) => return Err(request_id.trouble(PROBE, kind)),
            Err(Fault::ContentFiltered) => {
                return Err(request_id
                    .trouble(PROBE, ProviderErrorKind::InvalidResponse("a model was asked for, a filter answered")));
            }
        }
        Ok(ProviderResponse {
            value: status,
            request_ids: request_id.get().into_iter().collect(),
            usage: Usage::default(),
            model: self.model.clone(),
            region: self.region.clone(),
            duration: started.elapsed(),
        })
    }

    /// One client a call: its transport tells the id of this call's request, and nothing is shared between calls but the
    /// connection pool.
    fn client(&self, request_id: &RequestId) -> async_openai::Client<Endpoint> {
        async_openai::Client::build(self.http.clone(), self.endpoint.clone())
            .with_http_service(Transport { http: self.http.clone(), request_id: request_id.clone() })
    }
}

/// The id of one call's request, told by the transport: the crate drops the headers.
#[derive(Debug, Clone, Default)]
struct RequestId(Arc<Mutex<Option<String>>>);

impl RequestId {
    fn set(&self, id: Option<String>) {
        *self.0.lock() = id;
    }

    fn get(&self) -> Option<String> {
        self.0.lock().clone()
    }

    fn trouble(&self, operation: &'static str, kind: ProviderErrorKind) -> ProviderError {
        ProviderError { provider: Provider::Openai, operation, kind, request_id: self.get() }
    }
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

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {} bytes)", self.media_type.as_str(), self.bytes.len())
    }
}
