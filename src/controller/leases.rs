//! What this process is working on: the claims that it holds, and each of those cases as it last was known.
//!
//! The first is a hint for the core, so that no pass takes a fresh claim of this process for one of a dead process. The second saves
//! reads: the result of a piece of work is written on top of what the process itself stored last, and the unique
//! number of the journal row says whether that was still the last. Only evidence can be newer than a known case, and
//! whoever hands in evidence wakes a pass of its own, which reads.

use std::sync::Arc;

use crate::base::refcounted::{RefCountedMap, Reference};
use crate::pocketbase::cache_lease::Epoch;
use crate::verification::Case;

/// The claims held by this process. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct HeldLeases {
    shared: RefCountedMap<Holding>,
}

#[derive(Debug, Default)]
struct Holding {
    claims: Vec<u32>,
    known: Option<(Epoch, Arc<Case>)>,
}

/// A claim that this process works on, let go when dropped.
#[derive(Debug)]
pub struct LeaseGuard {
    holding: Reference<Holding>,
    claim: u32,
}

impl HeldLeases {
    /// Claims (`seq`) of verification `id` that are held.
    pub fn claims(&self, id: &str) -> Vec<u32> {
        self.shared.with(id, |holding| holding.claims.clone()).unwrap_or_default()
    }

    /// Holds `claim`. To be called before the claim is stored.
    pub fn hold(&self, id: &str, claim: u32) -> LeaseGuard {
        let holding = self.shared.acquire(id, Holding::default);
        holding.with(|holding| holding.claims.push(claim));
        LeaseGuard { holding, claim }
    }

    /// Notes `case`, read or stored in `epoch`, unless a later state of it is known or no claim on it is held.
    pub fn learn(&self, epoch: Epoch, case: &Arc<Case>) {
        self.shared.with(case.id(), |holding| {
            let newer = |(known_in, known): &(Epoch, Arc<Case>)| *known_in == epoch && known.seq() > case.seq();
            if !holding.known.as_ref().is_some_and(newer) {
                holding.known = Some((epoch, Arc::clone(case)));
            }
        });
    }

    /// The case as it was last known in `epoch`.
    pub fn known(&self, epoch: Epoch, id: &str) -> Option<Arc<Case>> {
        self.shared.with(id, |holding| {
            let (known_in, case) = holding.known.as_ref()?;
            (*known_in == epoch).then(|| Arc::clone(case))
        })?
    }

    /// What is known of `id` turned out to be old, or may be.
    pub fn doubt(&self, id: &str) {
        self.shared.with(id, |holding| holding.known = None);
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let claim = self.claim;
        self.holding.with(|holding| {
            // One entry: another pass of this process may have raced for the same number, and won it.
            if let Some(position) = holding.claims.iter().position(|held| *held == claim) {
                holding.claims.swap_remove(position);
            }
        });
    }
}
