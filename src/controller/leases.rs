//! Leases: the claims on work that this process holds.
//!
//! A claim is a journal row. It says which instance took the work, but not whether the process that
//! wrote it still lives. The leases add that for this process: the core takes over a claim of this
//! instance at once when no lease stands for it, because then a process before this one has left it
//! behind.

use crate::base::refcounted::{RefCountedMap, Reference};

/// The claims of this process by verification. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct HeldLeases {
    claims: RefCountedMap<Vec<u32>>,
}

/// A claim that this process works on. Dropping the guard ends the lease.
#[derive(Debug)]
pub struct LeaseGuard {
    claims: Reference<Vec<u32>>,
    claim: u32,
}

impl HeldLeases {
    /// Returns the claims (`seq` of their journal rows) on verification `id` that this process
    /// holds.
    pub fn claims(&self, id: &str) -> Vec<u32> {
        self.claims.with(id, |claims| claims.clone()).unwrap_or_default()
    }

    /// Begins the lease of `claim` on verification `id`.
    ///
    /// Call it before the claim is stored: another pass of this process that reads a stored claim
    /// without a lease would take it over.
    pub fn acquire(&self, id: &str, claim: u32) -> LeaseGuard {
        let claims = self.claims.acquire(id, Vec::new);
        claims.with(|claims| claims.push(claim));
        LeaseGuard { claims, claim }
    }
}

impl Drop for LeaseGuard {
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
        let leases = HeldLeases::default();
        let (second, third) = (leases.acquire("a", 2), leases.acquire("a", 3));
        assert_eq!((leases.claims("a"), leases.claims("b")), (vec![2, 3], vec![]));
        drop(second);
        assert_eq!(leases.claims("a"), [3]);
        drop(third);
        assert!(leases.claims("a").is_empty());
    }

    #[test]
    fn losing_the_race_for_a_number_does_not_end_the_lease_of_its_winner() {
        let leases = HeldLeases::default();
        let winner = leases.acquire("a", 2);
        let loser = leases.acquire("a", 2);
        drop(loser);
        assert_eq!(leases.claims("a"), [2]);
        drop(winner);
        assert!(leases.claims("a").is_empty());
    }
}
