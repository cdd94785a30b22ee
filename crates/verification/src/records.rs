//! The records that people and partners write: a verification, its evidence, and actions.

use jiff::{Timestamp, civil::Date};

use super::kind::{ActionKind, DocumentType, Kind, SessionStatus};
use super::status::Status;

/// The `verifications` record. Everything a person declared is exactly what they wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// Record id.
    pub id: String,
    /// Id of the person's `users` record.
    pub user: String,
    /// The partner's name for the person; may be empty.
    pub reference: String,
    /// Policy asked for; empty means `default`.
    pub policy_name: String,
    /// Pinned policy record; empty before the first pass.
    pub policy: String,
    /// Declared full name; may be empty.
    pub declared_name: String,
    /// Declared day of birth.
    pub declared_date_of_birth: Option<Date>,
    /// Declared document type.
    pub declared_document_type: Option<DocumentType>,
    /// Declared document number; may be empty.
    pub declared_document_number: String,
    /// Declared issuing state, ISO 3166; may be empty.
    pub declared_country: String,
    /// Language of texts for the person; may be empty.
    pub locale: String,
    /// Stored status; shown, never believed.
    pub status: Status,
    /// Stored version, the last `seq` the service wrote.
    pub version: u32,
    /// When the client created it.
    pub created: Timestamp,
}

/// A `documents` record.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Record id.
    pub id: String,
    /// What the person says it is.
    pub document_type: DocumentType,
    /// Issuing state as declared with the upload, ISO 3166; may be empty.
    pub country: String,
    /// Stored name of the front picture.
    pub front: String,
    /// Stored name of the back picture; may be empty.
    pub back: String,
    /// When it was uploaded.
    pub created: Timestamp,
}

/// A `liveness_sessions` record.
#[derive(Debug, Clone, PartialEq)]
pub struct LivenessSession {
    /// Record id, also the provider's `ClientRequestToken`.
    pub id: String,
    /// The provider's session id; empty until opened.
    pub session_id: String,
    /// Where it was opened.
    pub region: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// Until when the provider keeps it.
    pub expires_at: Option<Timestamp>,
    /// When it was asked for.
    pub created: Timestamp,
}

/// A `device_signals` record.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSignal {
    /// Record id.
    pub id: String,
    /// Fingerprint's event id.
    pub event_id: String,
    /// When the record was created; freshness is measured against it.
    pub created: Timestamp,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The person being verified.
    User,
    /// A `reviewers` record.
    Reviewer(String),
    /// An operator, through the admin UI.
    Superuser,
}

impl Actor {
    /// How the journal names them.
    pub fn label(&self) -> String {
        match self {
            Actor::User => "user".to_owned(),
            // Who exactly is in the action that the row names; the person may read the journal.
            Actor::Reviewer(_) => "reviewer".to_owned(),
            Actor::Superuser => "superuser".to_owned(),
        }
    }
}

/// An `actions` record.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Record id.
    pub id: String,
    /// What was done; `None` for an action of a newer version.
    pub kind: Option<ActionKind>,
    /// Its stored name.
    pub name: String,
    /// Which challenge, for [`ActionKind::LivenessCompleted`].
    pub liveness_session: String,
    /// Why; reviewers must say.
    pub reason: String,
    /// What must be handed in anew, for [`ActionKind::RequestResubmission`]; empty means document and liveness.
    pub redo: Vec<Kind>,
    /// Who acted.
    pub actor: Actor,
    /// When.
    pub created: Timestamp,
}
