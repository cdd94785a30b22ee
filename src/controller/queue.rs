//! The queue: verification ids in, one worker at a time for each id out, the earliest due first,
//! bounded.
//!
//! It holds ids and no state of a verification: losing all of it delays one by at most a sweep. An
//! id that is pushed while a worker holds it comes out again after that worker is done, so no
//! change between the worker's read and the end of its pass is missed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, MutexGuard};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::base::lock::Mutex;

/// A bounded set of ids with due times. Clones share one state.
#[derive(Debug, Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    capacity: usize,
    state: Mutex<State>,
    /// Notified when an id was added, a due time moved, or the queue was closed.
    arrivals: Notify,
    /// Notified when an id left the queue.
    departures: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Waiting ids by due time. The number makes equal instants unique and keeps them in order of
    /// arrival.
    order: BTreeSet<(Instant, u64, String)>,
    /// Each id of the queue.
    slots: HashMap<String, Slot>,
    pushes: u64,
    closed: bool,
}

/// The state of an id in the queue.
#[derive(Debug, Clone, Copy)]
enum Slot {
    /// `backup` is whether the id waits only in case that another sidecar does not handle it.
    Waiting { due: Instant, number: u64, backup: bool },
    /// A worker holds it. `again` is the due time of a push since then.
    Held { again: Option<Instant> },
}

/// The queue is full. A sweep will find the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct Full;

/// An id that its worker alone holds. Dropping the ticket returns the id.
#[derive(Debug)]
pub struct Ticket {
    queue: Queue,
    id: String,
}

impl Queue {
    /// Creates a queue for up to `capacity` ids.
    pub fn new(capacity: usize) -> Self {
        let shared = Shared { capacity, state: Mutex::default(), arrivals: Notify::new(), departures: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }

    /// Adds `id`, due at `due`. An id that is in the queue already keeps the earlier of both due
    /// times.
    pub fn push(&self, id: &str, due: Instant) -> Result<(), Full> {
        self.add(id, due, false)
    }

    /// Adds `id` in case that the sidecar named for it does not handle it until `due`. See
    /// [`cancel_backup`](Queue::cancel_backup).
    pub fn push_as_backup(&self, id: &str, due: Instant) -> Result<(), Full> {
        self.add(id, due, true)
    }

    /// Removes `id` if it waits only as a backup: another sidecar has handled it.
    pub fn cancel_backup(&self, id: &str) {
        let mut state = self.state();
        if let Some(Slot::Waiting { due, number, backup: true }) = state.slots.get(id).copied() {
            state.order.remove(&(due, number, id.to_owned()));
            state.slots.remove(id);
            drop(state);
            self.shared.departures.notify_waiters();
        }
    }

    fn add(&self, id: &str, due: Instant, backup: bool) -> Result<(), Full> {
        let mut state = self.state();
        match state.slots.get(id).copied() {
            Some(Slot::Held { again }) => {
                let again = Some(again.map_or(due, |at| at.min(due)));
                state.slots.insert(id.to_owned(), Slot::Held { again });
            }
            Some(Slot::Waiting { due: earlier, number, backup: was_backup }) => {
                let backup = backup && was_backup;
                if due < earlier {
                    state.order.remove(&(earlier, number, id.to_owned()));
                    state.insert(id, due, backup);
                } else {
                    state.slots.insert(id.to_owned(), Slot::Waiting { due: earlier, number, backup });
                }
            }
            None if state.slots.len() >= self.shared.capacity => return Err(Full),
            None => state.insert(id, due, backup),
        }
        drop(state);
        self.shared.arrivals.notify_one();
        Ok(())
    }

    /// Waits until there is space for another id.
    pub async fn wait_for_space(&self) {
        loop {
            // Register before reading the length: a departure in between would be missed.
            let departure = self.shared.departures.notified();
            if self.state().slots.len() < self.shared.capacity {
                return;
            }
            departure.await;
        }
    }

    /// Waits for the next id that is due; `None` once the queue is closed. Cancel-safe.
    pub async fn next(&self) -> Option<Ticket> {
        loop {
            // Register before reading the queue: an arrival in between would be missed.
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

    /// Closes the queue: no further id comes out. The next sweep of any running sidecar finds what
    /// waits.
    pub fn close(&self) {
        self.state().closed = true;
        self.shared.arrivals.notify_waiters();
        self.shared.arrivals.notify_one();
    }

    /// Returns the number of ids that wait or are held.
    pub fn len(&self) -> usize {
        self.state().slots.len()
    }

    /// Returns whether no id waits or is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    fn insert(&mut self, id: &str, due: Instant, backup: bool) {
        self.pushes += 1;
        self.order.insert((due, self.pushes, id.to_owned()));
        self.slots.insert(id.to_owned(), Slot::Waiting { due, number: self.pushes, backup });
    }
}

impl Ticket {
    /// Returns the held id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        if let Some(Slot::Held { again: Some(due) }) = state.slots.remove(&self.id) {
            state.insert(&self.id, due, false);
        }
        drop(state);
        self.queue.shared.arrivals.notify_one();
        self.queue.shared.departures.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_due_id_comes_first_and_not_before_its_time() {
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
    async fn an_id_that_is_pushed_while_a_worker_holds_it_comes_out_once_more_afterwards() {
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
    async fn an_id_that_waits_only_as_a_backup_is_removed_when_another_sidecar_handled_it() {
        let queue = Queue::new(10);
        let later = Instant::now() + Duration::from_secs(1);
        queue.push_as_backup("theirs", later).unwrap();
        queue.push_as_backup("ours", later).unwrap();
        queue.push("ours", later + Duration::from_secs(1)).unwrap();
        queue.push("timer", later).unwrap();
        queue.push_as_backup("timer", later).unwrap();
        for id in ["theirs", "ours", "timer", "unknown"] {
            queue.cancel_backup(id);
        }
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.next().await.unwrap().id(), "ours");
        assert_eq!(queue.next().await.unwrap().id(), "timer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_ids_until_one_has_left() {
        let queue = Queue::new(2);
        queue.push("a", Instant::now()).unwrap();
        queue.push("b", Instant::now()).unwrap();
        assert_eq!(queue.push("c", Instant::now()), Err(Full));
        queue.push("a", Instant::now()).unwrap();
        let space = queue.wait_for_space();
        let work = async { drop(queue.next().await.unwrap()) };
        tokio::join!(space, work);
        queue.push("c", Instant::now()).unwrap();
    }

    #[tokio::test]
    async fn closing_the_queue_ends_the_wait_of_every_worker() {
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
