//! Gathers the values of all variables from the defaults, the file, the environment and the files
//! of `NAME_FILE`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use serde::Deserialize;

use super::setting::Variable;

/// A value of the TOML file: people write numbers and booleans without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

impl Text {
    fn into_string(self) -> String {
        match self {
            Text::String(text) => text,
            Text::Integer(number) => number.to_string(),
            Text::Float(number) => number.to_string(),
            Text::Boolean(flag) => flag.to_string(),
        }
    }
}

/// The values of `variables` by lower-case name. An empty environment variable counts as not set.
pub fn gather(
    variables: &[Variable],
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut figment = Figment::new();
    for variable in variables {
        if let Some(default) = variable.default {
            figment = figment.join(Serialized::default(&variable.name.to_lowercase(), default));
        }
    }
    if let Some(path) = lookup("CONFIG_FILE").filter(|path| !path.trim().is_empty()).map(PathBuf::from) {
        if path.is_file() {
            figment = figment.merge(Toml::file_exact(path));
        } else {
            problems.push(format!("CONFIG_FILE names {}, which is not a file", path.display()));
        }
    }
    for variable in variables {
        let key = variable.name.to_lowercase();
        if let Some(value) = lookup(variable.name).filter(|value| !value.is_empty()) {
            figment = figment.merge(Serialized::default(&key, value));
        }
        let file_name = format!("{}_FILE", variable.name);
        if let Some(path) = lookup(&file_name).filter(|path| !path.is_empty()) {
            match std::fs::read_to_string(&path) {
                Ok(value) => figment = figment.merge(Serialized::default(&key, value.trim_end_matches(['\r', '\n']))),
                Err(error) => problems.push(format!("{file_name} names {path}, which cannot be read: {error}")),
            }
        }
    }
    let values: BTreeMap<String, Text> = match figment.extract() {
        Ok(values) => values,
        Err(errors) => {
            problems.extend(errors.into_iter().map(|error| format!("the configuration file cannot be used: {error}")));
            BTreeMap::new()
        }
    };
    for key in values.keys().filter(|key| !variables.iter().any(|v| v.name.to_lowercase() == **key)) {
        problems.push(format!("the configuration file sets {key}, which does not exist"));
    }
    values.into_iter().map(|(key, value)| (key, value.into_string())).collect()
}
