//! One gate per provider, shared by all work of the process: a limit on calls at the same time, and a circuit that stops
//! asking a provider that is down.
//!
//! The circuit opens after a few outages in a row, lets one call through when its pause is over, and closes when that one
//! is answered. Recovery needs no person. A call that is not let through is an ordinary [`Trouble`], so the work goes
//! back to the queue like any other.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::providers::{Trouble, TroubleKind, provider_name};
use crate::verification::policy::Provider;

/// Outages in a row that open the circuit.
const OUTAGES_MAX: u32 = 5;
/// How long it stays open: longer each time in a row.
const PAUSE: Backoff = Backoff { first: Duration::from_secs(2), cap: Duration::from_secs(60) };

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

/// The circuit of one provider. Pure: time and dice are arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Circuit {
    /// Outages in a row.
    outages: u32,
    /// Times in a row that it opened.
    trips: u32,
    /// Set while open.
    open_until: Option<Instant>,
    /// Whether the one call of an open circuit is under way.
    probing: bool,
}

impl Circuit {
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

    /// A call met an outage at `now`; `dice` is uniform in 0..1 and `asked` what the provider asked for.
    pub fn outage(&mut self, now: Instant, dice: f64, asked: Option<Duration>) {
        self.outages = self.outages.saturating_add(1);
        if self.probing || self.outages >= OUTAGES_MAX {
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

/// The way to one provider.
#[derive(Debug, Clone)]
pub struct Gate {
    provider: Provider,
    room: Arc<Semaphore>,
    circuit: Arc<Mutex<Circuit>>,
}

impl Gate {
    /// A gate that lets `calls` calls through at the same time.
    pub fn new(provider: Provider, calls: usize) -> Self {
        Self { provider, room: Arc::new(Semaphore::new(calls)), circuit: Arc::default() }
    }

    /// Whether the provider failed lately.
    pub fn is_open(&self) -> bool {
        self.circuit().is_open()
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `call` if the circuit lets it through, and learns from how it ends.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        // The semaphore is never closed; without a permit nothing is asked all the same.
        let Ok(_permit) = self.room.acquire().await else { return Err(self.closed(operation, PAUSE.first)) };
        let admission = self.circuit().ask(Instant::now());
        if let Admission::Wait(pause) = admission {
            return Err(self.closed(operation, pause));
        }
        let mut probe = Probe { gate: self, armed: admission == Admission::Probe };
        let result = call.await;
        probe.armed = false;
        self.learn(result.as_ref().err());
        result
    }

    fn learn(&self, trouble: Option<&Trouble>) {
        let name = provider_name(self.provider);
        let outage = trouble.filter(|trouble| trouble.is_outage());
        let mut circuit = self.circuit();
        let was_open = circuit.is_open();
        match outage {
            Some(trouble) => circuit.outage(Instant::now(), rand::random(), trouble.retry_after()),
            None => circuit.answered(),
        }
        let is_open = circuit.is_open();
        drop(circuit);
        let result = trouble.map_or("answered", Trouble::code);
        metrics::counter!("provider_calls_total", "provider" => name, "result" => result).increment(1);
        metrics::gauge!("provider_circuit_open", "provider" => name).set(if is_open { 1.0 } else { 0.0 });
        match (was_open, is_open) {
            (false, true) => warn!(provider = name, "provider is down; calls are held back"),
            (true, false) => info!(provider = name, "provider is back"),
            _ => {}
        }
    }

    fn closed(&self, operation: &'static str, pause: Duration) -> Trouble {
        let what = "it failed several times in a row; calls are held back for a while";
        let kind = TroubleKind::Unavailable { what, retry_after: Some(pause) };
        Trouble { provider: self.provider, operation, kind, request_id: None }
    }
}

/// Gives the probe's turn back when its call is dropped half way.
struct Probe<'a> {
    gate: &'a Gate,
    armed: bool,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.gate.circuit().abandoned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_outages_probes_alone_and_closes_on_an_answer() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        for _ in 1..OUTAGES_MAX {
            circuit.outage(now, 0.5, None);
            assert_eq!(circuit.ask(now), Admission::Go);
        }
        circuit.outage(now, 0.5, None);
        let Admission::Wait(pause) = circuit.ask(now) else { panic!("open") };
        assert!(pause <= PAUSE.first);
        let later = now + pause;
        assert_eq!(circuit.ask(later), Admission::Probe);
        assert!(matches!(circuit.ask(later), Admission::Wait(_)), "one probe at a time");
        circuit.outage(later, 0.5, None);
        let Admission::Wait(longer) = circuit.ask(later) else { panic!("open again") };
        assert!(longer > pause);
        assert_eq!(circuit.ask(later + longer), Admission::Probe);
        circuit.answered();
        assert_eq!(circuit.ask(later), Admission::Go);
    }

    #[test]
    fn a_probe_that_is_dropped_gives_its_turn_back() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        for _ in 0..OUTAGES_MAX {
            circuit.outage(now, 0.0, None);
        }
        let later = now + PAUSE.cap;
        assert_eq!(circuit.ask(later), Admission::Probe);
        circuit.abandoned();
        assert_eq!(circuit.ask(later), Admission::Probe);
    }

    #[test]
    fn a_provider_that_asks_for_a_pause_gets_it_up_to_a_minute() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        for _ in 0..OUTAGES_MAX {
            circuit.outage(now, 0.0, Some(Duration::from_secs(3600)));
        }
        assert_eq!(circuit.ask(now), Admission::Wait(PAUSE.cap));
    }
}
