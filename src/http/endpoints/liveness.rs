//! `POST /api/v1/liveness`: asks for a challenge, and says that the browser finished it.

use http::{StatusCode, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::verify::{Device, EVENT_ID};
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::chain;
use crate::http::api::body;
use crate::http::api::problem::{FieldError, Kind, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::validation::{Object, Rule};
use crate::http::api::view::{VerificationView, etag};
use crate::http::dispatch::{Call, ID, Service};
use crate::http::long_poll as wait;
use crate::http::long_poll::{LongPoll, WaitBudget};
use crate::http::openapi::Problems;
use crate::pocketbase::records::{NewAction, NewLivenessSession, StoredSession, StoredVerification};
use crate::verification::{ActionKind, Kind as CheckKind, SessionStatus};

/// Asks for a challenge; or, with `session_id`, says that the browser finished it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LivenessRequest {
    /// The verification it is for.
    #[schema(pattern = "^[a-z0-9]{15}$")]
    pub verification_id: String,
    /// The challenge that the browser finished: the `session_id` of the answer that opened it.
    #[schema(max_length = 64, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    pub session_id: Option<String>,
    /// A challenge that an earlier answer (202) left unopened: asks for that one again instead of another.
    #[schema(pattern = "^([a-z0-9]{15})?$")]
    pub liveness_session_id: Option<String>,
    /// The device in front of which the challenge is taken.
    pub device: Option<Device>,
}

/// Short-lived AWS credentials that can do one thing: `rekognition:StartFaceLivenessSession`.
#[derive(Serialize, ToSchema)]
pub struct Credentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token.
    pub session_token: String,
    /// When they end.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A challenge that the person can take now.
#[derive(Serialize, ToSchema)]
pub struct ChallengeAnswer {
    /// The verification.
    pub id: String,
    /// The challenge's record.
    pub liveness_session_id: String,
    /// What the browser's detector is given.
    pub session_id: String,
    /// The AWS region that the detector must use.
    #[schema(example = "eu-west-1")]
    pub region: String,
    /// Which challenge it is.
    #[schema(example = "FaceMovementAndLightChallenge")]
    pub challenge: String,
    /// Until when it must be finished.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// For the detector, when the operator configured a role for browsers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// Something about liveness that is under way, or done.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivenessAnswer {
    /// Where the verification stands.
    #[serde(flatten)]
    pub verification: VerificationView,
    /// The challenge's record.
    pub liveness_session_id: String,
}

const SESSION_ID: Rule = Rule::text(64);

/// Asks for a liveness challenge, or says that the browser finished it.
///
/// Asking writes a `liveness_sessions` record and waits some seconds for a sidecar to open the challenge. When that takes
/// longer the answer is 202 with the record's id: ask again with it as `liveness_session_id`. While no credentials can be had
/// for the browser the answer is 503, and no challenge was begun.
#[utoipa::path(
    post,
    path = "/api/v1/liveness",
    operation_id = "liveness",
    tag = "verifications",
    request_body(content = LivenessRequest),
    params(("Prefer" = Option<String>, Header, example = "wait=20",
        description = "`wait=N` with `session_id`: answer 200 when the challenge was judged, or 202 after N seconds")),
    responses(
        (status = 201, description = "The challenge is open", body = ChallengeAnswer),
        (status = 202, description = "With `session_id`: taken, the check runs. Without: the challenge is not open yet, ask again", body = LivenessAnswer,
            headers(
                ("Location" = String, description = "Where the verification stands"),
                ("Retry-After" = Option<u32>, description = "Seconds after which to ask again"),
            )),
        (status = 200, description = "The challenge was judged within the time of `Prefer: wait`", body = LivenessAnswer),
        (status = 404, description = "No such verification is known to the caller", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The verification has ended, or no challenge is open to it", body = ProblemBody, content_type = "application/problem+json"),
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
        root.required("verification_id", ID, &mut errors);
        let finished = root.text("session_id", SESSION_ID, &mut errors).is_some();
        if root.text("liveness_session_id", ID, &mut errors).is_some() && finished {
            let detail = "cannot be given with session_id: one asks for a challenge, the other finishes it";
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

/// Opens a challenge, or goes on waiting for `earlier`.
///
/// The browser's credentials come first: without them a challenge would be opened, counted and paid for in vain.
async fn challenge(service: &Service, stored: &StoredVerification, earlier: Option<&str>) -> Result<Reply> {
    if stored.is_final {
        return Err(Problem::new(Kind::Final, "The verification has ended; no challenge is needed."));
    }
    let credentials = browser_credentials(service, &stored.id).await?;
    let id = if let Some(id) = earlier {
        id.to_owned()
    } else {
        let new = NewLivenessSession { verification: stored.id.clone() };
        let id = service.pocketbase.create_liveness_session(&new).await?;
        reached(Point::ChallengeStored);
        id
    };
    let wait_budget =
        WaitBudget { deadline: Instant::now() + service.settings.liveness_open, shutdown: service.shutdown.clone() };
    let mut poll = LongPoll::begin(&service.changes, &stored.id, wait_budget);
    loop {
        if let Some(session) = poll.heed(session(service, stored, &id).await)?
            && session.status != SessionStatus::Requested
        {
            return opened(session, credentials);
        }
        if !poll.again().await {
            return not_yet(service, stored, id).await;
        }
    }
}

/// The challenge `id` of this verification; another's is as unknown as none.
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
                "The challenge was not opened: it is not asked for now, or too many were started."
            }
            _ => "The challenge has ended already.",
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

/// The browser's share of a challenge, when the operator configured a role for browsers. That AWS refuses or is away is never
/// the caller's fault.
async fn browser_credentials(service: &Service, verification: &str) -> Result<Option<Credentials>> {
    let Some(rekognition) = &service.facade.rekognition else { return Ok(None) };
    let given = rekognition.browser_credentials(verification).await.map_err(|trouble| {
        Problem::new(Kind::Unavailable, "There are no credentials for a challenge at the moment.")
            .because(chain(&trouble))
    })?;
    Ok(given.map(|answer| Credentials {
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

/// Notes that the browser finished; the check follows. Saying so twice is saying it once.
async fn finished(service: &Service, call: &Call<'_>, stored: &StoredVerification, session_id: &str) -> Result<Reply> {
    let (case, _) = service.pocketbase.read_case(&stored.id).await?.ok_or_else(Problem::not_found)?;
    let session = case.sessions.iter().find(|s| s.session_id == session_id).ok_or_else(|| {
        Problem::invalid(vec![FieldError::at("/session_id", "is not an open challenge of this verification")])
    })?;
    let said =
        case.actions.iter().any(|a| a.kind == Some(ActionKind::LivenessCompleted) && a.liveness_session == session.id);
    if !said {
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
        Some(wait_budget) => service.wait_for_check(&stored.id, CheckKind::Liveness, &session.id, wait_budget).await?,
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
    fn asking_and_finishing_are_read_and_not_mixed() {
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
