//! Held claims: the claims on work that this process works on.
//!
//! A claim is a journal row. It says which instance took the work, but not whether the process that
//! wrote it still lives. The held claims add that for this process: the core takes over a claim of
//! this instance at once when it is not held, because then an earlier process of this instance has
//! left it behind.

use crate::base::refcounted::{RefCountedMap, Reference};

/// The claims of this process by verification. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct HeldClaims {
    claims: RefCountedMap<Vec<u32>>,
}

/// A claim that this process holds until the guard is dropped.
#[derive(Debug)]
pub struct ClaimGuard {
    claims: Reference<Vec<u32>>,
    claim: u32,
}

impl HeldClaims {
    /// Returns the claims (`seq` of their journal rows) on verification `id` that this process
    /// holds.
    pub fn claims(&self, id: &str) -> Vec<u32> {
        self.claims.with(id, |claims| claims.clone()).unwrap_or_default()
    }

    /// Holds `claim` on verification `id` until the guard is dropped.
    ///
    /// Call it before the claim is stored: another pass of this process that reads a stored claim
    /// that is not held would take it over.
    pub fn acquire(&self, id: &str, claim: u32) -> ClaimGuard {
        let claims = self.claims.acquire(id, Vec::new);
        claims.with(|claims| claims.push(claim));
        ClaimGuard { claims, claim }
    }
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        let claim = self.claim;
        self.claims.with(|claims| {
            // One entry only: another pass of this process may have raced for the same number and
            // won it.
            if let Some(position) = claims.iter().position(|held| *held == claim) {
                claims.swap_remove(position);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_held_until_its_guard_is_dropped() {
        let held = HeldClaims::default();
        let (second, third) = (held.acquire("a", 2), held.acquire("a", 3));
        assert_eq!((held.claims("a"), held.claims("b")), (vec![2, 3], vec![]));
        drop(second);
        assert_eq!(held.claims("a"), [3]);
        drop(third);
        assert!(held.claims("a").is_empty());
    }

    #[test]
    fn losing_the_race_for_a_number_does_not_release_the_claim_of_its_winner() {
        let held = HeldClaims::default();
        let winner = held.acquire("a", 2);
        let loser = held.acquire("a", 2);
        drop(loser);
        assert_eq!(held.claims("a"), [2]);
        drop(winner);
        assert!(held.claims("a").is_empty());
    }
}
