//! The life of a verification's id: watch, queue, reconcile, run work, commit.
//!
//! Clients create records in `PocketBase`; this room turns them into decisions. Only *ids* travel
//! through it. What is true is read when an id is handled, and what follows is written in one
//! batch. So every part may lose what it holds in memory, and the process may die at any line: the
//! next sweep finds each open verification again.
//!
//! # The path of an id
//!
//! 1. **Watch.** [`watcher`] gets an event that a record was created and keeps the id of its
//!    verification, nothing else. Its sweeps list what may have been missed. Of several sidecars,
//!    the one that rendezvous hashing names goes first.
//! 2. **Queue.** [`queue`] holds each id once, by due time, and gives it to one worker at a time.
//!    An id that is pushed while a worker holds it comes out once more.
//! 3. **Reconcile.** [`workers`] makes a *pass*:
//!    [`Reconciler::reconcile`](reconciler::Reconciler::reconcile) reads the case whole and asks
//!    the pure core ([`next_step`](crate::verification::next_step)) what is due. It applies each
//!    transition to a draft in memory until the core has to wait or work has to be done. Work is
//!    claimed by a last transition.
//! 4. **Commit.** The draft is stored as one transaction
//!    ([`Client::commit`](crate::pocketbase::Client::commit)). Its first item creates journal row
//!    `n + 1`, whose number is unique. This is the only lock: of two sidecars one wins, and the
//!    other reads again and decides again.
//! 5. **Run work.** The claim is stored, so the work may cost money. Each item runs in a future of
//!    its own ([`CheckRunner::run`](crate::checks::CheckRunner::run)), and neither the id nor the
//!    worker is held meanwhile. Its result begins a pass at step 3: the result is the first
//!    transition, and whatever it makes due follows in the same batch. A result whose claim has
//!    ended is dropped.
//! 6. **Again.** Each pass says when the next one is due ([`Requeue`](reconciler::Requeue)): after
//!    a delay, after its work, or when a client changes something.
//!
//! # When something fails
//!
//! - *A provider fails.* The journal says so with a delay (`work_failed`); then the work is due
//!   again. After the policy's deadline the core concludes the check without the provider.
//! - *The process dies during work.* The claim stays in the journal. [`leases`] has the claims
//!   that the living process holds, so this instance takes over an orphaned claim at once; another
//!   instance does when it runs out. Work that was lost several times is set aside for a person;
//!   its last try is made while no other verification has one.
//! - *`PocketBase` is unreachable.* Passes fail and are made again. Storing a result is tried
//!   several times; then the claim runs out, and the next try uses the cached responses of the
//!   providers.
//! - *The stream is silent.* A heartbeat that does not come back ends the watch; the next one
//!   begins with a full sweep.
//! - *`PocketBase` was restored from a backup.* Watcher and reconciler report it, and what is due
//!   is done again.
//!
//! # What bounds what
//!
//! | what | bound |
//! |---|---|
//! | passes at the same time | `WORKERS`; claimed work is not among them |
//! | documents checked at the same time | `DOCUMENTS_AT_ONCE`, by [`admission`] |
//! | calls to a provider | its [`ProviderLimiter`]: `*_CALLS_PER_SECOND`, `*_CALLS_AT_ONCE` |
//! | ids in the queue, ids that wait for admission | 20,000 each; the sweeps find the others |
//! | cached cases ([`case_cache`]) | the verifications whose work is under way |
//!
//! A document is claimed only under a permit of [`admission`]; until then its verification waits
//! without a claim that could run out. Other work needs no permit: each item is one short call
//! behind its limiter.
//!
//! [`ProviderLimiter`]: crate::providers::limiter::ProviderLimiter

pub mod admission;
pub mod case_cache;
pub mod leases;
pub mod queue;
pub mod reconciler;
#[cfg(test)]
mod sample;
pub mod watcher;
pub mod workers;
