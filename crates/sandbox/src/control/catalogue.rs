//! The catalogue of faults, scenarios, outcomes and operations, with a sentence for each.

use serde_json::{Value, json};

use crate::faults;
use crate::fingerprint::scenario;
use crate::operations::OPERATIONS;

/// The outcomes of a liveness challenge.
const LIVENESS: [(&str, &str); 6] = [
    ("start", "The page was opened: the session is IN_PROGRESS."),
    (
        "pass",
        "A living person: SUCCEEDED, confidence 96 to 99.9, reference image of `person`. `confidence` sets another.",
    ),
    ("spoof", "A picture or mask: SUCCEEDED with confidence 1 to 25 and a reference image of `person`."),
    ("fail", "The check itself fails: FAILED."),
    ("walk_away", "The challenge is not finished: IN_PROGRESS until the session is EXPIRED."),
    ("no_reference_image", "SUCCEEDED with good confidence, but without a reference image."),
];

/// The answer of `GET /sandbox/scenarios`.
pub fn everything() -> Value {
    let devices: Vec<_> = scenario::CATALOGUE
        .iter()
        .map(|entry| json!({"scenario": entry.name, "description": entry.description}))
        .collect();
    let liveness: Vec<_> =
        LIVENESS.iter().map(|(outcome, description)| json!({"outcome": outcome, "description": description})).collect();
    let operations: Vec<_> =
        OPERATIONS.iter().map(|(provider, operation)| json!({"provider": provider, "operation": operation})).collect();
    json!({"faults": faults::CATALOGUE, "fingerprint": devices, "liveness": liveness, "operations": operations})
}
