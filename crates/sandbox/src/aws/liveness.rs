//! Face Liveness sessions: made by a server, taken by a browser, asked about by the server, gone after three minutes.

use std::collections::{HashMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Caller;
use super::errors::AwsError;
use crate::journal::Notes;
use crate::seed::{Seed, sha256_hex};
use crate::selfies::selfie;
use crate::state::Sandbox;

/// So long a session and all its data live.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(3);
/// So long afterwards it is still known to have existed.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(30);
const MOST_SESSIONS: usize = 20_000;
const MOST_AUDIT_IMAGES: u64 = 4;
const CHALLENGES: [(&str, &str); 2] = [("FaceMovementAndLightChallenge", "2.0.0"), ("FaceMovementChallenge", "1.0.0")];

/// How a challenge ends; what the challenge page posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What happened.
    #[serde(rename = "outcome")]
    pub kind: OutcomeKind,
    /// Who was in front of the camera.
    #[serde(default = "somebody")]
    pub person: String,
    /// Confidence, instead of the one that the outcome suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

fn somebody() -> String {
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
    /// A picture, a mask, a replay: the check succeeds with little confidence.
    Spoof,
    /// The check itself fails.
    Fail,
    /// The person leaves; the session stays open until it expires.
    WalkAway,
    /// A living person, but no reference image comes back.
    NoReferenceImage,
}

#[derive(Debug, Clone)]
struct Session {
    region: String,
    created: Timestamp,
    audit_images: u64,
    challenge: (String, String),
    output: Option<Value>,
    state: Stage,
}

#[derive(Debug, Clone)]
enum Stage {
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
    by_token: HashMap<String, (String, String)>,
    made: u64,
}

/// Why an outcome was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No such session.
    Unknown,
    /// Older than three minutes.
    Expired,
    /// One session is one check.
    AlreadyTaken,
}

impl Sessions {
    /// Names a session after its token, so that a sandbox started anew on old records repeats no id of another session; without a
    /// token, after its instant.
    fn insert(&mut self, seed: Seed, token: Option<&str>, session: Session) -> String {
        if self.order.len() >= MOST_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
            self.by_token.retain(|_, (_, id)| *id != oldest);
        }
        self.made += 1;
        let instant = format!("{} {}", self.made, session.created.as_nanosecond());
        let id = seed.uuid("liveness session", &[token.unwrap_or(&instant).as_bytes(), session.region.as_bytes()]);
        self.order.push_back(id.clone());
        self.by_id.insert(id.clone(), session);
        id
    }

    /// Lets a challenge end.
    pub fn take(&mut self, id: &str, outcome: &Outcome, seed: Seed, now: Timestamp) -> Result<(), Refused> {
        let session = self.by_id.get_mut(id).ok_or(Refused::Unknown)?;
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
        tracing::debug!(session = id, started, "the challenge went on");
        Ok(())
    }

    /// Where a session stands, for the challenge page.
    pub fn status(&self, id: &str, now: Timestamp) -> Option<&'static str> {
        self.by_id
            .get(id)
            .filter(|session| now < session.created + LIFETIME + REMEMBERED)
            .map(|session| session.status(now))
    }
}

impl Session {
    fn status(&self, now: Timestamp) -> &'static str {
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

/// Answers `CreateFaceLivenessSession`.
pub fn create(sandbox: &Sandbox, request: &Value, caller: &Caller, notes: &mut Notes) -> Result<Value, AwsError> {
    let token = token(request)?;
    notes.idempotency_token = token.clone().or(notes.idempotency_token.take());
    let settings = &request["Settings"];
    let session = Session {
        region: caller.region.clone(),
        created: sandbox.now(),
        audit_images: audit_images(settings)?,
        challenge: challenge(settings)?,
        output: output(settings)?,
        state: Stage::Created,
    };
    let parameters = sha256_hex(json!([caller.region, request["KmsKeyId"], settings]).to_string().as_bytes());
    let mut guard = sandbox.state();
    let state = &mut *guard;
    if let Some((before, id)) = token.as_ref().and_then(|token| state.sessions.by_token.get(token)) {
        notes.subject = Some(id.clone());
        if *before != parameters {
            let message = "A ClientRequestToken input parameter was reused with an operation, but at least one of the other input parameters is different from the previous call to the operation.";
            return Err(AwsError::client("IdempotentParameterMismatchException", message));
        }
        return Ok(json!({"SessionId": id}));
    }
    let now = session.created;
    let id = state.sessions.insert(sandbox.seed, token.as_deref(), session);
    if let Some(token) = token {
        state.sessions.by_token.insert(token, (parameters, id.clone()));
    }
    if let Some(outcome) = &state.settings.auto_liveness {
        // A fresh session takes any outcome.
        let _ = state.sessions.take(&id, outcome, sandbox.seed, now);
    }
    notes.subject = Some(id.clone());
    Ok(json!({"SessionId": id}))
}

/// Answers `GetFaceLivenessSessionResults`; as a fault, with the results of a session that nobody asked about.
pub fn results(
    sandbox: &Sandbox,
    request: &Value,
    caller: &Caller,
    of_another: bool,
    notes: &mut Notes,
) -> Result<Value, AwsError> {
    let id = request["SessionId"].as_str().unwrap_or_default();
    if !is_session_id(id) {
        let pattern = "Member must satisfy regular expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        return Err(AwsError::validation(id, "sessionId", pattern));
    }
    notes.subject = Some(id.to_owned());
    let now = sandbox.now();
    let session = sandbox.state().sessions.by_id.get(id).cloned();
    let session = session
        .filter(|session| session.region == caller.region && now < session.created + LIFETIME + REMEMBERED)
        .ok_or_else(|| AwsError::client("SessionNotFoundException", "Session not found"))?;
    let shown_id = if of_another { sandbox.seed.uuid("another liveness session", &[]) } else { id.to_owned() };
    let (kind, version) = &session.challenge;
    let mut answer =
        json!({"SessionId": shown_id, "Status": session.status(now), "Challenge": {"Type": kind, "Version": version}});
    if session.status(now) != "SUCCEEDED" {
        return Ok(answer);
    }
    let Stage::Succeeded { confidence, person, reference_image } = &session.state else { return Ok(answer) };
    answer["Confidence"] = json!(confidence);
    let image = |number| audit_image(sandbox, &shown_id, person, session.output.as_ref(), number);
    if *reference_image {
        answer["ReferenceImage"] = image(0);
    }
    answer["AuditImages"] = (1..=session.audit_images).map(image).collect();
    Ok(answer)
}

/// An image that the check took, inline or as a pointer into the caller's bucket.
fn audit_image(sandbox: &Sandbox, id: &str, person: &str, output: Option<&Value>, number: u64) -> Value {
    let picture = selfie(sandbox, person, id, number);
    let place = json!({
        "Width": picture.face.width, "Height": picture.face.height, "Left": picture.face.left, "Top": picture.face.top,
    });
    match output {
        Some(output) => {
            let prefix = output["S3KeyPrefix"].as_str().unwrap_or_default();
            let name = if number == 0 { "reference.jpg".to_owned() } else { format!("audit_{number}.jpg") };
            json!({"S3Object": {"Bucket": output["S3Bucket"], "Name": format!("{prefix}{id}/{name}")}, "BoundingBox": place})
        }
        None => json!({"Bytes": STANDARD.encode(&picture.jpeg), "BoundingBox": place}),
    }
}

fn token(request: &Value) -> Result<Option<String>, AwsError> {
    let Some(token) = request.get("ClientRequestToken") else { return Ok(None) };
    let valid = |token: &&str| {
        (1..=64).contains(&token.len())
            && token.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    };
    match token.as_str().filter(valid) {
        Some(token) => Ok(Some(token.to_owned())),
        None => Err(AwsError::validation(
            token.as_str().unwrap_or("null"),
            "clientRequestToken",
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9-_]+$ and have length between 1 and 64",
        )),
    }
}

fn audit_images(settings: &Value) -> Result<u64, AwsError> {
    match &settings["AuditImagesLimit"] {
        Value::Null => Ok(0),
        limit => limit.as_u64().filter(|limit| *limit <= MOST_AUDIT_IMAGES).ok_or_else(|| {
            AwsError::validation(
                &limit.to_string(),
                "settings.auditImagesLimit",
                "Member must have value between 0 and 4",
            )
        }),
    }
}

fn challenge(settings: &Value) -> Result<(String, String), AwsError> {
    let wanted = settings["ChallengePreferences"].as_array().and_then(|preferences| preferences.first());
    let Some(wanted) = wanted else {
        let (kind, version) = CHALLENGES[0];
        return Ok((kind.to_owned(), version.to_owned()));
    };
    let kind = wanted["Type"].as_str().unwrap_or("null");
    let (kind, version) = CHALLENGES.into_iter().find(|(name, _)| *name == kind).ok_or_else(|| {
        let field = "settings.challengePreferences.1.member.type";
        AwsError::validation(
            kind,
            field,
            "Member must satisfy enum value set: [FaceMovementChallenge, FaceMovementAndLightChallenge]",
        )
    })?;
    Ok((kind.to_owned(), version.to_owned()))
}

fn output(settings: &Value) -> Result<Option<Value>, AwsError> {
    let output = &settings["OutputConfig"];
    if output.is_null() {
        return Ok(None);
    }
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    let bucket = output["S3Bucket"].as_str().unwrap_or_default();
    if !(3..=255).contains(&bucket.len()) || !bucket.chars().all(allowed) {
        let pattern =
            "Member must satisfy regular expression pattern: [0-9A-Za-z\\.\\-_]* and have length between 3 and 255";
        return Err(AwsError::validation(bucket, "settings.outputConfig.s3Bucket", pattern));
    }
    Ok(Some(output.clone()))
}

fn is_session_id(id: &str) -> bool {
    let groups: Vec<_> = id.split('-').collect();
    let hex = |group: &&str| group.chars().all(|letter| matches!(letter, '0'..='9' | 'a'..='f'));
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hex)
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
    fn one_session_is_one_check_and_lives_three_minutes() {
        let now = Timestamp::UNIX_EPOCH;
        let mut sessions = Sessions::default();
        let id = sessions.insert(Seed(1), None, session(now));
        assert!(is_session_id(&id));
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
    fn a_spoof_succeeds_with_little_confidence() {
        let mut sessions = Sessions::default();
        let id = sessions.insert(Seed(1), None, session(Timestamp::UNIX_EPOCH));
        sessions.take(&id, &outcome(OutcomeKind::Spoof), Seed(1), Timestamp::UNIX_EPOCH).expect("taken");
        let Stage::Succeeded { confidence, .. } = sessions.by_id[&id].state else { panic!("not succeeded") };
        assert!(confidence < 25.0);
    }
}
