//! What the checks work with: clients, limits, caches and keys.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::checks::face_cache::FaceCache;
use crate::checks::ocr_model::OcrModel;
use crate::checks::response_cache::{CachedResponses, ResponseCache};
use crate::checks::work::WorkItem;
use crate::pocketbase::Client;
use crate::providers::fingerprint::Fingerprint;
use crate::providers::limiter::ProviderLimiters;
use crate::providers::openai::OpenAi;
use crate::providers::rekognition::Rekognition;

/// The clients of the providers and the limiters that every call passes.
#[derive(Debug, Clone)]
pub struct ProviderClients {
    /// The client of AWS Rekognition.
    pub rekognition: Rekognition,
    /// The client of `OpenAI`, or of a server that speaks its protocol.
    pub openai: OpenAi,
    /// The client of the Fingerprint Server API.
    pub fingerprint: Fingerprint,
    /// One limiter per provider, shared by the whole process.
    pub limiters: ProviderLimiters,
}

/// The keys of the keyed hashes.
#[derive(Debug, Clone)]
pub struct HashKeys {
    /// For the hash that stands for a person at the model's provider.
    pub safety_identifier: SecretString,
    /// For the hashes of document numbers; without it no number is hashed.
    pub document_numbers: Option<SecretString>,
}

#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) client: Client,
    pub(super) providers: ProviderClients,
    pub(super) responses: ResponseCache,
    pub(super) faces: FaceCache,
    /// Permits to decode a picture, off the async threads: each can need tens of megabytes.
    pub(super) decoders: Arc<Semaphore>,
    pub(super) keys: HashKeys,
    /// The model for local OCR, where one is configured.
    pub(super) ocr_model: Option<OcrModel>,
}

impl Context {
    pub(super) fn new(
        client: Client,
        providers: ProviderClients,
        decoders: usize,
        keys: HashKeys,
        ocr_model: Option<OcrModel>,
    ) -> Self {
        let decoders = Arc::new(Semaphore::new(decoders));
        Self {
            client,
            providers,
            responses: ResponseCache::default(),
            faces: FaceCache::default(),
            decoders,
            keys,
            ocr_model,
        }
    }

    /// The responses that an earlier try of the same work was given.
    pub(super) fn cached(&self, item: &WorkItem<'_>) -> CachedResponses {
        self.responses.get(item.case.id(), item.work)
    }

    /// Lets `change` add a response to those of the work.
    pub(super) fn cache(&self, item: &WorkItem<'_>, change: impl FnOnce(&mut CachedResponses)) {
        self.responses.update(item.case.id(), item.work, change);
    }
}
