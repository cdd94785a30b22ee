//! Claimed work: each item is run on its own, and its result is stored by a pass of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

use super::error::ReconcileError;
use super::policy::policy_in_force;
use super::requeue::{ClaimedWork, Requeue};
use super::results::{RETRY, WorkResult, time_limit};
use super::{CaseSource, Pass, Reconciler};
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::chain;
use crate::checks::{WorkItem, WorkOutcome};
use crate::verification::Work;

/// Tries to store one result, each by a pass of its own. The delays in between ([`RETRY`]) take one
/// to two minutes together, longer than a restart of `PocketBase`. When all tries have failed, the
/// claim runs out, and the work is tried again with the cached responses.
const STORE_TRIES_MAX: u32 = 8;
/// Delay before the next pass when a result could not be stored.
const AFTER_LOST_RESULT: Duration = Duration::from_secs(1);

impl Reconciler {
    /// Returns one future for each item of `claimed`, most urgent first. Drive them independently:
    /// what one result makes due must not wait for the slowest item.
    ///
    /// The claim is held until the last future has ended or was dropped.
    pub fn work_futures(&self, claimed: ClaimedWork) -> Vec<impl Future<Output = Requeue> + use<'_>> {
        let claimed = Arc::new(claimed);
        (0..claimed.work.len())
            .map(|item| {
                let claimed = Arc::clone(&claimed);
                async move { self.run_work(&claimed, &claimed.work[item]).await }
            })
            .collect()
    }

    async fn run_work(&self, claimed: &ClaimedWork, work: &Work) -> Requeue {
        reached(Point::Claimed);
        match self.try_run_work(claimed, work).await {
            Ok(requeue) => requeue,
            Err(error) => {
                // The claim runs out by itself; then any sidecar tries again.
                let (verification, claim) = (claimed.id(), claimed.claim());
                warn!(verification, claim, error = chain(&error), "work was done but its result could not be stored");
                Requeue::After(AFTER_LOST_RESULT)
            }
        }
    }

    async fn try_run_work(&self, claimed: &ClaimedWork, work: &Work) -> Result<Requeue, ReconcileError> {
        let policy = policy_in_force(&self.client, &claimed.case, self.liveness_threshold).await?;
        let end = Instant::now() + time_limit(work);
        let item = WorkItem { case: &claimed.case, policy: &policy, work, now: claimed.claimed_at, end };
        let outcome = match timeout_at(end, self.checks.run(&item)).await {
            Ok(outcome) => outcome,
            Err(_) => WorkOutcome::Failed { code: "service.out_of_time", retry_after: None },
        };
        reached(Point::Examined);
        let result = WorkResult { claim: claimed.claim(), work, outcome };
        result.log(&claimed.case);
        self.store(claimed, result).await
    }

    /// Stores `result` by a pass that begins with it. It is worth several tries: the provider was
    /// paid for it.
    async fn store(&self, claimed: &ClaimedWork, mut result: WorkResult<'_>) -> Result<Requeue, ReconcileError> {
        let (verification, claim) = (claimed.id(), claimed.claim());
        let mut source = CaseSource::Cached;
        let mut overtaken = false;
        let mut attempt = 1;
        loop {
            match self.try_store(claimed, &mut result, source, overtaken).await {
                Ok(Pass::Made(requeue)) => {
                    if result.is_answer() {
                        self.checks.forget_responses(verification, result.work);
                    }
                    reached(Point::ResultStored);
                    return Ok(requeue);
                }
                Ok(Pass::ResultTooLate) => {
                    reached(Point::ResultLate);
                    self.checks.forget_responses(verification, result.work);
                    info!(verification, claim, "a result came too late and was dropped");
                    return Ok(Requeue::After(Duration::ZERO));
                }
                Err(error) if attempt >= STORE_TRIES_MAX => return Err(error),
                Err(ReconcileError::Overtaken { .. }) => overtaken = true,
                Err(error) => {
                    warn!(verification, claim, error = chain(&error), "a result could not be stored yet");
                    reached(Point::StoreFailed);
                    sleep(RETRY.delay(attempt, rand::random(), None)).await;
                }
            }
            source = CaseSource::Fresh;
            attempt += 1;
        }
    }

    async fn try_store(
        &self,
        claimed: &ClaimedWork,
        result: &mut WorkResult<'_>,
        source: CaseSource,
        overtaken: bool,
    ) -> Result<Pass, ReconcileError> {
        if overtaken && let WorkOutcome::Finding(finding) = &mut result.outcome {
            let searched = self.checks.search_duplicates_again(&claimed.case, finding).await;
            searched.map_err(ReconcileError::pocketbase(claimed.id()))?;
        }
        self.reconcile_from(claimed.id(), source, None, Some(result)).await
    }
}
