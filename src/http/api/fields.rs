//! Fields that several requests share: their types, and the rules for their values.

use serde::Deserialize;
use utoipa::ToSchema;

use super::validation::Rule;
use crate::verification::DocumentType;

/// Id of a record.
pub const RECORD_ID: Rule = Rule {
    max: 15,
    test: |text| text.len() == 15 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
    says: "must be an id of 15 lower-case letters and digits",
};

/// Code of an issuing state.
pub const COUNTRY: Rule = Rule {
    max: 3,
    test: |text| text.len() >= 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
    says: "must be an ISO 3166 code of two or three capital letters",
};

/// Id of a Fingerprint event.
pub const EVENT_ID: Rule = Rule {
    max: 20,
    test: |text| {
        text.split_once('.').is_some_and(|(time, rest)| {
            time.len() == 13
                && time.bytes().all(|b| b.is_ascii_digit())
                && rest.len() == 6
                && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    },
    says: "must be a Fingerprint event id: 13 digits, a point, 6 letters or digits",
};

/// Type of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Passport booklet.
    Passport,
    /// Identity card.
    IdentityCard,
    /// Driving licence card.
    DrivingLicence,
}

impl From<DocumentKind> for DocumentType {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Passport => Self::Passport,
            DocumentKind::IdentityCard => Self::IdentityCard,
            DocumentKind::DrivingLicence => Self::DrivingLicence,
        }
    }
}

/// The device the person uses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Id of a Fingerprint event whose `linked_id` is the verification's id or `reference`. An
    /// event that was submitted before is not accepted again: `next` then still contains `device`.
    #[schema(pattern = r"^\d{13}\.[a-zA-Z0-9]{6}$", example = "1732269000000.Ab3xYz")]
    pub event_id: String,
}
