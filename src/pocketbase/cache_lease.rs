//! Whether what was read may still be relied on without reading it again.
//!
//! Only while the watch is whole: a `PocketBase` that was restored from a backup, or replaced, ends every stream, and what was
//! learned before says nothing about what it knows now. So each end of a stream begins a new [`Epoch`], and what was learned in
//! another one is not used. Nor does an epoch outlast [`EPOCH_MAX`]: a change that no event tells of, such as a row
//! written by SQL, is seen by then.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use super::client::Client;
use super::error::Result;

use crate::base::lock::Mutex;

/// How long at most something is relied on without reading it again.
pub const EPOCH_MAX: Duration = Duration::from_secs(60);

/// A time without a loss of the watch, of at most [`EPOCH_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u64);

/// Whether a heartbeat vouches for the watch.
#[derive(Debug, Default)]
pub struct CacheLease {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    until: Option<Instant>,
    /// Number of the last epoch that was given out, and since when; none since the last loss.
    number: u64,
    since: Option<Instant>,
}

impl CacheLease {
    /// The epoch, if the watch is vouched for at `now`.
    pub fn epoch(&self, now: Instant) -> Option<Epoch> {
        let mut state = self.lock();
        state.until.filter(|until| now < *until)?;
        if state.since.is_none_or(|since| now.saturating_duration_since(since) >= EPOCH_MAX) {
            state.number += 1;
            state.since = Some(now);
        }
        Some(Epoch(state.number))
    }

    /// See [`Client::renew_cache_lease`].
    pub fn renew(&self, until: Instant) {
        self.lock().until = Some(until);
    }

    /// See [`Client::end_cache_lease`].
    pub fn end(&self) {
        let mut state = self.lock();
        state.until = None;
        state.since = None;
    }

    // No code that can panic runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Client {
    /// The epoch, while a heartbeat vouches for the watch. Ask *before* reading what is to be relied on later.
    pub fn cache_epoch(&self) -> Option<Epoch> {
        self.inner.cache_lease.epoch(Instant::now())
    }

    /// A heartbeat came back: the stream that events come over is whole, and vouched for `until` then.
    pub fn renew_cache_lease(&self, until: Instant) {
        self.inner.cache_lease.renew(until);
    }

    /// The watch is lost: events may have been missed, and it may not be the same `PocketBase` that answers next. Each
    /// [`Connection`](super::realtime::Connection) says so when it ends.
    pub fn end_cache_lease(&self) {
        self.inner.cache_lease.end();
    }
}

/// What was read, kept by name for as long as the watch vouches for it. An event about its collection is a [`Shelf::changed`].
#[derive(Debug)]
pub(super) struct Shelf<T> {
    state: Mutex<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    by_name: HashMap<String, (Epoch, T)>,
    /// Counts events.
    changes: u64,
}

/// A read under way whose result may be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    epoch: Epoch,
    changes: u64,
}

impl Client {
    /// What is `kept` under `name`, else what `read` brings; that is kept while the watch vouches for it. An absence is not kept.
    pub(super) async fn shelved<T: Clone>(
        &self,
        kept: &Shelf<T>,
        name: &str,
        most: usize,
        read: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let epoch = self.cache_epoch();
        if let Some(value) = epoch.and_then(|epoch| kept.find(epoch, name)) {
            return Ok(Some(value));
        }
        let reading = epoch.map(|epoch| kept.reading(epoch));
        let value = read.await?;
        if let (Some(reading), Some(value)) = (reading, &value) {
            kept.keep(reading, name, value.clone(), most);
        }
        Ok(value)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { state: Mutex::new(Kept { by_name: HashMap::new(), changes: 0 }) }
    }
}

impl<T: Clone> Shelf<T> {
    /// What is kept under `name`, in `epoch`.
    pub fn find(&self, epoch: Epoch, name: &str) -> Option<T> {
        let kept = self.lock();
        let (kept_in, value) = kept.by_name.get(name)?;
        (*kept_in == epoch).then(|| value.clone())
    }

    /// Begins a read in `epoch`.
    pub fn reading(&self, epoch: Epoch) -> Reading {
        Reading { epoch, changes: self.lock().changes }
    }

    /// Keeps what `reading` brought, unless something changed meanwhile, which may not be in it. More than `most` are not kept: it
    /// begins anew.
    pub fn keep(&self, reading: Reading, name: &str, value: T, most: usize) {
        let mut kept = self.lock();
        if kept.changes == reading.changes {
            if kept.by_name.len() >= most {
                kept.by_name.clear();
            }
            kept.by_name.insert(name.to_owned(), (reading.epoch, value));
        }
    }

    /// Whether something was ever kept under `name` and not forgotten since, in whichever epoch.
    pub fn has_known(&self, name: &str) -> bool {
        self.lock().by_name.contains_key(name)
    }

    /// What is kept under `name` is not so.
    pub fn forget(&self, name: &str) {
        self.lock().by_name.remove(name);
    }

    /// Something changed: what `concerned` picks is forgotten.
    pub fn changed(&self, concerned: impl Fn(&T) -> bool) {
        let mut kept = self.lock();
        kept.changes += 1;
        kept.by_name.retain(|_, (_, value)| !concerned(value));
    }

    // No code that can panic runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.state.lock()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::pocketbase::client::Settings;

    const ONE: Epoch = Epoch(1);
    const TWO: Epoch = Epoch(2);

    #[test]
    fn a_proof_ends_and_each_loss_begins_another_epoch() {
        let (lease, now) = (CacheLease::default(), Instant::now());
        assert_eq!(lease.epoch(now), None);
        lease.renew(now + Duration::from_secs(20));
        let first = lease.epoch(now).expect("leased");
        assert_eq!(lease.epoch(now + Duration::from_secs(20)), None);
        lease.end();
        assert_eq!(lease.epoch(now), None);
        lease.renew(now + Duration::from_secs(20));
        assert_ne!(lease.epoch(now), Some(first));
    }

    #[test]
    fn an_epoch_ends_with_its_minute_however_often_the_watch_is_proved() {
        let (lease, start) = (CacheLease::default(), Instant::now());
        let mut epochs = Vec::new();
        for seconds in (0..150).step_by(10) {
            let now = start + Duration::from_secs(seconds);
            lease.renew(now + Duration::from_secs(15));
            epochs.push((seconds, lease.epoch(now).expect("leased")));
        }
        for (seconds, epoch) in &epochs {
            for (later, other) in &epochs {
                assert_eq!(epoch == other, seconds / 60 == later / 60, "{seconds} s and {later} s");
            }
        }
    }

    #[tokio::test]
    async fn another_epoch_costs_one_read() {
        let settings = Settings {
            url: "http://127.0.0.1:1".parse().expect("an address"),
            email: String::new(),
            password: String::new().into(),
            connect_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(1),
        };
        let client = Client::new(settings).expect("a client that asks nobody");
        let (shelf, reads) = (Shelf::default(), Cell::new(0));
        let read = async || {
            reads.set(reads.get() + 1);
            Ok(Some("read"))
        };
        for epochs in 1..=3 {
            client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
            for _ in 0..5 {
                let value = client.shelved(&shelf, "a", 10, read()).await;
                assert_eq!((value.expect("an answer"), reads.get()), (Some("read"), epochs));
            }
            client.end_cache_lease();
        }
    }

    #[test]
    fn what_was_read_is_kept_in_its_epoch_only() {
        let shelf = Shelf::default();
        shelf.keep(shelf.reading(ONE), "a", 1, 10);
        assert_eq!((shelf.find(ONE, "a"), shelf.find(TWO, "a"), shelf.find(ONE, "b")), (Some(1), None, None));
    }

    #[test]
    fn what_was_known_in_another_epoch_was_known_until_it_is_forgotten() {
        let shelf = Shelf::default();
        shelf.keep(shelf.reading(ONE), "a", 1, 10);
        assert_eq!((shelf.find(TWO, "a"), shelf.has_known("a"), shelf.has_known("b")), (None, true, false));
        shelf.forget("a");
        assert!(!shelf.has_known("a"));
    }

    #[test]
    fn a_read_that_a_change_overtook_is_not_kept() {
        let shelf = Shelf::default();
        let reading = shelf.reading(ONE);
        shelf.changed(|_: &u32| false);
        shelf.keep(reading, "a", 1, 10);
        assert_eq!(shelf.find(ONE, "a"), None);
    }

    #[test]
    fn a_change_takes_what_it_concerns_and_a_full_shelf_begins_anew() {
        let shelf = Shelf::default();
        for (name, value) in [("a", 1), ("b", 2)] {
            shelf.keep(shelf.reading(ONE), name, value, 2);
        }
        shelf.changed(|value| *value == 1);
        assert_eq!((shelf.find(ONE, "a"), shelf.find(ONE, "b")), (None, Some(2)));
        shelf.keep(shelf.reading(ONE), "c", 3, 1);
        assert_eq!((shelf.find(ONE, "b"), shelf.find(ONE, "c")), (None, Some(3)));
    }
}
