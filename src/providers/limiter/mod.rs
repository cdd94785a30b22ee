//! One limiter per provider, shared by all work of the process: a limit on calls at the same time and per second, a line in which
//! the most urgent goes first, and a circuit that stops asking a provider that is down.
//!
//! The circuit opens after a few outages in a row, lets one call through when its pause is over, and closes when that one
//! is answered. A provider that throttles halts the line for everybody. Recovery needs no person. A call that is not let through
//! is an ordinary [`ProviderError`], so the work goes back to the queue like any other.

pub(crate) mod circuit_breaker;
pub(crate) mod wait_queue;

pub use crate::providers::limiter::wait_queue::{RateLimit, Urgency};

use std::future::Future;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::base::lock::Mutex;
use crate::providers::limiter::circuit_breaker::{Admission, CircuitBreaker, PAUSE};
use crate::providers::limiter::wait_queue::{NextCall, Position, WaitQueue};
use crate::providers::{ProviderError, ProviderErrorKind, provider_name};
use crate::verification::Provider;

/// The way to one provider.
#[derive(Debug, Clone)]
pub struct ProviderLimiter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    provider: Provider,
    state: Mutex<State>,
    /// Held by the one waiter that watches the clock for all.
    clock: tokio::sync::Mutex<()>,
    /// Somebody joined, left or ended: the clock may have to be set anew.
    moved: Notify,
}

#[derive(Debug)]
struct State {
    circuit: CircuitBreaker,
    line: WaitQueue<oneshot::Sender<Slot>>,
}

/// A turn, given back when dropped.
#[derive(Debug)]
struct Slot {
    shared: Arc<Shared>,
}

/// Why a turn did not come.
enum Missed {
    /// The circuit opened meanwhile.
    Dispersed,
    /// Nobody waits for the answer any more.
    Over,
}

impl ProviderLimiter {
    /// A limiter that lets calls through at `pace`.
    pub fn new(provider: Provider, pace: RateLimit) -> Self {
        let state = Mutex::new(State { circuit: CircuitBreaker::default(), line: WaitQueue::new(pace) });
        let shared = Shared { provider, state, clock: tokio::sync::Mutex::default(), moved: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Whether the provider failed lately, or asked for a pause that is not over.
    pub fn is_degraded(&self) -> bool {
        let state = self.shared.state();
        state.circuit.is_open() || !state.line.halted_for(Instant::now()).is_zero()
    }

    /// Makes `call` when its turn comes, if the circuit lets it through, and learns from how it ends. If its turn has not come
    /// by `begin_by` it is not made: what is paid for must still have the time to be answered and stored.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        urgency: Urgency,
        begin_by: Instant,
        call: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        let admission = self.shared.state().circuit.ask(Instant::now());
        if let Admission::Wait(pause) = admission {
            return Err(self.closed(operation, pause));
        }
        let mut probe = Probe { limiter: self, armed: admission == Admission::Probe };
        let turn = match self.turn(urgency, begin_by).await {
            Ok(turn) => turn,
            Err(Missed::Dispersed) => return Err(self.closed(operation, PAUSE.first)),
            Err(Missed::Over) => return Err(self.held_back(operation, ProviderErrorKind::Saturated)),
        };
        let began = Instant::now();
        let result = call.await;
        let was_probe = std::mem::take(&mut probe.armed);
        self.learn(result.as_ref().err(), began, was_probe);
        drop(turn);
        result
    }

    /// Waits in line. Cancel-safe: whoever is dropped leaves, and a turn that came too late goes to the next.
    async fn turn(&self, urgency: Urgency, begin_by: Instant) -> Result<Slot, Missed> {
        let (sender, turn) = oneshot::channel();
        let place = self.shared.state().line.join(urgency, sender);
        let _leave = Leave { shared: &self.shared, place };
        self.shared.admit();
        tokio::select! {
            biased;
            turn = turn => turn.map_err(|_| Missed::Dispersed),
            () = sleep_until(begin_by) => Err(Missed::Over),
            never = self.shared.watch_the_clock() => match never {},
        }
    }

    fn learn(&self, trouble: Option<&ProviderError>, began: Instant, probe: bool) {
        let name = provider_name(self.shared.provider);
        let (now, dice) = (Instant::now(), rand::random());
        let mut state = self.shared.state();
        let was_open = state.circuit.is_open();
        match trouble {
            Some(ProviderError { kind: ProviderErrorKind::Throttled { retry_after }, .. }) => {
                state.circuit.answered();
                state.line.throttled(began, now, dice, *retry_after);
            }
            Some(trouble) if trouble.is_outage() => state.circuit.outage(now, dice, trouble.retry_after(), probe),
            _ => {
                state.circuit.answered();
                state.line.answered();
            }
        }
        let is_open = state.circuit.is_open();
        let halt = state.line.halted_for(now);
        let sent_away = (is_open && !was_open).then(|| state.line.disperse());
        drop(state);
        drop(sent_away);
        let result = trouble.map_or("answered", ProviderError::code);
        metrics::counter!("provider_calls_total", "provider" => name, "result" => result).increment(1);
        metrics::gauge!("provider_circuit_open", "provider" => name).set(if is_open { 1.0 } else { 0.0 });
        metrics::gauge!("provider_halt_seconds", "provider" => name).set(halt.as_secs_f64());
        match (was_open, is_open) {
            (false, true) => warn!(provider = name, "provider is down; calls are held back"),
            (true, false) => info!(provider = name, "provider is back"),
            _ => {}
        }
        if matches!(trouble.map(|t| &t.kind), Some(ProviderErrorKind::Throttled { .. })) {
            warn!(provider = name, pause_seconds = halt.as_secs_f64(), "provider throttles; all calls wait");
        }
    }

    fn closed(&self, operation: &'static str, pause: Duration) -> ProviderError {
        let what = "it failed several times in a row; calls are held back for a while";
        self.held_back(operation, ProviderErrorKind::Unavailable { what, retry_after: Some(pause) })
    }

    fn held_back(&self, operation: &'static str, kind: ProviderErrorKind) -> ProviderError {
        let trouble = ProviderError { provider: self.shared.provider, operation, kind, request_id: None };
        let name = provider_name(trouble.provider);
        metrics::counter!("provider_calls_held_back_total", "provider" => name, "result" => trouble.code())
            .increment(1);
        trouble
    }
}

impl Shared {
    // No code that can panic runs while the lock is held, so a poisoned lock still guards a whole state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Gives turns to whoever may go now; when to ask again, if only time stands in the way.
    fn admit(self: &Arc<Self>) -> Option<Instant> {
        loop {
            let mut state = self.state();
            let next = state.line.next(Instant::now());
            self.report(&state.line);
            drop(state);
            match next {
                // A waiter that is gone drops its turn here, outside the lock, and the next one is asked.
                NextCall::Go(waiter) => drop(waiter.send(Slot { shared: Arc::clone(self) })),
                NextCall::Later(at) => return Some(at),
                NextCall::Nobody => return None,
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    fn report(&self, line: &WaitQueue<oneshot::Sender<Slot>>) {
        let name = provider_name(self.provider);
        metrics::gauge!("provider_calls_waiting", "provider" => name).set(line.waiting() as f64);
        metrics::gauge!("provider_calls_under_way", "provider" => name).set(line.under_way() as f64);
    }

    /// One of those who wait, whoever, keeps time for all: so no task of its own is needed, and none is left when nobody waits.
    async fn watch_the_clock(self: &Arc<Self>) -> std::convert::Infallible {
        let _alone = self.clock.lock().await;
        loop {
            let moved = self.moved.notified();
            match self.admit() {
                Some(at) => {
                    tokio::select! {
                        () = sleep_until(at) => {}
                        () = moved => {}
                    }
                }
                None => moved.await,
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.state().line.ended();
        self.shared.admit();
        self.shared.moved.notify_one();
    }
}

/// Leaves the line when its waiter is dropped, or was served.
struct Leave<'a> {
    shared: &'a Arc<Shared>,
    place: Position,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.shared.state().line.leave(self.place);
        self.shared.moved.notify_one();
    }
}

/// Gives the probe's turn back when its call is dropped half way.
struct Probe<'a> {
    limiter: &'a ProviderLimiter,
    armed: bool,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.limiter.shared.state().circuit.abandoned();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    fn limiter(per_second: f64, at_once: usize) -> ProviderLimiter {
        ProviderLimiter::new(Provider::Rekognition, RateLimit::new(per_second, at_once))
    }

    fn trouble(kind: ProviderErrorKind) -> ProviderError {
        ProviderError { provider: Provider::Rekognition, operation: "Ask", kind, request_id: None }
    }

    /// Later than any story here.
    fn never() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    async fn ask(limiter: ProviderLimiter, urgency: Urgency) -> Duration {
        let start = Instant::now();
        limiter.call("Ask", urgency, never(), async { Ok(()) }).await.unwrap();
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_begin_at_the_rate_after_a_burst() {
        let limiter = limiter(2.0, 100);
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            calls.spawn(ask(limiter.clone(), Urgency::Check));
        }
        let mut waits: Vec<_> = calls.join_all().await.iter().map(|wait| wait.as_millis() / 100 * 100).collect();
        waits.sort_unstable();
        assert_eq!(waits, [0, 0, 500, 1000, 1500, 2000, 2500, 3000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_backlog_beyond_the_rate_serves_the_earliest_deadlines_and_tells_the_rest() {
        const BACKLOG: u64 = 40;
        let limiter = limiter(1.0, 100);
        let start = Instant::now();
        let mut calls = JoinSet::new();
        // Ten seconds for forty calls, lined up in the wrong order.
        for late in (0..BACKLOG).rev() {
            let at = start + Duration::from_millis(10_000 + late);
            let (limiter, over) = (limiter.clone(), at + Duration::from_secs(2));
            calls.spawn(async move {
                let end = limiter
                    .call("Ask", Urgency::Forgotten { by: jiff::Timestamp::UNIX_EPOCH, at }, over, async { Ok(()) })
                    .await;
                (late, end.map_err(|trouble| assert_eq!(trouble.kind, ProviderErrorKind::Saturated)).is_ok())
            });
        }
        let mut ends = calls.join_all().await;
        ends.sort_unstable();
        let served = ends.iter().filter(|(_, served)| *served).count();
        assert!((10..=14).contains(&served), "{served}");
        // The very first went before the others had come; after it, strictly by deadline. Two more were asked late, in vain for nobody.
        assert!(ends.iter().take(9).all(|(_, served)| *served), "{ends:?}");
        assert_eq!(start.elapsed().as_secs(), 12, "nobody waits longer");
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_that_are_dropped_hold_nobody_up() {
        let limiter = limiter(1000.0, 1);
        let blocker = limiter.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let slow = async {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(())
            };
            blocker.call("Ask", Urgency::Check, never(), slow).await.unwrap();
        });
        tokio::task::yield_now().await;
        let impatient = tokio::time::timeout(Duration::from_secs(1), ask(limiter.clone(), Urgency::Check)).await;
        assert!(impatient.is_err());
        let patient = ask(limiter.clone(), Urgency::Check).await;
        assert_eq!(patient.as_secs(), 4);
        // A call that is cancelled half way gives its turn back, too.
        let hung = limiter.call::<()>("Ask", Urgency::Check, never(), std::future::pending());
        assert!(tokio::time::timeout(Duration::from_secs(1), hung).await.is_err());
        assert_eq!(ask(limiter, Urgency::Check).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_is_throttled_makes_all_wait_as_long_as_the_provider_asks() {
        let limiter = limiter(1000.0, 10);
        let kind = ProviderErrorKind::Throttled { retry_after: Some(Duration::from_secs(7)) };
        limiter.call::<()>("Ask", Urgency::Check, never(), async { Err(trouble(kind)) }).await.unwrap_err();
        assert!(limiter.is_degraded());
        assert_eq!(ask(limiter.clone(), Urgency::Person).await.as_secs(), 7);
        assert!(!limiter.is_degraded());
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_sends_everybody_away_and_one_probe_brings_them_back() {
        let limiter = limiter(1000.0, 5);
        let down = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(trouble(ProviderErrorKind::Timeout))
        };
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let (limiter, call) = (limiter.clone(), down());
            calls.spawn(async move { limiter.call::<()>("Ask", Urgency::Check, never(), call).await.unwrap_err() });
        }
        let told = calls.join_all().await;
        let asked = told.iter().filter(|trouble| trouble.kind == ProviderErrorKind::Timeout).count();
        assert!(asked <= 10, "{asked} calls of a provider that is down");
        assert!(limiter.is_degraded());
        tokio::time::sleep(PAUSE.cap).await;
        ask(limiter.clone(), Urgency::Check).await;
        assert!(!limiter.is_degraded());
    }
}
