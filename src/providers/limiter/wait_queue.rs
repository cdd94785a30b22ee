//! The line before a provider: how many calls may begin, and whose turn is next. Pure: time and dice are arguments.
//!
//! Two limits: calls at the same time, and calls begun per second (a generic cell rate: evenly spaced, with a burst of one
//! second's worth). Whoever is throttled halts the whole line for as long as the provider asks, up to a minute. The most urgent
//! goes first: what a provider will forget by its deadline, then what a person waits for, then the rest in order of arrival. A
//! deadline that has passed no longer takes anybody's turn: under more load than the rate allows, the earliest deadlines that can
//! still be met are met.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::base::backoff::Backoff;

/// How long a throttled line halts when the provider does not say, longer each time in a row; and the most it may ask for.
const HALT: Backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_secs(60) };

/// How fast a provider may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Between the beginnings of two calls, in the long run.
    pub interval: Duration,
    /// Calls at the same time.
    pub at_once: usize,
}

impl RateLimit {
    /// `per_second` calls a second, `at_once` at the same time. A rate that is no positive number is taken as one a second.
    pub fn new(per_second: f64, at_once: usize) -> Self {
        const ONE: Duration = Duration::from_secs(1);
        let interval = Duration::try_from_secs_f64(per_second.recip()).ok().filter(|i| !i.is_zero()).unwrap_or(ONE);
        Self { interval, at_once }
    }

    /// Calls that may begin at once after a rest: one second's worth, at least one.
    fn burst(self) -> NonZeroU32 {
        let calls = Duration::from_secs(1).as_nanos() / self.interval.as_nanos().max(1);
        u32::try_from(calls).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
    }
}

/// How much a call matters to those behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// The provider forgets the answer `by` then, which is about `at` on our own clock. From then on it may be too late: others go
    /// first. The order is that of `by`: each case brings its own conversion to our clock, up to a second off.
    Forgotten {
        /// As the provider and `PocketBase` count.
        by: Timestamp,
        /// As this process counts.
        at: Instant,
    },
    /// A person waits before a screen.
    Person,
    /// A check that can take its time.
    Check,
}

/// A place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    rank: Rank,
    by: Option<Timestamp>,
    at: Option<Instant>,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Forgotten,
    Person,
    Check,
    /// Its deadline has passed.
    Late,
}

impl Position {
    fn late(self) -> Self {
        Self { rank: Rank::Late, ..self }
    }
}

/// What a line says when it is asked who is next.
#[derive(Debug, PartialEq, Eq)]
pub enum NextCall<W> {
    /// This one; it counts as under way until [`WaitQueue::ended`].
    Go(W),
    /// Nobody before this instant.
    Later(Instant),
    /// Nobody, until one ends or joins.
    Nobody,
}

/// The line before one provider. `W` is whatever tells a waiter that its turn has come.
#[derive(Debug)]
pub struct WaitQueue<W> {
    pace: RateLimit,
    /// When the next call would begin if all were evenly spaced; a burst may run ahead of it.
    even: Option<Instant>,
    under_way: usize,
    halted_until: Option<Instant>,
    /// Times in a row that it was halted, and when last.
    halts: u32,
    halted_at: Option<Instant>,
    waiting: BTreeMap<Position, W>,
    joined: u64,
}

impl<W> WaitQueue<W> {
    /// An empty line.
    pub fn new(pace: RateLimit) -> Self {
        Self {
            pace,
            even: None,
            under_way: 0,
            halted_until: None,
            halts: 0,
            halted_at: None,
            waiting: BTreeMap::new(),
            joined: 0,
        }
    }

    /// Lines `waiter` up.
    pub fn join(&mut self, urgency: Urgency, waiter: W) -> Position {
        let (rank, by, at) = match urgency {
            Urgency::Forgotten { by, at } => (Rank::Forgotten, Some(by), Some(at)),
            Urgency::Person => (Rank::Person, None, None),
            Urgency::Check => (Rank::Check, None, None),
        };
        self.joined += 1;
        let place = Position { rank, by, at, number: self.joined };
        self.waiting.insert(place, waiter);
        place
    }

    /// Whoever stood at `place` no longer waits.
    pub fn leave(&mut self, place: Position) {
        if self.waiting.remove(&place).is_none() {
            self.waiting.remove(&place.late());
        }
    }

    /// Sends everybody away.
    pub fn disperse(&mut self) -> BTreeMap<Position, W> {
        std::mem::take(&mut self.waiting)
    }

    /// Whose turn it is at `now`.
    pub fn next(&mut self, now: Instant) -> NextCall<W> {
        if self.waiting.is_empty() || self.under_way >= self.pace.at_once {
            return NextCall::Nobody;
        }
        let from = self.opens_at(now);
        if from > now {
            return NextCall::Later(from);
        }
        while let Some((place, waiter)) = self.waiting.pop_first() {
            if place.rank == Rank::Forgotten && place.at.is_some_and(|at| at <= now) {
                self.waiting.insert(place.late(), waiter);
                continue;
            }
            self.under_way += 1;
            self.even = Some(self.even.map_or(now, |even| even.max(now)) + self.pace.interval);
            return NextCall::Go(waiter);
        }
        NextCall::Nobody
    }

    /// From when on the rate and the halt let a call begin.
    fn opens_at(&self, now: Instant) -> Instant {
        let ahead = self.pace.interval * (self.pace.burst().get() - 1);
        let rate = self.even.and_then(|even| even.checked_sub(ahead)).unwrap_or(now);
        self.halted_until.map_or(rate, |until| until.max(rate))
    }

    /// One that was under way has ended.
    pub fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The provider answered: the next throttling counts as the first.
    pub fn answered(&mut self) {
        self.halts = 0;
    }

    /// A call that began at `began` was throttled; the provider `asked` for a pause, or did not say. Nobody goes before it is over.
    /// Calls that were under way together are throttled together: that counts once.
    pub fn throttled(&mut self, began: Instant, now: Instant, dice: f64, asked: Option<Duration>) {
        if self.halted_at.is_none_or(|at| began >= at) {
            self.halts = self.halts.saturating_add(1);
            self.halted_at = Some(now);
        }
        let until = now + HALT.delay(self.halts, dice, asked);
        self.halted_until = Some(self.halted_until.map_or(until, |old| old.max(until)));
    }

    /// How long nobody goes although nothing is under way, because the provider asked for it.
    pub fn halted_for(&self, now: Instant) -> Duration {
        self.halted_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// Forgotten so many milliseconds after `now`.
    fn forgotten(now: Instant, ms: u64) -> Urgency {
        let by = Timestamp::UNIX_EPOCH + MS(ms);
        Urgency::Forgotten { by, at: now + MS(ms) }
    }

    #[test]
    fn the_order_is_that_of_the_providers_clock_however_ours_is_off() {
        let now = Instant::now();
        let mut line = WaitQueue::new(RateLimit::new(1000.0, 100));
        let by = |ms: u64| Timestamp::UNIX_EPOCH + MS(ms);
        line.join(Urgency::Forgotten { by: by(50), at: now + MS(900) }, "first");
        line.join(Urgency::Forgotten { by: by(100), at: now + MS(100) }, "second");
        assert_eq!(all_at(&mut line, now), ["first", "second"]);
    }

    /// Everybody who goes at `now`.
    fn all_at(line: &mut WaitQueue<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| if let NextCall::Go(who) = line.next(now) { Some(who) } else { None }).collect()
    }

    #[test]
    fn what_will_be_forgotten_goes_first_by_its_deadline_then_people_then_the_rest() {
        let now = Instant::now();
        let mut line = WaitQueue::new(RateLimit::new(1000.0, 100));
        line.join(Urgency::Check, "check 1");
        line.join(Urgency::Person, "person");
        line.join(forgotten(now, 900), "later");
        line.join(Urgency::Check, "check 2");
        line.join(forgotten(now, 100), "sooner");
        assert_eq!(all_at(&mut line, now), ["sooner", "later", "person", "check 1", "check 2"]);
    }

    #[test]
    fn a_deadline_that_has_passed_takes_nobodys_turn() {
        let now = Instant::now();
        let mut line = WaitQueue::new(RateLimit::new(1.0, 100));
        line.join(forgotten(now, 10), "too late");
        line.join(forgotten(now, 5000), "in time");
        line.join(Urgency::Check, "check");
        assert_eq!(all_at(&mut line, now + MS(20)), ["in time"]);
        assert_eq!(all_at(&mut line, now + MS(1020)), ["check"]);
        assert_eq!(all_at(&mut line, now + MS(2020)), ["too late"], "an idle provider is asked all the same");
    }

    #[test]
    fn one_who_became_late_can_still_leave() {
        let now = Instant::now();
        let mut line = WaitQueue::new(RateLimit::new(1.0, 100));
        let place = line.join(forgotten(now, 0), "late");
        line.join(Urgency::Check, "check");
        assert_eq!(all_at(&mut line, now), ["check"]);
        line.leave(place);
        assert_eq!(line.waiting(), 0);
    }

    #[test]
    fn calls_at_the_same_time_are_limited() {
        let now = Instant::now();
        let mut line = WaitQueue::new(RateLimit::new(1000.0, 2));
        for who in ["a", "b", "c"] {
            line.join(Urgency::Check, who);
        }
        assert_eq!(all_at(&mut line, now), ["a", "b"]);
        assert_eq!(line.next(now), NextCall::Nobody);
        line.ended();
        assert_eq!(all_at(&mut line, now), ["c"]);
    }

    #[test]
    fn a_throttled_line_halts_for_all_as_long_as_asked_and_no_longer_than_a_minute() {
        let now = Instant::now();
        let mut line = WaitQueue::new(RateLimit::new(1000.0, 9));
        line.join(Urgency::Check, "a");
        line.throttled(now, now, 0.0, Some(Duration::from_secs(7)));
        assert_eq!(line.next(now), NextCall::Later(now + Duration::from_secs(7)));
        line.throttled(now, now, 0.0, Some(Duration::from_secs(3600)));
        assert_eq!(line.next(now), NextCall::Later(now + HALT.cap));
        assert_eq!(all_at(&mut line, now + HALT.cap), ["a"]);
    }

    #[test]
    fn calls_that_were_throttled_together_count_once_and_again_counts_more() {
        let now = Instant::now();
        let mut line = WaitQueue::<&str>::new(RateLimit::new(1000.0, 99));
        for _ in 0..30 {
            line.throttled(now, now + MS(50), 0.0, None);
        }
        let first = line.halted_for(now + MS(50));
        assert!(first <= HALT.first, "{first:?}");
        let then = now + HALT.first + MS(50);
        line.throttled(then, then, 0.0, None);
        assert!(line.halted_for(then) > first);
        line.answered();
        let later = then + HALT.cap;
        line.throttled(later, later, 0.0, None);
        assert_eq!(line.halted_for(later), first);
    }

    proptest! {
        /// In any window of `seconds`, no more calls begin than the rate allows, and one second's burst on top.
        #[test]
        fn the_rate_holds_over_every_window(rate in 1_u32..50, steps in prop::collection::vec(0_u64..400, 1..200)) {
            let start = Instant::now();
            let mut line = WaitQueue::new(RateLimit::new(f64::from(rate), usize::MAX));
            for _ in 0..1000 {
                line.join(Urgency::Check, "one");
            }
            let (mut at, mut begun) = (0, Vec::new());
            for step in steps {
                at += step;
                begun.extend(all_at(&mut line, start + MS(at)).into_iter().map(|_| at));
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
