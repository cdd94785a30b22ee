//! Confusion tables: the number of cases by row and ending, with confidence intervals of the wrong
//! endings.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::case::Nature;
use super::run::{CaseResult, Ending};

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_985;

/// The number of cases by ending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    ended: [u32; Ending::ALL.len()],
    wrong: u32,
}

impl Counts {
    fn add(&mut self, ending: Ending, wrong: bool) {
        self.ended[ending as usize] += 1;
        self.wrong += u32::from(wrong);
    }

    pub fn of(&self, ending: Ending) -> u32 {
        self.ended[ending as usize]
    }

    pub fn all(&self) -> u32 {
        self.ended.iter().sum()
    }

    /// The cases that ended as they must not: approved if hostile, declined if honest.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }
}

/// Wilson's 95 % interval for `hits` of `all`. Unlike the normal approximation it is valid for
/// shares of 0 and 1.
pub fn wilson(hits: u32, all: u32) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (hits, all) = (f64::from(hits), f64::from(all));
    let share = hits / all;
    let spread = Z * (share * (1.0 - share) / all + Z * Z / (4.0 * all * all)).sqrt();
    let (middle, scale) = (share + Z * Z / (2.0 * all), 1.0 + Z * Z / all);
    (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

/// A table with its rows in the order of their names.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<(bool, String), Counts>,
}

impl Table {
    /// Counts every case in the row that `row_of` names; honest and hostile cases never share a
    /// row.
    pub fn count(results: &[CaseResult], row_of: impl Fn(&CaseResult) -> String) -> Self {
        let mut table = Self::default();
        for result in results {
            let hostile = result.nature != Nature::Honest;
            let wrong = if hostile { Ending::Approved } else { Ending::Declined };
            table.rows.entry((hostile, row_of(result))).or_default().add(result.ending, result.ending == wrong);
        }
        table
    }

    /// The table as text, with the share of wrong endings.
    pub fn text(&self, first: &str) -> String {
        let head = format!(
            "{first:<48} {:>5} {:>9} {:>7} {:>12} {:>9}   wrong, 95 %",
            "cases", "approved", "review", "asked again", "declined"
        );
        let rows = self.rows.iter().map(|((hostile, name), counts)| {
            let (low, high) = wilson(counts.wrong(), counts.all());
            let name = format!("{}: {name}", if *hostile { "hostile" } else { "honest" });
            let [approved, review, again, declined] = Ending::ALL.map(|ending| counts.of(ending));
            let (all, wrong) = (counts.all(), counts.wrong());
            format!(
                "{name:<48} {all:>5} {approved:>9} {review:>7} {again:>12} {declined:>9}   {wrong} ({:.1}-{:.1} %)",
                low * 100.0,
                high * 100.0
            )
        });
        [head].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }

    /// The rows as JSON.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|((hostile, name), counts)| {
            let (low, high) = wilson(counts.wrong(), counts.all());
            let ended: serde_json::Map<String, Value> =
                Ending::ALL.iter().map(|ending| (ending.name().replace(' ', "_"), counts.of(*ending).into())).collect();
            json!({
                "name": name,
                "hostile": hostile,
                "cases": counts.all(),
                "ended": ended,
                "wrong": { "count": counts.wrong(), "wilson_95": [low, high] },
            })
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::Model;
    use super::*;

    #[test]
    fn the_interval_matches_known_values() {
        let close = |(low, high): (f64, f64), (a, b): (f64, f64)| (low - a).abs() < 5e-4 && (high - b).abs() < 5e-4;
        assert!(close(wilson(0, 60), (0.0, 0.0602)), "{:?}", wilson(0, 60));
        assert!(close(wilson(5, 10), (0.2366, 0.7634)), "{:?}", wilson(5, 10));
        assert!(close(wilson(20, 20), (0.8389, 1.0)), "{:?}", wilson(20, 20));
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn declined_is_wrong_for_honest_people_and_approved_for_attackers() {
        let case = |nature, ending| CaseResult {
            name: String::new(),
            family: "f",
            nature,
            kind: "passport",
            model: Model::Honest,
            ending,
            reasons: Vec::new(),
            seconds: 1.0,
        };
        let results = [
            case(Nature::Honest, Ending::Approved),
            case(Nature::Honest, Ending::Declined),
            case(Nature::Hostile, Ending::Declined),
            case(Nature::Injection, Ending::Approved),
        ];
        let table = Table::count(&results, |result| result.kind.to_owned());
        let rows = table.json();
        assert_eq!(
            (&rows[0]["hostile"], &rows[0]["cases"], &rows[0]["wrong"]["count"]),
            (&json!(false), &json!(2), &json!(1))
        );
        assert_eq!(
            (&rows[1]["hostile"], &rows[1]["cases"], &rows[1]["wrong"]["count"]),
            (&json!(true), &json!(2), &json!(1))
        );
        assert_eq!(table.text("type").lines().count(), 3);
    }
}
