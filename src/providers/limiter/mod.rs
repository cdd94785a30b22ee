//! One limiter per provider, shared by all work of the process: limits calls at the same time and
//! per second, lets the most urgent call go first, and stops calls to a provider that is down.
//!
//! The circuit opens after several outages in a row. When its pause is over one call is let
//! through, and the circuit closes when that call is answered. A provider that throttles halts all
//! its calls. Recovery needs no operator. A call that is not let through is an ordinary
//! [`ProviderError`], so the work is tried again like any other.

mod circuit_breaker;
mod wait_queue;

pub use self::wait_queue::{RateLimit, Urgency};

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::base::lock::Mutex;
use crate::providers::error::{ProviderError, ProviderErrorKind};
use crate::providers::limiter::circuit_breaker::{CircuitBreaker, PAUSE, Permission};
use crate::providers::limiter::wait_queue::{NextCall, Position, WaitQueue};
use crate::verification::{PerProvider, Provider};

/// A limiter for each provider. Clones share them.
#[derive(Debug, Clone)]
pub struct ProviderLimiters(PerProvider<ProviderLimiter>);

impl ProviderLimiters {
    /// Creates a limiter for each provider with the rate that `limit` names.
    pub fn new(limit: impl Fn(Provider) -> RateLimit) -> Self {
        Self(PerProvider::new(|provider| ProviderLimiter::new(provider, limit(provider))))
    }

    /// The limiter of `provider`.
    pub fn of(&self, provider: Provider) -> &ProviderLimiter {
        &self.0[provider]
    }
}

/// The limiter of one provider. Clones share it.
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
    /// Notified when a call joined, left or ended: the clock may have to be set again.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    circuit: CircuitBreaker,
    queue: WaitQueue<oneshot::Sender<Slot>>,
}

/// The right to one call, given back when dropped.
#[derive(Debug)]
struct Slot {
    shared: Arc<Shared>,
}

/// Why a call got no slot.
enum NoSlot {
    /// The circuit opened while the call waited.
    CircuitOpened,
    /// The last moment to begin has passed.
    TooLate,
}

impl ProviderLimiter {
    /// Creates a limiter that lets calls through at `limit`.
    pub fn new(provider: Provider, limit: RateLimit) -> Self {
        let state = Mutex::new(State { circuit: CircuitBreaker::default(), queue: WaitQueue::new(limit) });
        let shared = Shared { provider, state, clock: tokio::sync::Mutex::default(), changed: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Whether the circuit is open, or the provider asked for a pause that is not over.
    pub fn is_degraded(&self) -> bool {
        let state = self.shared.state();
        state.circuit.is_open() || !state.queue.halted_for(Instant::now()).is_zero()
    }

    /// Makes `call` when it gets a slot, if the circuit lets it through, and records how it ends. A
    /// call without a slot by `begin_by` is not made: a paid call must still have the time to be
    /// answered and stored.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        urgency: Urgency,
        begin_by: Instant,
        call: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        let permission = self.shared.state().circuit.ask(Instant::now());
        if let Permission::Wait(pause) = permission {
            return Err(self.circuit_open(operation, pause));
        }
        let mut probe = Probe { limiter: self, armed: permission == Permission::Probe };
        let slot = match self.slot(urgency, begin_by).await {
            Ok(slot) => slot,
            Err(NoSlot::CircuitOpened) => return Err(self.circuit_open(operation, PAUSE.first)),
            Err(NoSlot::TooLate) => return Err(self.held_back(operation, ProviderErrorKind::Saturated)),
        };
        let began = Instant::now();
        let result = call.await;
        let was_probe = std::mem::take(&mut probe.armed);
        self.record(result.as_ref().err(), began, was_probe);
        drop(slot);
        result
    }

    /// Waits for a slot. Cancel-safe: a dropped waiter leaves the queue, and a slot that it was
    /// given too late goes to the next waiter.
    async fn slot(&self, urgency: Urgency, begin_by: Instant) -> Result<Slot, NoSlot> {
        let (sender, slot) = oneshot::channel();
        let position = self.shared.state().queue.join(urgency, sender);
        let _leave = Leave { shared: &self.shared, position };
        self.shared.admit();
        tokio::select! {
            biased;
            slot = slot => slot.map_err(|_| NoSlot::CircuitOpened),
            () = sleep_until(begin_by) => Err(NoSlot::TooLate),
            never = self.shared.watch_the_clock() => match never {},
        }
    }

    /// Records how a call ended: in the circuit and the queue, in metrics and in the log.
    fn record(&self, error: Option<&ProviderError>, began: Instant, probe: bool) {
        let name = self.shared.provider.as_str();
        let (now, random) = (Instant::now(), rand::random());
        let mut state = self.shared.state();
        let was_open = state.circuit.is_open();
        match error {
            Some(ProviderError { kind: ProviderErrorKind::Throttled { retry_after }, .. }) => {
                state.circuit.answered();
                state.queue.throttled(began, now, random, *retry_after);
            }
            Some(error) if error.is_outage() => state.circuit.outage(now, random, error.retry_after(), probe),
            _ => {
                state.circuit.answered();
                state.queue.answered();
            }
        }
        let is_open = state.circuit.is_open();
        let halt = state.queue.halted_for(now);
        let sent_away = (is_open && !was_open).then(|| state.queue.clear());
        drop(state);
        // Outside the lock: dropping a sender wakes its waiter.
        drop(sent_away);
        let result = error.map_or("answered", ProviderError::code);
        metrics::counter!("provider_calls_total", "provider" => name, "result" => result).increment(1);
        metrics::gauge!("provider_circuit_open", "provider" => name).set(if is_open { 1.0 } else { 0.0 });
        metrics::gauge!("provider_halt_seconds", "provider" => name).set(halt.as_secs_f64());
        match (was_open, is_open) {
            (false, true) => warn!(provider = name, "the provider is down; its calls are held back"),
            (true, false) => info!(provider = name, "the provider is back"),
            _ => {}
        }
        if matches!(error.map(|e| &e.kind), Some(ProviderErrorKind::Throttled { .. })) {
            warn!(provider = name, pause_seconds = halt.as_secs_f64(), "the provider throttles; all its calls wait");
        }
    }

    fn circuit_open(&self, operation: &'static str, pause: Duration) -> ProviderError {
        let what = "the provider failed several times in a row; calls are held back for a while";
        self.held_back(operation, ProviderErrorKind::Unavailable { what, retry_after: Some(pause) })
    }

    /// Counts a call that is not made and returns its error.
    fn held_back(&self, operation: &'static str, kind: ProviderErrorKind) -> ProviderError {
        let error = ProviderError { provider: self.shared.provider, operation, kind, request_id: None };
        let name = error.provider.as_str();
        metrics::counter!("provider_calls_held_back_total", "provider" => name, "result" => error.code()).increment(1);
        error
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Gives slots to the calls that may begin now. Returns when to try again, if only time stands
    /// in the way.
    fn admit(self: &Arc<Self>) -> Option<Instant> {
        loop {
            let mut state = self.state();
            let next = state.queue.next(Instant::now());
            self.report(&state.queue);
            drop(state);
            match next {
                // Outside the lock: where the waiter is gone its slot is dropped here, and the drop
                // takes the lock and admits the next one.
                NextCall::Begin(waiter) => drop(waiter.send(Slot { shared: Arc::clone(self) })),
                NextCall::NotBefore(at) => return Some(at),
                NextCall::None => return None,
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    fn report(&self, queue: &WaitQueue<oneshot::Sender<Slot>>) {
        let name = self.provider.as_str();
        metrics::gauge!("provider_calls_waiting", "provider" => name).set(queue.waiting() as f64);
        metrics::gauge!("provider_calls_under_way", "provider" => name).set(queue.under_way() as f64);
    }

    /// Admits calls as time passes. Any one of the waiters does this for all: so there is no task
    /// of its own, and none is left when no call waits.
    async fn watch_the_clock(self: &Arc<Self>) -> Infallible {
        let _alone = self.clock.lock().await;
        loop {
            // Register before reading the queue: a change in between would be lost.
            let changed = self.changed.notified();
            match self.admit() {
                Some(at) => {
                    tokio::select! {
                        () = sleep_until(at) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.state().queue.ended();
        self.shared.admit();
        self.shared.changed.notify_one();
    }
}

/// Removes a waiter from the queue when it is dropped, also after it got its slot.
struct Leave<'a> {
    shared: &'a Arc<Shared>,
    position: Position,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.shared.state().queue.leave(self.position);
        self.shared.changed.notify_one();
    }
}

/// Allows another probe when the call of this one is dropped before it ends.
struct Probe<'a> {
    limiter: &'a ProviderLimiter,
    armed: bool,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.limiter.shared.state().circuit.probe_abandoned();
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

    fn error(kind: ProviderErrorKind) -> ProviderError {
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

    #[test]
    fn each_provider_has_its_own_limiter() {
        let limiters = ProviderLimiters::new(|_| RateLimit::new(1.0, 1));
        for provider in Provider::ALL {
            assert_eq!(limiters.of(provider).shared.provider, provider);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_begin_at_the_rate_after_a_burst() {
        let limiter = limiter(2.0, 100);
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            calls.spawn(ask(limiter.clone(), Urgency::Background));
        }
        let mut waits: Vec<_> = calls.join_all().await.iter().map(|wait| wait.as_millis() / 100 * 100).collect();
        waits.sort_unstable();
        assert_eq!(waits, [0, 0, 500, 1000, 1500, 2000, 2500, 3000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_backlog_beyond_the_rate_serves_the_earliest_deadlines_and_refuses_the_rest() {
        const BACKLOG: u64 = 40;
        let limiter = limiter(1.0, 100);
        let start = Instant::now();
        let mut calls = JoinSet::new();
        // Ten seconds for forty calls that arrive in the wrong order.
        for late in (0..BACKLOG).rev() {
            let at = start + Duration::from_millis(10_000 + late);
            let (limiter, over) = (limiter.clone(), at + Duration::from_secs(2));
            let urgency = Urgency::Expiring { by: jiff::Timestamp::UNIX_EPOCH, at };
            calls.spawn(async move {
                let end = limiter.call("Ask", urgency, over, async { Ok(()) }).await;
                (late, end.map_err(|error| assert_eq!(error.kind, ProviderErrorKind::Saturated)).is_ok())
            });
        }
        let mut ends = calls.join_all().await;
        ends.sort_unstable();
        let served = ends.iter().filter(|(_, served)| *served).count();
        assert!((10..=14).contains(&served), "{served}");
        // The first call began before the others had come; after it, strictly by deadline. Two more
        // were made after their deadline, at no cost to any other call.
        assert!(ends.iter().take(9).all(|(_, served)| *served), "{ends:?}");
        assert_eq!(start.elapsed().as_secs(), 12, "no call waits longer");
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_that_are_dropped_hold_up_no_other() {
        let limiter = limiter(1000.0, 1);
        let blocker = limiter.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let slow = async {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok(())
            };
            blocker.call("Ask", Urgency::Background, never(), slow).await.unwrap();
        });
        tokio::task::yield_now().await;
        let impatient = tokio::time::timeout(Duration::from_secs(1), ask(limiter.clone(), Urgency::Background)).await;
        assert!(impatient.is_err());
        let patient = ask(limiter.clone(), Urgency::Background).await;
        assert_eq!(patient.as_secs(), 4);
        // A call that is cancelled under way gives its slot back, too.
        let hung = limiter.call::<()>("Ask", Urgency::Background, never(), std::future::pending());
        assert!(tokio::time::timeout(Duration::from_secs(1), hung).await.is_err());
        assert_eq!(ask(limiter, Urgency::Background).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn one_throttled_call_makes_all_calls_wait_as_long_as_the_provider_asks() {
        let limiter = limiter(1000.0, 10);
        let kind = ProviderErrorKind::Throttled { retry_after: Some(Duration::from_secs(7)) };
        limiter.call::<()>("Ask", Urgency::Background, never(), async { Err(error(kind)) }).await.unwrap_err();
        assert!(limiter.is_degraded());
        assert_eq!(ask(limiter.clone(), Urgency::Interactive).await.as_secs(), 7);
        assert!(!limiter.is_degraded());
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_refuses_all_calls_and_one_probe_ends_it() {
        let limiter = limiter(1000.0, 5);
        let down = || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(error(ProviderErrorKind::Timeout))
        };
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let (limiter, call) = (limiter.clone(), down());
            calls
                .spawn(async move { limiter.call::<()>("Ask", Urgency::Background, never(), call).await.unwrap_err() });
        }
        let errors = calls.join_all().await;
        let asked = errors.iter().filter(|error| error.kind == ProviderErrorKind::Timeout).count();
        assert!(asked <= 10, "{asked} calls of a provider that is down");
        assert!(limiter.is_degraded());
        tokio::time::sleep(PAUSE.cap).await;
        ask(limiter.clone(), Urgency::Background).await;
        assert!(!limiter.is_degraded());
    }
}
