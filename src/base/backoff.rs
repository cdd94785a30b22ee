//! Pure delays: how long to wait before trying again.

use std::time::Duration;

/// Exponential growth with full jitter above a floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Delay after the first failure, before jitter.
    pub first: Duration,
    /// No delay is longer.
    pub cap: Duration,
}

impl Backoff {
    /// The delay after `failures` failures in a row (1 for the first). `dice` is uniform in 0..1.
    ///
    /// Half of the delay is fixed and half random: jitter spreads a herd, the fixed half keeps it from hammering.
    /// `asked` is what the other side asked for (`Retry-After`); it is honoured up to the cap.
    pub fn delay(self, failures: u32, dice: f64, asked: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap);
        let jittered = full / 2 + (full / 2).mul_f64(dice.clamp(0.0, 1.0));
        jittered.max(asked.unwrap_or_default().min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(200), cap: Duration::from_secs(30) };

    #[test]
    fn delays_grow_stay_under_the_cap_and_never_vanish() {
        for failures in 1..100 {
            for dice in [0.0, 0.5, 1.0] {
                let delay = BACKOFF.delay(failures, dice, None);
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
