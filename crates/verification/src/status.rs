//! The states of a verification and the transitions between them.

use serde::{Deserialize, Serialize};

/// Where a verification stands. Derived from its journal, never from itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Written by the client, not yet seen by a sidecar. Stored as the empty value: PocketBase has no field defaults.
    #[default]
    #[serde(rename = "")]
    Created,
    /// The person owes evidence of the first attempt.
    AwaitingInput,
    /// All evidence is here; checks run.
    Processing,
    /// Verified.
    Approved,
    /// Refused.
    Declined,
    /// A reviewer must decide.
    NeedsReview,
    /// The person owes new evidence for another attempt.
    ResubmissionRequired,
    /// Withdrawn on request.
    Canceled,
    /// The person stayed silent too long.
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

    /// Whether nothing more happens unless a person reopens it.
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

    /// The state spelled `text`; unknown spellings are `None`, so that an old binary leaves newer states alone.
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
            // A failed document is told at once, before the other inputs are in.
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
