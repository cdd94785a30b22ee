//! `sandbox drill`: sends honest and hostile documents through a running stack and tabulates the
//! decisions.
//!
//! The document of each case is drawn and uploaded through the facade, a liveness challenge
//! follows, and the real sidecar decides on the real database; only the providers are simulated.
//! The drill fails if one hostile case is approved or one honest case is declined. Cases with
//! prompt injections run twice: with a model that reports them, and with one that obeys them.
//!
//! The same seed gives the same people and pictures on the same day. A stack that has seen a seed
//! knows its documents, so a second drill on the same stack needs another seed.

mod attacks;
mod case;
mod honest;
mod injections;
mod lies;
mod report;
mod run;
mod stack;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::{StreamExt as _, stream};
use jiff::civil::Date;

use case::{Case, Model};
use report::Report;
use run::CaseResult;
use stack::{Stack, StackArgs};

/// Run every honest and hostile document through a running stack.
#[derive(Debug, Args)]
pub struct DrillArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// Run only cases whose name contains this text; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Run only with this model [default: both].
    #[arg(long, value_enum)]
    model: Option<Model>,
    /// Run each attack on one kind of document only, half of the names, and with smaller pictures.
    #[arg(long)]
    quick: bool,
    /// Seed of the people and documents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases that run at the same time [default: number of processors plus two].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: Option<u16>,
    /// Write every case and both tables to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print the names of the cases and stop.
    #[arg(long)]
    list: bool,
}

/// A case under one model.
struct PlannedCase {
    case: Case,
    model: Model,
}

/// The whole corpus under one model.
// Numbers and people differ between the models, or the second document would be a known duplicate.
fn corpus(seed: u64, today: Date, model: Model, quick: bool) -> Vec<Case> {
    let factory = case::CaseFactory::new(seed, model, today).quick(quick);
    let injections = injections::cases(&factory);
    match model {
        Model::Honest => [honest::cases(&factory), attacks::cases(&factory), injections].concat(),
        Model::Obeying => [injections, lies::cases(&factory)].concat(),
    }
}

impl DrillArgs {
    /// Runs the drill; the exit code is a failure if a case ended as it must not.
    pub async fn run(&self, today: Date) -> anyhow::Result<ExitCode> {
        let models: Vec<Model> = self.model.map_or_else(|| vec![Model::Honest, Model::Obeying], |model| vec![model]);
        let planned: Vec<PlannedCase> = models
            .into_iter()
            .flat_map(|model| {
                corpus(self.seed, today, model, self.quick).into_iter().map(move |case| PlannedCase { case, model })
            })
            .filter(|planned| self.only.is_empty() || self.only.iter().any(|part| planned.case.name.contains(part)))
            .collect();
        ensure!(!planned.is_empty(), "no case has such a name: --list prints all names");
        if self.list {
            for PlannedCase { case, model } in &planned {
                report::print_line(&format!("{:<10} {:<28} {}", model.name(), case.family, case.name))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let stack = Stack::find(&self.stack)?;
        let results = self.run_all(&stack, planned).await?;
        let report = Report::new(self.seed, results);
        report::print_line(&report.text())?;
        if let Some(path) = &self.json {
            let json = serde_json::to_string_pretty(&report.json()).context("cannot write the report")?;
            std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(if report.failures().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Runs the cases of one model after those of the other: the model is a setting of the whole
    /// sandbox.
    async fn run_all(&self, stack: &Stack, planned: Vec<PlannedCase>) -> anyhow::Result<Vec<CaseResult>> {
        let (obeying, honest): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|planned| planned.model == Model::Obeying);
        let mut results = Vec::new();
        for (model, planned) in [(Model::Honest, honest), (Model::Obeying, obeying)] {
            if planned.is_empty() {
                continue;
            }
            let before = stack.obey(model == Model::Obeying).await?;
            let ended = self.run_concurrently(stack, planned).await;
            stack.obey(before).await?;
            results.extend(ended?);
        }
        Ok(results)
    }

    async fn run_concurrently(&self, stack: &Stack, planned: Vec<PlannedCase>) -> anyhow::Result<Vec<CaseResult>> {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let at_once = self.at_once.map_or(processors + 2, usize::from);
        let mut ended = stream::iter(planned.into_iter().enumerate())
            .map(|(place, PlannedCase { case, model })| async move {
                (place, run::run_case(stack, self.seed, case, model).await)
            })
            .buffer_unordered(at_once);
        let mut results = Vec::new();
        while let Some((place, result)) = ended.next().await {
            let result = result?;
            report::print_line(&result.line())?;
            results.push((place, result));
        }
        results.sort_by_key(|(place, _)| *place);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }
}
