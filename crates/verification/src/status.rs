//! The states of a verification, and the transitions that are allowed between them.

use serde::{Deserialize, Serialize};

/// The state of a verification, derived from its journal and never from the stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The client wrote the record and no sidecar has seen it. Stored as the empty value:
    /// `PocketBase` has no field defaults.
    #[default]
    #[serde(rename = "")]
    Created,
    /// The person must submit evidence for the first attempt.
    AwaitingInput,
    /// All evidence is submitted; checks are running.
    Processing,
    /// The person is verified.
    Approved,
    /// The person is not verified.
    Declined,
    /// A reviewer must decide.
    NeedsReview,
    /// The person must submit new evidence for another attempt.
    ResubmissionRequired,
    /// The person withdrew.
    Canceled,
    /// The person submitted nothing in time.
    Expired,
}

impl Status {
    /// All stored states, in the order a verification usually meets them.
    pub const ALL: [Status; 9] = [
        Status::Created,
        Status::AwaitingInput,
        Status::Processing,
        Status::Approved,
        Status::Declined,
        Status::NeedsReview,
        Status::ResubmissionRequired,
        Status::Canceled,
        Status::Expired,
    ];

    /// Whether nothing more happens unless a reviewer reopens the verification.
    pub const fn is_final(self) -> bool {
        matches!(self, Status::Approved | Status::Declined | Status::Canceled | Status::Expired)
    }

    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Created => "",
            Status::AwaitingInput => "awaiting_input",
            Status::Processing => "processing",
            Status::Approved => "approved",
            Status::Declined => "declined",
            Status::NeedsReview => "needs_review",
            Status::ResubmissionRequired => "resubmission_required",
            Status::Canceled => "canceled",
            Status::Expired => "expired",
        }
    }

    /// The state that is stored as `text`. Unknown spellings are `None`, so that an old binary
    /// leaves newer states alone.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether the architecture's diagram has an arrow from `self` to `to`.
    pub const fn may_become(self, to: Status) -> bool {
        use Status::{
            Approved, AwaitingInput, Canceled, Created, Declined, Expired, NeedsReview, Processing,
            ResubmissionRequired,
        };
        match (self, to) {
            (Created, next) => matches!(next, AwaitingInput | Processing | Canceled | Expired),
            // A failed document is reported at once, before the other evidence is submitted.
            (
                AwaitingInput | Processing | ResubmissionRequired,
                Approved | Declined | NeedsReview | ResubmissionRequired | Expired | Canceled,
            )
            | (AwaitingInput | ResubmissionRequired, Processing)
            | (Processing, AwaitingInput)
            | (NeedsReview, Approved | Declined | ResubmissionRequired | Processing | Canceled)
            | (Approved | Declined, NeedsReview) => true,
            _ => false,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Status::Created => "created",
            other => other.as_str(),
        })
    }
}
