//! The proof that the stream delivers: each heartbeat that this instance writes must come back as
//! an event.
//!
//! A login that ended leaves the stream open and silent, so silence alone says nothing. [`Echo`] is
//! that proof as a state machine without I/O or clock. [`Beats`] numbers the heartbeats and notices
//! when `PocketBase` forgets one.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How often the heartbeat is written. That also keeps the stream from `PocketBase`'s idle limit of
/// five minutes.
pub(super) const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);
/// How long a stored heartbeat may take to come back.
pub(super) const ECHO_WITHIN: Duration = Duration::from_secs(5);
/// How long a heartbeat that came back proves the stream: by then the next one must have come back.
pub(super) const PROOF_HOLDS: Duration = HEARTBEAT_EVERY.saturating_add(ECHO_WITHIN);

/// The heartbeats that must come back over one stream, and until when.
///
/// ```text
///            writing(n)                  heard(n or later)
///   idle ----------------> awaited(n) ----------------------> idle
///                             |  stored(n): a shorter deadline
///                             |  deadline: the stream does not deliver
/// ```
///
/// A heartbeat that is written while an earlier one is awaited is awaited, too. There is at most one
/// such heartbeat: the deadline of a write is less than two intervals.
#[derive(Debug, Default)]
pub(super) struct Echo {
    /// By number, which is also the order of their writes.
    awaited: BTreeMap<u64, Instant>,
}

impl Echo {
    /// Heartbeat `beat` is being written.
    pub fn writing(&mut self, beat: u64, now: Instant) {
        // The write itself may take as long as a request may.
        self.awaited.insert(beat, now + HEARTBEAT_EVERY + ECHO_WITHIN);
    }

    /// `PocketBase` has stored `beat`: from now on only the echo takes time.
    pub fn stored(&mut self, beat: u64, now: Instant) {
        if let Some(deadline) = self.awaited.get_mut(&beat) {
            *deadline = (*deadline).min(now + ECHO_WITHIN);
        }
    }

    /// An own heartbeat came back. A later one proves the earlier ones, too: events may be
    /// coalesced.
    pub fn heard(&mut self, beat: u64) {
        self.awaited.retain(|awaited, _| *awaited > beat);
    }

    /// When the stream is given up unless the awaited heartbeats come back; `None` while none is
    /// awaited.
    pub fn deadline(&self) -> Option<Instant> {
        self.awaited.values().min().copied()
    }
}

/// The numbers of this process's heartbeats.
#[derive(Debug, Default)]
pub(super) struct Beats {
    last: u64,
    last_stored: u64,
}

/// `PocketBase` has an older heartbeat of this instance than it had stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WentBack {
    pub found: u64,
    pub expected: u64,
}

impl Beats {
    /// The number of the next heartbeat.
    pub fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// `PocketBase` said that it stored `beat`.
    pub fn stored(&mut self, beat: u64) {
        self.last_stored = self.last_stored.max(beat);
    }

    /// Compares the heartbeat that `PocketBase` has, 0 for none, with what it had stored. A loss is
    /// found once.
    pub fn check(&mut self, found: u64) -> Option<WentBack> {
        let expected = self.last_stored;
        self.last_stored = expected.min(found);
        (found < expected).then_some(WentBack { found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_heartbeat_that_comes_back_leaves_nothing_awaited() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        assert_eq!(echo.deadline(), None);
        echo.writing(1, now);
        echo.stored(1, now + SECOND);
        echo.heard(1);
        assert_eq!(echo.deadline(), None);
    }

    #[test]
    fn the_echo_may_arrive_before_the_answer_to_the_write() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        echo.writing(1, now);
        echo.heard(1);
        echo.stored(1, now + SECOND);
        assert_eq!(echo.deadline(), None, "nothing more is awaited");
    }

    #[test]
    fn a_stored_heartbeat_must_come_back_within_five_seconds() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        echo.writing(1, now);
        assert_eq!(echo.deadline(), Some(now + HEARTBEAT_EVERY + ECHO_WITHIN));
        echo.stored(1, now + SECOND);
        assert_eq!(echo.deadline(), Some(now + SECOND + ECHO_WITHIN));
    }

    #[test]
    fn a_slow_write_does_not_move_the_deadline_back() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        echo.writing(1, now);
        echo.stored(1, now + 12 * SECOND);
        assert_eq!(echo.deadline(), Some(now + HEARTBEAT_EVERY + ECHO_WITHIN));
    }

    #[test]
    fn a_heartbeat_written_while_another_is_awaited_must_come_back_too() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        echo.writing(1, now);
        echo.writing(2, now + HEARTBEAT_EVERY);
        echo.stored(2, now + HEARTBEAT_EVERY + SECOND);
        echo.heard(1);
        assert_eq!(echo.deadline(), Some(now + HEARTBEAT_EVERY + SECOND + ECHO_WITHIN));
        echo.heard(2);
        assert_eq!(echo.deadline(), None);
    }

    #[test]
    fn further_heartbeats_do_not_give_a_silent_stream_more_time() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        echo.writing(1, now);
        echo.stored(1, now);
        let deadline = echo.deadline();
        echo.writing(2, now + 4 * SECOND);
        echo.stored(2, now + 4 * SECOND);
        assert_eq!(echo.deadline(), deadline);
    }

    #[test]
    fn an_echo_from_before_proves_nothing_and_a_later_one_proves_all() {
        let (mut echo, now) = (Echo::default(), Instant::now());
        echo.writing(7, now);
        echo.heard(6);
        assert!(echo.deadline().is_some());
        echo.heard(8);
        assert_eq!(echo.deadline(), None);
    }

    #[test]
    fn a_pocketbase_that_forgot_a_stored_heartbeat_is_noticed_once() {
        let mut beats = Beats::default();
        assert_eq!((beats.next(), beats.next(), beats.next()), (1, 2, 3));
        // The answers may come in any order.
        beats.stored(3);
        beats.stored(2);
        assert_eq!(beats.check(1), Some(WentBack { found: 1, expected: 3 }));
        assert_eq!(beats.check(1), None);
    }

    #[test]
    fn a_heartbeat_that_was_not_confirmed_may_be_missing_or_stored() {
        let mut beats = Beats::default();
        beats.next();
        beats.stored(1);
        beats.next();
        assert_eq!((beats.check(1), beats.check(2)), (None, None));
        assert_eq!(beats.next(), 3, "checking changes no number");
    }

    #[test]
    fn the_first_connection_of_a_process_notices_nothing() {
        let mut beats = Beats::default();
        assert_eq!((beats.check(0), beats.check(41)), (None, None));
    }
}
