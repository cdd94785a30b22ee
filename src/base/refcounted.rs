//! A value for each key, for as long as somebody holds the key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The values. Cheap to clone; all clones are one.
#[derive(Debug)]
pub struct Keyed<V> {
    shared: Arc<Mutex<HashMap<String, Held<V>>>>,
}

#[derive(Debug)]
struct Held<V> {
    holders: usize,
    value: V,
}

/// A key that is held until this is dropped; the last holder takes the value along.
#[derive(Debug)]
pub struct Holder<V> {
    keyed: Keyed<V>,
    key: String,
}

impl<V> Keyed<V> {
    /// Holds `key`, beside whoever does already; whoever is the first brings the value.
    pub fn hold(&self, key: &str, first: impl FnOnce() -> V) -> Holder<V> {
        let mut shared = self.lock();
        shared.entry(key.to_owned()).or_insert_with(|| Held { holders: 0, value: first() }).holders += 1;
        Holder { keyed: self.clone(), key: key.to_owned() }
    }

    /// Holds `key` if nobody does.
    pub fn hold_alone(&self, key: &str, value: V) -> Option<Holder<V>> {
        match self.lock().entry(key.to_owned()) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                free.insert(Held { holders: 1, value });
                Some(Holder { keyed: self.clone(), key: key.to_owned() })
            }
        }
    }

    /// What `look` makes of the value of `key`; `None` if nobody holds it. `look` runs under a lock: it must be short and must not panic.
    pub fn look<T>(&self, key: &str, look: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.lock().get_mut(key).map(|held| look(&mut held.value))
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Held<V>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Holder<V> {
    /// The same for the key that is held, which has a value.
    pub fn look<T>(&self, look: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.keyed.look(&self.key, look)
    }
}

impl<V> Drop for Holder<V> {
    fn drop(&mut self) {
        let mut shared = self.keyed.lock();
        let Some(held) = shared.get_mut(&self.key) else { return };
        held.holders -= 1;
        if held.holders == 0 {
            let last = shared.remove(&self.key);
            drop(shared);
            // Past the lock: dropping a value may do anything.
            drop(last);
        }
    }
}

impl<V> Clone for Keyed<V> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self { shared: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_from_the_first_holder_to_the_last() {
        let keyed = Keyed::default();
        let first = keyed.hold("a", || vec![1]);
        let second = keyed.hold("a", || unreachable!("there is one"));
        second.look(|value| value.push(2));
        assert_eq!(
            (keyed.look("a", |value| value.clone()), keyed.look("b", |value| value.clone())),
            (Some(vec![1, 2]), None)
        );
        drop(first);
        assert_eq!(second.look(|value| value.len()), Some(2));
        drop(second);
        assert!(keyed.is_empty());
        assert_eq!(keyed.hold("a", Vec::new).look(|value| value.len()), Some(0), "begun anew");
    }

    #[test]
    fn a_key_can_be_held_alone() {
        let keyed = Keyed::default();
        let alone = keyed.hold_alone("a", ()).expect("free");
        assert!(keyed.hold_alone("a", ()).is_none());
        assert!(keyed.hold_alone("b", ()).is_some());
        drop(alone);
        assert!(keyed.hold_alone("a", ()).is_some() && keyed.is_empty());
    }
}
