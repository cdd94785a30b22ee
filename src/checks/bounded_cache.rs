//! A cache with a limit on its bytes and on the age of its entries.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// The limits of a cache.
pub(super) struct Bounds<V> {
    /// Bytes of all entries together.
    pub(super) bytes_max: usize,
    /// Age from the creation of an entry; a later update does not renew it.
    pub(super) age_max: Duration,
    /// The bytes that an entry counts as.
    pub(super) bytes_of: fn(&V) -> usize,
}

/// Drops entries that are too old, and the oldest entries while there are too many bytes.
pub(super) struct BoundedCache<K, V> {
    bounds: Bounds<V>,
    entries: HashMap<K, Entry<V>>,
    /// Entries ever created. Orders entries of the same instant.
    created: u64,
}

struct Entry<V> {
    number: u64,
    since: Instant,
    bytes: usize,
    value: V,
}

impl<K: Clone + Eq + Hash, V> BoundedCache<K, V> {
    pub(super) fn new(bounds: Bounds<V>) -> Self {
        Self { bounds, entries: HashMap::new(), created: 0 }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Changes the value of `key`, which begins as the default. Returns how many entries were
    /// dropped to keep within the limits.
    pub(super) fn update(&mut self, key: K, change: impl FnOnce(&mut V)) -> usize
    where
        V: Default,
    {
        let entry = self.entries.entry(key).or_insert_with(|| {
            self.created += 1;
            Entry { number: self.created, since: Instant::now(), bytes: 0, value: V::default() }
        });
        change(&mut entry.value);
        entry.bytes = (self.bounds.bytes_of)(&entry.value);
        self.evict()
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// Drops what exceeds the limits. Returns how many entries were dropped.
    pub(super) fn evict(&mut self) -> usize {
        let before = self.entries.len();
        let now = Instant::now();
        self.entries.retain(|_, entry| now.saturating_duration_since(entry.since) < self.bounds.age_max);
        let mut bytes = self.bytes();
        while bytes > self.bounds.bytes_max {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.number).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            bytes -= self.entries.remove(&oldest).map_or(0, |entry| entry.bytes);
        }
        before - self.entries.len()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.values().map(|entry| entry.bytes).sum()
    }
}

/// Shows no entry: values are personal data.
impl<K, V> fmt::Debug for BoundedCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedCache").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE_MAX: Duration = Duration::from_secs(60);

    fn cache() -> BoundedCache<&'static str, String> {
        BoundedCache::new(Bounds { bytes_max: 4, age_max: AGE_MAX, bytes_of: |text: &String| text.len() })
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_entry_is_dropped_first_also_of_the_same_instant() {
        let mut cache = cache();
        for key in ["c", "a", "b"] {
            assert_eq!(cache.update(key, |text| text.push('1')), 0);
        }
        assert_eq!(cache.update("a", |text| text.push_str("23")), 1, "one byte too many");
        assert!(cache.get(&"c").is_none() && cache.get(&"b").is_some());
        assert_eq!((cache.get(&"a").map(String::as_str), cache.bytes()), (Some("123"), 4));
        assert_eq!(cache.update("large", |text| text.push_str("12345")), 3, "larger than the cache itself");
        assert_eq!((cache.len(), cache.bytes()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_does_not_renew_an_entry() {
        let mut cache = cache();
        cache.update("a", |text| text.push('1'));
        tokio::time::advance(AGE_MAX / 2).await;
        cache.update("a", |text| text.push('2'));
        cache.update("b", |text| text.push('1'));
        tokio::time::advance(AGE_MAX / 2).await;
        assert_eq!(cache.evict(), 1);
        assert_eq!((cache.remove(&"a"), cache.remove(&"b")), (None, Some("1".to_owned())));
    }

    #[test]
    fn a_debugged_cache_shows_no_value() {
        let mut cache = cache();
        cache.update("a", |text| text.push_str("face"));
        assert!(!format!("{cache:?}").contains("face"));
    }
}
