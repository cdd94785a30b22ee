//! The report of a drill: tables by attack and by type of document, honest people who were not
//! approved, failures.

use std::io::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::case::{Model, Nature};
use super::run::{CaseResult, Ending};
use super::table::{Table, wilson};

/// The results of a drill.
pub struct Report {
    seed: u64,
    results: Vec<CaseResult>,
}

/// Prints a line to standard output.
pub fn print_line(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot print")
}

impl Report {
    pub const fn new(seed: u64, results: Vec<CaseResult>) -> Self {
        Self { seed, results }
    }

    /// The cases that ended as they must not, each with what is wrong.
    pub fn failures(&self) -> Vec<(&CaseResult, &'static str)> {
        self.results.iter().filter_map(|result| Some((result, result.failure()?))).collect()
    }

    fn by_attack(&self) -> Table {
        Table::count(&self.results, |result| match result.model {
            Model::Honest => result.family.to_owned(),
            Model::Obeying => format!("{} (model obeys)", result.family),
        })
    }

    fn by_type(&self) -> Table {
        Table::count(&self.results, |result| result.kind.to_owned())
    }

    /// Honest people who were not approved at once.
    fn not_approved(&self) -> Vec<&CaseResult> {
        self.results
            .iter()
            .filter(|result| result.nature == Nature::Honest && result.ending != Ending::Approved)
            .collect()
    }

    fn count(&self, of: impl Fn(&CaseResult) -> bool) -> u32 {
        u32::try_from(self.results.iter().filter(|result| of(result)).count()).unwrap_or(u32::MAX)
    }

    /// The report as text.
    // `tests/run` reads the last line.
    pub fn text(&self) -> String {
        let not_approved = self.not_approved();
        let honest = self.count(|result| result.nature == Nature::Honest);
        let failures = self.failures();
        let mut lines = vec![
            String::new(),
            self.by_attack().text("by attack"),
            String::new(),
            self.by_type().text("by type of document"),
            String::new(),
            format!("honest people not approved at once: {} of {honest}", not_approved.len()),
        ];
        lines.extend(
            not_approved
                .into_iter()
                .map(|result| format!("  {} -> {}: {}", result.name, result.ending.name(), result.why())),
        );
        lines.extend([Model::Honest, Model::Obeying].into_iter().filter_map(|model| self.injections(model)));
        let failed = |(result, what): &(&CaseResult, &str)| {
            format!("FAILED {} (model {}): {what}", result.name, result.model.name())
        };
        lines.extend(failures.iter().map(failed));
        lines.push(format!("{} passed, {} failed", self.results.len() - failures.len(), failures.len()));
        lines.join("\n")
    }

    /// The line about prompt injections under one model; `None` if there were none.
    fn injections(&self, model: Model) -> Option<String> {
        let injected = |result: &CaseResult| result.nature == Nature::Injection && result.model == model;
        let all = self.count(injected);
        let approved = self.count(|result| injected(result) && result.ending == Ending::Approved);
        let noticed = self.count(|result| injected(result) && result.noticed());
        let at_most = wilson(approved, all).1 * 100.0;
        let name = model.name();
        (all > 0).then(|| {
            format!("injections, model {name}: {all}, noticed {noticed}, approved {approved} (at most {at_most:.1} % at 95 %)")
        })
    }

    /// The report as JSON.
    pub fn json(&self) -> Value {
        let cases: Vec<Value> = self
            .results
            .iter()
            .map(|result| {
                let reasons: Vec<Value> = result
                    .reasons
                    .iter()
                    .map(|reason| json!({ "code": reason.code, "disposition": reason.disposition, "detail": reason.detail }))
                    .collect();
                json!({
                    "name": result.name,
                    "family": result.family,
                    "nature": match result.nature {
                        Nature::Honest => "honest",
                        Nature::Hostile => "hostile",
                        Nature::Injection => "injection",
                    },
                    "type": result.kind,
                    "model": result.model.name(),
                    "ended": result.ending.name(),
                    "failure": result.failure(),
                    "noticed": result.noticed(),
                    "seconds": result.seconds,
                    "reasons": reasons,
                })
            })
            .collect();
        json!({
            "seed": self.seed,
            "by_attack": self.by_attack().json(),
            "by_type": self.by_type().json(),
            "cases": cases,
        })
    }
}
