//! `liveness_sessions`: liveness challenges. A person asks for one, and the service opens and
//! closes it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::columns::{Aged, instant_or_none};
use crate::verification::{LivenessSession, SessionPatch, SessionStatus};

/// A liveness challenge that the facade asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewLivenessSession {
    /// Id of the verification.
    pub verification: String,
}

/// A `liveness_sessions` record as the facade shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StoredSession {
    /// Record id.
    pub id: String,
    /// Id of the verification.
    pub verification: String,
    /// The provider's id of the challenge; empty until it is opened.
    pub session_id: String,
    /// The provider's region in which it was opened; empty until then.
    pub region: String,
    /// The provider's type of challenge; empty until it is opened.
    pub challenge: String,
    /// Status of the challenge.
    #[serde(deserialize_with = "session_status")]
    pub status: SessionStatus,
    /// When the provider forgets the challenge.
    #[serde(deserialize_with = "instant_or_none")]
    pub expires_at: Option<Timestamp>,
}

/// What changes in a challenge: its status, and when it is opened what the provider said.
#[derive(Debug, Serialize)]
pub struct SessionFields<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl<'a> From<&'a SessionPatch> for SessionFields<'a> {
    fn from(patch: &'a SessionPatch) -> Self {
        let opened = patch.opened.as_ref();
        Self {
            status: patch.status.as_str(),
            session_id: opened.map(|o| o.session_id.as_str()),
            region: opened.map(|o| o.region.as_str()),
            challenge: opened.map(|o| o.challenge.as_str()),
            expires_at: opened.map(|o| o.expires_at),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct SessionRow {
    id: String,
    session_id: String,
    region: String,
    #[serde(deserialize_with = "session_status")]
    status: SessionStatus,
    #[serde(deserialize_with = "instant_or_none")]
    expires_at: Option<Timestamp>,
    created: Timestamp,
}

impl Aged for SessionRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<SessionRow> for LivenessSession {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            session_id: row.session_id,
            region: row.region,
            status: row.status,
            expires_at: row.expires_at,
            created: row.created,
        }
    }
}

fn session_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SessionStatus, D::Error> {
    let text = String::deserialize(deserializer)?;
    SessionStatus::parse(&text).ok_or_else(|| de::Error::custom("unknown session status"))
}
