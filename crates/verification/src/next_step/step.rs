//! What a step can be, and who asks for one.

use jiff::Timestamp;

use crate::journal::Work;
use crate::transition::Transition;

/// Seconds before the provider deletes a session at which its result is fetched although the
/// browser reported nothing: the person may have finished and lost the connection.
pub(super) const RESULT_LEAD_SECONDS: i64 = 15;
/// Seconds past its expiry after which a challenge is over, whatever its state at the provider.
pub const RESULT_GRACE_SECONDS: i64 = 20;
/// Code of a challenge that was asked for although none was wanted.
pub(super) const SESSION_NOT_WANTED: &str = "liveness.not_wanted";

/// The sidecar that asks for the next step.
#[derive(Debug, Clone, Copy)]
pub struct Runner<'a> {
    /// Stable name of the sidecar instance.
    pub instance: &'a str,
    /// Claims (`seq`) on this verification that this very process works on. A claim of the same
    /// instance that is not among them belonged to a process that died, and may be taken over at
    /// once.
    pub holding: &'a [u32],
}

/// The next thing to do for a verification.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing, until its records change.
    Nothing,
    /// Nothing before this instant.
    Wait(Timestamp),
    /// This follows from the stored records: store it.
    Write(Box<Transition>),
    /// This work is due: claim it, then do it. The most urgent item is first.
    Claim(Vec<Work>),
}

impl Step {
    pub(super) fn write(transition: Transition) -> Self {
        Step::Write(Box::new(transition))
    }
}

/// The work that a runner has capacity for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// All work.
    All,
    /// All work but documents: they wait as if another runner worked on them.
    NoDocuments,
}

impl Capacity {
    pub(super) fn allows(self, work: &Work) -> bool {
        self == Capacity::All || !matches!(work, Work::Document { .. })
    }
}
