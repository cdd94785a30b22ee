//! Locks that ignore poisoning.
//!
//! A standard lock is poisoned when a thread panics while it holds the lock. The guarded values of
//! this program are changed by a few statements that leave them consistent at every step, so a
//! panic elsewhere is no reason to refuse them afterwards: one failed request must not make all
//! later ones fail.

use std::sync::{MutexGuard, PoisonError, RwLockReadGuard, RwLockWriteGuard};

/// [`std::sync::Mutex`] without poisoning.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// Wraps `value` in an unlocked mutex.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Waits for the lock. The guard must not live across an await.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`std::sync::RwLock`] without poisoning.
#[derive(Debug, Default)]
pub struct RwLock<T>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    /// Waits for shared access.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for exclusive access.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_panic_under_a_lock_does_not_take_the_value_away() {
        let (mutex, shared) = (Mutex::new(1), RwLock::<u32>::default());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let (_one, _other) = (mutex.lock(), shared.write());
            panic!("while both are held");
        }));
        assert!(panicked.is_err());
        *mutex.lock() += 1;
        *shared.write() += 1;
        assert_eq!((*mutex.lock(), *shared.read()), (2, 1));
    }
}
