//! How long to wait before the next attempt.

use std::time::Duration;

/// Exponential backoff: the delay doubles with each failure, up to a cap, and half of it is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Delay after the first failure, before jitter.
    pub first: Duration,
    /// Upper bound of the delay.
    pub cap: Duration,
}

impl Backoff {
    /// The delay after `failures` failures in a row (1 for the first). `random` is uniform in 0..1.
    ///
    /// The random half spreads clients that failed together; the fixed half keeps each of them from
    /// retrying at once. `retry_after` is what the server asked for (`Retry-After`); it is honoured
    /// up to the cap.
    pub fn delay(self, failures: u32, random: f64, retry_after: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap);
        let jittered = full / 2 + (full / 2).mul_f64(random.clamp(0.0, 1.0));
        jittered.max(retry_after.unwrap_or_default().min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(200), cap: Duration::from_secs(30) };

    #[test]
    fn delays_grow_up_to_the_cap_and_are_never_zero() {
        for failures in 1..100 {
            for random in [0.0, 0.5, 1.0] {
                let delay = BACKOFF.delay(failures, random, None);
                assert!(delay >= Duration::from_millis(100) && delay <= BACKOFF.cap);
            }
        }
        assert!(BACKOFF.delay(5, 0.0, None) > BACKOFF.delay(1, 1.0, None));
    }

    #[test]
    fn a_server_that_asks_for_an_hour_gets_the_cap() {
        assert_eq!(BACKOFF.delay(1, 0.0, Some(Duration::from_secs(3600))), BACKOFF.cap);
        assert_eq!(BACKOFF.delay(1, 0.0, Some(Duration::from_secs(7))), Duration::from_secs(7));
    }
}
