//! The circuit of one provider: stops asking one that is down. Pure: time and dice are arguments.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::backoff::Backoff;

/// Outages in a row that open the circuit.
const OUTAGES_MAX: u32 = 5;
/// How long it stays open: longer each time in a row.
pub(super) const PAUSE: Backoff = Backoff { first: Duration::from_secs(2), cap: Duration::from_secs(60) };

/// What a circuit says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Ask.
    Go,
    /// Ask, alone: the answer decides whether others may.
    Probe,
    /// Do not ask for this long.
    Wait(Duration),
}

/// The circuit of one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CircuitBreaker {
    /// Outages in a row.
    outages: u32,
    /// Times in a row that it opened.
    trips: u32,
    /// Set while open.
    open_until: Option<Instant>,
    /// Whether the one call of an open circuit is under way.
    probing: bool,
}

impl CircuitBreaker {
    /// Whether a call may be made at `now`.
    pub fn ask(&mut self, now: Instant) -> Admission {
        match self.open_until {
            None => Admission::Go,
            Some(until) if now < until => Admission::Wait(until - now),
            Some(_) if self.probing => Admission::Wait(PAUSE.first),
            Some(_) => {
                self.probing = true;
                Admission::Probe
            }
        }
    }

    /// A call was answered (a refusal of one request counts: the provider is there).
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// A call met an outage at `now`; `dice` is uniform in 0..1 and `asked` what the provider asked for. Of an open circuit
    /// only the probe counts: calls that were under way when it opened tell nothing new.
    pub fn outage(&mut self, now: Instant, dice: f64, asked: Option<Duration>, probe: bool) {
        if self.is_open() && !probe {
            return;
        }
        self.outages = self.outages.saturating_add(1);
        if probe || self.outages >= OUTAGES_MAX {
            self.trips = self.trips.saturating_add(1);
            self.probing = false;
            self.open_until = Some(now + PAUSE.delay(self.trips, dice, asked));
        }
    }

    /// The one call of an open circuit ended without an answer of any kind (its task was dropped).
    pub fn abandoned(&mut self) {
        self.probing = false;
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant, dice: f64, asked: Option<Duration>) -> CircuitBreaker {
        let mut circuit = CircuitBreaker::default();
        for _ in 0..OUTAGES_MAX {
            assert_eq!(circuit.ask(now), Admission::Go);
            circuit.outage(now, dice, asked, false);
        }
        circuit
    }

    #[test]
    fn it_opens_after_outages_probes_alone_and_closes_on_an_answer() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.5, None);
        let Admission::Wait(pause) = circuit.ask(now) else { panic!("open") };
        assert!(pause <= PAUSE.first);
        let later = now + pause;
        assert_eq!(circuit.ask(later), Admission::Probe);
        assert!(matches!(circuit.ask(later), Admission::Wait(_)), "one probe at a time");
        circuit.outage(later, 0.5, None, true);
        let Admission::Wait(longer) = circuit.ask(later) else { panic!("open again") };
        assert!(longer > pause);
        assert_eq!(circuit.ask(later + longer), Admission::Probe);
        circuit.answered();
        assert_eq!(circuit.ask(later), Admission::Go);
    }

    #[test]
    fn a_probe_that_is_dropped_gives_its_turn_back() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.0, None);
        let later = now + PAUSE.cap;
        assert_eq!(circuit.ask(later), Admission::Probe);
        circuit.abandoned();
        assert_eq!(circuit.ask(later), Admission::Probe);
    }

    #[test]
    fn a_provider_that_asks_for_a_pause_gets_it_up_to_a_minute() {
        let now = Instant::now();
        let mut circuit = opened(now, 0.0, Some(Duration::from_secs(3600)));
        assert_eq!(circuit.ask(now), Admission::Wait(PAUSE.cap));
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
