//! What the tests stand on: real servers that each test starts for itself, and waiting with a
//! bound.

pub mod pocketbase;
pub mod ports;
pub mod proxy;
pub mod scene;
pub mod stream;
pub mod tls;

use std::time::{Duration, Instant};

/// Waits until `read` returns a value, for at most ten seconds. Panics with `what` after that.
pub async fn eventually<T>(what: &str, read: impl AsyncFn() -> Option<T>) -> T {
    const PATIENCE: Duration = Duration::from_secs(10);
    const PAUSE: Duration = Duration::from_millis(20);
    let started = Instant::now();
    loop {
        if let Some(found) = read().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
