//! The last known case of each verification that this process works on. It saves one read for each
//! result.
//!
//! A result is written on top of the state that this process stored last, and the unique number of
//! the journal row says whether that state was still the latest one. Only evidence can be newer
//! than a cached case, and each new record of evidence causes a pass of its own, which reads.

use std::sync::Arc;

use crate::base::refcounted::{RefCountedMap, Reference};
use crate::pocketbase::cache_lease::Epoch;
use crate::verification::Case;

type Entry = Option<(Epoch, Arc<Case>)>;

/// The cases, each for as long as something pins its verification. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct CaseCache {
    entries: RefCountedMap<Entry>,
}

/// Keeps the entry of one verification. Dropping the last pin drops the cached case.
#[derive(Debug)]
pub struct Pin {
    _entry: Reference<Entry>,
}

impl CaseCache {
    /// Allows a case to be cached for verification `id` until the returned pin is dropped.
    pub fn pin(&self, id: &str) -> Pin {
        Pin { _entry: self.entries.acquire(id, Entry::default) }
    }

    /// Caches `case`, which was read or stored in `epoch`, if its verification is pinned. A later
    /// state of the same epoch is kept instead: two work items may finish in any order.
    pub fn insert(&self, epoch: Epoch, case: &Arc<Case>) {
        self.entries.with(case.id(), |entry| {
            let is_newer = |(cached_in, cached): &(Epoch, Arc<Case>)| *cached_in == epoch && cached.seq() > case.seq();
            if !entry.as_ref().is_some_and(is_newer) {
                *entry = Some((epoch, Arc::clone(case)));
            }
        });
    }

    /// Returns the case of verification `id` if it was cached in `epoch`.
    pub fn get(&self, epoch: Epoch, id: &str) -> Option<Arc<Case>> {
        self.entries.with(id, |entry| {
            let (cached_in, case) = entry.as_ref()?;
            (*cached_in == epoch).then(|| Arc::clone(case))
        })?
    }

    /// Drops the cached case of `id`, which is no longer the latest state or may not be.
    pub fn invalidate(&self, id: &str) {
        self.entries.with(id, |entry| *entry = None);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;

    use super::*;
    use crate::controller::sample;
    use crate::pocketbase::cache_lease::CacheLease;

    /// Two epochs, the later one last.
    fn epochs() -> [Epoch; 2] {
        let (lease, now) = (CacheLease::default(), Instant::now());
        [(); 2].map(|()| {
            lease.end();
            lease.renew(now + Duration::from_secs(60));
            lease.epoch(now).expect("a renewed lease")
        })
    }

    /// The sample case with `rows` journal rows.
    fn case(rows: u32) -> Arc<Case> {
        let mut case = sample::case();
        for _ in 0..rows {
            case.apply(&sample::expired(), Timestamp::UNIX_EPOCH);
        }
        Arc::new(case)
    }

    fn cached_seq(cache: &CaseCache, epoch: Epoch) -> Option<u32> {
        cache.get(epoch, sample::ID).map(|case| case.seq())
    }

    #[test]
    fn a_case_is_cached_while_its_verification_is_pinned() {
        let (cache, [epoch, _]) = (CaseCache::default(), epochs());
        cache.insert(epoch, &case(1));
        assert_eq!(cached_seq(&cache, epoch), None, "nothing pins it yet");
        let pins = (cache.pin(sample::ID), cache.pin(sample::ID));
        cache.insert(epoch, &case(1));
        drop(pins.0);
        assert_eq!(cached_seq(&cache, epoch), Some(1));
        drop(pins.1);
        let _pin = cache.pin(sample::ID);
        assert_eq!(cached_seq(&cache, epoch), None, "it went with the last pin");
    }

    #[test]
    fn an_older_state_does_not_replace_a_newer_one_of_its_epoch() {
        let (cache, [epoch, _]) = (CaseCache::default(), epochs());
        let _pin = cache.pin(sample::ID);
        for rows in [1, 3, 2] {
            cache.insert(epoch, &case(rows));
        }
        assert_eq!(cached_seq(&cache, epoch), Some(3));
    }

    #[test]
    fn another_epoch_finds_nothing_and_replaces_whatever_is_cached() {
        let (cache, [before, after]) = (CaseCache::default(), epochs());
        let _pin = cache.pin(sample::ID);
        cache.insert(before, &case(3));
        assert_eq!(cached_seq(&cache, after), None);
        // After a restore from a backup the journal may be shorter.
        cache.insert(after, &case(2));
        assert_eq!((cached_seq(&cache, before), cached_seq(&cache, after)), (None, Some(2)));
    }

    #[test]
    fn an_invalidated_case_is_read_again() {
        let (cache, [epoch, _]) = (CaseCache::default(), epochs());
        let _pin = cache.pin(sample::ID);
        cache.insert(epoch, &case(1));
        cache.invalidate(sample::ID);
        assert_eq!(cached_seq(&cache, epoch), None);
        cache.insert(epoch, &case(1));
        assert_eq!(cached_seq(&cache, epoch), Some(1));
    }
}
