//! `POST /api/v1/liveness`: requests a challenge, and reports that the browser finished it.

use http::{StatusCode, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::chain;
use crate::http::api::body;
use crate::http::api::fields::{Device, EVENT_ID, RECORD_ID};
use crate::http::api::problem::{FieldError, Kind, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::responses::Problems;
use crate::http::api::validation::{Object, Rule};
use crate::http::api::view::{VerificationView, etag};
use crate::http::context::{Call, Service};
use crate::http::long_poll as wait;
use crate::http::long_poll::{LongPoll, WaitBudget};
use crate::pocketbase::records::{NewAction, NewLivenessSession, StoredSession, StoredVerification};
use crate::verification::{ActionKind, Kind as CheckKind, SessionStatus};

/// Requests a challenge or, with `session_id`, reports that the browser finished it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LivenessRequest {
    /// Verification that the challenge is for.
    #[schema(pattern = "^[a-z0-9]{15}$")]
    pub verification_id: String,
    /// Challenge that the browser finished: the `session_id` of the answer that opened it.
    #[schema(max_length = 64, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    pub session_id: Option<String>,
    /// Challenge that was not open yet in an earlier answer (202): waits for that one instead of
    /// requesting another.
    #[schema(pattern = "^([a-z0-9]{15})?$")]
    pub liveness_session_id: Option<String>,
    /// Device on which the person takes the challenge.
    pub device: Option<Device>,
}

/// Short-lived AWS credentials for one action: `rekognition:StartFaceLivenessSession`.
#[derive(Serialize, ToSchema)]
pub struct Credentials {
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: String,
    /// AWS session token.
    pub session_token: String,
    /// When the credentials expire.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// An open challenge.
#[derive(Serialize, ToSchema)]
pub struct ChallengeAnswer {
    /// Id of the verification.
    pub id: String,
    /// Id of the challenge's record.
    pub liveness_session_id: String,
    /// Session id for the detector in the browser.
    pub session_id: String,
    /// AWS region that the detector must use.
    #[schema(example = "eu-west-1")]
    pub region: String,
    /// Type of the challenge.
    #[schema(example = "FaceMovementAndLightChallenge")]
    pub challenge: String,
    /// When the challenge expires.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Credentials for the detector, if the operator configured a role for browsers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// State of a challenge that is not open yet or that the browser finished.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivenessAnswer {
    /// State of the verification.
    #[serde(flatten)]
    pub verification: VerificationView,
    /// Id of the challenge's record.
    pub liveness_session_id: String,
}

const SESSION_ID: Rule = Rule::text(64);

/// Requests a liveness challenge, or reports that the browser finished it.
///
/// A request for a challenge writes a `liveness_sessions` record and waits some seconds for a
/// sidecar to open the challenge. When that takes longer, the answer is 202 with the record's id:
/// repeat the request with it as `liveness_session_id`. While no credentials for the browser can be
/// issued, the answer is 503, and no challenge was created.
#[utoipa::path(
    post,
    path = "/api/v1/liveness",
    operation_id = "liveness",
    tag = "verifications",
    request_body(content = LivenessRequest),
    params(("Prefer" = Option<String>, Header, example = "wait=20",
        description = "`wait=N` with `session_id`: answer 200 once the challenge was judged, or 202 after N seconds")),
    responses(
        (status = 201, description = "The challenge is open", body = ChallengeAnswer),
        (status = 202, description = "With `session_id`: accepted, the check runs. Without: the challenge is not open yet, try again", body = LivenessAnswer,
            headers(
                ("Location" = String, description = "Address of the verification's status"),
                ("Retry-After" = Option<u32>, description = "Seconds after which to try again"),
            )),
        (status = 200, description = "The challenge was judged within the time of `Prefer: wait`", body = LivenessAnswer),
        (status = 404, description = "The caller has no such verification", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The verification has ended, or it can have no challenge now", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A value cannot be accepted", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = []), ("user_token" = [])),
)]
pub async fn liveness(service: &Service, call: &mut Call<'_>) -> Result<Reply> {
    let body = body::json(call.headers, &mut call.body, service.settings.json_bytes_max).await?;
    let request = read(body)?;
    let stored = service.visible(call.caller, &request.verification_id).await?;
    if let Some(device) = &request.device
        && !stored.is_final
    {
        service.submit_device_event(&stored.id, &device.event_id, "liveness").await?;
    }
    if let Some(session_id) = request.session_id.as_deref().filter(|id| !id.is_empty()) {
        finished(service, call, &stored, session_id).await
    } else {
        let earlier = request.liveness_session_id.as_deref().filter(|id| !id.is_empty());
        challenge(service, &stored, earlier).await
    }
}

fn read(body: Value) -> Result<LivenessRequest> {
    let mut errors = Vec::new();
    if let Some(root) = Object::body(&body, &mut errors) {
        root.only(&["verification_id", "session_id", "liveness_session_id", "device"], &mut errors);
        root.required("verification_id", RECORD_ID, &mut errors);
        let finished = root.text("session_id", SESSION_ID, &mut errors).is_some();
        if root.text("liveness_session_id", RECORD_ID, &mut errors).is_some() && finished {
            let detail = "cannot be combined with session_id: one requests a challenge, the other finishes it";
            errors.push(FieldError::at("/liveness_session_id", detail));
        }
        if let Some(device) = root.object("device", &mut errors) {
            device.only(&["event_id"], &mut errors);
            device.required("event_id", EVENT_ID, &mut errors);
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    serde_json::from_value(body).map_err(|_| Problem::new(Kind::Invalid, "The body is not a liveness request."))
}

/// Requests a challenge, or waits for `earlier`, and answers once it is open.
async fn challenge(service: &Service, stored: &StoredVerification, earlier: Option<&str>) -> Result<Reply> {
    if stored.is_final {
        return Err(Problem::new(Kind::Final, "The verification has ended; no challenge is needed."));
    }
    // Credentials first: without them the browser could not use the challenge, which would still be
    // counted and paid for.
    let credentials = browser_credentials(service, &stored.id).await?;
    let id = if let Some(id) = earlier {
        id.to_owned()
    } else {
        let new = NewLivenessSession { verification: stored.id.clone() };
        let id = service.pocketbase.create_liveness_session(&new).await?;
        reached(Point::ChallengeStored);
        id
    };
    let budget =
        WaitBudget { deadline: Instant::now() + service.settings.liveness_open, shutdown: service.shutdown.clone() };
    let mut poll = LongPoll::begin(&service.changes, &stored.id, budget);
    loop {
        if let Some(session) = poll.tolerate(session(service, stored, &id).await)?
            && session.status != SessionStatus::Requested
        {
            return opened(session, credentials);
        }
        if !poll.wait().await {
            return not_yet(service, stored, id).await;
        }
    }
}

/// Reads the challenge `id` of this verification. A challenge of another one is answered like one
/// that does not exist.
async fn session(service: &Service, stored: &StoredVerification, id: &str) -> Result<StoredSession> {
    let session = service.pocketbase.liveness_session(id).await?.filter(|s| s.verification == stored.id);
    session.ok_or_else(|| {
        Problem::invalid(vec![FieldError::at("/liveness_session_id", "is not a challenge of this verification")])
    })
}

fn opened(session: StoredSession, credentials: Option<Credentials>) -> Result<Reply> {
    if session.status != SessionStatus::Open {
        let why = match session.status {
            SessionStatus::Refused => {
                "The challenge was not opened: none is needed now, a newer one was requested, or too many were opened."
            }
            _ => "The challenge has already ended.",
        };
        return Err(Problem::new(Kind::LivenessRefused, why));
    }
    Ok(Reply::json(
        StatusCode::CREATED,
        &ChallengeAnswer {
            id: session.verification,
            liveness_session_id: session.id,
            session_id: session.session_id,
            region: session.region,
            challenge: session.challenge,
            expires_at: session.expires_at,
            credentials,
        },
    ))
}

/// Issues the browser's credentials for a challenge, if the operator configured a role for
/// browsers. An error of AWS is never the caller's fault, so it is [`Kind::Unavailable`].
async fn browser_credentials(service: &Service, verification: &str) -> Result<Option<Credentials>> {
    let Some(rekognition) = &service.rekognition else { return Ok(None) };
    let issued = rekognition.browser_credentials(verification).await.map_err(|trouble| {
        Problem::new(Kind::Unavailable, "Credentials for a challenge cannot be issued at the moment.")
            .because(chain(&trouble))
    })?;
    Ok(issued.map(|answer| Credentials {
        access_key_id: answer.value.access_key_id,
        secret_access_key: answer.value.secret_access_key.expose_secret().to_owned(),
        session_token: answer.value.session_token.expose_secret().to_owned(),
        expires_at: answer.value.expires_at,
    }))
}

async fn not_yet(service: &Service, stored: &StoredVerification, id: String) -> Result<Reply> {
    let reply = answer(service, StatusCode::ACCEPTED, &stored.id, id).await?;
    Ok(reply.with(header::RETRY_AFTER, "2"))
}

/// Records that the browser finished the challenge; its check follows. Idempotent.
async fn finished(service: &Service, call: &Call<'_>, stored: &StoredVerification, session_id: &str) -> Result<Reply> {
    let (case, _) = service.pocketbase.read_case(&stored.id).await?.ok_or_else(Problem::not_found)?;
    let session = case.sessions.iter().find(|s| s.session_id == session_id).ok_or_else(|| {
        Problem::invalid(vec![FieldError::at(
            "/session_id",
            "is not the session_id of a challenge of this verification",
        )])
    })?;
    let recorded =
        case.actions.iter().any(|a| a.kind == Some(ActionKind::LivenessCompleted) && a.liveness_session == session.id);
    if !recorded {
        if stored.is_final {
            return Err(Problem::new(Kind::Final, "The verification has ended; the challenge does not count."));
        }
        let action = NewAction {
            verification: stored.id.clone(),
            user: stored.user.clone(),
            action: ActionKind::LivenessCompleted,
            liveness_session: session.id.clone(),
        };
        service.pocketbase.create_action(&action).await?;
        reached(Point::FinishStored);
    }
    let judged = match service.wait_budget(wait::preferred(call.headers)) {
        Some(budget) => service.wait_for_check(&stored.id, CheckKind::Liveness, &session.id, budget).await?,
        None => false,
    };
    let status = if judged { StatusCode::OK } else { StatusCode::ACCEPTED };
    answer(service, status, &stored.id, session.id.clone()).await
}

async fn answer(service: &Service, status: StatusCode, id: &str, liveness_session_id: String) -> Result<Reply> {
    let stored = service.stored(id).await?;
    let verification = service.view(&stored).await?;
    Ok(Reply::json(status, &LivenessAnswer { verification, liveness_session_id })
        .with(header::ETAG, &etag(stored.version))
        .with(header::LOCATION, &format!("/api/v1/status/{id}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requesting_and_finishing_a_challenge_cannot_be_combined() {
        assert!(read(json!({ "verification_id": "abcdefghijklmno" })).is_ok());
        assert!(read(json!({ "verification_id": "abcdefghijklmno", "session_id": "s-1" })).is_ok());
        for (body, pointer) in [
            (json!({}), "/verification_id"),
            (json!({ "verification_id": "x" }), "/verification_id"),
            (json!({ "verification_id": "abcdefghijklmno", "score": 99 }), "/score"),
            (json!({ "verification_id": "abcdefghijklmno", "session_id": "s".repeat(65) }), "/session_id"),
            (
                json!({ "verification_id": "abcdefghijklmno", "session_id": "s", "liveness_session_id": "abcdefghijklmno" }),
                "/liveness_session_id",
            ),
        ] {
            let problem = read(body).expect_err("invalid");
            assert_eq!(problem.errors[0].pointer.as_deref(), Some(pointer));
        }
    }
}
