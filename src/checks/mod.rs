//! Runs one claimed work item: fetches the evidence, asks the providers once, lets the core judge.
//!
//! Nothing here decides about a person, and nothing is written to `PocketBase`. A provider's clear
//! "no" is a finding. A provider that gave no answer is [`WorkOutcome::Failed`]; the controller
//! decides when the work is tried again.
//!
//! One file per check: [`device`], [`document`], [`face_match`], [`liveness`] (which also opens the
//! challenge). The rest is what they share.

mod bounded_cache;
mod context;
mod device;
mod document;
mod duplicates;
mod error;
mod face_cache;
mod face_match;
mod finding;
mod liveness;
pub mod ocr_model;
mod pictures;
mod response_cache;
mod work;

pub use self::context::{HashKeys, ProviderClients};
pub use self::work::{WorkItem, WorkOutcome};

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::checks::context::Context;
use crate::checks::error::CheckError;
use crate::checks::face_cache::FaceCache;
use crate::checks::ocr_model::OcrModel;
use crate::checks::response_cache::ResponseCache;
use crate::pocketbase::{Client, PocketbaseError};
use crate::verification::check::Check;
use crate::verification::{Case, Finding, Kind, Work};

/// Pause between two searches for expired cache entries.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// Runs work of every kind. Clones share the caches and the limits.
#[derive(Debug, Clone)]
pub struct CheckRunner {
    context: Context,
}

impl CheckRunner {
    /// Creates a runner that decodes up to `decoders` pictures at the same time. Without an
    /// `ocr_model` there is no local OCR of machine-readable zones.
    pub fn new(
        client: Client,
        providers: ProviderClients,
        decoders: usize,
        keys: HashKeys,
        ocr_model: Option<OcrModel>,
    ) -> Self {
        Self { context: Context::new(client, providers, decoders, keys, ocr_model) }
    }

    /// Runs `item` to its outcome. Errors are logged here and are part of the outcome.
    pub async fn run(&self, item: &WorkItem<'_>) -> WorkOutcome {
        let began = Instant::now();
        let mut outcome = self.dispatch(item).await.unwrap_or_else(CheckError::log_as_outcome);
        let name = item.work.check().map_or("open_session", Kind::as_str);
        metrics::histogram!("work_duration_seconds", "work" => name).record(began.elapsed().as_secs_f64());
        if let WorkOutcome::Finding(finding) = &mut outcome {
            finding.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        outcome
    }

    async fn dispatch(&self, item: &WorkItem<'_>) -> Result<WorkOutcome, CheckError> {
        match item.work {
            Work::OpenSession { evidence, .. } => liveness::open_session(&self.context, item, evidence).await,
            Work::Liveness { evidence, .. } => liveness::run(&self.context, item, evidence).await,
            Work::Device { evidence, .. } => device::run(&self.context, item, evidence).await,
            Work::Document { evidence, .. } => document::run(&self.context, item, evidence).await,
            Work::FaceMatch { .. } => face_match::run(&self.context, item).await,
        }
    }

    /// Drops the cached responses for `work`: its outcome is stored, or no longer wanted.
    pub fn forget_responses(&self, verification: &str, work: &Work) {
        self.context.responses.forget(verification, work);
    }

    /// Keeps the pictures of `finding`, which is stored as `check`, so that a face comparison that
    /// follows need not download them.
    pub fn cache_faces(&self, check: &Check, finding: Finding) {
        let pictures = [(&check.reference_image, finding.reference_image), (&check.portrait, finding.portrait)];
        for (file, picture) in pictures {
            if let Some(picture) = picture.filter(|_| !file.is_empty()) {
                self.context.faces.insert(&check.id, file, picture.into());
            }
        }
    }

    /// Searches again for prior uses of the document in `finding`: another sidecar has changed
    /// the case since the first search.
    pub async fn search_duplicates_again(&self, case: &Case, finding: &mut Finding) -> Result<(), PocketbaseError> {
        duplicates::search_again(&self.context.client, case, finding).await
    }

    /// Drops expired cache entries once a minute until `shutdown`. Without this, a service that has
    /// nothing to do would keep faces and responses beyond their age limits.
    pub async fn expire_caches(self, shutdown: CancellationToken) {
        expire(&self.context.responses, &self.context.faces, &shutdown).await;
    }
}

async fn expire(responses: &ResponseCache, faces: &FaceCache, shutdown: &CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(EXPIRE_EVERY)).await.is_some() {
        responses.expire();
        faces.expire();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::providers::ProviderResponse;
    use crate::verification::check::Usage;

    #[tokio::test(start_paused = true)]
    async fn an_idle_service_drops_the_faces_and_responses_it_kept() {
        let (responses, faces, shutdown) = (ResponseCache::default(), FaceCache::default(), CancellationToken::new());
        let work = Work::Device { attempt: 1, evidence: "signal".to_owned() };
        let event = ProviderResponse {
            value: None,
            request_ids: Vec::new(),
            usage: Usage::default(),
            model: String::new(),
            region: String::new(),
        };
        responses.update("a", &work, |cached| cached.event = Some(event));
        faces.insert("check", "a.jpg", Bytes::from_static(b"face"));
        faces.insert("check", "b.jpg", Bytes::from_static(b"face"));
        let minutes = |minutes| tokio::time::sleep(Duration::from_mins(minutes));
        let story = async {
            minutes(4).await;
            assert!(faces.take("check", "a.jpg").is_some() && responses.get("a", &work).event.is_some());
            minutes(2).await;
            assert!(faces.take("check", "b.jpg").is_none() && responses.get("a", &work).event.is_some());
            minutes(55).await;
            assert!(responses.get("a", &work).event.is_none());
            shutdown.cancel();
        };
        tokio::join!(expire(&responses, &faces, &shutdown), story);
    }
}
