//! Claims on work: who claimed what, how it ended, and whether its result may still be stored.

use jiff::{SignedDuration, Timestamp};

use super::{Case, Phase};
use crate::journal::{Event, Work};

/// The state of a claim on a work item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// The work led to its result.
    Finished,
    /// The work ended without an answer.
    Failed {
        /// When the work may be tried again.
        retry_at: Timestamp,
    },
    /// No result is stored yet.
    Pending {
        /// When the claim ends by itself.
        until: Timestamp,
    },
}

/// A claim on one work item.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim<'a> {
    /// `seq` of the claiming row.
    pub seq: u32,
    /// The work item that was claimed.
    pub work: &'a Work,
    /// Name of the instance that claimed it.
    pub by: &'a str,
    /// When it was claimed.
    pub created: Timestamp,
    /// How the claim ended, if it has.
    pub state: ClaimState,
}

impl Claim<'_> {
    /// Whether no result is stored yet. The time of the claim may be over.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, ClaimState::Pending { .. })
    }
}

impl Case {
    /// All claims on work, oldest first.
    pub fn claims(&self) -> Vec<Claim<'_>> {
        let mut claims = Vec::new();
        for entry in &self.journal {
            if let Event::WorkClaimed { work, seconds } = &entry.event {
                claims.extend(work.iter().map(|work| {
                    // Each item has its own time: a challenge must not wait for the end of a
                    // document that a dead instance claimed with it.
                    let seconds = work.seconds().min(*seconds);
                    let until = entry.created + SignedDuration::from_secs(i64::from(seconds));
                    Claim {
                        seq: entry.seq,
                        work,
                        by: &entry.by,
                        created: entry.created,
                        state: self.claim_end(entry.seq, work).unwrap_or(ClaimState::Pending { until }),
                    }
                }));
            }
        }
        claims
    }

    /// How the claim `seq` on `work` ended, if it did.
    fn claim_end(&self, seq: u32, work: &Work) -> Option<ClaimState> {
        self.journal.iter().filter(|entry| entry.seq > seq).find_map(|entry| match &entry.event {
            Event::CheckFinished { claim, kind, .. } if *claim == seq && work.check() == Some(*kind) => {
                Some(ClaimState::Finished)
            }
            Event::LivenessSessionOpened { claim, liveness_session, .. }
                if *claim == seq && liveness_session == work.evidence() =>
            {
                Some(ClaimState::Finished)
            }
            // A challenge that ended without a result also ends the claim to open it or to fetch
            // its result.
            Event::LivenessSessionEnded { liveness_session, .. } if liveness_session == work.evidence() => {
                Some(ClaimState::Finished)
            }
            Event::WorkFailed { claim, work: failed, retry_seconds, .. } if *claim == seq && failed == work => {
                Some(ClaimState::Failed {
                    retry_at: entry.created + SignedDuration::from_secs(i64::from(*retry_seconds)),
                })
            }
            _ => None,
        })
    }

    /// Whether the result of `work` under claim `seq` may still be stored: the claim has no result
    /// and its attempt is the current one. When two instances may both store it, the unique `seq`
    /// of the batch admits one.
    pub fn may_finish(&self, seq: u32, work: &Work) -> bool {
        let unanswered = self.claims().iter().any(|c| c.seq == seq && c.work == work && c.is_pending());
        let open = matches!(self.phase(), Phase::Open) && work.attempt() == self.attempt();
        let fresh =
            work.check().is_none_or(|kind| !self.checks.iter().any(|c| c.kind == kind && c.attempt == work.attempt()));
        unanswered && open && fresh
    }

    /// Whether one more crash during `work` sets it aside, when `tries_max` claims on it may be
    /// lost. Such work is best done while no other work of its kind runs: a record that kills the
    /// process then takes no other with it.
    pub fn is_last_try(&self, work: &Work, tries_max: u32) -> bool {
        let lost = self.claims().iter().filter(|claim| claim.work.is_same_task(work) && claim.is_pending()).count();
        lost > 0 && lost + 1 >= tries_max as usize
    }
}
