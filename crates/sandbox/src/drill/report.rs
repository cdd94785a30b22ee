//! What a drill found: by attack, by type of document, which honest people a person must look at and why, and what failed.

use std::io::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::case::{Model, Nature};
use super::table::{Table, wilson};
use super::walk::{Ending, Walked};

/// Everything that was found.
pub struct Report {
    seed: u64,
    walked: Vec<Walked>,
}

/// Prints a line.
pub fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot print")
}

impl Report {
    /// Of cases that ran.
    pub const fn new(seed: u64, walked: Vec<Walked>) -> Self {
        Self { seed, walked }
    }

    /// The cases that ended as they must not, and what is wrong.
    pub fn failures(&self) -> Vec<(&Walked, &'static str)> {
        self.walked.iter().filter_map(|one| Some((one, one.failure()?))).collect()
    }

    fn by_attack(&self) -> Table {
        Table::of(&self.walked, |one| match one.model {
            Model::Honest => one.family.to_owned(),
            Model::Obeying => format!("{} (model obeys)", one.family),
        })
    }

    fn by_type(&self) -> Table {
        Table::of(&self.walked, |one| one.kind.to_owned())
    }

    /// Honest people who were not let in at once.
    fn held_up(&self) -> Vec<&Walked> {
        self.walked.iter().filter(|one| one.nature == Nature::Honest && one.ending != Ending::Approved).collect()
    }

    fn count(&self, of: impl Fn(&Walked) -> bool) -> u32 {
        u32::try_from(self.walked.iter().filter(|one| of(one)).count()).unwrap_or(u32::MAX)
    }

    /// For people. The last line is counted by `tests/run`.
    pub fn text(&self) -> String {
        let held_up = self.held_up();
        let honest = self.count(|one| one.nature == Nature::Honest);
        let failures = self.failures();
        let mut lines = vec![
            String::new(),
            self.by_attack().text("by attack"),
            String::new(),
            self.by_type().text("by type of document"),
            String::new(),
            format!("honest people not approved at once: {} of {honest}", held_up.len()),
        ];
        lines.extend(held_up.into_iter().map(|one| format!("  {} -> {}: {}", one.name, one.ending.name(), one.why())));
        lines.extend([Model::Honest, Model::Obeying].into_iter().filter_map(|model| self.injections(model)));
        let failed =
            |(one, what): &(&Walked, &str)| format!("FAILED {} (model {}): {what}", one.name, one.model.name());
        lines.extend(failures.iter().map(failed));
        lines.push(format!("{} passed, {} failed", self.walked.len() - failures.len(), failures.len()));
        lines.join("\n")
    }

    /// What came of text that instructs under one model; `None` if there was none.
    fn injections(&self, model: Model) -> Option<String> {
        let injected = |one: &Walked| one.nature == Nature::Injection && one.model == model;
        let all = self.count(injected);
        let approved = self.count(|one| injected(one) && one.ending == Ending::Approved);
        let noticed = self.count(|one| injected(one) && one.noticed());
        let at_most = wilson(approved, all).1 * 100.0;
        let name = model.name();
        (all > 0).then(|| {
            format!("injections, model {name}: {all}, noticed {noticed}, approved {approved} (at most {at_most:.1} % at 95 %)")
        })
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let cases: Vec<Value> = self
            .walked
            .iter()
            .map(|one| {
                let reasons: Vec<Value> = one
                    .reasons
                    .iter()
                    .map(|said| json!({ "code": said.code, "disposition": said.disposition, "detail": said.detail }))
                    .collect();
                json!({
                    "name": one.name,
                    "family": one.family,
                    "nature": match one.nature {
                        Nature::Honest => "honest",
                        Nature::Hostile => "hostile",
                        Nature::Injection => "injection",
                    },
                    "type": one.kind,
                    "model": one.model.name(),
                    "ended": one.ending.name(),
                    "failure": one.failure(),
                    "noticed": one.noticed(),
                    "seconds": one.seconds,
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
