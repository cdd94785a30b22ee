//! The commit as it must not be: each planted bug takes one property of the fence away, so that the
//! oracle of the tests can prove that it would notice. Only in builds for tests.

use reqwest::Method;
use serde_json::Value;

use crate::base::failpoints::{Bug, bug_planted};
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::records::{Collection, Delivery, RecordPatch, SEQ};
use crate::pocketbase::request::Request;
use crate::pocketbase::store::batch::{Batch, Commit, OPERATION, is_lost_race, stored};
use crate::verification::{Entry, Event, Transition};

/// The most lost races after which this commit gives up, too.
const TRIES: usize = 20;

impl Client {
    /// Commits in the way of the planted bug; `None` if the bug does not concern these transitions.
    pub(super) async fn commit_unfenced(
        &self,
        verification: &str,
        transitions: &[Transition],
        patch: &RecordPatch,
        outbox: &[Delivery],
    ) -> Option<Result<Commit>> {
        let claims = transitions.iter().any(|t| matches!(t.event, Event::WorkClaimed { .. }));
        if (claims && bug_planted(Bug::PlainClaim)) || (!claims && bug_planted(Bug::NoFence)) {
            return Some(self.commit_after_other_writers(verification, transitions, patch, outbox).await);
        }
        if !outbox.is_empty() && bug_planted(Bug::OutboxApart) {
            return Some(self.commit_and_notify_afterwards(verification, transitions, patch, outbox).await);
        }
        None
    }

    /// Appends the rows to those of other writers, again after each lost race.
    async fn commit_after_other_writers(
        &self,
        verification: &str,
        transitions: &[Transition],
        patch: &RecordPatch,
        outbox: &[Delivery],
    ) -> Result<Commit> {
        let (mut transitions, mut patch) = (transitions.to_vec(), patch.clone());
        for _ in 0..TRIES {
            let Some(entries) = self.entries_now(verification, &transitions, &mut patch).await? else { break };
            let batch = Batch::new(verification, &transitions, &entries, &patch, outbox)?;
            let stored =
                if bug_planted(Bug::PlainClaim) { self.one_by_one(batch).await } else { self.at_once(batch).await };
            match stored {
                Err(PocketbaseError::Conflict { field, .. }) if field.starts_with(Collection::Checks.name()) => {
                    // The finding is stored already; the row is written all the same.
                    for transition in &mut transitions {
                        (transition.check, transition.decision) = (None, None);
                    }
                }
                Err(PocketbaseError::Conflict { field, .. }) if is_lost_race(&field) || field == SEQ => {}
                other => return other,
            }
        }
        Ok(Commit::Lost)
    }

    /// The journal rows that `transitions` would be now.
    async fn entries_now(
        &self,
        verification: &str,
        transitions: &[Transition],
        patch: &mut RecordPatch,
    ) -> Result<Option<Vec<Entry>>> {
        let Some((mut case, now)) = self.read_case(verification).await? else { return Ok(None) };
        let entries = transitions.iter().map(|transition| case.apply(transition, now)).collect();
        patch.version = case.seq();
        Ok(Some(entries))
    }

    async fn at_once(&self, batch: Batch) -> Result<Commit> {
        let answer = self.call(&batch.into_request()).await?;
        let (at, pictures) = stored(&answer)?;
        Ok(Commit::Won { at, pictures })
    }

    /// Sends each item as a request of its own.
    async fn one_by_one(&self, batch: Batch) -> Result<Commit> {
        for item in batch.requests {
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            let method = if text("method") == "POST" { Method::POST } else { Method::PATCH };
            self.call(&Request::write(OPERATION, method, text("url"), item["body"].clone())).await?;
        }
        Ok(Commit::Won { at: self.transport().now_after(OPERATION)?, pictures: Vec::new() })
    }

    /// Sends the batch without its notifications, and then those.
    async fn commit_and_notify_afterwards(
        &self,
        verification: &str,
        transitions: &[Transition],
        patch: &RecordPatch,
        outbox: &[Delivery],
    ) -> Result<Commit> {
        let mut patch = patch.clone();
        let Some(entries) = self.entries_now(verification, transitions, &mut patch).await? else {
            return Ok(Commit::Lost);
        };
        let mut batch = Batch::new(verification, transitions, &entries, &patch, outbox)?;
        let notifications = batch.requests.split_off(batch.requests.len() - outbox.len());
        let commit = match self.at_once(batch).await {
            Err(PocketbaseError::Conflict { field, .. }) if is_lost_race(&field) => return Ok(Commit::Lost),
            other => other?,
        };
        for item in notifications {
            let body: Value = item["body"].clone();
            let deliveries = Collection::WebhookDeliveries.records();
            self.call(&Request::write(OPERATION, Method::POST, deliveries, body)).await?;
        }
        Ok(commit)
    }
}
