//! A work item and its outcome: what the controller passes in and gets back.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::verification::transition::Opened;
use crate::verification::{Case, Code, Finding, Policy, SessionStatus, Work};

/// One claimed work item.
#[derive(Debug, Clone, Copy)]
pub struct WorkItem<'a> {
    /// The case as it was when the work was claimed.
    pub case: &'a Case,
    /// The pinned policy of the verification.
    pub policy: &'a Policy,
    /// The kind of work and the evidence that it rests on.
    pub work: &'a Work,
    /// Time of the claim, on `PocketBase`'s clock.
    pub now: Timestamp,
    /// The controller no longer waits for the outcome after this.
    pub end: Instant,
}

impl WorkItem<'_> {
    /// The last moment to begin a call that may take as long as `attempt`. A paid call must still
    /// have the time to be answered.
    pub(super) fn latest_start(&self, attempt: Duration) -> Instant {
        self.end.checked_sub(attempt).unwrap_or(self.end)
    }
}

/// The outcome of a work item.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkOutcome {
    /// The finding of the check.
    Finding(Box<Finding>),
    /// The liveness challenge was opened at the provider.
    SessionOpened(Opened),
    /// The liveness challenge ended without a result.
    SessionEnded {
        /// Final status of the session record.
        status: SessionStatus,
        /// Reason code for the journal.
        code: Code,
    },
    /// The provider has no result of the liveness challenge yet.
    ResultPending,
    /// The provider was not asked: too many calls wait for it.
    Saturated {
        /// Stable error code for the log.
        code: &'static str,
    },
    /// A provider or `PocketBase` failed. Says nothing about the person.
    Failed {
        /// Stable error code for the journal.
        code: &'static str,
        /// Pause that the provider asked for.
        retry_after: Option<Duration>,
    },
}

impl WorkOutcome {
    pub(super) fn finding(finding: Finding) -> Self {
        WorkOutcome::Finding(Box::new(finding))
    }
}
