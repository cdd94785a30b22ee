//! `POST /api/v1/verify`: starts a verification.

mod request;

use std::sync::Arc;

use http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::request::{COUNTRY, Device, DocumentKind, EVENT_ID, VerifyRequest};

use self::request::{MADE_UP, read, record, refused};
use crate::base::failpoints::{Point, reached};
use crate::http::api::body;
use crate::http::api::problem::{FieldError, Kind, NO_USABLE_POLICY, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::view::{Input, VerificationView, etag};
use crate::http::dispatch::{Call, Service};
use crate::http::long_poll as wait;
use crate::http::long_poll::LongPoll;
use crate::http::middleware::auth::Caller;
use crate::http::middleware::idempotency::Fingerprint;
use crate::http::openapi::Problems;
use crate::pocketbase::PocketbaseError;
use crate::pocketbase::records::{DEFAULT_POLICY, StoredVerification};
use crate::pocketbase::store::users::ClientToken;
use crate::verification::Policy;

/// Where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// Where the verification stands.
    #[serde(rename = "self")]
    #[schema(example = "/api/v1/status/k3j9x0q2m5n7p1r")]
    pub this: String,
    /// Where documents are handed in.
    pub document: &'static str,
    /// Where liveness challenges are asked for.
    pub liveness: &'static str,
}

/// A verification that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifyAnswer {
    /// Where it stands.
    #[serde(flatten)]
    pub verification: VerificationView,
    /// Token for the person's browser: good for this facade (`Authorization: Bearer`) and for `PocketBase`. Only for
    /// callers with an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// When that token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub client_token_expires_at: Option<Timestamp>,
    /// Where to go on.
    pub links: Links,
}

/// Starts a verification.
#[utoipa::path(
    post,
    path = "/api/v1/verify",
    operation_id = "verify",
    tag = "verifications",
    request_body(content = VerifyRequest),
    params(
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
            description = "The same key and body again: the same verification, with `Idempotent-Replayed: true`. Holds for ever."),
        ("Prefer" = Option<String>, Header, example = "wait=10",
            description = "`wait=N`: answer when a device event handed in here was checked, or the verification was first looked at; after N seconds at the latest."),
    ),
    responses(
        (status = 201, description = "Started; or, with `Idempotent-Replayed: true`, started by this key before. The answer then shows the verification as it is now.",
            body = VerifyAnswer, headers(
                ("Location" = String, description = "Where the verification stands"),
                ("Idempotent-Replayed" = Option<String>, description = "`true` when the key was used before"),
            ), links(
                ("status" = (operation_id = "status", parameters(("id" = "$response.body#/id")))),
                ("liveness" = (operation_id = "liveness", request_body = json!({ "verification_id": "$response.body#/id" }))),
            )),
        (status = 200, description = "A verification of the same reference is open under the same policy, whichever version: this one", body = VerifyAnswer),
        (status = 409, description = "A request with this key is under way; or a verification of the same reference is open under another policy", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = Option<u32>, description = "Seconds, for a request under way"))),
        (status = 422, description = "A value cannot be accepted, or the key belongs to another body", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = []), ("user_token" = [])),
)]
pub async fn verify(service: &Service, call: &mut Call<'_>) -> Result<Reply> {
    let body = body::json(call.headers, &mut call.body, service.settings.json_bytes_max).await?;
    let secret = service.settings.hash_key.as_ref();
    let fingerprint = Fingerprint::new(call.headers, call.caller, call.route, &body, secret)?;
    // PocketBase's clock, where it is known: ours may be wrong.
    let now = service.pocketbase.now().unwrap_or_else(Timestamp::now);
    let request = read(body, call.caller, now)?;
    if request.device.is_some() && request.reference.as_deref().unwrap_or_default().is_empty() {
        // The verification's id does not exist yet, so the event can only be bound by the reference; unbound it would
        // decline the person.
        let detail =
            "needs a reference that was the event's linked_id; without one, hand the event in with the document";
        return Err(Problem::invalid(vec![FieldError::at("/device", detail)]));
    }
    let mark = fingerprint
        .as_ref()
        .map(|f| service.in_flight.acquire_if_free(&f.key, ()).ok_or_else(in_flight))
        .transpose()?;
    let policy = policy(service, call.caller, request.policy.as_deref().unwrap_or_default()).await?;
    let event_id = request.device.as_ref().map(|device| device.event_id.clone());
    let begun = begin(service, call.caller, request, fingerprint).await?;
    drop(mark);
    let device_taken = match &event_id {
        Some(event_id) => service.submit_device_event(&begun.stored.id, event_id, "start").await?,
        None => false,
    };
    let stored = wait_for_first_look(service, call, begun.stored, device_taken).await?;
    let mut verification = VerificationView::new(&stored, Some(&policy));
    if device_taken {
        verification = verification.given(Input::Device);
    }
    let location = format!("/api/v1/status/{}", stored.id);
    let answer = VerifyAnswer {
        verification,
        client_token: begun.token.as_ref().map(|token| token.token.expose_secret().to_owned()),
        client_token_expires_at: begun.token.as_ref().map(|token| token.expires_at),
        links: Links { this: location.clone(), document: "/api/v1/document", liveness: "/api/v1/liveness" },
    };
    let status = if begun.how == How::Open { StatusCode::OK } else { StatusCode::CREATED };
    let reply =
        Reply::json(status, &answer).with(header::ETAG, &etag(stored.version)).with(header::LOCATION, &location);
    Ok(match begun.how {
        How::Replayed => reply.with(HeaderName::from_static("idempotent-replayed"), "true"),
        How::Created | How::Open => reply,
    })
}

fn in_flight() -> Problem {
    Problem::new(Kind::InFlight, "A request with this Idempotency-Key is being handled.")
}

/// The policy asked for, if the caller may ask for it. Others' policies do not exist for a person.
async fn policy(service: &Service, caller: &Caller, asked: &str) -> Result<Arc<Policy>> {
    let name = if asked.is_empty() { DEFAULT_POLICY } else { asked };
    let policy = service.pocketbase.live_policy(name).await?;
    match policy {
        Some(policy) if asked.is_empty() || policy.open_to_users || matches!(caller, Caller::Server { .. }) => {
            usable(service, policy)
        }
        None if asked.is_empty() => {
            let cause = format!("there is no policy called {DEFAULT_POLICY}; create one in the collection policies");
            Err(Problem::new(Kind::Unavailable, NO_USABLE_POLICY).because(cause))
        }
        _ => Err(Problem::invalid(vec![FieldError::at("/policy", "is not the name of a policy")])),
    }
}

/// `policy`, unless nothing could be decided by it: then nobody shall begin what would wait for an operator.
fn usable(service: &Service, policy: Arc<Policy>) -> Result<Arc<Policy>> {
    let problems = policy.with_threshold(service.settings.face_liveness_threshold).problems();
    if problems.is_empty() {
        return Ok(policy);
    }
    let cause = format!("policies record {} cannot be used: {}", policy.id, problems.join("; "));
    Err(Problem::new(Kind::Unavailable, NO_USABLE_POLICY).because(cause))
}

/// How the answer's verification came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Created,
    Replayed,
    Open,
}

struct Begun {
    how: How,
    stored: StoredVerification,
    /// For callers with an API key.
    token: Option<ClientToken>,
}

/// Creates the verification, unless the key or the reference says that it is there already.
async fn begin(
    service: &Service,
    caller: &Caller,
    request: VerifyRequest,
    fingerprint: Option<Fingerprint>,
) -> Result<Begun> {
    let given = request.reference.clone().filter(|reference| !reference.is_empty());
    let asked = request.policy.as_deref().filter(|policy| !policy.is_empty()).unwrap_or(DEFAULT_POLICY);
    // Without a reference the person gets a user of their own. Its name follows from the key, so that a request repeated
    // after a crash finds the user it made.
    let reference = given.clone().unwrap_or_else(|| match &fingerprint {
        Some(fingerprint) => format!("{MADE_UP}{}", &fingerprint.key[..32]),
        None => format!("{MADE_UP}{}", uuid::Uuid::now_v7().simple()),
    });
    if let Some(stored) = replayed(service, fingerprint.as_ref()).await? {
        let token = client_token(service, caller, &reference).await?;
        return Ok(Begun { how: How::Replayed, stored, token });
    }
    // Two requests for one reference take turns, so that the second finds what the first created. A reference made up above is
    // this request's alone: random, or of a key that is marked as being in flight.
    let _turn = match &given {
        Some(given) => Some(service.reference_lock(given).await),
        None => None,
    };
    let token = client_token(service, caller, &reference).await?;
    if token.is_some() {
        reached(Point::PersonEnsured);
    }
    if let (Some(token), Some(given)) = (&token, &given)
        && !token.is_new
        && let Some(stored) = service.pocketbase.open_verification_of(&token.user).await?
        // Only what a server began under this reference: a person can set none, and what they began by themselves
        // under another policy and with another declaration is not what this caller asks for.
        && stored.reference == *given
    {
        if stored.policy() != asked {
            return Err(other_policy(&stored, asked));
        }
        return Ok(Begun { how: How::Open, stored, token: Some(token.clone()) });
    }
    let user = match (caller, &token) {
        (Caller::Person { user }, _) => user.clone(),
        (Caller::Server { .. }, Some(token)) => token.user.clone(),
        (Caller::Server { .. }, None) => String::new(),
    };
    let record = record(request, user, fingerprint.as_ref());
    match service.pocketbase.create_verification(&record).await {
        Ok(stored) => {
            reached(Point::VerificationCreated);
            Ok(Begun { how: How::Created, stored, token })
        }
        // Another facade was faster with the same key.
        Err(PocketbaseError::Conflict { .. }) if fingerprint.is_some() => {
            let stored = replayed(service, fingerprint.as_ref()).await?.ok_or_else(in_flight)?;
            Ok(Begun { how: How::Replayed, stored, token })
        }
        Err(PocketbaseError::Invalid { fields, .. }) => Err(refused(fields.iter().map(|f| f.field.as_str()))),
        Err(error) => Err(error.into()),
    }
}

/// To hand out a verification under another policy as if it were what was asked for would let a caller take an approval by
/// weaker rules for one by its own.
fn other_policy(open: &StoredVerification, asked: &str) -> Problem {
    let (id, policy) = (&open.id, open.policy());
    Problem::new(
        Kind::OtherPolicy,
        format!(
            "The verification {id} of this reference is open under the policy {policy}, not {asked}. Finish or cancel it, or \
             ask with its policy."
        ),
    )
}

/// The verification that the key made, if it did, and if the body is the same.
async fn replayed(service: &Service, fingerprint: Option<&Fingerprint>) -> Result<Option<StoredVerification>> {
    let Some(fingerprint) = fingerprint else { return Ok(None) };
    let stored = service.pocketbase.verification_by_idempotency_key(&fingerprint.key).await?;
    if let Some(stored) = &stored {
        service.status_cache.observe_version(&stored.id, stored.version, None);
    }
    match stored {
        Some(stored) if stored.request_hash != fingerprint.request => {
            Err(Problem::new(Kind::KeyReused, "This Idempotency-Key was used with another body."))
        }
        stored => Ok(stored),
    }
}

async fn client_token(service: &Service, caller: &Caller, reference: &str) -> Result<Option<ClientToken>> {
    match caller {
        Caller::Server { .. } => Ok(Some(service.pocketbase.ensure_user(reference).await?)),
        Caller::Person { .. } => Ok(None),
    }
}

/// As long as the caller prefers: until a sidecar looked at it and, when a device event came with it, judged that.
async fn wait_for_first_look(
    service: &Service,
    call: &Call<'_>,
    stored: StoredVerification,
    device: bool,
) -> Result<StoredVerification> {
    let Some(wait_budget) = service.wait_budget(wait::preferred(call.headers)) else { return Ok(stored) };
    let mut poll = LongPoll::begin(&service.changes, &stored.id, wait_budget);
    let mut last = stored;
    loop {
        if let Some(stored) = poll.heed(service.stored(&last.id).await)? {
            last = stored;
            let judged = last.results.get("device").is_some_and(|outcome| outcome != "pending");
            if last.is_final || last.version > 0 && (judged || !device) {
                return Ok(last);
            }
        }
        if !poll.again().await {
            return Ok(last);
        }
    }
}
