//! Passes: a record is committed, and the time until a subscriber sees its consequence is measured.
//!
//! Workers run one pass after another (a closed loop), so `concurrency` passes are in flight at any
//! time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::figures::{Meter, summary};
use crate::person::{Follower, Person, Place};
use crate::pocketbase::record_id;

/// Verifications prepared at the same time, before the clock starts.
const PREPARED_TOGETHER: usize = 8;

/// Which record is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A verification, which becomes `awaiting_input`. No provider is asked.
    Start,
    /// A device signal of a verification that waits for it, until its result is seen. One provider
    /// is asked once.
    Device,
    /// A document of a verification that waits for it, until its result is seen. Two providers are
    /// asked once each.
    Document,
}

/// Options of `driver passes`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Which record is created.
    #[arg(long)]
    kind: Kind,
    /// Number of passes.
    #[arg(long)]
    count: usize,
    /// Passes at the same time.
    #[arg(long)]
    concurrency: usize,
    /// The document's picture.
    #[arg(long, required_if_eq("kind", "document"))]
    picture: Option<std::path::PathBuf>,
}

/// The verification of a pass.
struct Turn {
    id: String,
    follower: Follower,
    /// The device event to submit.
    event: String,
}

/// Runs the passes: their times, and the number of failures.
pub async fn run(options: Options) -> anyhow::Result<Value> {
    let mut streams = JoinSet::new();
    let person = Person::arrive(&options.place, &["verifications"], &mut streams).await?;
    let mut turns = VecDeque::new();
    for _ in 0..options.count {
        let id = record_id();
        let follower = person.follow(&id);
        turns.push_back(Turn { id, follower, event: String::new() });
    }
    let picture = options.picture.map(std::fs::read).transpose().context("the picture")?;
    let picture = Bytes::from(picture.unwrap_or_default());
    if options.kind != Kind::Start {
        turns = prepare(&person, turns).await?;
    }
    let turns = Arc::new(Mutex::new(turns));
    let meter = Meter::start(options.place.meter)?;
    let mut workers = JoinSet::new();
    for _ in 0..options.concurrency {
        let (person, turns, kind, picture) = (person.clone(), Arc::clone(&turns), options.kind, picture.clone());
        workers.spawn(async move {
            let mut times = Vec::new();
            let mut complaints = Vec::new();
            while let Some(turn) = next(&turns) {
                match pass(&person, kind, &picture, turn).await {
                    Ok(time) => times.push(time),
                    Err(error) => complaints.push(format!("{error:#}")),
                }
            }
            (times, complaints)
        });
    }
    let (mut times, mut complaints) = (Vec::new(), Vec::new());
    while let Some(done) = workers.join_next().await {
        let (some, others) = done?;
        times.extend(some);
        complaints.extend(others);
    }
    let mut figures = json!({
        "latency_ms": summary(times),
        "failed": complaints.len(),
        "complaint": complaints.first(),
    });
    meter.read(&mut figures)?;
    Ok(figures)
}

fn next(turns: &Mutex<VecDeque<Turn>>) -> Option<Turn> {
    turns.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Verifications that wait for evidence, each with its device event.
async fn prepare(person: &Person, turns: VecDeque<Turn>) -> anyhow::Result<VecDeque<Turn>> {
    let steps = futures_util::stream::iter(turns).map(async |mut turn: Turn| {
        person.begin(&turn.id).await?;
        turn.follower.until("verifications", waits).await?;
        turn.event = person.device_event(&turn.id).await?;
        anyhow::Ok(turn)
    });
    steps.buffer_unordered(PREPARED_TOGETHER).try_collect().await
}

async fn pass(person: &Person, kind: Kind, picture: &Bytes, mut turn: Turn) -> anyhow::Result<Duration> {
    let (committed, (_, seen)) = match kind {
        Kind::Start => {
            let answered = person.begin(&turn.id).await?;
            let seen = turn.follower.until("verifications", waits).await?;
            (turn.follower.committed(answered), seen)
        }
        Kind::Device => {
            let committed = person.send_device(&turn.id, &turn.event).await?;
            (committed, turn.follower.until("verifications", |record| judged(record, "device")).await?)
        }
        Kind::Document => {
            person.send_document(&turn.id, picture.clone()).await?;
            let committed = Instant::now();
            (committed, turn.follower.until("verifications", |record| judged(record, "document")).await?)
        }
    };
    // The event may arrive before the answer to the write that caused it.
    Ok(seen.saturating_duration_since(committed))
}

fn waits(record: &Value) -> bool {
    record["status"] == "awaiting_input"
}

fn judged(record: &Value, kind: &str) -> bool {
    record["results"][kind].as_str().is_some_and(|outcome| outcome != "pending")
}
