//! The collections and their paths.

/// A collection of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collection {
    /// The verifications, each with the summary of its case.
    Verifications,
    /// The identity documents that people uploaded.
    Documents,
    /// The liveness challenges that people asked for.
    LivenessSessions,
    /// The device events that people submitted.
    DeviceSignals,
    /// What people, reviewers and operators did to a verification.
    Actions,
    /// The findings of the checks, and the rule trees of the decisions.
    Checks,
    /// The hashes by which a document is recognised when it is shown again.
    DocumentHashes,
    /// The operators' list of documents that are not accepted.
    KnownDocuments,
    /// The journal: every event of every verification.
    Journal,
    /// The policies, each version a record of its own.
    Policies,
    /// One record for each running sidecar.
    Heartbeats,
    /// The addresses that notifications are sent to.
    WebhookEndpoints,
    /// The notifications that are due.
    WebhookDeliveries,
    /// The people who are verified.
    Users,
    /// The people who decide by hand.
    Reviewers,
    /// The accounts of the sidecars.
    Services,
    /// A view: each verification with everything that belongs to it.
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

    /// The stored name, such as `liveness_sessions`.
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

    /// The collection with this stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// The path of its records.
    pub(in crate::pocketbase) fn records(self) -> String {
        format!("/api/collections/{}/records", self.name())
    }

    /// The path of one of its records. The caller has checked that `id` is a record id.
    pub(in crate::pocketbase) fn record(self, id: &str) -> String {
        format!("/api/collections/{}/records/{id}", self.name())
    }

    /// The path of an operation of its accounts, such as `auth-refresh`.
    pub(in crate::pocketbase) fn account(self, operation: &str) -> String {
        format!("/api/collections/{}/{operation}", self.name())
    }
}
