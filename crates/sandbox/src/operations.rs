//! The simulated providers and their operations.

use serde::{Deserialize, Serialize};

/// A simulated provider. AWS counts as two: Rekognition and STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimulatedProvider {
    Rekognition,
    Sts,
    Openai,
    Fingerprint,
}

/// Every operation that is answered, by its name in the request log and in the fault rules.
pub const OPERATIONS: &[(SimulatedProvider, &str)] = &[
    (SimulatedProvider::Rekognition, "CreateFaceLivenessSession"),
    (SimulatedProvider::Rekognition, "GetFaceLivenessSessionResults"),
    (SimulatedProvider::Rekognition, "DetectFaces"),
    (SimulatedProvider::Rekognition, "CompareFaces"),
    (SimulatedProvider::Sts, "AssumeRole"),
    (SimulatedProvider::Sts, "GetCallerIdentity"),
    (SimulatedProvider::Openai, "models.list"),
    (SimulatedProvider::Openai, "models.retrieve"),
    (SimulatedProvider::Openai, "chat.completions"),
    (SimulatedProvider::Openai, "responses"),
    (SimulatedProvider::Fingerprint, "events.get"),
    (SimulatedProvider::Fingerprint, "events.update"),
    (SimulatedProvider::Fingerprint, "visitors.delete"),
];
