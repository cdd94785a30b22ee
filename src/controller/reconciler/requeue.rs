//! What a pass over a verification leaves to do.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use crate::controller::admission::Permit;
use crate::controller::case_cache::Pin;
use crate::controller::leases::ClaimGuard;
use crate::verification::{Case, Work};

/// When the next pass over a verification is due.
#[derive(Debug)]
pub enum Requeue {
    /// When a client changes something: that causes an event.
    AwaitChange,
    /// After this long.
    After(Duration),
    /// When work that this process has claimed is done: see
    /// [`work_futures`](super::Reconciler::work_futures).
    AfterWork(ClaimedWork),
}

/// Work under a claim of this process, and what must be given back when all of it has ended.
#[derive(Debug)]
pub struct ClaimedWork {
    /// The case as it was when the work was claimed; its last journal row is the claim.
    pub(super) case: Arc<Case>,
    /// When the work was claimed, on `PocketBase`'s clock.
    pub(super) claimed_at: Timestamp,
    /// What is to be done, most urgent first.
    pub(super) work: Vec<Work>,
    pub(super) _held: Held,
}

/// What is held while claimed work is under way. Each part is given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    /// For the document among the work.
    pub _permit: Option<Permit>,
    /// For work that is set aside if the process dies once more.
    pub _last_try: Option<OwnedSemaphorePermit>,
    pub _claim: Option<HeldClaim>,
}

/// The claim of this process, and the cached case on top of which its result will be written.
#[derive(Debug)]
pub(super) struct HeldClaim {
    pub _claim: ClaimGuard,
    pub _case: Pin,
}

impl ClaimedWork {
    /// Record id of the verification.
    pub(super) fn id(&self) -> &str {
        self.case.id()
    }

    /// `seq` of the claiming journal row.
    pub(super) fn claim(&self) -> u32 {
        self.case.seq()
    }
}

#[cfg(test)]
impl ClaimedWork {
    /// `work` on `case`, without a claim in any journal.
    pub(in crate::controller) fn for_tests(case: Case, work: Vec<Work>) -> Self {
        use crate::controller::case_cache::CaseCache;
        use crate::controller::leases::HeldClaims;

        let claim = HeldClaim {
            _claim: HeldClaims::default().acquire(case.id(), case.seq()),
            _case: CaseCache::default().pin(case.id()),
        };
        let held = Held { _permit: None, _last_try: None, _claim: Some(claim) };
        Self { case: Arc::new(case), claimed_at: Timestamp::UNIX_EPOCH, work, _held: held }
    }
}
