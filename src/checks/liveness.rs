//! The liveness check: opens a challenge at Rekognition, and later fetches and judges its result.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::base::failpoints::{Point, reached};
use crate::checks::context::Context;
use crate::checks::error::CheckError;
use crate::checks::finding::trace;
use crate::checks::work::{WorkItem, WorkOutcome};
use crate::providers::limiter::Urgency;
use crate::providers::rekognition;
use crate::verification::Finding;
use crate::verification::Provider;
use crate::verification::next_step::RESULT_GRACE_SECONDS;
use crate::verification::rules::liveness::{self, Verdict};
use crate::verification::transition::Opened;

/// Pause between two requests for a result: a browser reports "finished" a moment before the
/// provider has it.
const RESULT_PAUSE: Duration = Duration::from_millis(700);
/// Most requests for a result in one try of the work. More are left to the next try.
const RESULT_TRIES: u32 = 10;

/// Opens a challenge for the record `session`. Its id is the provider's idempotency token: a
/// repeated call returns the same challenge.
pub(super) async fn open_session(
    context: &Context,
    item: &WorkItem<'_>,
    session: &str,
) -> Result<WorkOutcome, CheckError> {
    let created = context.providers.rekognition.create_session(session);
    let begin_by = item.latest_start(rekognition::TIMEOUTS.attempt);
    reached(Point::SessionDue);
    let limiter = context.providers.limiters.of(Provider::Rekognition);
    let response = limiter.call("CreateFaceLivenessSession", Urgency::Interactive, begin_by, created).await?;
    reached(Point::SessionOpened);
    Ok(WorkOutcome::SessionOpened(Opened {
        session_id: response.value.session_id,
        region: response.region,
        challenge: "FaceMovementAndLightChallenge".to_owned(),
        expires_at: item.now + rekognition::SESSION_LIFETIME,
    }))
}

pub(super) async fn run(context: &Context, item: &WorkItem<'_>, session: &str) -> Result<WorkOutcome, CheckError> {
    let record = item.case.session(session).ok_or(CheckError::RecordMissing)?;
    let (urgency, begin_by) = result_deadline(item, record.expires_at);
    for attempt in 1..=RESULT_TRIES {
        let response = if let Some(response) = context.cached(item).session {
            response
        } else {
            let results = context.providers.rekognition.session_results(&record.session_id);
            let limiter = context.providers.limiters.of(Provider::Rekognition);
            limiter.call("GetFaceLivenessSessionResults", urgency, begin_by, results).await?
        };
        reached(Point::ResultAnswered);
        match liveness::judge(&response.value, item.policy) {
            Verdict::NotYet if attempt < RESULT_TRIES && item.case.completion_reported(session) => {
                reached(Point::ResultNotYet);
                tokio::time::sleep(RESULT_PAUSE).await;
            }
            Verdict::NotYet => break,
            Verdict::Ended { status, code } => return Ok(WorkOutcome::SessionEnded { status, code }),
            Verdict::Judged(judgement) => {
                context.cache(item, |cached| cached.session = Some(response.clone()));
                return Ok(WorkOutcome::finding(Finding {
                    judgement,
                    evidence: vec![session.to_owned()],
                    provider: trace(Provider::Rekognition, &response),
                    usage: response.usage,
                    reference_image: response.value.reference_image,
                    ..Finding::default()
                }));
            }
        }
    }
    Ok(WorkOutcome::ResultPending)
}

/// The urgency of fetching a result, and the last moment to begin. The provider discards a result
/// at `expires_at`, so fetching it goes before all other calls. A grace time later the core has
/// ended the challenge, and the result is no longer wanted.
fn result_deadline(item: &WorkItem<'_>, expires_at: Option<Timestamp>) -> (Urgency, Instant) {
    let begin_by = item.latest_start(rekognition::TIMEOUTS.attempt);
    let Some(expires_at) = expires_at else { return (Urgency::Interactive, begin_by) };
    let left = Duration::try_from(expires_at.duration_since(item.now)).unwrap_or_default();
    let at = Instant::now() + left;
    let unwanted_from = at + Duration::from_secs(RESULT_GRACE_SECONDS.unsigned_abs());
    (Urgency::Expiring { by: expires_at, at }, begin_by.min(unwanted_from))
}
