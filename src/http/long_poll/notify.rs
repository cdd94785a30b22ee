//! Waking requests that wait for a verification: the watcher publishes ids, waiters read again.

use tokio::sync::watch;

use crate::base::refcounted::{RefCountedMap, Reference};

/// Hands the news "look at this verification" to whoever waits for it, and only to them. Cheap to clone.
///
/// It says that something may have changed, never what: a waiter subscribes, reads, waits, reads again.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    waiting: RefCountedMap<watch::Sender<()>>,
}

impl Notifier {
    /// A notifier that nobody waits at.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes everybody who waits for `verification`.
    pub fn publish(&self, verification: &str) {
        self.waiting.with(verification, |sender| sender.send_replace(()));
    }

    /// Waits for news of `verification` from now on. Subscribe first, then read.
    pub fn subscribe(&self, verification: &str) -> Subscription {
        let held = self.waiting.acquire(verification, || watch::Sender::new(()));
        Subscription { receiver: held.with(|sender| sender.subscribe()), _held: held }
    }

    /// How many verifications are waited for.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// One waiter; forgotten when dropped.
#[derive(Debug)]
pub struct Subscription {
    /// Its sender lives as long as the verification is held.
    receiver: Option<watch::Receiver<()>>,
    _held: Reference<watch::Sender<()>>,
}

impl Subscription {
    /// Returns when there was news since the last call (or since the subscription).
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
    async fn news_between_subscribing_and_waiting_is_not_lost() {
        let notifier = Notifier::new();
        let mut subscription = notifier.subscribe("a");
        notifier.publish("a");
        tokio::time::timeout(Duration::from_secs(5), subscription.changed()).await.expect("woken");
    }

    #[tokio::test]
    async fn news_of_others_wakes_nobody_and_leaving_leaves_nothing_behind() {
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
