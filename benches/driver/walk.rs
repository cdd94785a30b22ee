//! Whole verifications: everything that a person sends, until the decision is seen.
//!
//! With `--alone` no service runs: the records that a service wrote for one such verification are
//! written right after each record of the person, in as few transactions as the person's steps
//! allow. That is what `PocketBase` sustains by itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::figures::{Meter, summary};
use crate::person::{Follower, Person, Place};
use crate::pocketbase::{Caller, record_id};

/// Options of `driver walk`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Number of verifications.
    #[arg(long)]
    count: usize,
    /// Verifications at the same time.
    #[arg(long)]
    concurrency: usize,
    /// The document's picture.
    #[arg(long)]
    picture: PathBuf,
    /// File with the transactions that a service would make.
    #[arg(long, requires = "service_token")]
    alone: Option<PathBuf>,
    /// Token of a service, for those transactions.
    #[arg(long)]
    service_token: Option<String>,
}

/// The transactions of a service for one verification, by the person's step that they follow.
#[derive(Deserialize)]
struct Script {
    steps: Vec<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    method: String,
    collection: String,
    /// With `{verification}`, `{session}`, `{action}` and `{random}` as placeholders.
    body: Value,
    /// The record to patch, with the same placeholders.
    #[serde(default)]
    id: String,
    /// Files by field.
    #[serde(default)]
    files: std::collections::BTreeMap<String, PathBuf>,
}

struct Alone {
    service: Caller,
    script: Script,
}

/// The figures of one walk.
struct Times {
    opened: Duration,
    decided: Duration,
    whole: Duration,
    status: String,
}

/// Runs the walks: their times, their outcomes, and the number of failures.
pub async fn run(options: Options) -> anyhow::Result<Value> {
    let mut streams = JoinSet::new();
    let person = Person::arrive(&options.place, &["verifications", "liveness_sessions"], &mut streams).await?;
    let picture = Bytes::from(std::fs::read(&options.picture).context("the picture")?);
    let alone = match (&options.alone, &options.service_token) {
        (Some(path), Some(token)) => {
            let script = serde_json::from_slice(&std::fs::read(path)?).context("the script")?;
            Some(Arc::new(Alone { service: Caller::new(&options.place.pocketbase, token)?, script }))
        }
        _ => None,
    };
    let left = Arc::new(AtomicUsize::new(options.count));
    let meter = Meter::start(options.place.meter)?;
    let mut workers = JoinSet::new();
    for _ in 0..options.concurrency {
        let (person, picture, left, alone) = (person.clone(), picture.clone(), Arc::clone(&left), alone.clone());
        workers.spawn(async move {
            let mut walked = Vec::new();
            let mut complaints = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                match walk(&person, picture.clone(), alone.as_deref()).await {
                    Ok(times) => walked.push(times),
                    Err(error) => complaints.push(format!("{error:#}")),
                }
            }
            (walked, complaints)
        });
    }
    let (mut walked, mut complaints) = (Vec::new(), Vec::new());
    while let Some(done) = workers.join_next().await {
        let (some, others) = done?;
        walked.extend(some);
        complaints.extend(others);
    }
    let mut ended = std::collections::BTreeMap::<&str, usize>::new();
    for times in &walked {
        *ended.entry(&times.status).or_default() += 1;
    }
    let mut figures = json!({
        "opened_ms": summary(walked.iter().map(|times| times.opened).collect()),
        "decided_ms": summary(walked.iter().map(|times| times.decided).collect()),
        "whole_ms": summary(walked.iter().map(|times| times.whole).collect()),
        "ended": ended,
        "failed": complaints.len(),
        "complaint": complaints.first(),
    });
    meter.read(&mut figures)?;
    Ok(figures)
}

async fn walk(person: &Person, picture: Bytes, alone: Option<&Alone>) -> anyhow::Result<Times> {
    let began = Instant::now();
    let names = Names { verification: record_id(), session: String::new(), action: record_id() };
    let mut follower = person.follow(&names.verification);
    person.begin(&names.verification).await?;
    write(alone, 0, &names).await?;
    let event = person.device_event(&names.verification).await?;
    person.send_device(&names.verification, &event).await?;
    write(alone, 1, &names).await?;
    person.send_document(&names.verification, picture).await?;
    write(alone, 2, &names).await?;
    let names = Names { session: person.ask_challenge(&names.verification).await?, ..names };
    let asked = Instant::now();
    write(alone, 3, &names).await?;
    let (record, opened) = follower.until("liveness_sessions", |record| !text(record, "session_id").is_empty()).await?;
    if alone.is_none() {
        person.take_challenge(text(&record, "session_id")).await?;
    }
    let finished = person.finish_challenge(&names.verification, &names.session, &names.action).await?;
    write(alone, 4, &names).await?;
    let (status, decided) = decision(&mut follower).await?;
    Ok(Times {
        opened: opened.saturating_duration_since(asked),
        decided: decided.saturating_duration_since(finished),
        whole: began.elapsed(),
        status,
    })
}

/// The status once nothing more happens by itself.
async fn decision(follower: &mut Follower) -> anyhow::Result<(String, Instant)> {
    let settled = |record: &Value| {
        record["final"] == true || ["needs_review", "resubmission_required"].contains(&text(record, "status"))
    };
    let (record, at) = follower.until("verifications", settled).await?;
    Ok((text(&record, "status").to_owned(), at))
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_default()
}

struct Names {
    verification: String,
    session: String,
    action: String,
}

impl Names {
    fn fill(&self, text: &str) -> String {
        text.replace("{verification}", &self.verification)
            .replace("{session}", &self.session)
            .replace("{action}", &self.action)
            .replace("{random}", &record_id())
    }
}

/// Writes what a service would write after the person's step `step`.
async fn write(alone: Option<&Alone>, step: usize, names: &Names) -> anyhow::Result<()> {
    let Some(alone) = alone else { return Ok(()) };
    let mut requests = Vec::new();
    let mut files = Vec::new();
    for (index, item) in alone.script.steps[step].iter().enumerate() {
        let mut url = format!("/api/collections/{}/records", item.collection);
        if !item.id.is_empty() {
            url = format!("{url}/{}", names.fill(&item.id));
        }
        let body: Value = serde_json::from_str(&names.fill(&item.body.to_string()))?;
        requests.push(json!({ "method": item.method, "url": format!("{url}?fields=id"), "body": body }));
        for (field, path) in &item.files {
            files.push((format!("requests.{index}.{field}"), Bytes::from(tokio::fs::read(path).await?)));
        }
    }
    if !requests.is_empty() {
        alone.service.batch(&json!({ "requests": requests }), files).await?;
    }
    Ok(())
}
