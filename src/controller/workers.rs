//! The pool: takes ids from the queue, makes passes, performs claimed work, puts ids back when there is more to do.
//!
//! A pass is short and holds its id; claimed work can take a minute and does not, so that a person who asks for a liveness
//! challenge is answered while the document is still being read.

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
use crate::controller::reconciler::{ReconcileError, Reconciler, Requeue};
use crate::pocketbase::Remedy;

/// Between passes that `PocketBase` did not let through.
const AFTER_TROUBLE: Backoff = Backoff { first: Duration::from_millis(500), cap: Duration::from_secs(10) };
/// Between looks at a verification whose policy cannot be used; the operator must act.
const AFTER_BAD_POLICY: Duration = Duration::from_secs(30);

/// Timers further away than this are not kept: the sweep that looks at everything open comes sooner. So the queue holds what
/// moves, however many people take their time.
const FAR: Duration = Duration::from_secs(10 * 60);

/// Runs until `shutdown`, then lets work in flight finish for up to `grace`. Returns how many verifications were cut off; their
/// claims run out or are taken over by this instance's next start.
pub async fn run(
    queue: Queue,
    reconciler: Arc<Reconciler>,
    workers: usize,
    grace: Duration,
    shutdown: CancellationToken,
) -> usize {
    let room = Arc::new(Semaphore::new(workers));
    let mut tasks = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        let Ok(permit) = permit else { break };
        let ticket = tokio::select! {
            ticket = queue.next() => ticket,
            id = reconciler.next_admitted() => {
                if queue.push(&id, Instant::now()).is_err() {
                    // A full queue loses nothing: a sweep finds it, and others may have its room.
                    reconciler.release_reservation(&id);
                }
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        let Some(ticket) = ticket else { break };
        while let Some(done) = tasks.try_join_next() {
            note(done);
        }
        let (queue, reconciler) = (queue.clone(), Arc::clone(&reconciler));
        tasks.spawn(async move { handle(ticket, permit, &queue, &reconciler).await });
    }
    queue.close();
    reached(Point::IntakeStopped);
    drain(tasks, grace).await
}

/// One pass, under a permit; then the work it claimed, without one: waiting for a slow provider must not keep others from
/// being looked at. What bounds work are the gates of the providers and the examiner's room for documents.
async fn handle(ticket: Ticket, permit: OwnedSemaphorePermit, queue: &Queue, reconciler: &Reconciler) {
    let mut wake = Wake { queue, id: ticket.id().to_owned(), armed: true };
    reached(Point::QueueTaken);
    let first = reconciler.reconcile(&wake.id).await;
    drop((ticket, permit));
    let mut work = FuturesUnordered::new();
    let mut next = Some(match first {
        Ok(next) => next,
        Err(error) => Requeue::After(after(&error)),
    });
    while let Some(due) = next {
        match due {
            Requeue::Done => {}
            Requeue::After(delay) => wake.after(delay),
            Requeue::Work(assignment) => work.extend(reconciler.work_futures(assignment)),
        }
        next = work.next().await;
    }
    wake.armed = false;
}

/// Puts an id back: at its time, or at once when its task is dropped half way by a panic.
struct Wake<'a> {
    queue: &'a Queue,
    id: String,
    armed: bool,
}

impl Wake<'_> {
    fn after(&self, delay: Duration) {
        reached(Point::QueuePutBack);
        if delay <= FAR {
            // A full queue loses nothing: the sweep finds every open verification again.
            let _ = self.queue.push(&self.id, Instant::now() + delay);
        }
    }
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.after(AFTER_TROUBLE.first);
        }
    }
}

fn after(error: &ReconcileError) -> Duration {
    match error {
        ReconcileError::Policy { .. } => {
            warn!(error = chain(error), "policy cannot be used");
            AFTER_BAD_POLICY
        }
        ReconcileError::Contended { .. } | ReconcileError::Overtaken { .. } => Duration::from_millis(200),
        ReconcileError::Pocketbase { source, .. } => {
            match source.remedy() {
                Remedy::Later | Remedy::ReadBack => warn!(error = chain(error), "pass not made"),
                Remedy::Login | Remedy::Never => error!(error = chain(error), "pass not made"),
            }
            let failures = if matches!(source.remedy(), Remedy::Later | Remedy::ReadBack) { 2 } else { 6 };
            AFTER_TROUBLE.delay(failures, rand::random(), None)
        }
    }
}

fn note(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done
        && error.is_panic()
    {
        // The claim stays without an answer; the next look counts it as lost and sets the record aside after a few.
        metrics::counter!("worker_panics_total").increment(1);
        error!("a worker panicked; its verification will be looked at again");
    }
}

async fn drain(mut tasks: JoinSet<()>, grace: Duration) -> usize {
    info!(in_flight = tasks.len(), "intake stopped; finishing work in flight");
    let finish = async {
        while let Some(done) = tasks.join_next().await {
            note(done);
        }
    };
    let finished = tokio::time::timeout(grace, finish).await.is_ok();
    let cut = if finished { 0 } else { tasks.len() };
    tasks.shutdown().await;
    cut
}
