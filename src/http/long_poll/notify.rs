//! Wakes requests that wait for a verification: the watcher publishes its id, and the waiters read
//! it again.

use tokio::sync::watch;

use crate::base::refcounted::{RefCountedMap, Reference};

/// Wakes the waiters of a verification when it may have changed. Cheap to clone; all clones share
/// the waiters.
///
/// It does not say what changed: a waiter subscribes, reads, waits, and reads again.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    waiting: RefCountedMap<watch::Sender<()>>,
}

impl Notifier {
    /// Creates a notifier without waiters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes all waiters of `verification`.
    pub fn publish(&self, verification: &str) {
        self.waiting.with(verification, |sender| sender.send_replace(()));
    }

    /// Subscribes to changes of `verification` from now on. Subscribe before reading: a change in
    /// between would be lost.
    pub fn subscribe(&self, verification: &str) -> Subscription {
        let held = self.waiting.acquire(verification, || watch::Sender::new(()));
        Subscription { receiver: held.with(|sender| sender.subscribe()), _held: held }
    }

    /// Number of verifications that have waiters.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether there are no waiters.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// One waiter of a verification; unsubscribes when dropped.
#[derive(Debug)]
pub struct Subscription {
    // The sender lives as long as `_held`.
    receiver: Option<watch::Receiver<()>>,
    _held: Reference<watch::Sender<()>>,
}

impl Subscription {
    /// Returns once the verification was published since the last call or since the subscription.
    pub async fn changed(&mut self) {
        match &mut self.receiver {
            Some(receiver) => drop(receiver.changed().await),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_change_between_subscribing_and_waiting_is_not_lost() {
        let notifier = Notifier::new();
        let mut subscription = notifier.subscribe("a");
        notifier.publish("a");
        tokio::time::timeout(Duration::from_secs(5), subscription.changed()).await.expect("woken");
    }

    #[tokio::test]
    async fn only_waiters_of_the_changed_verification_wake_and_dropped_ones_are_removed() {
        let notifier = Notifier::new();
        let mut first = notifier.subscribe("a");
        let second = notifier.subscribe("a");
        notifier.publish("b");
        assert!(tokio::time::timeout(Duration::from_millis(20), first.changed()).await.is_err());
        drop(first);
        assert_eq!(notifier.len(), 1);
        drop(second);
        assert!(notifier.is_empty());
    }
}
