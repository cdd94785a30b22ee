//! Why a pass over a verification could not be made.

use crate::pocketbase::PocketbaseError;

/// Lost races in one pass after which the pass ends and is made again later. Other writers make
/// progress meanwhile.
pub(super) const RACES_MAX: u32 = 8;

/// Why a pass could not be made. Nothing is lost: the same pass is made later.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A request to `PocketBase` failed.
    #[error("verification {id}")]
    Pocketbase {
        /// Record id of the verification.
        id: String,
        /// What failed, and what helps.
        #[source]
        source: PocketbaseError,
    },
    /// Other writers of the same verification were faster each time. Nothing is wrong.
    #[error("verification {id}: others were faster {RACES_MAX} times in a row")]
    Contended {
        /// Record id of the verification.
        id: String,
    },
    /// The same document was stored for another verification since duplicates were searched. A
    /// finding that says that the document is new must not be stored.
    #[error("verification {id}: its document was stored for another verification meanwhile")]
    Overtaken {
        /// Record id of the verification.
        id: String,
    },
    /// The operator's policy cannot be used. The verification waits for a new version of it.
    #[error("verification {id} waits: {}", .problems.join("; "))]
    Policy {
        /// Record id of the verification.
        id: String,
        /// One sentence for each thing that is wrong with the policy.
        problems: Vec<String>,
    },
}

impl ReconcileError {
    /// Makes the error of verification `id` from a failed request, for `map_err`.
    pub(super) fn pocketbase(id: &str) -> impl FnOnce(PocketbaseError) -> Self {
        move |source| Self::Pocketbase { id: id.to_owned(), source }
    }
}
