//! Paid responses of providers, kept from the moment they come until the finding that rests on them
//! is stored.
//!
//! A document check makes several calls. When one of them fails, or `PocketBase` is unreachable,
//! the responses that did come are not paid again at the next try. Correctness does not rest on
//! them: they are gone with the process, and then the provider is asked again.
//!
//! Bounded by bytes, by number (each entry counts as if it were large) and by age. Pictures of
//! documents are never kept, only what a provider said about them; a liveness result contains its
//! reference image.

use std::sync::Arc;
use std::time::Duration;

use crate::base::lock::Mutex;
use crate::checks::bounded_cache::{BoundedCache, Bounds};
use crate::providers::ProviderResponse;
use crate::providers::openai::Reading;
use crate::verification::Work;
use crate::verification::faces::{Comparison, DetectedFace};
use crate::verification::rules::device::DeviceEvent;
use crate::verification::rules::liveness::SessionResult;

/// Bytes of all responses together.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes that an entry counts as in addition to its pictures: more than any transcription has.
const BYTES_EACH: usize = 32 * 1024;
/// Longest age of a response: longer than the deadline of a policy, unless that is hours.
const AGE_MAX: Duration = Duration::from_secs(3600);

/// The responses to one work item, as far as there are any.
#[derive(Debug, Clone, Default)]
pub(super) struct CachedResponses {
    /// Faces on the front of the document.
    pub(super) faces: Option<ProviderResponse<Vec<DetectedFace>>>,
    /// The model's reading of the front.
    pub(super) front: Option<ProviderResponse<Reading>>,
    /// The model's reading of the back.
    pub(super) back: Option<ProviderResponse<Reading>>,
    /// The result of the liveness challenge.
    pub(super) session: Option<ProviderResponse<SessionResult>>,
    /// The Fingerprint event; its value is `None` where the provider knows no such event.
    pub(super) event: Option<ProviderResponse<Option<DeviceEvent>>>,
    /// Similarity of reference image and portrait.
    pub(super) comparison: Option<ProviderResponse<Comparison>>,
}

impl CachedResponses {
    fn bytes(&self) -> usize {
        let pictures = |result: &SessionResult| {
            let audit: usize = result.audit_images.iter().map(Vec::len).sum();
            audit + result.reference_image.as_ref().map_or(0, Vec::len)
        };
        BYTES_EACH + self.session.as_ref().map_or(0, |response| pictures(&response.value))
    }
}

/// Id of a verification and its work. The work names its evidence, so responses about other
/// evidence are never found.
type Key = (String, Work);

/// Clones share the responses.
#[derive(Debug, Clone)]
pub(super) struct ResponseCache {
    responses: Arc<Mutex<BoundedCache<Key, CachedResponses>>>,
}

impl Default for ResponseCache {
    fn default() -> Self {
        let bounds = Bounds { bytes_max: BYTES_MAX, age_max: AGE_MAX, bytes_of: CachedResponses::bytes };
        Self { responses: Arc::new(Mutex::new(BoundedCache::new(bounds))) }
    }
}

impl ResponseCache {
    /// The responses to `work` of `verification`.
    pub(super) fn get(&self, verification: &str, work: &Work) -> CachedResponses {
        self.responses.lock().get(&key(verification, work)).cloned().unwrap_or_default()
    }

    /// Lets `change` add to the responses to `work` of `verification`.
    pub(super) fn update(&self, verification: &str, work: &Work, change: impl FnOnce(&mut CachedResponses)) {
        let mut responses = self.responses.lock();
        let dropped = responses.update(key(verification, work), change);
        report(responses.len(), dropped);
    }

    /// Drops the responses to `work` of `verification`.
    pub(super) fn forget(&self, verification: &str, work: &Work) {
        let mut responses = self.responses.lock();
        responses.remove(&key(verification, work));
        report(responses.len(), 0);
    }

    /// Drops what is too old.
    pub(super) fn expire(&self) {
        let mut responses = self.responses.lock();
        let dropped = responses.evict();
        report(responses.len(), dropped);
    }
}

fn key(verification: &str, work: &Work) -> Key {
    (verification.to_owned(), work.clone())
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn report(kept: usize, dropped: usize) {
    metrics::gauge!("paid_answers_kept").set(kept as f64);
    metrics::counter!("paid_answers_given_up_total").increment(dropped as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::check::Usage;

    fn work(evidence: usize) -> Work {
        Work::Liveness { attempt: 1, evidence: evidence.to_string() }
    }

    fn result(bytes: usize) -> ProviderResponse<SessionResult> {
        ProviderResponse {
            value: SessionResult { reference_image: Some(vec![0; bytes]), ..SessionResult::default() },
            request_ids: Vec::new(),
            usage: Usage::default(),
            model: String::new(),
            region: String::new(),
        }
    }

    #[test]
    fn a_response_is_found_for_the_same_evidence_until_it_is_forgotten() {
        let responses = ResponseCache::default();
        responses.update("a", &work(1), |cached| cached.session = Some(result(1)));
        assert!(responses.get("a", &work(1)).session.is_some());
        assert!(responses.get("a", &work(2)).session.is_none() && responses.get("b", &work(1)).session.is_none());
        responses.forget("a", &work(1));
        assert!(responses.get("a", &work(1)).session.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_response_is_dropped_first_and_none_outlives_its_age_limit() {
        const LARGE: usize = 1024 * 1024;
        let responses = ResponseCache::default();
        for evidence in 0..100 {
            responses.update("a", &work(evidence), |cached| cached.session = Some(result(LARGE)));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let bytes = responses.responses.lock().bytes();
        assert!(bytes <= BYTES_MAX && bytes > BYTES_MAX - 2 * LARGE, "{bytes}");
        assert!(responses.get("a", &work(0)).session.is_none() && responses.get("a", &work(99)).session.is_some());
        tokio::time::advance(AGE_MAX / 2).await;
        responses.update("b", &work(1), |cached| cached.session = Some(result(1)));
        tokio::time::advance(AGE_MAX / 2).await;
        responses.expire();
        assert_eq!(responses.responses.lock().len(), 1);
    }
}
