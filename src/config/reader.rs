//! Takes values out by their settings and collects what is wrong with them.

use std::collections::BTreeMap;

use super::setting::{Setting, Variable};

/// The gathered values, by lower-case name, and the problems so far.
pub struct Reader {
    /// The variables whose values were gathered.
    variables: &'static [Variable],
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader {
    pub fn new(variables: &'static [Variable], values: BTreeMap<String, String>, problems: Vec<String>) -> Self {
        Self { variables, values, problems }
    }

    /// The value of `setting`; `None` if it is missing or wrong, which is noted as a problem.
    pub fn get<T>(&mut self, setting: &Setting<T>) -> Option<T> {
        let name = setting.variable.name;
        debug_assert!(self.variables.iter().any(|variable| variable.name == name), "{name} is not listed");
        let text = self.values.get(&name.to_lowercase()).map(|value| value.trim()).unwrap_or_default();
        if text.is_empty() && setting.variable.default != Some("") {
            self.problems.push(format!("{name} is not set"));
            return None;
        }
        match (setting.parse)(text) {
            Ok(value) => Some(value),
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| format!("{name} {problem}")));
                None
            }
        }
    }

    pub fn into_problems(self) -> Vec<String> {
        self.problems
    }
}
