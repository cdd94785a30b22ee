//! The fenced commit: the only way the service stores what it concluded.

use crate::base::failpoints::{Point, reached};
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::records::{Collection, Delivery, FenceRow, RecordPatch, row_of};
use crate::pocketbase::request::Request;
use crate::pocketbase::store::batch::{Batch, Commit, OPERATION, is_lost_race, stored};
use crate::verification::{Entry, Transition};

impl Client {
    /// Stores `entries` (the rows that [`crate::verification::Case::apply`] made of `transitions`,
    /// in order) with everything that belongs to them, in one transaction: all or nothing.
    ///
    /// The first item creates journal row `n + 1`. Its unique number is the lock, so a late or
    /// second writer loses as a whole. If the answer is lost, the last row is read back. This
    /// writer's own row means `Won`, another writer's `Lost`, and none
    /// [`PocketbaseError::Unknown`]: the batch may still be stored, so the caller reads again
    /// later.
    pub async fn commit(
        &self,
        verification: &str,
        transitions: &[Transition],
        entries: &[Entry],
        patch: &RecordPatch,
        outbox: &[Delivery],
    ) -> Result<Commit> {
        let Some(last) = entries.last().filter(|_| entries.len() == transitions.len()) else {
            let what = "a commit needs one journal row for each transition, and at least one";
            return Err(PocketbaseError::Misuse { operation: OPERATION, what });
        };
        #[cfg(feature = "crash-points")]
        if let Some(commit) = self.commit_unfenced(verification, transitions, patch, outbox).await {
            return commit;
        }
        let batch = Batch::new(verification, transitions, entries, patch, outbox)?;
        reached(Point::CommitDue);
        match self.call(&batch.into_request()).await {
            Ok(answer) => {
                reached(Point::CommitAnswered);
                let (at, pictures) = stored(&answer)?;
                self.transport().observe_stamp(at);
                Ok(Commit::Won { at, pictures })
            }
            Err(PocketbaseError::Conflict { field, .. }) if is_lost_race(&field) => Ok(Commit::Lost),
            Err(PocketbaseError::Conflict { field, .. }) if is_overtaken(&field) => Ok(Commit::Overtaken),
            Err(error) if is_about_a_delivery(&error) => {
                // The endpoint was deleted and no event said so: the next try must read the
                // endpoints again.
                self.endpoints_changed();
                Err(error)
            }
            Err(error @ PocketbaseError::Unknown { .. }) => {
                reached(Point::CommitUnknown);
                let found = self.read_back(verification, last).await;
                reached(Point::CommitReadBack);
                found.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The outcome of a commit without an answer, by the row that is stored in the place of its
    /// last one; `None` if that cannot be learned now.
    // The last row and not the first: the row that handles a person's action is the same for every
    // writer. Only a later one, such as a claim, names its writer. The hash covers the writer,
    // the event and the whole past.
    async fn read_back(&self, verification: &str, ours: &Entry) -> Option<Commit> {
        let request = Request::get("read a journal row back", Collection::Journal.records())
            .filter(row_of(verification, ours.seq).ok()?)
            .first_page(1)
            .fields(FenceRow::FIELDS);
        let rows: Vec<FenceRow> = self.list(&request).await.ok()?;
        rows.first().map(|row| match &row.hash {
            hash if *hash == ours.hash => Commit::Won { at: row.created, pictures: Vec::new() },
            _ => Commit::Lost,
        })
    }
}

/// Whether `field` says that another verification was the first with the same document.
fn is_overtaken(field: &str) -> bool {
    field.starts_with(Collection::DocumentHashes.name())
}

fn is_about_a_delivery(error: &PocketbaseError) -> bool {
    let deliveries = Collection::WebhookDeliveries.name();
    matches!(error, PocketbaseError::Invalid { fields, .. } if fields.iter().any(|refused| refused.field.starts_with(deliveries)))
}
