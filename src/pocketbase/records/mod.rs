//! The stored records, as Rust: the only place (with the files below it) that spells the names of collections and fields.
//!
//! `docs/records.md` is the contract. [`rows`] reads, [`writes`] writes; this file holds what others name.

pub(super) mod rows;
pub(super) mod writes;

pub use rows::{CheckDetail, DEFAULT_POLICY, Heartbeat, StoredSession, StoredVerification};
pub use writes::{Delivery, NewAction, NewDeviceSignal, NewDocument, NewLivenessSession, NewVerification, RecordPatch};

/// A collection of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collection {
    /// The case.
    Verifications,
    /// Evidence.
    Documents,
    /// Challenges.
    LivenessSessions,
    /// Device events.
    DeviceSignals,
    /// What people did.
    Actions,
    /// Findings.
    Checks,
    /// What documents are known by.
    DocumentHashes,
    /// Documents that operators do not accept.
    KnownDocuments,
    /// What happened.
    Journal,
    /// Thresholds and demands.
    Policies,
    /// One row per running sidecar.
    Heartbeats,
    /// Where to send notifications.
    WebhookEndpoints,
    /// Notifications to send.
    WebhookDeliveries,
    /// The people being verified.
    Users,
    /// People who decide by hand.
    Reviewers,
    /// Our own accounts.
    Services,
    /// A view: each case with everything that belongs to it.
    Cases,
}

impl Collection {
    /// Every collection.
    pub const ALL: [Collection; 17] = [
        Self::Verifications,
        Self::Documents,
        Self::LivenessSessions,
        Self::DeviceSignals,
        Self::Actions,
        Self::Checks,
        Self::DocumentHashes,
        Self::KnownDocuments,
        Self::Journal,
        Self::Policies,
        Self::Heartbeats,
        Self::WebhookEndpoints,
        Self::WebhookDeliveries,
        Self::Users,
        Self::Reviewers,
        Self::Services,
        Self::Cases,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verifications => "verifications",
            Self::Documents => "documents",
            Self::LivenessSessions => "liveness_sessions",
            Self::DeviceSignals => "device_signals",
            Self::Actions => "actions",
            Self::Checks => "checks",
            Self::DocumentHashes => "document_hashes",
            Self::KnownDocuments => "known_documents",
            Self::Journal => "journal",
            Self::Policies => "policies",
            Self::Heartbeats => "heartbeats",
            Self::WebhookEndpoints => "webhook_endpoints",
            Self::WebhookDeliveries => "webhook_deliveries",
            Self::Users => "users",
            Self::Reviewers => "reviewers",
            Self::Services => "services",
            Self::Cases => "cases",
        }
    }

    /// Path of its records.
    pub(super) fn records(self) -> String {
        format!("/api/collections/{}/records", self.name())
    }

    /// Path of one of its records; `id` was checked to be a record id.
    pub(super) fn record(self, id: &str) -> String {
        format!("/api/collections/{}/records/{id}", self.name())
    }

    /// The collection stored as `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}
