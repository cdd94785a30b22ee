//! Permit for documents: how many are examined at the same time, and who comes next.
//!
//! Work is claimed only when there is room for it, so a claim never waits for the claims before it: ten thousand documents cost ten
//! thousand ids in memory, and not a claim that runs out, fails and is made again. Who found no room is called when there is some.
//! Like the queue it carries work and never truth: losing all of it delays a verification by at most one sweep.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, MutexGuard};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::base::lock::Mutex;

/// Ids that wait; beyond that they are left to the sweeps.
const WAITING_MAX: usize = 20_000;

/// Permit for one document, given back when dropped.
pub type Permit = OwnedSemaphorePermit;

/// Everybody who waits for room.
#[derive(Debug)]
pub struct AdmissionQueue {
    rooms: Arc<Semaphore>,
    state: Mutex<State>,
    joined: Notify,
}

#[derive(Debug, Default)]
struct State {
    order: VecDeque<String>,
    known: HashSet<String>,
    /// Rooms kept for those who were called.
    offered: HashMap<String, Permit>,
}

impl AdmissionQueue {
    /// Permit for so many.
    pub fn new(rooms: usize) -> Self {
        Self { rooms: Arc::new(Semaphore::new(rooms)), state: Mutex::default(), joined: Notify::new() }
    }

    // No code that can panic runs while the lock is held, so a poisoned lock still guards a whole state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Permit, if there is some that nobody waits for.
    pub fn room(&self) -> Option<Permit> {
        Arc::clone(&self.rooms).try_acquire_owned().ok()
    }

    /// The room that is kept for `id` since it was called. Ask first thing: what is not taken is kept for nobody else.
    pub fn kept_for(&self, id: &str) -> Option<Permit> {
        self.state().offered.remove(id)
    }

    /// Lines `id` up, once.
    pub fn join(&self, id: &str) {
        let mut state = self.state();
        if state.order.len() < WAITING_MAX && state.known.insert(id.to_owned()) {
            state.order.push_back(id.to_owned());
        }
        report(&state);
        drop(state);
        self.joined.notify_one();
    }

    /// The next who waits, as soon as there is room, which is then kept for them. Cancel-safe.
    pub async fn next(&self) -> String {
        loop {
            let joined = self.joined.notified();
            if self.state().order.is_empty() {
                joined.await;
                continue;
            }
            let Ok(room) = Arc::clone(&self.rooms).acquire_owned().await else {
                // Never closed.
                return std::future::pending().await;
            };
            let mut state = self.state();
            if let Some(id) = state.order.pop_front() {
                state.known.remove(&id);
                state.offered.insert(id.clone(), room);
                report(&state);
                return id;
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn report(state: &State) {
    metrics::gauge!("documents_waiting").set(state.order.len() as f64);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_is_called_in_order_and_their_room_is_kept() {
        let crowd = AdmissionQueue::new(1);
        let first = crowd.room().expect("room");
        assert!(crowd.room().is_none());
        for id in ["a", "b", "a"] {
            crowd.join(id);
        }
        assert!(tokio::time::timeout(Duration::from_secs(1), crowd.next()).await.is_err(), "there is no room");
        drop(first);
        assert_eq!(crowd.next().await, "a");
        assert!(crowd.room().is_none(), "it is kept for a");
        let kept = crowd.kept_for("a").expect("kept");
        assert!(crowd.kept_for("a").is_none());
        drop(kept);
        assert_eq!(crowd.next().await, "b");
        drop(crowd.kept_for("b"));
        assert!(tokio::time::timeout(Duration::from_secs(1), crowd.next()).await.is_err(), "a waited once");
        assert!(crowd.room().is_some());
    }
}
