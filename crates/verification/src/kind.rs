//! The words that every part of the core uses, and the table of checks.
//!
//! The engine reads [`Kind::spec`] instead of naming checks, so a new check is a variant and a row
//! here, and its rules.

use std::ops::Index;

use serde::{Deserialize, Serialize};

/// The kinds of check, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Device intelligence from Fingerprint.
    Device,
    /// The identity document: its faces, its fields, and their comparison.
    Document,
    /// Rekognition Face Liveness.
    Liveness,
    /// The liveness reference image against the document's portrait.
    FaceMatch,
}

/// A row of the table of checks: what the engine must know about one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckSpec {
    /// Stored spelling of the kind.
    pub name: &'static str,
    /// The record that the person submits for the check; `None` when it needs only other checks.
    pub input: Option<Input>,
    /// The checks whose faces this one compares, in the order in which its evidence names them. It
    /// is due when all of them yield a face, and its finding is void when one of them is repeated.
    pub rests_on: &'static [Kind],
    /// The services that the check calls.
    pub providers: &'static [Provider],
    /// Seconds that a claim on the check lasts.
    pub claim_seconds: u32,
    /// Whether a policy may let a person pass without the check while its providers are
    /// unavailable.
    pub may_be_skipped: bool,
}

/// The records that a check can start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A `device_signals` record.
    DeviceSignal,
    /// A `documents` record.
    Document,
    /// A `liveness_sessions` record whose challenge the person has taken.
    LivenessSession,
}

impl Input {
    /// Whether the provider deletes what is to be fetched after some minutes, so that the check is
    /// more urgent than others.
    pub const fn is_short_lived(self) -> bool {
        matches!(self, Input::LivenessSession)
    }
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Kind; 4] = [Kind::Device, Kind::Document, Kind::Liveness, Kind::FaceMatch];

    /// The row of this kind in the table of checks.
    pub const fn spec(self) -> &'static CheckSpec {
        match self {
            Kind::Device => &CheckSpec {
                name: "device",
                input: Some(Input::DeviceSignal),
                rests_on: &[],
                providers: &[Provider::Fingerprint],
                claim_seconds: 30,
                may_be_skipped: true,
            },
            Kind::Document => &CheckSpec {
                name: "document",
                input: Some(Input::Document),
                rests_on: &[],
                providers: &[Provider::Openai, Provider::Rekognition],
                claim_seconds: 120,
                may_be_skipped: false,
            },
            // Without liveness and the face match, any person would pass while Rekognition is
            // unavailable.
            Kind::Liveness => &CheckSpec {
                name: "liveness",
                input: Some(Input::LivenessSession),
                rests_on: &[],
                providers: &[Provider::Rekognition],
                claim_seconds: 45,
                may_be_skipped: false,
            },
            Kind::FaceMatch => &CheckSpec {
                name: "face_match",
                input: None,
                rests_on: &[Kind::Liveness, Kind::Document],
                providers: &[Provider::Rekognition],
                claim_seconds: 45,
                may_be_skipped: false,
            },
        }
    }

    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// The kind that is stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the person must submit something for it.
    pub const fn needs_input(self) -> bool {
        self.spec().input.is_some()
    }

    /// The checks whose input the person must submit again to repeat this one.
    pub fn repeated_by(self) -> Vec<Kind> {
        let own = self.needs_input().then_some(self);
        self.spec().rests_on.iter().copied().chain(own).collect()
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing found speaks against the person.
    Passed,
    /// A reason asks for new evidence or for a decline.
    Failed,
    /// A reviewer must decide.
    Review,
    /// The check was not run; `not_executed_because` gives the reason.
    NotExecuted,
    /// A provider or the service itself failed until the policy's deadline.
    Error,
}

impl Outcome {
    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Review => "review",
            Outcome::NotExecuted => "not_executed",
            Outcome::Error => "error",
        }
    }
}

/// The external services that a check can depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// AWS Rekognition.
    Rekognition,
    /// `OpenAI`, or a server that speaks its protocol.
    Openai,
    /// Fingerprint Server API.
    Fingerprint,
}

impl Provider {
    /// All providers, in the order in which they are shown.
    pub const ALL: [Provider; 3] = [Provider::Rekognition, Provider::Openai, Provider::Fingerprint];

    /// The spelling in stored records, metrics and error codes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Provider::Rekognition => "rekognition",
            Provider::Openai => "openai",
            Provider::Fingerprint => "fingerprint",
        }
    }
}

/// One value for each provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerProvider<T>([T; Provider::ALL.len()]);

impl<T> PerProvider<T> {
    /// Calls `make` once for each provider.
    pub fn new(make: impl FnMut(Provider) -> T) -> Self {
        Self(Provider::ALL.map(make))
    }

    /// The providers with their values, in the order of [`Provider::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Provider, &T)> {
        Provider::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Provider> for PerProvider<T> {
    type Output = T;

    fn index(&self, provider: Provider) -> &T {
        &self.0[provider as usize]
    }
}

/// The document types that the product knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// TD3 booklet without a back.
    Passport,
    /// TD1 or TD2 card with a back.
    IdentityCard,
    /// Card with a back, with or without a PDF417 barcode.
    DrivingLicence,
}

impl DocumentType {
    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            DocumentType::Passport => "passport",
            DocumentType::IdentityCard => "identity_card",
            DocumentType::DrivingLicence => "driving_licence",
        }
    }

    /// The type that is stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Passport, Self::IdentityCard, Self::DrivingLicence].into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether a picture of the back is required.
    pub const fn has_back(self) -> bool {
        !matches!(self, DocumentType::Passport)
    }
}

/// The states of a liveness challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionStatus {
    /// The person asked for it; it is not open at the provider yet.
    #[default]
    Requested,
    /// The person can take it.
    Open,
    /// Its result was stored.
    Completed,
    /// The provider could not analyse it.
    Failed,
    /// The person did not finish it in time.
    Expired,
    /// It was not opened: none was wanted, or too many were asked for.
    Refused,
}

impl SessionStatus {
    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            SessionStatus::Requested => "",
            SessionStatus::Open => "open",
            SessionStatus::Completed => "completed",
            SessionStatus::Failed => "failed",
            SessionStatus::Expired => "expired",
            SessionStatus::Refused => "refused",
        }
    }

    /// The status that is stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Requested, Self::Open, Self::Completed, Self::Failed, Self::Expired, Self::Refused]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// What people can do to a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// The browser finished the liveness challenge.
    LivenessCompleted,
    /// The person withdraws.
    Cancel,
    /// A reviewer approves.
    Approve,
    /// A reviewer declines.
    Decline,
    /// A reviewer asks for new evidence.
    RequestResubmission,
    /// A reviewer reopens a decided verification.
    Reopen,
    /// An operator asks for personal data to be removed.
    Redact,
}

impl ActionKind {
    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            ActionKind::LivenessCompleted => "liveness_completed",
            ActionKind::Cancel => "cancel",
            ActionKind::Approve => "approve",
            ActionKind::Decline => "decline",
            ActionKind::RequestResubmission => "request_resubmission",
            ActionKind::Reopen => "reopen",
            ActionKind::Redact => "redact",
        }
    }

    /// The action that is stored as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::LivenessCompleted,
            Self::Cancel,
            Self::Approve,
            Self::Decline,
            Self::RequestResubmission,
            Self::Reopen,
            Self::Redact,
        ]
        .into_iter()
        .find(|action| action.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_follow_their_enums() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for (at, provider) in Provider::ALL.into_iter().enumerate() {
            assert_eq!(provider as usize, at);
            assert_eq!(PerProvider::new(|p| p)[provider], provider);
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.as_str());
        }
    }

    #[test]
    fn every_check_has_evidence_a_provider_and_time() {
        for kind in Kind::ALL {
            let spec = kind.spec();
            assert_ne!(spec.input.is_some(), !spec.rests_on.is_empty(), "{kind} has an input or rests on others");
            assert!(spec.rests_on.iter().all(|base| base.needs_input()), "{kind} rests on checks with input only");
            assert!(!spec.providers.is_empty(), "{kind}");
            assert!(spec.claim_seconds > 0, "{kind}");
        }
    }
}
