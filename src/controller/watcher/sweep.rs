//! Sweeps: lists of verifications that may need a pass although no event came.

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use super::rendezvous::Rendezvous;
use crate::base::failpoints::{Point, reached};
use crate::controller::queue::Queue;
use crate::pocketbase::{Client, PocketbaseError};

/// How often a sweep begins.
pub(super) const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Number of sweeps of a stream of which one, the first, lists everything open: one in ten minutes.
const FULL_SWEEP_EVERY: u32 = 20;
/// Time before the begin of the last sweep from which the next one lists: rows are stamped before
/// they are committed.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// Ids in one page of a list.
const PAGE: usize = 500;

/// What a sweep lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Every open verification, and every action that was not handled.
    Everything,
    /// What moves by itself, and what came since this instant.
    Since(Timestamp),
}

/// Decides what each sweep of one stream lists.
///
/// Ten thousand people who take their time would cost ten thousand reads if every sweep listed
/// everything open.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    sweeps: u32,
    /// When the last sweep began, less the overlap.
    since: Option<Timestamp>,
}

impl Schedule {
    /// The scope of the next sweep, which begins at `now` on `PocketBase`'s clock, if that is
    /// known.
    pub fn next(&mut self, now: Option<Timestamp>) -> Scope {
        let is_full = self.sweeps.is_multiple_of(FULL_SWEEP_EVERY);
        self.sweeps += 1;
        let since = std::mem::replace(&mut self.since, now.and_then(|now| now.checked_sub(OVERLAP).ok()));
        since.filter(|_| !is_full).map_or(Scope::Everything, Scope::Since)
    }
}

/// One sweep: lists ids and queues them.
#[derive(Debug)]
pub(super) struct Sweep {
    pub client: Client,
    pub queue: Queue,
    pub rendezvous: Rendezvous,
    pub scope: Scope,
}

impl Sweep {
    /// Queues every listed id. Waits while the queue is full.
    pub async fn run(self) -> Result<(), PocketbaseError> {
        // A login that ended lists nothing and reports no error: only a proved one may say that
        // nothing is to do.
        let now = self.client.probe().await?;
        let mut after = String::new();
        loop {
            let page = match self.scope {
                Scope::Everything => self.client.open_ids(&after, PAGE).await?,
                Scope::Since(_) => self.client.due_ids(now, &after, PAGE).await?,
            };
            if !page.is_empty() {
                reached(Point::SweepPage);
            }
            self.push(&page).await;
            match page.last() {
                Some(last) if page.len() == PAGE => last.clone_into(&mut after),
                _ => break,
            }
        }
        let since = match self.scope {
            Scope::Everything => None,
            Scope::Since(since) => Some(since),
        };
        if let Some(since) = since {
            self.push(&self.client.ids_with_evidence_since(since, PAGE).await?).await;
        }
        self.push(&self.client.unhandled_action_ids(since, PAGE).await?).await;
        reached(Point::SweepDone);
        Ok(())
    }

    async fn push(&self, ids: &[String]) {
        for id in ids {
            while self.queue.push(id, Instant::now() + self.rendezvous.wait(id)).is_err() {
                self.queue.wait_for_space().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn a_sweep_looks_back_to_the_begin_of_the_one_before_it_with_an_overlap() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.next(Some(at(0))), Scope::Everything);
        assert_eq!(schedule.next(Some(at(30))), Scope::Since(at(-60)));
        assert_eq!(schedule.next(Some(at(95))), Scope::Since(at(-30)));
    }

    #[test]
    fn the_first_sweep_and_every_20th_list_everything() {
        let mut schedule = Schedule::default();
        let full: Vec<u32> = (0..60_u32)
            .filter(|number| schedule.next(Some(at(i64::from(*number) * 30))) == Scope::Everything)
            .collect();
        assert_eq!(full, [0, 20, 40]);
    }

    #[test]
    fn without_a_known_time_the_next_sweep_lists_everything() {
        let mut schedule = Schedule::default();
        schedule.next(Some(at(0)));
        schedule.next(None);
        assert_eq!(schedule.next(Some(at(60))), Scope::Everything);
    }
}
