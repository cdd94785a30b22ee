//! The circuit breaker of one provider: stops calls to a provider that is down. Pure: time and the
//! random number are arguments.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::backoff::Backoff;

/// Outages in a row that open the circuit.
const OUTAGES_MAX: u32 = 5;
/// How long the circuit stays open: longer each time in a row.
pub(super) const PAUSE: Backoff = Backoff { first: Duration::from_secs(2), cap: Duration::from_secs(60) };

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// The circuit is closed.
    Call,
    /// This call alone may be made: its answer decides whether the circuit closes.
    Probe,
    /// No call may be made for this long.
    Wait(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CircuitBreaker {
    /// Outages in a row.
    outages: u32,
    /// Times in a row that the circuit opened.
    trips: u32,
    /// Set while the circuit is open.
    open_until: Option<Instant>,
    /// Whether the one call of an open circuit is under way.
    probing: bool,
}

impl CircuitBreaker {
    /// Decides about a call at `now`.
    pub(super) fn ask(&mut self, now: Instant) -> Permission {
        match self.open_until {
            None => Permission::Call,
            Some(until) if now < until => Permission::Wait(until - now),
            Some(_) if self.probing => Permission::Wait(PAUSE.first),
            Some(_) => {
                self.probing = true;
                Permission::Probe
            }
        }
    }

    /// Closes the circuit: a call was answered. A refusal of one request counts, too: the provider
    /// is there.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Counts a call that met an outage at `now`. `random` is uniform in 0..1, and `asked` is the
    /// pause that the provider asked for. While the circuit is open only the probe counts: calls
    /// that were under way when it opened say nothing new.
    pub(super) fn outage(&mut self, now: Instant, random: f64, asked: Option<Duration>, probe: bool) {
        if self.is_open() && !probe {
            return;
        }
        self.outages = self.outages.saturating_add(1);
        if probe || self.outages >= OUTAGES_MAX {
            self.trips = self.trips.saturating_add(1);
            self.probing = false;
            self.open_until = Some(now + PAUSE.delay(self.trips, random, asked));
        }
    }

    /// Allows another probe: the last one was dropped before it ended.
    pub(super) fn probe_abandoned(&mut self) {
        self.probing = false;
    }

    pub(super) fn is_open(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant, random: f64, asked: Option<Duration>) -> CircuitBreaker {
        let mut circuit = CircuitBreaker::default();
        for _ in 0..OUTAGES_MAX {
            assert_eq!(circuit.ask(now), Permission::Call);
            circuit.outage(now, random, asked, false);
        }
        circuit
    }

    #[test]
    fn it_opens_after_outages_probes_alone_and_closes_on_an_answer() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.5, None);
        let Permission::Wait(pause) = circuit.ask(now) else { panic!("open") };
        assert!(pause <= PAUSE.first);
        let later = now + pause;
        assert_eq!(circuit.ask(later), Permission::Probe);
        assert!(matches!(circuit.ask(later), Permission::Wait(_)), "one probe at a time");
        circuit.outage(later, 0.5, None, true);
        let Permission::Wait(longer) = circuit.ask(later) else { panic!("open again") };
        assert!(longer > pause);
        assert_eq!(circuit.ask(later + longer), Permission::Probe);
        circuit.answered();
        assert_eq!(circuit.ask(later), Permission::Call);
    }

    #[test]
    fn after_an_abandoned_probe_another_one_may_be_made() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.0, None);
        let later = now + PAUSE.cap;
        assert_eq!(circuit.ask(later), Permission::Probe);
        circuit.probe_abandoned();
        assert_eq!(circuit.ask(later), Permission::Probe);
    }

    #[test]
    fn a_pause_that_the_provider_asks_for_is_kept_up_to_a_minute() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.0, Some(Duration::from_secs(3600)));
        assert_eq!(circuit.ask(now), Permission::Wait(PAUSE.cap));
    }

    #[test]
    fn calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.5, None);
        let before = circuit;
        for _ in 0..30 {
            circuit.outage(now, 0.5, None, false);
        }
        assert_eq!(circuit, before);
    }
}
