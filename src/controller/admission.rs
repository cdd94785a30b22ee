//! Admission of documents: how many are checked at the same time, and which verification is next.
//!
//! A document is claimed only when a permit for it is free, so no claim waits for the claims before
//! it. Ten thousand documents then cost ten thousand ids in memory; claimed at once, they would run
//! out, fail and be claimed again. A verification that gets no permit joins the queue and is
//! admitted as soon as one is free.
//!
//! Like [`queue`](super::queue), it holds ids and no state of a verification: losing all of it
//! delays one by at most a sweep.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, MutexGuard};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::base::lock::Mutex;

/// Bound of the ids that wait. Further ids are left to the sweeps.
const WAITING_MAX: usize = 20_000;

/// The right to check one document. Dropping it frees it.
pub type Permit = OwnedSemaphorePermit;

/// The permits, and the verifications that wait for one, first come first served.
#[derive(Debug)]
pub struct AdmissionQueue {
    permits: Arc<Semaphore>,
    state: Mutex<State>,
    joined: Notify,
}

#[derive(Debug, Default)]
struct State {
    order: VecDeque<String>,
    /// The ids in `order`.
    waiting: HashSet<String>,
    /// Permits of admitted verifications whose pass has not begun.
    reserved: HashMap<String, Permit>,
}

impl AdmissionQueue {
    /// Creates a queue with `permits` permits.
    pub fn new(permits: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(permits)), state: Mutex::default(), joined: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Takes a permit if one is free. A permit that is reserved for another verification is not
    /// free.
    pub fn try_acquire(&self) -> Option<Permit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Takes the permit that was reserved when `id` was admitted.
    ///
    /// Every pass of an admitted verification must call this first: a reservation that is never
    /// taken blocks its permit.
    pub fn take_reservation(&self, id: &str) -> Option<Permit> {
        self.state().reserved.remove(id)
    }

    /// Adds `id` to the end of the queue unless it waits already.
    pub fn join(&self, id: &str) {
        let mut state = self.state();
        if state.order.len() < WAITING_MAX && state.waiting.insert(id.to_owned()) {
            state.order.push_back(id.to_owned());
        }
        report_length(&state);
        drop(state);
        self.joined.notify_one();
    }

    /// Waits for a permit, reserves it for the first id of the queue and returns that id.
    /// Cancel-safe.
    pub async fn next_admitted(&self) -> String {
        loop {
            // Register before reading the queue: an id that joins in between would be missed.
            let joined = self.joined.notified();
            if self.state().order.is_empty() {
                joined.await;
                continue;
            }
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                // The semaphore is never closed.
                return std::future::pending().await;
            };
            let mut state = self.state();
            if let Some(id) = state.order.pop_front() {
                state.waiting.remove(&id);
                state.reserved.insert(id.clone(), permit);
                report_length(&state);
                return id;
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn report_length(state: &State) {
    metrics::gauge!("documents_waiting").set(state.order.len() as f64);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn none_is_admitted(queue: &AdmissionQueue) -> bool {
        tokio::time::timeout(Duration::from_secs(1), queue.next_admitted()).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_verifications_are_admitted_in_order_and_their_permit_is_reserved() {
        let queue = AdmissionQueue::new(1);
        let first = queue.try_acquire().expect("a free permit");
        assert!(queue.try_acquire().is_none());
        for id in ["a", "b"] {
            queue.join(id);
        }
        assert!(none_is_admitted(&queue).await, "no permit is free");
        drop(first);
        assert_eq!(queue.next_admitted().await, "a");
        assert!(queue.try_acquire().is_none(), "the permit is reserved for a");
        let permit = queue.take_reservation("a").expect("reserved");
        assert!(queue.take_reservation("a").is_none(), "a permit is taken once");
        drop(permit);
        assert_eq!(queue.next_admitted().await, "b");
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_joins_twice_waits_once() {
        let queue = AdmissionQueue::new(1);
        for id in ["a", "a"] {
            queue.join(id);
        }
        assert_eq!(queue.next_admitted().await, "a");
        drop(queue.take_reservation("a"));
        assert!(none_is_admitted(&queue).await);
        assert!(queue.try_acquire().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_joins_while_the_worker_waits_is_admitted() {
        let queue = AdmissionQueue::new(1);
        let joining = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            queue.join("a");
        };
        assert_eq!(tokio::join!(queue.next_admitted(), joining).0, "a");
    }
}
