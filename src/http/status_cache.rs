//! Finished answers of `GET /api/v1/status/{id}`, served again while the cache lease guarantees
//! that the watch works.
//!
//! `PocketBase` stays the source of truth. An answer is cached only if it was read under a valid
//! cache lease, and everything that can make it stale drops it. A caller never gets an older answer
//! than one that this facade gave before.
//!
//! - *A change is committed.* Its event drops the answer. Until the event arrives, milliseconds
//!   later, the facade serves the old answer, as a read a moment earlier would have.
//! - *A slow read.* A read that began before an event must not be cached after it:
//!   [`StatusCache::begin_read`] notes a generation, the event increments it, and
//!   [`StatusCache::insert`] refuses a read of another generation.
//! - *Another handler showed a newer version.* Each version that a handler reads goes through
//!   [`StatusCache::observe_version`], which drops older answers and increments the generation. So
//!   a version that was shown is never taken back, in whatever order events arrive.
//! - *The caller saw a newer version elsewhere*, through another sidecar or over realtime, and says
//!   so in `If-None-Match`: the handler reads again when that names a version above the cached one.
//! - *The watch is lost.* That ends the epoch. Answers of another epoch are not served, and none is
//!   cached until a heartbeat comes back.
//! - *The watch receives no events, and the watcher has not noticed yet.* A heartbeat renews the
//!   cache lease for a limited time only ([`Client::cache_epoch`]). Only in this case can an answer
//!   be stale, and for no longer than that time.
//! - *An event never arrives.* An epoch ends by itself after a minute, and the next one reads each
//!   answer again.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};

use bytes::Bytes;

use crate::base::lock::Mutex;
#[cfg(doc)]
use crate::pocketbase::Client;
use crate::pocketbase::cache_lease::Epoch;

/// Most cached answers. At about half a kilobyte each, that is a few megabytes.
const ANSWERS_MAX: usize = 8192;
/// Number of generation counters, which ids share. When two ids share one, an answer is sometimes
/// not cached; that is all.
const GENERATIONS: usize = 4096;
/// Length of a record's id.
const ID_LENGTH: usize = 15;

type Id = [u8; ID_LENGTH];

/// A finished answer. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedStatus {
    /// Version of the verification that it shows.
    pub version: u32,
    /// Id of the `users` record that owns the verification.
    pub user: Arc<str>,
    /// Body of the answer, as JSON.
    pub body: Bytes,
}

/// Cache of finished answers. Cheap to clone; all clones share one cache.
#[derive(Debug, Clone, Default)]
pub struct StatusCache {
    shared: Arc<Mutex<Entries>>,
}

/// A read that is not finished, and what its answer needs to be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingRead {
    id: Id,
    epoch: Epoch,
    generation: u64,
}

#[derive(Debug)]
struct Entries {
    generations: Vec<u64>,
    /// Recently used answers. When this map is full it becomes `old`, and the former `old` is
    /// dropped.
    young: HashMap<Id, (Epoch, CachedStatus)>,
    old: HashMap<Id, (Epoch, CachedStatus)>,
}

impl Default for Entries {
    fn default() -> Self {
        Self { generations: vec![0; GENERATIONS], young: HashMap::new(), old: HashMap::new() }
    }
}

impl StatusCache {
    /// Returns the answer for `id` if it was read in `epoch`.
    pub fn get(&self, id: &str, epoch: Epoch) -> Option<CachedStatus> {
        let id = key(id)?;
        let mut entries = self.lock();
        if let Some((read_in, answer)) = entries.young.get(&id) {
            return (*read_in == epoch).then(|| answer.clone());
        }
        let (read_in, answer) = entries.old.remove(&id)?;
        if read_in != epoch {
            return None;
        }
        entries.insert(id, (epoch, answer.clone()));
        Some(answer)
    }

    /// Begins a read of `id` in `epoch`. Call this before reading.
    pub fn begin_read(&self, id: &str, epoch: Epoch) -> Option<PendingRead> {
        let id = key(id)?;
        let generation = self.lock().generations[slot(&id)];
        Some(PendingRead { id, epoch, generation })
    }

    /// Caches the answer of `read`, unless something changed since it began.
    pub fn insert(&self, read: PendingRead, answer: CachedStatus) {
        let mut entries = self.lock();
        if entries.generations[slot(&read.id)] == read.generation {
            entries.insert(read.id, (read.epoch, answer));
        }
    }

    /// Records that a caller is shown `version` of `id`, read from `PocketBase`. Drops older
    /// answers and keeps older pending reads out of the cache. `own` is the read that found this
    /// version; the result replaces it for [`Self::insert`].
    pub fn observe_version(&self, id: &str, version: u32, own: Option<PendingRead>) -> Option<PendingRead> {
        let id = key(id)?;
        let mut entries = self.lock();
        let stale = |(_, answer): &(Epoch, CachedStatus)| answer.version < version;
        if entries.young.get(&id).is_some_and(stale) {
            entries.young.remove(&id);
        }
        if entries.old.get(&id).is_some_and(stale) {
            entries.old.remove(&id);
        }
        let own = own.filter(|own| own.generation == entries.generations[slot(&id)]);
        entries.generations[slot(&id)] += 1;
        let generation = entries.generations[slot(&id)];
        own.map(|own| PendingRead { generation, ..own })
    }

    /// Drops the answer for `id`, because an event says that it may have changed.
    pub fn invalidate(&self, id: &str) {
        let Some(id) = key(id) else { return };
        let mut entries = self.lock();
        entries.young.remove(&id);
        entries.old.remove(&id);
        entries.generations[slot(&id)] += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.shared.lock()
    }
}

impl Entries {
    fn insert(&mut self, id: Id, answer: (Epoch, CachedStatus)) {
        if self.young.len() >= ANSWERS_MAX / 2 && !self.young.contains_key(&id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&id);
        self.young.insert(id, answer);
    }
}

fn key(id: &str) -> Option<Id> {
    id.as_bytes().try_into().ok()
}

/// Index of the generation counter of `id`, by its FNV-1a hash.
fn slot(id: &Id) -> usize {
    let hash = id
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash % GENERATIONS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::pocketbase::cache_lease::CacheLease;

    const A: &str = "aaaaaaaaaaaaaaa";

    fn answer(version: u32) -> CachedStatus {
        CachedStatus { version, user: "u".into(), body: Bytes::from(version.to_string()) }
    }

    /// An empty cache under a valid cache lease.
    fn leased() -> (StatusCache, CacheLease, Epoch) {
        let lease = CacheLease::default();
        let epoch = renewed(&lease);
        (StatusCache::default(), lease, epoch)
    }

    fn renewed(lease: &CacheLease) -> Epoch {
        let now = Instant::now();
        lease.renew(now + Duration::from_secs(20));
        lease.epoch(now).expect("leased")
    }

    /// Reads and caches a version as the handler does.
    fn read(cache: &StatusCache, version: u32, epoch: Epoch) {
        let pending = cache.begin_read(A, epoch);
        if let Some(pending) = cache.observe_version(A, version, pending) {
            cache.insert(pending, answer(version));
        }
    }

    #[test]
    fn an_event_drops_the_answer_and_every_pending_read() {
        let (cache, _, epoch) = leased();
        read(&cache, 1, epoch);
        assert_eq!(cache.get(A, epoch), Some(answer(1)));
        let slow = cache.begin_read(A, epoch);
        cache.invalidate(A);
        assert_eq!(cache.get(A, epoch), None);
        assert_eq!(cache.observe_version(A, 1, slow), None, "read before the event");
        read(&cache, 2, epoch);
        assert_eq!(cache.get(A, epoch), Some(answer(2)));
    }

    #[test]
    fn a_version_that_was_shown_is_never_taken_back() {
        let (cache, _, epoch) = leased();
        read(&cache, 1, epoch);
        let slow = cache.begin_read(A, epoch);
        cache.observe_version(A, 2, None);
        assert_eq!(cache.get(A, epoch), None, "older than what another handler showed");
        assert_eq!(cache.observe_version(A, 1, slow), None, "began before version 2 was shown");
        let first = cache.observe_version(A, 2, cache.begin_read(A, epoch)).expect("cached");
        cache.observe_version(A, 3, None);
        cache.insert(first, answer(2));
        assert_eq!(cache.get(A, epoch), None, "version 3 was shown between the read and the insert");
    }

    #[test]
    fn an_answer_read_before_the_watch_was_lost_is_not_served_after_it() {
        let (cache, lease, before) = leased();
        read(&cache, 1, before);
        let slow = cache.observe_version(A, 1, cache.begin_read(A, before)).expect("cached");
        lease.end();
        let after = renewed(&lease);
        assert_eq!(cache.get(A, after), None);
        cache.insert(slow, answer(1));
        assert_eq!(cache.get(A, after), None, "the pending read");
        read(&cache, 2, after);
        assert_eq!(cache.get(A, after), Some(answer(2)));
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_answers_in_use() {
        let (cache, _, epoch) = leased();
        read(&cache, 1, epoch);
        for number in 0..3 * ANSWERS_MAX {
            let id = format!("{number:015}");
            let pending = cache.observe_version(&id, 1, cache.begin_read(&id, epoch)).expect("cached");
            cache.insert(pending, answer(1));
            cache.get(A, epoch).expect("in use all the time");
        }
        let entries = cache.lock();
        assert!(entries.young.len() + entries.old.len() <= ANSWERS_MAX);
    }
}
