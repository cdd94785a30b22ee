//! Waking requests that wait for a verification: the watcher publishes ids, waiters read again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Hands the news "look at this verification" to whoever waits for it, and only to them. Cheap to clone.
///
/// It says that something may have changed, never what: a waiter subscribes, reads, waits, reads again.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    waiting: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

impl Notifier {
    /// A notifier that nobody waits at.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes everybody who waits for `verification`.
    pub fn publish(&self, verification: &str) {
        if let Some(sender) = self.lock().get(verification) {
            sender.send_replace(());
        }
    }

    /// Waits for news of `verification` from now on. Subscribe first, then read.
    pub fn subscribe(&self, verification: &str) -> Subscription {
        let receiver = self.lock().entry(verification.to_owned()).or_insert_with(|| watch::Sender::new(())).subscribe();
        Subscription { notifier: self.clone(), verification: verification.to_owned(), receiver: Some(receiver) }
    }

    /// How many verifications are waited for.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        // No code that can panic runs under the lock, and a map of senders cannot be half updated.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One waiter; forgotten when dropped.
#[derive(Debug)]
pub struct Subscription {
    notifier: Notifier,
    verification: String,
    receiver: Option<watch::Receiver<()>>,
}

impl Subscription {
    /// Returns when there was news since the last call (or since the subscription).
    pub async fn news(&mut self) {
        match &mut self.receiver {
            // The sender lives in the map as long as this receiver does.
            Some(receiver) => drop(receiver.changed().await),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut waiting = self.notifier.lock();
        self.receiver = None;
        if waiting.get(&self.verification).is_some_and(|sender| sender.receiver_count() == 0) {
            waiting.remove(&self.verification);
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
        tokio::time::timeout(Duration::from_secs(5), subscription.news()).await.expect("woken");
    }

    #[tokio::test]
    async fn news_of_others_wakes_nobody_and_leaving_leaves_nothing_behind() {
        let notifier = Notifier::new();
        let mut first = notifier.subscribe("a");
        let second = notifier.subscribe("a");
        notifier.publish("b");
        assert!(tokio::time::timeout(Duration::from_millis(20), first.news()).await.is_err());
        drop(first);
        assert_eq!(notifier.len(), 1);
        drop(second);
        assert!(notifier.is_empty());
    }
}
