//! The Face Liveness sessions of a sandbox and how their challenges end.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seed::Seed;

/// How long a session and its data live.
const LIFETIME: SignedDuration = SignedDuration::from_mins(3);
/// How long after that a session is still reported as expired; later it is not found.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(30);
const SESSIONS_MAX: usize = 20_000;

/// How a challenge ends; what the challenge page posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    #[serde(rename = "outcome")]
    pub kind: OutcomeKind,
    /// The person in front of the camera.
    #[serde(default = "default_person")]
    pub person: String,
    /// Confidence, instead of the one that the outcome suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

fn default_person() -> String {
    "anna".to_owned()
}

/// The ways a challenge ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The page was opened, the camera runs.
    Start,
    /// A living person.
    Pass,
    /// A picture, a mask, a replay: the check succeeds with low confidence.
    Spoof,
    /// The check itself fails.
    Fail,
    /// The person leaves; the session stays open until it expires.
    WalkAway,
    /// A living person, but no reference image comes back.
    NoReferenceImage,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub region: String,
    pub created: Timestamp,
    /// Number of audit images that the results carry.
    pub audit_images: u64,
    /// Type and version of the challenge.
    pub challenge: (String, String),
    /// `OutputConfig`: the caller's bucket, if images go there.
    pub output: Option<Value>,
    pub state: Stage,
}

/// How far a session got.
#[derive(Debug, Clone)]
pub enum Stage {
    Created,
    InProgress,
    Succeeded { confidence: f64, person: String, reference_image: bool },
    Failed,
}

/// All sessions that are remembered.
#[derive(Debug, Default)]
pub struct Sessions {
    by_id: HashMap<String, Session>,
    order: VecDeque<String>,
    by_token: HashMap<String, Idempotent>,
    created: u64,
}

/// What a `ClientRequestToken` was used for.
#[derive(Debug, Clone)]
pub struct Idempotent {
    /// Hash of the other parameters.
    pub parameters: String,
    pub session_id: String,
}

/// Why an outcome was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    UnknownSession,
    /// The session is older than three minutes.
    Expired,
    /// The challenge has ended already; one session is one check.
    AlreadyTaken,
}

impl Sessions {
    /// Adds a session and returns its id, which follows from the token, or from the instant where
    /// there is no token.
    // From the token: a sandbox that is restarted on old records then repeats no id of another
    // session.
    pub fn insert(&mut self, seed: Seed, token: Option<&str>, session: Session) -> String {
        if self.order.len() >= SESSIONS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
            self.by_token.retain(|_, used| used.session_id != oldest);
        }
        self.created += 1;
        let instant = format!("{} {}", self.created, session.created.as_nanosecond());
        let id = seed.uuid("liveness session", &[token.unwrap_or(&instant).as_bytes(), session.region.as_bytes()]);
        self.order.push_back(id.clone());
        self.by_id.insert(id.clone(), session);
        id
    }

    /// Remembers what a `ClientRequestToken` was used for.
    pub fn remember_token(&mut self, token: String, used: Idempotent) {
        self.by_token.insert(token, used);
    }

    /// What a `ClientRequestToken` was used for, if it was used.
    pub fn by_token(&self, token: &str) -> Option<&Idempotent> {
        self.by_token.get(token)
    }

    /// A session that is still remembered.
    pub fn find(&self, id: &str, now: Timestamp) -> Option<&Session> {
        self.by_id.get(id).filter(|session| now < session.created + LIFETIME + REMEMBERED)
    }

    /// Applies an outcome to a session.
    pub fn take(&mut self, id: &str, outcome: &Outcome, seed: Seed, now: Timestamp) -> Result<(), Refused> {
        let session = self.by_id.get_mut(id).ok_or(Refused::UnknownSession)?;
        if now >= session.created + LIFETIME {
            return Err(Refused::Expired);
        }
        let started = match session.state {
            Stage::Created => false,
            Stage::InProgress => true,
            Stage::Succeeded { .. } | Stage::Failed => return Err(Refused::AlreadyTaken),
        };
        let succeeded = |low, high, reference_image| Stage::Succeeded {
            confidence: outcome.confidence.unwrap_or_else(|| seed.between(low, high, "liveness", &[id.as_bytes()])),
            person: outcome.person.clone(),
            reference_image,
        };
        session.state = match outcome.kind {
            OutcomeKind::Start | OutcomeKind::WalkAway => Stage::InProgress,
            OutcomeKind::Pass => succeeded(96.0, 99.9, true),
            OutcomeKind::NoReferenceImage => succeeded(96.0, 99.9, false),
            OutcomeKind::Spoof => succeeded(1.0, 25.0, true),
            OutcomeKind::Fail => Stage::Failed,
        };
        tracing::debug!(session = id, started, "applied an outcome to a liveness session");
        Ok(())
    }

    /// A session's status, for the challenge page.
    pub fn status(&self, id: &str, now: Timestamp) -> Option<&'static str> {
        self.find(id, now).map(|session| session.status(now))
    }
}

impl Session {
    /// The status as `GetFaceLivenessSessionResults` names it.
    pub fn status(&self, now: Timestamp) -> &'static str {
        if now >= self.created + LIFETIME {
            return "EXPIRED";
        }
        match self.state {
            Stage::Created => "CREATED",
            Stage::InProgress => "IN_PROGRESS",
            Stage::Succeeded { .. } => "SUCCEEDED",
            Stage::Failed => "FAILED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(now: Timestamp) -> Session {
        Session {
            region: "eu-west-1".to_owned(),
            created: now,
            audit_images: 0,
            challenge: (String::new(), String::new()),
            output: None,
            state: Stage::Created,
        }
    }

    fn outcome(kind: OutcomeKind) -> Outcome {
        Outcome { kind, person: "anna".to_owned(), confidence: None }
    }

    #[test]
    fn a_session_is_one_check_and_lives_three_minutes() {
        let now = Timestamp::UNIX_EPOCH;
        let mut sessions = Sessions::default();
        let id = sessions.insert(Seed(1), None, session(now));
        assert_eq!(sessions.status(&id, now), Some("CREATED"));
        assert_eq!(sessions.take(&id, &outcome(OutcomeKind::WalkAway), Seed(1), now), Ok(()));
        assert_eq!(sessions.status(&id, now), Some("IN_PROGRESS"));
        assert_eq!(sessions.take(&id, &outcome(OutcomeKind::Pass), Seed(1), now), Ok(()));
        assert_eq!(sessions.status(&id, now), Some("SUCCEEDED"));
        assert_eq!(sessions.take(&id, &outcome(OutcomeKind::Pass), Seed(1), now), Err(Refused::AlreadyTaken));
        let later = now + LIFETIME;
        assert_eq!(sessions.status(&id, later), Some("EXPIRED"));
        assert_eq!(sessions.take(&id, &outcome(OutcomeKind::Pass), Seed(1), later), Err(Refused::Expired));
        assert_eq!(sessions.status(&id, later + REMEMBERED), None);
    }

    #[test]
    fn a_spoof_succeeds_with_low_confidence() {
        let mut sessions = Sessions::default();
        let id = sessions.insert(Seed(1), None, session(Timestamp::UNIX_EPOCH));
        sessions.take(&id, &outcome(OutcomeKind::Spoof), Seed(1), Timestamp::UNIX_EPOCH).expect("taken");
        let Stage::Succeeded { confidence, .. } = sessions.by_id[&id].state else { panic!("not succeeded") };
        assert!(confidence < 25.0);
    }
}
