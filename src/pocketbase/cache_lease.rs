//! The cache lease: how long a value that was read may be used without reading it again.
//!
//! Only while the watch is whole. A `PocketBase` that was restored from a backup, or replaced, ends
//! every stream, and what was read before says nothing about what it holds now. So the end of a
//! stream ends the cache lease and begins a new [`Epoch`], and what was read in another epoch is
//! not used. An epoch also ends after [`EPOCH_MAX`], which bounds how long a change without an
//! event, such as a row written by SQL, goes unseen.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::error::Result;
use crate::base::lock::Mutex;

/// The longest time for which a value is used without reading it again.
pub const EPOCH_MAX: Duration = Duration::from_secs(60);

/// A period without a loss of the watch, of at most [`EPOCH_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u64);

/// The permission to use values that were read. Each heartbeat that comes back over the stream
/// renews it.
#[derive(Debug, Default)]
pub struct CacheLease {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    until: Option<Instant>,
    /// The number of the latest epoch.
    number: u64,
    /// When that epoch began; `None` after the cache lease was ended.
    since: Option<Instant>,
}

impl CacheLease {
    /// The current epoch; `None` unless the cache lease is in force at `now`.
    pub fn epoch(&self, now: Instant) -> Option<Epoch> {
        let mut state = self.state.lock();
        state.until.filter(|until| now < *until)?;
        if state.since.is_none_or(|since| now.saturating_duration_since(since) >= EPOCH_MAX) {
            state.number += 1;
            state.since = Some(now);
        }
        Some(Epoch(state.number))
    }

    /// Puts the cache lease in force until `until`.
    pub fn renew(&self, until: Instant) {
        self.state.lock().until = Some(until);
    }

    /// Ends the cache lease and its epoch.
    pub fn end(&self) {
        let mut state = self.state.lock();
        state.until = None;
        state.since = None;
    }
}

/// A bounded cache of what was read, by name. An entry is used in the epoch in which it was read,
/// and no longer.
///
/// The receiver of an event about the cached collection calls [`LeasedCache::invalidate`].
#[derive(Debug)]
pub(super) struct LeasedCache<T> {
    entries_max: usize,
    state: Mutex<Entries<T>>,
}

#[derive(Debug)]
struct Entries<T> {
    by_name: HashMap<String, (Epoch, T)>,
    /// Counts invalidations.
    changes: u64,
}

/// A read in progress whose result may be cached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    epoch: Epoch,
    changes: u64,
}

impl<T: Clone> LeasedCache<T> {
    /// An empty cache of at most `entries_max` entries.
    pub fn new(entries_max: usize) -> Self {
        Self { entries_max, state: Mutex::new(Entries { by_name: HashMap::new(), changes: 0 }) }
    }

    /// The cached value of `name`, or the one that `read` returns, which is cached if `lease` is in
    /// force. `None` is not cached.
    pub async fn get_or_read(
        &self,
        lease: &CacheLease,
        name: &str,
        read: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let epoch = lease.epoch(Instant::now());
        if let Some(value) = epoch.and_then(|epoch| self.get(epoch, name)) {
            return Ok(Some(value));
        }
        let reading = epoch.map(|epoch| self.begin_read(epoch));
        let value = read.await?;
        if let (Some(reading), Some(value)) = (reading, &value) {
            self.insert(reading, name, value.clone());
        }
        Ok(value)
    }

    /// The value that was cached under `name` in `epoch`.
    pub fn get(&self, epoch: Epoch, name: &str) -> Option<T> {
        let entries = self.state.lock();
        let (cached_in, value) = entries.by_name.get(name)?;
        (*cached_in == epoch).then(|| value.clone())
    }

    /// Begins a read in `epoch`.
    pub fn begin_read(&self, epoch: Epoch) -> Reading {
        // Count before reading: what changes during the read may be missing in its result.
        Reading { epoch, changes: self.state.lock().changes }
    }

    /// Caches the result of `reading`. A full cache is emptied first.
    pub fn insert(&self, reading: Reading, name: &str, value: T) {
        let mut entries = self.state.lock();
        // Something changed during the read, and the result may be older than the change.
        if entries.changes != reading.changes {
            return;
        }
        if entries.by_name.len() >= self.entries_max {
            entries.by_name.clear();
        }
        entries.by_name.insert(name.to_owned(), (reading.epoch, value));
    }

    /// Whether there is an entry under `name`, of any epoch.
    pub fn contains(&self, name: &str) -> bool {
        self.state.lock().by_name.contains_key(name)
    }

    /// Drops the entry under `name`.
    pub fn remove(&self, name: &str) {
        self.state.lock().by_name.remove(name);
    }

    /// Drops the entries that a change concerns, and the results of reads that are in progress.
    pub fn invalidate(&self, concerns: impl Fn(&T) -> bool) {
        let mut entries = self.state.lock();
        entries.changes += 1;
        entries.by_name.retain(|_, (_, value)| !concerns(value));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const ONE: Epoch = Epoch(1);
    const TWO: Epoch = Epoch(2);

    #[test]
    fn a_lease_expires_and_ending_it_begins_another_epoch() {
        let (lease, now) = (CacheLease::default(), Instant::now());
        assert_eq!(lease.epoch(now), None);
        lease.renew(now + Duration::from_secs(20));
        let first = lease.epoch(now).expect("in force");
        assert_eq!(lease.epoch(now + Duration::from_secs(20)), None);
        lease.end();
        assert_eq!(lease.epoch(now), None);
        lease.renew(now + Duration::from_secs(20));
        assert_ne!(lease.epoch(now), Some(first));
    }

    #[test]
    fn an_epoch_ends_after_a_minute_however_often_the_lease_is_renewed() {
        let (lease, start) = (CacheLease::default(), Instant::now());
        let mut epochs = Vec::new();
        for seconds in (0..150).step_by(10) {
            let now = start + Duration::from_secs(seconds);
            lease.renew(now + Duration::from_secs(15));
            epochs.push((seconds, lease.epoch(now).expect("in force")));
        }
        for (seconds, epoch) in &epochs {
            for (later, other) in &epochs {
                assert_eq!(epoch == other, seconds / 60 == later / 60, "{seconds} s and {later} s");
            }
        }
    }

    #[tokio::test]
    async fn each_epoch_costs_one_read() {
        let (lease, cache, reads) = (CacheLease::default(), LeasedCache::new(10), Cell::new(0));
        let read = async || {
            reads.set(reads.get() + 1);
            Ok(Some("read"))
        };
        for epochs in 1..=3 {
            lease.renew(Instant::now() + Duration::from_secs(600));
            for _ in 0..5 {
                let value = cache.get_or_read(&lease, "a", read()).await;
                assert_eq!((value.expect("an answer"), reads.get()), (Some("read"), epochs));
            }
            lease.end();
        }
    }

    #[test]
    fn an_entry_is_used_in_its_own_epoch_only() {
        let cache = LeasedCache::new(10);
        cache.insert(cache.begin_read(ONE), "a", 1);
        assert_eq!((cache.get(ONE, "a"), cache.get(TWO, "a"), cache.get(ONE, "b")), (Some(1), None, None));
    }

    #[test]
    fn an_entry_of_another_epoch_is_contained_until_it_is_removed() {
        let cache = LeasedCache::new(10);
        cache.insert(cache.begin_read(ONE), "a", 1);
        assert_eq!((cache.get(TWO, "a"), cache.contains("a"), cache.contains("b")), (None, true, false));
        cache.remove("a");
        assert!(!cache.contains("a"));
    }

    #[test]
    fn the_result_of_a_read_is_not_cached_when_something_changed_meanwhile() {
        let cache = LeasedCache::new(10);
        let reading = cache.begin_read(ONE);
        cache.invalidate(|_: &u32| false);
        cache.insert(reading, "a", 1);
        assert_eq!(cache.get(ONE, "a"), None);
    }

    #[test]
    fn a_change_drops_what_it_concerns_and_a_full_cache_is_emptied() {
        let cache = LeasedCache::new(2);
        for (name, value) in [("a", 1), ("b", 2)] {
            cache.insert(cache.begin_read(ONE), name, value);
        }
        cache.invalidate(|value| *value == 1);
        assert_eq!((cache.get(ONE, "a"), cache.get(ONE, "b")), (None, Some(2)));
        cache.insert(cache.begin_read(ONE), "c", 3);
        assert_eq!((cache.get(ONE, "b"), cache.get(ONE, "c")), (Some(2), Some(3)));
        cache.insert(cache.begin_read(ONE), "d", 4);
        assert_eq!((cache.get(ONE, "b"), cache.get(ONE, "c"), cache.get(ONE, "d")), (None, None, Some(4)));
    }
}
