//! The workers: take ids out of the queue, make passes, run claimed work, and put ids back when
//! more is due.
//!
//! A pass is short and holds its id. Claimed work can take two minutes and does not: a person who
//! asks for a liveness challenge is served while their document is still being read.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::base::backoff::Backoff;
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::chain;
use crate::controller::queue::{Queue, Ticket};
use crate::controller::reconciler::{ClaimedWork, ReconcileError, Reconciler, Requeue};
use crate::pocketbase::Remedy;

/// Delay after a pass that `PocketBase` did not serve.
const AFTER_ERROR: Backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_secs(10) };
/// Delay after a pass that lost to other writers.
const AFTER_CONTENTION: Duration = Duration::from_millis(200);
/// Delay while the policy of a verification cannot be used: an operator must act.
const AFTER_BAD_POLICY: Duration = Duration::from_secs(30);

/// Longest delay of a timer. A longer one is not kept: the sweep of everything open comes sooner.
/// So the queue holds the verifications that move, however many people take their time.
const TIMER_MAX: Duration = Duration::from_secs(10 * 60);

/// Works until `shutdown` with up to `workers` passes at the same time, then lets passes and work
/// under way finish for up to `grace`. Returns how many verifications were cut off. Their claims
/// run out, or the next start of this instance takes them over.
pub async fn run(
    queue: Queue,
    reconciler: Arc<Reconciler>,
    workers: usize,
    grace: Duration,
    shutdown: CancellationToken,
) -> usize {
    let passes = Arc::new(Semaphore::new(workers));
    let mut tasks = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&passes).acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        let Ok(permit) = permit else { break };
        let ticket = tokio::select! {
            ticket = queue.next() => ticket,
            id = reconciler.next_admitted() => {
                if queue.push(&id, Instant::now()).is_err() {
                    // A full queue loses nothing: a sweep finds the id, and another verification
                    // may use its permit.
                    reconciler.release_reservation(&id);
                }
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        let Some(ticket) = ticket else { break };
        while let Some(done) = tasks.try_join_next() {
            note_panic(done);
        }
        let (queue, reconciler) = (queue.clone(), Arc::clone(&reconciler));
        tasks.spawn(async move { handle(ticket, permit, &queue, &reconciler).await });
    }
    queue.close();
    reached(Point::IntakeStopped);
    drain(tasks, grace).await
}

/// Makes one pass under `permit`, then runs the work that it claimed without one: waiting for a
/// slow provider must not keep other ids from their pass. Work is bounded by the limiters of the
/// providers and the admission of documents.
async fn handle(ticket: Ticket, permit: OwnedSemaphorePermit, queue: &Queue, reconciler: &Reconciler) {
    let mut timer = RequeueTimer { queue, id: ticket.id().to_owned(), armed: true };
    reached(Point::QueueTaken);
    let requeue = match reconciler.reconcile(&timer.id).await {
        Ok(requeue) => requeue,
        Err(error) => {
            log_failed_pass(&error);
            Requeue::After(retry_delay(&error, rand::random()))
        }
    };
    drop((ticket, permit));
    follow(requeue, &timer, |claimed| reconciler.work_futures(claimed)).await;
    timer.armed = false;
}

/// Does what `requeue` says, and what follows from each result of claimed work as soon as it is
/// there.
async fn follow<F>(requeue: Requeue, timer: &RequeueTimer<'_>, work_futures: impl Fn(ClaimedWork) -> Vec<F>)
where
    F: Future<Output = Requeue>,
{
    let mut work = FuturesUnordered::new();
    let mut due = Some(requeue);
    while let Some(requeue) = due {
        match requeue {
            Requeue::AwaitChange => {}
            Requeue::After(delay) => timer.set(delay),
            Requeue::AfterWork(claimed) => work.extend(work_futures(claimed)),
        }
        due = work.next().await;
    }
}

/// Puts an id back into the queue for its next pass. Dropped while armed, when its task panics, it
/// does so at once.
struct RequeueTimer<'a> {
    queue: &'a Queue,
    id: String,
    armed: bool,
}

impl RequeueTimer<'_> {
    fn set(&self, delay: Duration) {
        reached(Point::QueuePutBack);
        if delay <= TIMER_MAX {
            // A full queue loses nothing: the sweep finds every open verification again.
            let _ = self.queue.push(&self.id, Instant::now() + delay);
        }
    }
}

impl Drop for RequeueTimer<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.set(AFTER_ERROR.first);
        }
    }
}

/// The delay before a pass that failed with `error` is made again. `dice` is uniform in 0..1 and
/// spreads retries.
fn retry_delay(error: &ReconcileError, dice: f64) -> Duration {
    match error {
        ReconcileError::Policy { .. } => AFTER_BAD_POLICY,
        ReconcileError::Contended { .. } | ReconcileError::Overtaken { .. } => AFTER_CONTENTION,
        // As after so many failures in a row: a pass does not know how many there were.
        ReconcileError::Pocketbase { source, .. } => match source.remedy() {
            Remedy::Later | Remedy::ReadBack => AFTER_ERROR.delay(2, dice, None),
            Remedy::Login | Remedy::Never => AFTER_ERROR.delay(6, dice, None),
        },
    }
}

fn log_failed_pass(error: &ReconcileError) {
    match error {
        ReconcileError::Policy { .. } => warn!(error = chain(error), "the policy of a verification cannot be used"),
        ReconcileError::Contended { .. } | ReconcileError::Overtaken { .. } => {}
        ReconcileError::Pocketbase { source, .. } => match source.remedy() {
            Remedy::Later | Remedy::ReadBack => warn!(error = chain(error), "a pass failed"),
            Remedy::Login | Remedy::Never => error!(error = chain(error), "a pass failed"),
        },
    }
}

fn note_panic(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done
        && error.is_panic()
    {
        // The claim stays without an answer. The next pass counts it as lost; after a few the
        // record is set aside.
        metrics::counter!("worker_panics_total").increment(1);
        error!("a worker panicked; its verification is reconciled again");
    }
}

/// Waits for `tasks` for up to `grace`. Returns how many were cut off.
async fn drain(mut tasks: JoinSet<()>, grace: Duration) -> usize {
    info!(in_flight = tasks.len(), "intake stopped; finishing the work under way");
    let finish = async {
        while let Some(done) = tasks.join_next().await {
            note_panic(done);
        }
    };
    let finished = tokio::time::timeout(grace, finish).await.is_ok();
    let cut_off = if finished { 0 } else { tasks.len() };
    tasks.shutdown().await;
    cut_off
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::controller::sample;
    use crate::pocketbase::PocketbaseError;

    const SECOND: Duration = Duration::from_secs(1);

    fn timer(queue: &Queue) -> RequeueTimer<'_> {
        RequeueTimer { queue, id: "a".to_owned(), armed: true }
    }

    fn no_work(_: ClaimedWork) -> Vec<BoxFuture<'static, Requeue>> {
        unreachable!("nothing was claimed")
    }

    fn away(remedy: Remedy) -> ReconcileError {
        let operation = "read a verification";
        let source = match remedy {
            Remedy::Later => PocketbaseError::Unreachable { operation, source: None },
            Remedy::ReadBack => PocketbaseError::Unknown { operation, source: None },
            Remedy::Login => PocketbaseError::Unauthorized { operation, status: 403 },
            Remedy::Never => PocketbaseError::NotFound { operation },
        };
        assert_eq!(source.remedy(), remedy);
        ReconcileError::Pocketbase { id: "a".to_owned(), source }
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_comes_out_again_when_its_next_pass_is_due() {
        let (queue, began) = (Queue::new(10), Instant::now());
        let mut timer = timer(&queue);
        follow(Requeue::After(3 * SECOND), &timer, no_work).await;
        timer.armed = false;
        drop(timer);
        assert_eq!(queue.next().await.expect("open").id(), "a");
        assert_eq!(began.elapsed(), 3 * SECOND);
    }

    #[tokio::test]
    async fn a_timer_beyond_the_next_full_sweep_takes_no_place_in_the_queue() {
        let queue = Queue::new(10);
        let mut timer = timer(&queue);
        timer.armed = false;
        timer.set(TIMER_MAX + SECOND);
        assert!(queue.is_empty());
        timer.set(TIMER_MAX);
        assert_eq!(queue.len(), 1);
    }

    #[tokio::test]
    async fn an_id_that_awaits_a_change_leaves_the_queue() {
        let queue = Queue::new(10);
        let mut timer = timer(&queue);
        follow(Requeue::AwaitChange, &timer, no_work).await;
        timer.armed = false;
        drop(timer);
        assert!(queue.is_empty());
    }

    #[tokio::test]
    async fn an_id_whose_task_panics_is_put_back() {
        let queue = Queue::new(10);
        let task = async {
            let _timer = timer(&queue);
            panic!("in a pass");
        };
        assert!(std::panic::AssertUnwindSafe(task).catch_unwind().await.is_err());
        assert_eq!(queue.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_result_makes_due_does_not_wait_for_the_slowest_work() {
        let (queue, began) = (Queue::new(10), Instant::now());
        let claimed = || ClaimedWork::for_tests(sample::case(), Vec::new());
        let after = |delay, requeue| async move {
            tokio::time::sleep(delay).await;
            requeue
        };
        // The first claim has a fast and a slow item; the fast one makes a second claim.
        let claims = std::cell::Cell::new(0);
        let times = std::cell::RefCell::new(Vec::new());
        let work_futures = |_| {
            claims.set(claims.get() + 1);
            times.borrow_mut().push(began.elapsed());
            if claims.get() == 1 {
                let (fast, slow) = (Requeue::AfterWork(claimed()), Requeue::AwaitChange);
                vec![after(SECOND, fast).boxed(), after(60 * SECOND, slow).boxed()]
            } else {
                vec![after(SECOND, Requeue::After(Duration::ZERO)).boxed()]
            }
        };
        let mut wake_up = timer(&queue);
        follow(Requeue::AfterWork(claimed()), &wake_up, work_futures).await;
        wake_up.armed = false;
        assert_eq!(*times.borrow(), [Duration::ZERO, SECOND]);
        assert_eq!((began.elapsed(), queue.len()), (60 * SECOND, 1));
    }

    #[test]
    fn a_pass_is_retried_sooner_when_waiting_may_help_than_when_an_operator_must_act() {
        for dice in [0.0, 0.5, 1.0] {
            let soon = [Remedy::Later, Remedy::ReadBack].map(|remedy| retry_delay(&away(remedy), dice));
            let late = [Remedy::Login, Remedy::Never].map(|remedy| retry_delay(&away(remedy), dice));
            assert!(soon.iter().all(|delay| (SECOND / 2..=SECOND).contains(delay)), "{soon:?}");
            assert!(late.iter().all(|delay| (5 * SECOND..=10 * SECOND).contains(delay)), "{late:?}");
        }
        let policy = ReconcileError::Policy { id: "a".to_owned(), problems: Vec::new() };
        assert_eq!(retry_delay(&policy, 0.0), AFTER_BAD_POLICY);
        for lost in [ReconcileError::Contended { id: "a".to_owned() }, ReconcileError::Overtaken { id: "a".to_owned() }]
        {
            assert_eq!(retry_delay(&lost, 1.0), AFTER_CONTENTION);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_outlives_the_grace_is_cut_off_and_counted() {
        let mut tasks = JoinSet::new();
        for seconds in [1, 2, 60] {
            tasks.spawn(tokio::time::sleep(seconds * SECOND));
        }
        let began = Instant::now();
        assert_eq!(drain(tasks, 10 * SECOND).await, 1);
        assert_eq!(began.elapsed(), 10 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_no_longer_than_the_work_under_way() {
        let mut tasks = JoinSet::new();
        tasks.spawn(tokio::time::sleep(SECOND));
        tasks.spawn(async { panic!("in a pass") });
        let began = Instant::now();
        assert_eq!(drain(tasks, 10 * SECOND).await, 0);
        assert_eq!(began.elapsed(), SECOND);
    }
}
