//! The queue: verification ids in, one worker at a time per id out, earliest due first, bounded.
//!
//! It carries work, never truth: losing all of it delays a verification by at most one sweep. An id that is pushed while a
//! worker holds it comes out again after the worker lets go, so no wake-up is lost between reading and waiting.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::base::lock::Mutex;

/// A bounded set of ids with due times.
#[derive(Debug, Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    capacity: usize,
    state: Mutex<State>,
    arrivals: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Waiting ids in order of due time; the number keeps equal instants apart and first come first.
    order: BTreeSet<(Instant, u64, String)>,
    /// Where each known id stands.
    slots: HashMap<String, Slot>,
    pushes: u64,
    closed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    /// `for_others` is whether it waits only in case that nobody else looks.
    Waiting {
        due: Instant,
        number: u64,
        for_others: bool,
    },
    Held {
        again: Option<Instant>,
    },
}

/// The queue is full; the id will be found by a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct Full;

/// An id that this worker alone holds until the ticket is dropped.
#[derive(Debug)]
pub struct Ticket {
    queue: Queue,
    id: String,
}

impl Queue {
    /// A queue that holds up to `capacity` ids.
    pub fn new(capacity: usize) -> Self {
        let shared =
            Shared { capacity, state: Mutex::new(State::default()), arrivals: Notify::new(), room: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    // No code that can panic runs while the lock is held, so a poisoned lock still guards a whole state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }

    /// Asks for a look at `id` from `due` on. An id known already keeps the earlier of both instants.
    pub fn push(&self, id: &str, due: Instant) -> Result<(), Full> {
        self.add(id, due, false)
    }

    /// The same in case that nobody else looks: see [`Queue::others_looked`].
    pub fn push_for_others(&self, id: &str, due: Instant) -> Result<(), Full> {
        self.add(id, due, true)
    }

    /// Somebody else has looked at `id`: what waited only for that is forgotten.
    pub fn others_looked(&self, id: &str) {
        let mut state = self.state();
        if let Some(Slot::Waiting { due, number, for_others: true }) = state.slots.get(id).copied() {
            state.order.remove(&(due, number, id.to_owned()));
            state.slots.remove(id);
            drop(state);
            self.shared.room.notify_waiters();
        }
    }

    fn add(&self, id: &str, due: Instant, for_others: bool) -> Result<(), Full> {
        let mut state = self.state();
        match state.slots.get(id).copied() {
            Some(Slot::Held { again }) => {
                let again = Some(again.map_or(due, |at| at.min(due)));
                state.slots.insert(id.to_owned(), Slot::Held { again });
            }
            Some(Slot::Waiting { due: waiting, number, for_others: waits_for_others }) => {
                let for_others = for_others && waits_for_others;
                if due < waiting {
                    state.order.remove(&(waiting, number, id.to_owned()));
                    state.wait(id, due, for_others);
                } else {
                    state.slots.insert(id.to_owned(), Slot::Waiting { due: waiting, number, for_others });
                }
            }
            None if state.slots.len() >= self.shared.capacity => return Err(Full),
            None => state.wait(id, due, for_others),
        }
        drop(state);
        self.shared.arrivals.notify_one();
        Ok(())
    }

    /// Waits until the queue has room for another id.
    pub async fn room(&self) {
        loop {
            let room = self.shared.room.notified();
            if self.state().slots.len() < self.shared.capacity {
                return;
            }
            room.await;
        }
    }

    /// The next id that is due; `None` once the queue is closed. Cancel-safe.
    pub async fn next(&self) -> Option<Ticket> {
        loop {
            let arrivals = self.shared.arrivals.notified();
            let wake = {
                let mut state = self.state();
                if state.closed {
                    self.shared.arrivals.notify_one();
                    return None;
                }
                match state.order.first().cloned() {
                    Some(first) if first.0 <= Instant::now() => {
                        state.order.remove(&first);
                        let id = first.2;
                        state.slots.insert(id.clone(), Slot::Held { again: None });
                        let more = state.order.first().is_some_and(|next| next.0 <= Instant::now());
                        drop(state);
                        if more {
                            self.shared.arrivals.notify_one();
                        }
                        return Some(Ticket { queue: self.clone(), id });
                    }
                    first => first.map(|f| f.0),
                }
            };
            match wake {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at, arrivals).await;
                }
                None => arrivals.await,
            }
        }
    }

    /// Lets no more ids out; what waits is left to the next sweep of whoever runs then.
    pub fn close(&self) {
        self.state().closed = true;
        self.shared.arrivals.notify_waiters();
        self.shared.arrivals.notify_one();
    }

    /// Ids waiting or held.
    pub fn len(&self) -> usize {
        self.state().slots.len()
    }

    /// Whether nothing waits and nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    fn wait(&mut self, id: &str, due: Instant, for_others: bool) {
        self.pushes += 1;
        self.order.insert((due, self.pushes, id.to_owned()));
        self.slots.insert(id.to_owned(), Slot::Waiting { due, number: self.pushes, for_others });
    }
}

impl Ticket {
    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        if let Some(Slot::Held { again: Some(due) }) = state.slots.remove(&self.id) {
            state.wait(&self.id, due, false);
        }
        drop(state);
        self.queue.shared.arrivals.notify_one();
        self.queue.shared.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_due_comes_first_and_not_before_its_time() {
        let queue = Queue::new(10);
        let now = Instant::now();
        queue.push("late", now + Duration::from_secs(5)).unwrap();
        queue.push("soon", now + Duration::from_secs(1)).unwrap();
        queue.push("late", now + Duration::from_secs(2)).unwrap();
        assert_eq!(queue.next().await.unwrap().id(), "soon");
        assert_eq!(queue.next().await.unwrap().id(), "late");
        assert_eq!(now.elapsed(), Duration::from_secs(2));
        assert!(queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_is_held_by_one_worker_and_comes_back_when_woken_meanwhile() {
        let queue = Queue::new(10);
        queue.push("a", Instant::now()).unwrap();
        let ticket = queue.next().await.unwrap();
        queue.push("a", Instant::now()).unwrap();
        queue.push("a", Instant::now()).unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(9), queue.next()).await.is_err());
        drop(ticket);
        drop(queue.next().await.unwrap());
        assert!(queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_in_case_that_nobody_looks_is_forgotten_when_somebody_did() {
        let queue = Queue::new(10);
        let later = Instant::now() + Duration::from_secs(1);
        queue.push_for_others("theirs", later).unwrap();
        queue.push_for_others("ours", later).unwrap();
        queue.push("ours", later + Duration::from_secs(1)).unwrap();
        queue.push("timer", later).unwrap();
        queue.push_for_others("timer", later).unwrap();
        for id in ["theirs", "ours", "timer", "unknown"] {
            queue.others_looked(id);
        }
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.next().await.unwrap().id(), "ours");
        assert_eq!(queue.next().await.unwrap().id(), "timer");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_bounded_and_tells_when_there_is_room() {
        let queue = Queue::new(2);
        queue.push("a", Instant::now()).unwrap();
        queue.push("b", Instant::now()).unwrap();
        assert_eq!(queue.push("c", Instant::now()), Err(Full));
        queue.push("a", Instant::now()).unwrap();
        let room = async { queue.room().await };
        let work = async { drop(queue.next().await.unwrap()) };
        tokio::join!(room, work);
        queue.push("c", Instant::now()).unwrap();
    }

    #[tokio::test]
    async fn closing_lets_every_worker_go() {
        let queue = Queue::new(2);
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let queue = queue.clone();
            workers.spawn(async move { queue.next().await.is_none() });
        }
        tokio::task::yield_now().await;
        queue.close();
        assert_eq!(workers.join_all().await, [true; 3]);
    }
}
