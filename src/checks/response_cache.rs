//! Paid answers, kept from the moment they come until what rests on them is stored.
//!
//! A document is asked about in several calls; when one of them fails, or when `PocketBase` is away, the answers that did come are
//! not bought again at the next try. Nothing depends on them: they are gone with the process, and then the provider is asked again.
//!
//! Bounded three ways: by bytes, by number (each is counted as if it were large) and by age; the oldest makes room. Pictures of
//! documents are never kept, only what was said about them; a liveness result carries its reference image.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::base::lock::Mutex;
use crate::providers::ProviderResponse;
use crate::providers::openai::Reading;
use crate::verification::Work;
use crate::verification::faces::{Comparison, DetectedFace};
use crate::verification::rules::device::DeviceEvent;
use crate::verification::rules::liveness::SessionResult;

/// Bytes that all answers together may take.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// What an answer is counted as beside its pictures: more than any transcription.
const BYTES_EACH: usize = 32 * 1024;
/// Longer than any policy keeps trying, but for those that try for hours.
const AGE_MAX: Duration = Duration::from_secs(3600);

/// What was answered about one piece of work, as far as it was.
#[derive(Debug, Clone, Default)]
pub struct CachedResponses {
    /// The faces in the document.
    pub faces: Option<ProviderResponse<Vec<DetectedFace>>>,
    /// Its front, read.
    pub front: Option<ProviderResponse<Reading>>,
    /// Its back, read.
    pub back: Option<ProviderResponse<Reading>>,
    /// The result of the challenge.
    pub session: Option<ProviderResponse<SessionResult>>,
    /// The device event.
    pub event: Option<ProviderResponse<Option<DeviceEvent>>>,
    /// How alike the faces are.
    pub comparison: Option<ProviderResponse<Comparison>>,
}

impl CachedResponses {
    fn bytes(&self) -> usize {
        let pictures = |result: &SessionResult| {
            let audit: usize = result.audit_images.iter().map(Vec::len).sum();
            audit + result.reference_image.as_ref().map_or(0, Vec::len)
        };
        BYTES_EACH + self.session.as_ref().map_or(0, |answer| pictures(&answer.value))
    }
}

/// All of them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ResponseCache {
    drawers: Arc<Mutex<HashMap<Key, Kept>>>,
}

/// A verification and a piece of work, which names its evidence: what was answered about other evidence is never found.
type Key = (String, Work);

#[derive(Debug)]
struct Kept {
    since: Instant,
    bytes: usize,
    drawer: CachedResponses,
}

impl ResponseCache {
    fn drawers(&self) -> MutexGuard<'_, HashMap<Key, Kept>> {
        self.drawers.lock()
    }

    /// What was answered already about `work` of `verification`.
    pub fn of(&self, verification: &str, work: &Work) -> CachedResponses {
        let key = (verification.to_owned(), work.clone());
        self.drawers().get(&key).map(|kept| kept.drawer.clone()).unwrap_or_default()
    }

    /// Keeps what `put` puts into the drawer.
    pub fn keep(&self, verification: &str, work: &Work, put: impl FnOnce(&mut CachedResponses)) {
        let now = Instant::now();
        let mut drawers = self.drawers();
        let kept = drawers.entry((verification.to_owned(), work.clone()));
        let kept = kept.or_insert_with(|| Kept { since: now, bytes: 0, drawer: CachedResponses::default() });
        put(&mut kept.drawer);
        kept.bytes = kept.drawer.bytes();
        make_room(&mut drawers, now);
    }

    /// Drops what is too old. To be called now and then: a service that has nothing to do must not keep what it was told of people.
    pub fn drop_old(&self) {
        make_room(&mut self.drawers(), Instant::now());
    }

    /// What rested on them is stored, or no longer wanted.
    pub fn forget(&self, verification: &str, work: &Work) {
        let mut drawers = self.drawers();
        drawers.remove(&(verification.to_owned(), work.clone()));
        report(&drawers);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn report(drawers: &HashMap<Key, Kept>) {
    metrics::gauge!("paid_answers_kept").set(drawers.len() as f64);
}

/// Drops what is too old, and the oldest while there is too much.
fn make_room(drawers: &mut HashMap<Key, Kept>, now: Instant) {
    let before = drawers.len();
    drawers.retain(|_, kept| now.saturating_duration_since(kept.since) < AGE_MAX);
    let mut bytes: usize = drawers.values().map(|kept| kept.bytes).sum();
    while bytes > BYTES_MAX {
        let Some(oldest) = drawers.iter().min_by_key(|(_, kept)| kept.since).map(|(key, _)| key.clone()) else { break };
        bytes -= drawers.remove(&oldest).map_or(0, |kept| kept.bytes);
    }
    report(drawers);
    metrics::counter!("paid_answers_given_up_total").increment((before - drawers.len()) as u64);
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
            duration: Duration::ZERO,
        }
    }

    #[test]
    fn an_answer_is_found_for_the_same_evidence_until_it_is_forgotten() {
        let answers = ResponseCache::default();
        answers.keep("a", &work(1), |drawer| drawer.session = Some(result(1)));
        assert!(answers.of("a", &work(1)).session.is_some());
        assert!(answers.of("a", &work(2)).session.is_none() && answers.of("b", &work(1)).session.is_none());
        answers.forget("a", &work(1));
        assert!(answers.of("a", &work(1)).session.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_room_and_nothing_stays_for_ever() {
        const LARGE: usize = 1024 * 1024;
        let answers = ResponseCache::default();
        for evidence in 0..100 {
            answers.keep("a", &work(evidence), |drawer| drawer.session = Some(result(LARGE)));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let bytes: usize = answers.drawers().values().map(|kept| kept.bytes).sum();
        assert!(bytes <= BYTES_MAX && bytes > BYTES_MAX - 2 * LARGE, "{bytes}");
        assert!(answers.of("a", &work(0)).session.is_none() && answers.of("a", &work(99)).session.is_some());
        tokio::time::advance(AGE_MAX / 2).await;
        answers.keep("b", &work(1), |drawer| drawer.session = Some(result(1)));
        tokio::time::advance(AGE_MAX / 2).await;
        answers.drop_old();
        assert_eq!(answers.drawers().len(), 1);
    }
}
