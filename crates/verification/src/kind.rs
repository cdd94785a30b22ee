//! The words that every part of the core uses: kinds of check, outcomes, providers, states.

use serde::{Deserialize, Serialize};

/// The kinds of check, in the order they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fingerprint device intelligence.
    Device,
    /// The identity document: faces, reading, comparison.
    Document,
    /// Rekognition Face Liveness.
    Liveness,
    /// Liveness reference image against document portrait.
    FaceMatch,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Device, Kind::Document, Kind::Liveness, Kind::FaceMatch];

    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Device => "device",
            Kind::Document => "document",
            Kind::Liveness => "liveness",
            Kind::FaceMatch => "face_match",
        }
    }

    /// The kind spelled `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// What the person must give for it; a face match needs nothing of its own.
    pub const fn needs_input(self) -> bool {
        !matches!(self, Kind::FaceMatch)
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
    /// Nothing stands against it.
    Passed,
    /// Something does.
    Failed,
    /// A person must look.
    Review,
    /// It was not run; `not_executed_because` says why.
    NotExecuted,
    /// A machine failed until the policy's deadline.
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

/// The document types the product knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// TD3 booklet; no back.
    Passport,
    /// TD1 or TD2 card; has a back.
    IdentityCard,
    /// Card with or without a PDF417 barcode; has a back.
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

    /// The type spelled `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Passport, Self::IdentityCard, Self::DrivingLicence].into_iter().find(|t| t.as_str() == text)
    }

    /// Whether a back side must be shown.
    pub const fn has_back(self) -> bool {
        !matches!(self, DocumentType::Passport)
    }
}

/// The outside services a check can depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// AWS Rekognition.
    Rekognition,
    /// `OpenAI` or a server that speaks its protocol.
    Openai,
    /// Fingerprint Server API.
    Fingerprint,
}

/// Where a liveness challenge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionStatus {
    /// Asked for, not opened at the provider yet.
    #[default]
    Requested,
    /// The person can take it.
    Open,
    /// Its result was stored.
    Completed,
    /// The provider could not judge it.
    Failed,
    /// It was not finished in time.
    Expired,
    /// It was not opened: not wanted, or too many.
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

    /// The status spelled `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Requested, Self::Open, Self::Completed, Self::Failed, Self::Expired, Self::Refused]
            .into_iter()
            .find(|s| s.as_str() == text)
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
    /// An operator wants personal data gone.
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

    /// The action spelled `text`.
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
        .find(|a| a.as_str() == text)
    }
}
