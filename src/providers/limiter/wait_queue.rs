//! The calls that wait for a provider: how many may begin, and which is next. Pure: time and the
//! random number are arguments.
//!
//! There are two limits: calls at the same time, and calls begun per second (a generic cell rate:
//! evenly spaced, with a burst of one second's worth). A throttled call halts the whole queue for
//! as long as the provider asks, up to a minute.
//!
//! The most urgent call goes first: calls for results that the provider will discard, by deadline;
//! then calls that a person waits for; then the rest in order of arrival. A call whose deadline has
//! passed goes behind all others: under more load than the rate allows, the earliest deadlines that
//! can still be met are met.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::base::backoff::Backoff;

/// How long a throttled queue halts when the provider does not say: longer each time in a row. The
/// cap also bounds what the provider may ask for.
const HALT: Backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_secs(60) };

/// How fast a provider may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Time between the beginnings of two calls, in the long run.
    pub interval: Duration,
    /// Most calls at the same time.
    pub at_once: usize,
}

impl RateLimit {
    /// Allows `per_second` calls a second and `at_once` at the same time. A rate that is not a
    /// positive number is taken as one a second.
    pub fn new(per_second: f64, at_once: usize) -> Self {
        const ONE: Duration = Duration::from_secs(1);
        let interval = Duration::try_from_secs_f64(per_second.recip()).ok().filter(|i| !i.is_zero()).unwrap_or(ONE);
        Self { interval, at_once }
    }

    /// Calls that may begin together after a rest: one second's worth, at least one.
    fn burst(self) -> NonZeroU32 {
        let calls = Duration::from_secs(1).as_nanos() / self.interval.as_nanos().max(1);
        u32::try_from(calls).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
    }
}

/// How urgent a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// The call fetches a result that the provider discards.
    Expiring {
        /// When the provider discards the result, on the clock of the provider and `PocketBase`.
        /// Orders the calls: `at` is a conversion of its own for each case, up to a second off.
        by: Timestamp,
        /// The same instant on this process's clock. From then on other calls go first.
        at: Instant,
    },
    /// A person waits in front of a screen.
    Interactive,
    /// The call can take its time.
    Background,
}

/// A position in the queue, ordered by rank, deadline and arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    rank: Rank,
    by: Option<Timestamp>,
    at: Option<Instant>,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Expiring,
    Interactive,
    Background,
    /// The deadline of the call has passed.
    Late,
}

impl Position {
    fn late(self) -> Self {
        Self { rank: Rank::Late, ..self }
    }
}

/// The next call, if one may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextCall<W> {
    /// This call may begin. It counts as under way until [`WaitQueue::ended`].
    Begin(W),
    /// No call may begin before this instant.
    NotBefore(Instant),
    /// No call may begin until one ends or joins.
    None,
}

/// The queue of one provider. `W` is the means to wake a waiter.
#[derive(Debug)]
pub(super) struct WaitQueue<W> {
    limit: RateLimit,
    /// When the next call would begin if all were evenly spaced; a burst may run ahead of it.
    evenly_spaced: Option<Instant>,
    under_way: usize,
    halted_until: Option<Instant>,
    /// Halts in a row, and the time of the last.
    halts: u32,
    halted_at: Option<Instant>,
    waiting: BTreeMap<Position, W>,
    joined: u64,
}

impl<W> WaitQueue<W> {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            evenly_spaced: None,
            under_way: 0,
            halted_until: None,
            halts: 0,
            halted_at: None,
            waiting: BTreeMap::new(),
            joined: 0,
        }
    }

    pub(super) fn join(&mut self, urgency: Urgency, waiter: W) -> Position {
        let (rank, by, at) = match urgency {
            Urgency::Expiring { by, at } => (Rank::Expiring, Some(by), Some(at)),
            Urgency::Interactive => (Rank::Interactive, None, None),
            Urgency::Background => (Rank::Background, None, None),
        };
        self.joined += 1;
        let position = Position { rank, by, at, number: self.joined };
        self.waiting.insert(position, waiter);
        position
    }

    /// Removes the waiter at `position`, which may have become late since it joined.
    pub(super) fn leave(&mut self, position: Position) {
        if self.waiting.remove(&position).is_none() {
            self.waiting.remove(&position.late());
        }
    }

    /// Removes all waiters.
    pub(super) fn clear(&mut self) -> BTreeMap<Position, W> {
        std::mem::take(&mut self.waiting)
    }

    /// The call that may begin at `now`.
    pub(super) fn next(&mut self, now: Instant) -> NextCall<W> {
        if self.waiting.is_empty() || self.under_way >= self.limit.at_once {
            return NextCall::None;
        }
        let from = self.opens_at(now);
        if from > now {
            return NextCall::NotBefore(from);
        }
        while let Some((position, waiter)) = self.waiting.pop_first() {
            if position.rank == Rank::Expiring && position.at.is_some_and(|at| at <= now) {
                self.waiting.insert(position.late(), waiter);
                continue;
            }
            self.under_way += 1;
            self.evenly_spaced = Some(self.evenly_spaced.map_or(now, |at| at.max(now)) + self.limit.interval);
            return NextCall::Begin(waiter);
        }
        NextCall::None
    }

    /// The instant from which the rate and the halt let a call begin.
    fn opens_at(&self, now: Instant) -> Instant {
        let ahead = self.limit.interval * (self.limit.burst().get() - 1);
        let rate = self.evenly_spaced.and_then(|at| at.checked_sub(ahead)).unwrap_or(now);
        self.halted_until.map_or(rate, |until| until.max(rate))
    }

    /// Notes that a call which was under way has ended.
    pub(super) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Notes that the provider answered: the next throttling counts as the first.
    pub(super) fn answered(&mut self) {
        self.halts = 0;
    }

    /// Halts the queue: a call that began at `began` was throttled, and the provider `asked` for a
    /// pause or did not say. Calls that were under way together are throttled together; that counts
    /// once.
    pub(super) fn throttled(&mut self, began: Instant, now: Instant, random: f64, asked: Option<Duration>) {
        if self.halted_at.is_none_or(|at| began >= at) {
            self.halts = self.halts.saturating_add(1);
            self.halted_at = Some(now);
        }
        let until = now + HALT.delay(self.halts, random, asked);
        self.halted_until = Some(self.halted_until.map_or(until, |old| old.max(until)));
    }

    /// What is left of the halt at `now`.
    pub(super) fn halted_for(&self, now: Instant) -> Duration {
        self.halted_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// The number of calls that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The number of calls that are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// A result that the provider discards `ms` milliseconds after `now`.
    fn expiring(now: Instant, ms: u64) -> Urgency {
        let by = Timestamp::UNIX_EPOCH + MS(ms);
        Urgency::Expiring { by, at: now + MS(ms) }
    }

    /// All calls that may begin at `now`.
    fn all_at(queue: &mut WaitQueue<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| if let NextCall::Begin(waiter) = queue.next(now) { Some(waiter) } else { None }).collect()
    }

    #[test]
    fn the_order_follows_the_providers_clock_even_where_ours_is_off() {
        let now = Instant::now();
        let mut queue = WaitQueue::new(RateLimit::new(1000.0, 100));
        let by = |ms: u64| Timestamp::UNIX_EPOCH + MS(ms);
        queue.join(Urgency::Expiring { by: by(50), at: now + MS(900) }, "first");
        queue.join(Urgency::Expiring { by: by(100), at: now + MS(100) }, "second");
        assert_eq!(all_at(&mut queue, now), ["first", "second"]);
    }

    #[test]
    fn expiring_results_go_first_by_deadline_then_people_then_the_rest() {
        let now = Instant::now();
        let mut queue = WaitQueue::new(RateLimit::new(1000.0, 100));
        queue.join(Urgency::Background, "check 1");
        queue.join(Urgency::Interactive, "person");
        queue.join(expiring(now, 900), "later");
        queue.join(Urgency::Background, "check 2");
        queue.join(expiring(now, 100), "sooner");
        assert_eq!(all_at(&mut queue, now), ["sooner", "later", "person", "check 1", "check 2"]);
    }

    #[test]
    fn a_call_whose_deadline_has_passed_goes_behind_all_others() {
        let now = Instant::now();
        let mut queue = WaitQueue::new(RateLimit::new(1.0, 100));
        queue.join(expiring(now, 10), "too late");
        queue.join(expiring(now, 5000), "in time");
        queue.join(Urgency::Background, "check");
        assert_eq!(all_at(&mut queue, now + MS(20)), ["in time"]);
        assert_eq!(all_at(&mut queue, now + MS(1020)), ["check"]);
        assert_eq!(all_at(&mut queue, now + MS(2020)), ["too late"], "an idle provider is asked all the same");
    }

    #[test]
    fn a_call_that_became_late_can_still_leave() {
        let now = Instant::now();
        let mut queue = WaitQueue::new(RateLimit::new(1.0, 100));
        let position = queue.join(expiring(now, 0), "late");
        queue.join(Urgency::Background, "check");
        assert_eq!(all_at(&mut queue, now), ["check"]);
        queue.leave(position);
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn calls_at_the_same_time_are_limited() {
        let now = Instant::now();
        let mut queue = WaitQueue::new(RateLimit::new(1000.0, 2));
        for waiter in ["a", "b", "c"] {
            queue.join(Urgency::Background, waiter);
        }
        assert_eq!(all_at(&mut queue, now), ["a", "b"]);
        assert_eq!(queue.next(now), NextCall::None);
        queue.ended();
        assert_eq!(all_at(&mut queue, now), ["c"]);
    }

    #[test]
    fn throttling_halts_all_calls_as_long_as_asked_and_at_most_a_minute() {
        let now = Instant::now();
        let mut queue = WaitQueue::new(RateLimit::new(1000.0, 9));
        queue.join(Urgency::Background, "a");
        queue.throttled(now, now, 0.0, Some(Duration::from_secs(7)));
        assert_eq!(queue.next(now), NextCall::NotBefore(now + Duration::from_secs(7)));
        queue.throttled(now, now, 0.0, Some(Duration::from_secs(3600)));
        assert_eq!(queue.next(now), NextCall::NotBefore(now + HALT.cap));
        assert_eq!(all_at(&mut queue, now + HALT.cap), ["a"]);
    }

    #[test]
    fn calls_throttled_together_count_once_and_the_next_halt_is_longer() {
        let now = Instant::now();
        let mut queue = WaitQueue::<&str>::new(RateLimit::new(1000.0, 99));
        for _ in 0..30 {
            queue.throttled(now, now + MS(50), 0.0, None);
        }
        let first = queue.halted_for(now + MS(50));
        assert!(first <= HALT.first, "{first:?}");
        let then = now + HALT.first + MS(50);
        queue.throttled(then, then, 0.0, None);
        assert!(queue.halted_for(then) > first);
        queue.answered();
        let later = then + HALT.cap;
        queue.throttled(later, later, 0.0, None);
        assert_eq!(queue.halted_for(later), first);
    }

    proptest! {
        /// In any window of `seconds`, no more calls begin than the rate allows plus one second's
        /// burst.
        #[test]
        fn the_rate_holds_over_every_window(rate in 1_u32..50, steps in prop::collection::vec(0_u64..400, 1..200)) {
            let start = Instant::now();
            let mut queue = WaitQueue::new(RateLimit::new(f64::from(rate), usize::MAX));
            for _ in 0..1000 {
                queue.join(Urgency::Background, "one");
            }
            let (mut at, mut begun) = (0, Vec::new());
            for step in steps {
                at += step;
                begun.extend(all_at(&mut queue, start + MS(at)).into_iter().map(|_| at));
            }
            for (index, from) in begun.iter().enumerate() {
                for (other, to) in begun.iter().enumerate().skip(index) {
                    let allowed = u64::from(rate) + u64::from(rate) * (to - from).div_ceil(1000) + 1;
                    prop_assert!((other - index) as u64 <= allowed);
                }
            }
        }
    }
}
