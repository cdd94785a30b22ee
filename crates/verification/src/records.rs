//! The records that the person, the partner and reviewers write: a verification, its evidence, its
//! actions.

use jiff::{Timestamp, civil::Date};

use super::kind::{ActionKind, DocumentType, Kind, SessionStatus};
use super::status::Status;

/// The `verifications` record. Declared fields hold exactly what the person or the partner wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// Record id.
    pub id: String,
    /// Id of the person's `users` record.
    pub user: String,
    /// The partner's name for the person; may be empty.
    pub reference: String,
    /// Name of the policy that was asked for; empty means `default`.
    pub policy_name: String,
    /// Id of the pinned policy record; empty before the first pass.
    pub policy: String,
    /// Declared full name; may be empty.
    pub declared_name: String,
    /// Declared date of birth.
    pub declared_date_of_birth: Option<Date>,
    /// Declared document type.
    pub declared_document_type: Option<DocumentType>,
    /// Declared document number; may be empty.
    pub declared_document_number: String,
    /// Declared issuing state, ISO 3166; may be empty.
    pub declared_country: String,
    /// Language of texts for the person; may be empty.
    pub locale: String,
    /// Stored status: shown to clients, never read back by the core.
    pub status: Status,
    /// Stored version: the last `seq` that the service wrote.
    pub version: u32,
    /// When the client created the record.
    pub created: Timestamp,
}

/// A `documents` record.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Record id.
    pub id: String,
    /// Type that the person declared with the upload.
    pub document_type: DocumentType,
    /// Issuing state that the person declared with the upload, ISO 3166; may be empty.
    pub country: String,
    /// Stored name of the front picture.
    pub front: String,
    /// Stored name of the back picture; may be empty.
    pub back: String,
    /// When the document was uploaded.
    pub created: Timestamp,
}

/// A `liveness_sessions` record.
#[derive(Debug, Clone, PartialEq)]
pub struct LivenessSession {
    /// Record id, also the provider's `ClientRequestToken`.
    pub id: String,
    /// The provider's session id; empty until the challenge is open.
    pub session_id: String,
    /// AWS region in which the challenge was opened; empty until then.
    pub region: String,
    /// State of the challenge.
    pub status: SessionStatus,
    /// When the provider deletes the session.
    pub expires_at: Option<Timestamp>,
    /// When the person asked for the challenge.
    pub created: Timestamp,
}

/// A `device_signals` record.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSignal {
    /// Record id.
    pub id: String,
    /// Fingerprint's event id.
    pub event_id: String,
    /// When the record was created. The age of the event is measured against it.
    pub created: Timestamp,
}

/// The author of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The person being verified.
    User,
    /// A reviewer, by the id of the `reviewers` record.
    Reviewer(String),
    /// An operator, through the admin UI, by the id of the `_superusers` record. Unknown where
    /// `PocketBase` runs without the hook that stores it, and in actions older than the hook.
    Superuser(Option<String>),
}

impl Actor {
    /// How the journal names the author: the kind, and the record id of a reviewer or superuser.
    ///
    /// The person may read it. It is an id only: the person cannot read the records of reviewers
    /// and superusers. Rows of earlier versions name the kind only; nothing parses the name.
    pub fn label(&self) -> String {
        match self {
            Actor::User => "user".to_owned(),
            Actor::Reviewer(id) => format!("reviewer:{id}"),
            Actor::Superuser(Some(id)) => format!("superuser:{id}"),
            Actor::Superuser(None) => "superuser".to_owned(),
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
    /// Stored name of the action.
    pub name: String,
    /// Id of the `liveness_sessions` record, for [`ActionKind::LivenessCompleted`].
    pub liveness_session: String,
    /// Why it was done; reviewers must give a reason.
    pub reason: String,
    /// Checks to repeat, for [`ActionKind::RequestResubmission`]; empty means document and
    /// liveness.
    pub redo: Vec<Kind>,
    /// Who did it.
    pub actor: Actor,
    /// When the record was created.
    pub created: Timestamp,
}
