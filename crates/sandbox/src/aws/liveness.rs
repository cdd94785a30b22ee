//! Face Liveness: `CreateFaceLivenessSession` and `GetFaceLivenessSessionResults`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::caller::Caller;
use super::errors::AwsError;
use super::sessions::{Idempotent, Session, Stage};
use crate::request_log::Notes;
use crate::seed::sha256_hex;
use crate::state::Sandbox;

const AUDIT_IMAGES_MAX: u64 = 4;
const CHALLENGES: [(&str, &str); 2] = [("FaceMovementAndLightChallenge", "2.0.0"), ("FaceMovementChallenge", "1.0.0")];

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
    if let Some(used) = token.as_ref().and_then(|token| state.sessions.by_token(token)) {
        notes.subject = Some(used.session_id.clone());
        if used.parameters != parameters {
            let message = "A ClientRequestToken input parameter was reused with an operation, but at least one of the other input parameters is different from the previous call to the operation.";
            return Err(AwsError::client("IdempotentParameterMismatchException", message));
        }
        return Ok(json!({"SessionId": used.session_id}));
    }
    let now = session.created;
    let id = state.sessions.insert(sandbox.seed, token.as_deref(), session);
    if let Some(token) = token {
        state.sessions.remember_token(token, Idempotent { parameters, session_id: id.clone() });
    }
    if let Some(outcome) = &state.settings.auto_liveness {
        // A new session accepts any outcome.
        let _ = state.sessions.take(&id, outcome, sandbox.seed, now);
    }
    notes.subject = Some(id.clone());
    Ok(json!({"SessionId": id}))
}

/// Answers `GetFaceLivenessSessionResults`; with `of_another` (a fault), with the id of another
/// session.
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
    let session = sandbox.state().sessions.find(id, now).cloned();
    let session = session
        .filter(|session| session.region == caller.region)
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

/// An image that the check took, inline or as a reference into the caller's bucket.
fn audit_image(sandbox: &Sandbox, id: &str, person: &str, output: Option<&Value>, number: u64) -> Value {
    let picture = sandbox.selfie(person, id, number);
    let bounds = json!({
        "Width": picture.face.width, "Height": picture.face.height, "Left": picture.face.left, "Top": picture.face.top,
    });
    match output {
        Some(output) => {
            let prefix = output["S3KeyPrefix"].as_str().unwrap_or_default();
            let name = if number == 0 { "reference.jpg".to_owned() } else { format!("audit_{number}.jpg") };
            json!({"S3Object": {"Bucket": output["S3Bucket"], "Name": format!("{prefix}{id}/{name}")}, "BoundingBox": bounds})
        }
        None => json!({"Bytes": STANDARD.encode(&picture.jpeg), "BoundingBox": bounds}),
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
        limit => limit.as_u64().filter(|limit| *limit <= AUDIT_IMAGES_MAX).ok_or_else(|| {
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
