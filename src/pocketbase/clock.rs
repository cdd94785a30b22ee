//! `PocketBase`'s clock, estimated from the `Date` header of its answers.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// The resolution of a `Date` header.
const HEADER_RESOLUTION: Duration = Duration::from_secs(1);

/// An estimate of the server's clock. The machine's own wall clock is never read.
///
/// A `Date` header has whole seconds, so one answer says that the server's time is between `date`
/// and `date + 1 s`, plus the time that the answer was under way. The estimate moves only when an
/// answer contradicts it. After a few answers it is right to some milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct ServerClock {
    at: Instant,
    time: Timestamp,
}

impl ServerClock {
    /// The clock after the first answer.
    pub fn new(date: Timestamp, received: Instant) -> Self {
        Self { at: received, time: date }
    }

    /// Corrects the estimate by an answer whose `date` was set between `sent` and `received`.
    pub fn observe(&mut self, date: Timestamp, sent: Instant, received: Instant) {
        let latest = plus(date, HEADER_RESOLUTION + received.saturating_duration_since(sent));
        let estimate = self.now(received);
        if estimate < date {
            *self = Self::new(date, received);
        } else if estimate > latest {
            *self = Self::new(latest, received);
        }
    }

    /// Corrects the estimate by a stored timestamp that was just read, which cannot be in the
    /// future. One that is more than a second ahead is ignored: the server did not set it.
    pub fn observe_stamp(&mut self, stamp: Timestamp, read: Instant) {
        let estimate = self.now(read);
        if estimate < stamp && stamp <= plus(estimate, HEADER_RESOLUTION) {
            *self = Self::new(stamp, read);
        }
    }

    /// The server's time at `instant`.
    pub fn now(&self, instant: Instant) -> Timestamp {
        plus(self.time, instant.saturating_duration_since(self.at))
    }
}

fn plus(time: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|d| time.checked_add(d).ok()).unwrap_or(time)
}

/// The instant in a `Date` header.
pub fn parse_date(header: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn many_answers_bring_the_estimate_within_100_ms() {
        let start = Instant::now();
        let epoch = Timestamp::from_second(1_800_000_000).expect("in range");
        // The server is 700 ms into its second at the start. It answers every 90 ms, and an answer
        // takes 2 ms.
        let server = |ms: u64| plus(epoch, MS(700 + ms));
        let header = |ms: u64| Timestamp::from_second(server(ms).as_second()).expect("in range");
        let mut clock = ServerClock::new(header(0), start + MS(2));
        for ms in (0..3000).step_by(90) {
            clock.observe(header(ms), start + MS(ms), start + MS(ms + 2));
        }
        let error = clock.now(start + MS(3000)).duration_since(server(3000)).abs();
        assert!(error < SignedDuration::from_millis(100), "{error:?}");
    }

    #[test]
    fn a_stamp_moves_the_estimate_by_up_to_a_second() {
        let start = Instant::now();
        let date = Timestamp::from_second(1_800_000_000).expect("in range");
        let mut clock = ServerClock::new(date, start);
        clock.observe_stamp(plus(date, MS(640)), start);
        assert_eq!(clock.now(start), plus(date, MS(640)));
        clock.observe_stamp(plus(date, MS(90_000)), start);
        clock.observe_stamp(date, start);
        assert_eq!(clock.now(start), plus(date, MS(640)));
    }

    #[test]
    fn the_estimate_follows_a_server_clock_that_jumps_back() {
        let start = Instant::now();
        let late = Timestamp::from_second(1_800_000_000).expect("in range");
        let early = Timestamp::from_second(1_700_000_000).expect("in range");
        let mut clock = ServerClock::new(late, start);
        clock.observe(early, start, start + MS(5));
        assert!(clock.now(start + MS(5)) <= plus(early, MS(1005)));
    }

    #[test]
    fn a_date_header_is_read() {
        let read = parse_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("valid");
        assert_eq!(read.as_second(), 784_111_777);
    }
}
