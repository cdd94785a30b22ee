//! Reading a case: whole, and all of one moment.

use jiff::Timestamp;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::record_id::is_record_id;
use crate::pocketbase::records::{CaseRow, Collection};
use crate::pocketbase::request::Request;
use crate::verification::Case;

const OPERATION: &str = "read a verification";

impl Client {
    /// The case of a verification, all of one moment, and `PocketBase`'s time when it was read.
    /// `None` only after a proof that the verification does not exist.
    pub async fn read_case(&self, id: &str) -> Result<Option<(Case, Timestamp)>> {
        if !is_record_id(id) {
            return Ok(None);
        }
        let request = Request::get(OPERATION, Collection::Cases.record(id));
        let mut found = self.find::<CaseRow>(&request).await?;
        if found.is_none() {
            // A view that was dropped finds nothing, either.
            if self.verification(id).await?.is_none() {
                return Ok(None);
            }
            // The verification may have been created between the two reads.
            found = self.find::<CaseRow>(&request).await?;
        }
        let case = found.map(Case::from).ok_or_else(|| PocketbaseError::Unexpected {
            operation: OPERATION,
            what: "the view `cases` does not show it; apply the migrations in pb_migrations/".to_owned(),
        })?;
        // A gap, or a version ahead of the journal, means that rows were deleted. A version that is
        // behind was corrected by hand: then the journal is the truth.
        let gap = case.journal.iter().zip(1..).any(|(entry, seq)| entry.seq != seq);
        if gap || case.record.version > case.seq() {
            return Err(stale(&case));
        }
        if let Some(newest) = newest_stamp(&case) {
            self.transport().observe_stamp(newest);
        }
        Ok(Some((case, self.transport().now_after(OPERATION)?)))
    }
}

/// When the newest row of a case was created. The clock must not be behind it: nothing is decided
/// as if the row were still to come.
fn newest_stamp(case: &Case) -> Option<Timestamp> {
    let newest = [
        case.documents.last().map(|row| row.created),
        case.sessions.last().map(|row| row.created),
        case.signals.last().map(|row| row.created),
        case.actions.last().map(|row| row.created),
        case.journal.last().map(|row| row.created),
        Some(case.record.created),
    ];
    newest.into_iter().flatten().max()
}

fn stale(case: &Case) -> PocketbaseError {
    let version = case.record.version.max(case.seq());
    PocketbaseError::Stale { verification: case.id().to_owned(), version, rows: case.journal.len() }
}
