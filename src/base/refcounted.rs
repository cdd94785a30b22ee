//! A map whose entries live as long as something refers to them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, MutexGuard};

use super::lock::Mutex;

/// A value for each key that has at least one [`Reference`]. Clones share one map.
#[derive(Debug)]
pub struct RefCountedMap<V> {
    entries: Arc<Mutex<HashMap<String, Counted<V>>>>,
}

#[derive(Debug)]
struct Counted<V> {
    references: usize,
    value: V,
}

/// A reference to a key of a [`RefCountedMap`]. Dropping the last one removes the key and drops its
/// value.
#[derive(Debug)]
pub struct Reference<V> {
    map: RefCountedMap<V>,
    key: String,
}

impl<V> RefCountedMap<V> {
    /// Adds a reference to `key`; the first reference creates the value.
    pub fn acquire(&self, key: &str, create: impl FnOnce() -> V) -> Reference<V> {
        let mut entries = self.lock();
        entries.entry(key.to_owned()).or_insert_with(|| Counted { references: 0, value: create() }).references += 1;
        Reference { map: self.clone(), key: key.to_owned() }
    }

    /// Adds the first reference to `key`; `None` if the key has one already.
    pub fn acquire_if_free(&self, key: &str, value: V) -> Option<Reference<V>> {
        match self.lock().entry(key.to_owned()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                free.insert(Counted { references: 1, value });
                Some(Reference { map: self.clone(), key: key.to_owned() })
            }
        }
    }

    /// Calls `read` with the value of `key`; `None` if nothing refers to the key. `read` runs under
    /// the map's lock: it must be short and must not panic.
    pub fn with<T>(&self, key: &str, read: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.lock().get_mut(key).map(|counted| read(&mut counted.value))
    }

    /// The number of keys that have a reference.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no key has a reference.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Counted<V>>> {
        self.entries.lock()
    }
}

impl<V> Reference<V> {
    /// [`RefCountedMap::with`] for the key that this refers to; always `Some`.
    pub fn with<T>(&self, read: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.map.with(&self.key, read)
    }
}

impl<V> Drop for Reference<V> {
    fn drop(&mut self) {
        let mut entries = self.map.lock();
        let Some(counted) = entries.get_mut(&self.key) else { return };
        counted.references -= 1;
        if counted.references == 0 {
            let last = entries.remove(&self.key);
            // Unlock before dropping the value: its destructor may use this map.
            drop(entries);
            drop(last);
        }
    }
}

impl<V> Clone for RefCountedMap<V> {
    fn clone(&self) -> Self {
        Self { entries: Arc::clone(&self.entries) }
    }
}

impl<V> Default for RefCountedMap<V> {
    fn default() -> Self {
        Self { entries: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_from_the_first_reference_to_the_last() {
        let map = RefCountedMap::default();
        let first = map.acquire("a", || vec![1]);
        let second = map.acquire("a", || unreachable!("the value exists"));
        second.with(|value| value.push(2));
        assert_eq!(
            (map.with("a", |value| value.clone()), map.with("b", |value| value.clone())),
            (Some(vec![1, 2]), None)
        );
        drop(first);
        assert_eq!(second.with(|value| value.len()), Some(2));
        drop(second);
        assert!(map.is_empty());
        assert_eq!(map.acquire("a", Vec::new).with(|value| value.len()), Some(0), "a new value");
    }

    #[test]
    fn a_key_with_a_reference_is_not_free() {
        let map = RefCountedMap::default();
        let only = map.acquire_if_free("a", ()).expect("free");
        assert!(map.acquire_if_free("a", ()).is_none());
        assert!(map.acquire_if_free("b", ()).is_some());
        drop(only);
        assert!(map.acquire_if_free("a", ()).is_some() && map.is_empty());
    }
}
