//! `sandbox drill`: the whole corpus, honest and hostile, through a running stack.
//!
//! Each case is a document that is drawn, handed in through the facade, followed by a liveness challenge, and decided by the real
//! sidecar on the real database; only the providers are the sandbox's. It fails if one hostile case is approved or one honest case is
//! declined. Cases with text that instructs run twice: with a model that reports such text, and with one that obeys it.
//!
//! The same seed gives the same people and pictures on the same day. A stack that has seen a seed knows its documents, so
//! a second drill on it takes another seed.

mod attacks;
mod case;
mod honest;
mod injections;
mod lies;
mod report;
mod stack;
mod table;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::{StreamExt as _, stream};
use jiff::civil::Date;

use case::{Case, Model};
use report::Report;
use stack::Stack;
use walk::Walked;

/// Run every honest and hostile document through a running stack.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// Where `dev` wrote the stack's addresses and key.
    #[arg(long, value_name = "FILE", default_value = ".dev/env")]
    env_file: PathBuf,
    /// The facade, if it is not the env file's.
    #[arg(long, env = "FACADE_URL")]
    facade_url: Option<String>,
    /// Its key, if it is not the env file's.
    #[arg(long, env = "API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// The sandbox that the stack asks, if it is not the env file's.
    #[arg(long, env = "SANDBOX_URL")]
    sandbox_url: Option<String>,
    /// Only cases whose name contains this; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// With which model [default: both].
    #[arg(long, value_enum)]
    model: Option<Model>,
    /// Each attack on one kind of document and not on all that it can be made on, half of the names, smaller pictures.
    #[arg(long)]
    quick: bool,
    /// People and documents follow from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases that run at the same time [default: as many as there are processors, and two].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: Option<u16>,
    /// Writes every case and both tables to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Prints the names of the cases and stops.
    #[arg(long)]
    list: bool,
}

/// A case under one model.
struct Run {
    case: Case,
    model: Model,
}

/// The whole corpus under one model. Numbers and people differ between the models, or the second document would be a known one.
fn corpus(seed: u64, today: Date, model: Model, quick: bool) -> Vec<Case> {
    let maker = case::Maker::new(seed, model, today).quick(quick);
    let injections = injections::cases(&maker);
    match model {
        Model::Honest => [honest::cases(&maker), attacks::cases(&maker), injections].concat(),
        Model::Obeying => [injections, lies::cases(&maker)].concat(),
    }
}

impl DrillArgs {
    /// Runs the drill; a failure is a case that ended as it must not.
    pub async fn run(&self, today: Date) -> anyhow::Result<ExitCode> {
        let models: Vec<Model> = self.model.map_or_else(|| vec![Model::Honest, Model::Obeying], |model| vec![model]);
        let runs: Vec<Run> = models
            .into_iter()
            .flat_map(|model| {
                corpus(self.seed, today, model, self.quick).into_iter().map(move |case| Run { case, model })
            })
            .filter(|run| self.only.is_empty() || self.only.iter().any(|part| run.case.name.contains(part)))
            .collect();
        ensure!(!runs.is_empty(), "no case has such a name: --list prints those there are");
        if self.list {
            for run in &runs {
                report::say(&format!("{:<10} {:<28} {}", run.model.name(), run.case.family, run.case.name))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let stack = Stack::find(self)?;
        let walked = self.walk_all(&stack, runs).await?;
        let report = Report::new(self.seed, walked);
        report::say(&report.text())?;
        if let Some(path) = &self.json {
            let json = serde_json::to_string_pretty(&report.json()).context("cannot write the report")?;
            std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(if report.failures().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// One model after the other: which one answers is a setting of the whole sandbox.
    async fn walk_all(&self, stack: &Stack, runs: Vec<Run>) -> anyhow::Result<Vec<Walked>> {
        let (obeying, honest): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.model == Model::Obeying);
        let mut walked = Vec::new();
        for (model, runs) in [(Model::Honest, honest), (Model::Obeying, obeying)] {
            if runs.is_empty() {
                continue;
            }
            let before = stack.obey(model == Model::Obeying).await?;
            let ended = self.walk_some(stack, runs).await;
            stack.obey(before).await?;
            walked.extend(ended?);
        }
        Ok(walked)
    }

    async fn walk_some(&self, stack: &Stack, runs: Vec<Run>) -> anyhow::Result<Vec<Walked>> {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let at_once = self.at_once.map_or(processors + 2, usize::from);
        let mut ended = stream::iter(runs.into_iter().enumerate())
            .map(|(place, Run { case, model })| async move { (place, walk::walk(stack, self.seed, case, model).await) })
            .buffer_unordered(at_once);
        let mut walked = Vec::new();
        while let Some((place, one)) = ended.next().await {
            let one = one?;
            report::say(&one.line())?;
            walked.push((place, one));
        }
        walked.sort_by_key(|(place, _)| *place);
        Ok(walked.into_iter().map(|(_, one)| one).collect())
    }
}
