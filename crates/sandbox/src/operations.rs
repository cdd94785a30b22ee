//! The simulated providers and their operations.

use serde::{Deserialize, Serialize};

/// A simulated provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// AWS Rekognition.
    Rekognition,
    /// AWS STS.
    Sts,
    Openai,
    Fingerprint,
}

/// Every operation that is answered, by its name in the request log and in the fault rules.
pub const OPERATIONS: &[(Provider, &str)] = &[
    (Provider::Rekognition, "CreateFaceLivenessSession"),
    (Provider::Rekognition, "GetFaceLivenessSessionResults"),
    (Provider::Rekognition, "DetectFaces"),
    (Provider::Rekognition, "CompareFaces"),
    (Provider::Sts, "AssumeRole"),
    (Provider::Sts, "GetCallerIdentity"),
    (Provider::Openai, "models.list"),
    (Provider::Openai, "models.retrieve"),
    (Provider::Openai, "chat.completions"),
    (Provider::Openai, "responses"),
    (Provider::Fingerprint, "events.get"),
    (Provider::Fingerprint, "events.update"),
    (Provider::Fingerprint, "visitors.delete"),
];
