//! The catalogue of models, with their shutdown dates.

use http::StatusCode;
use serde_json::{Value, json};

use super::errors::OpenaiError;
use crate::state::Sandbox;

/// Each model's name and shutdown date, if one is announced.
const CATALOGUE: [(&str, Option<&str>); 15] = [
    ("gpt-6-astra", None),
    ("gpt-6.1-sol", None),
    ("gpt-6-sol", None),
    ("gpt-6-luna", None),
    ("gpt-5.6-terra", None),
    ("gpt-5", Some("2026-12-11")),
    ("gpt-5-mini", Some("2026-12-11")),
    ("o3", Some("2026-12-11")),
    ("gpt-4o", Some("2027-01-14")),
    ("gpt-4o-mini", Some("2027-01-14")),
    ("gpt-4.1", Some("2027-01-14")),
    ("gpt-4.1-mini", Some("2027-01-14")),
    ("o4-mini", Some("2026-10-23")),
    ("sandbox-reasoning", None),
    ("sandbox-plain", None),
];
/// `created` of every model.
const CREATED: i64 = 1_767_225_600;

/// Answers `GET /v1/models`.
pub fn list(sandbox: &Sandbox) -> Value {
    let extra: Vec<_> = sandbox.state().settings.models.keys().cloned().collect();
    let names = CATALOGUE.iter().map(|(name, _)| (*name).to_owned()).chain(extra);
    let data: Vec<_> = names.filter_map(|name| retrieve(sandbox, &name).ok()).collect();
    json!({"object": "list", "data": data})
}

/// Answers `GET /v1/models/{id}`; from its shutdown date on, a model does not exist.
pub fn retrieve(sandbox: &Sandbox, id: &str) -> Result<Value, OpenaiError> {
    let (listed, overriding) = {
        let state = sandbox.state();
        (state.settings.models.get(id).cloned(), state.settings.model_shutdown_date.clone())
    };
    let by_catalogue = || CATALOGUE.iter().find(|(name, _)| *name == id).map(|(_, date)| date.map(str::to_owned));
    let missing = || OpenaiError {
        status: StatusCode::NOT_FOUND,
        ..OpenaiError::invalid(
            "model",
            Some("model_not_found"),
            format!("The model `{id}` does not exist or you do not have access to it."),
        )
    };
    let listed_date = listed.or_else(by_catalogue).ok_or_else(missing)?;
    let shutdown_date = overriding.or(listed_date);
    let today = sandbox.now().strftime("%Y-%m-%d").to_string();
    if shutdown_date.as_ref().is_some_and(|date| *date <= today) {
        return Err(missing());
    }
    let mut model = json!({"id": id, "object": "model", "created": CREATED, "owned_by": "system"});
    if let Some(date) = shutdown_date {
        model["shutdown_date"] = date.into();
    }
    Ok(model)
}

/// Whether a model is a reasoning model; those accept other parameters than the plain ones.
pub fn is_reasoning(model: &str) -> bool {
    let family = |prefix: &str| model.strip_prefix(prefix).and_then(|rest| rest.chars().next());
    let o_series = family("o").is_some_and(|letter| letter.is_ascii_digit());
    let gpt = family("gpt-").is_some_and(|letter| letter.is_ascii_digit() && letter >= '5');
    o_series || gpt || model == "sandbox-reasoning"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_models_are_recognised_by_name() {
        for model in ["o3", "o4-mini", "gpt-5", "gpt-5.6-terra", "gpt-6-luna"] {
            assert!(is_reasoning(model), "{model}");
        }
        for model in ["gpt-4o", "gpt-4.1-mini", "llava", "sandbox-plain", "openai"] {
            assert!(!is_reasoning(model), "{model}");
        }
    }
}
