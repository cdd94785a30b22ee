//! `POST /api/v1/verify`: starts a verification.

mod request;

use std::sync::Arc;

use http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::request::VerifyRequest;

use self::request::{GENERATED_PREFIX, read, record, rejected};
use crate::base::failpoints::{Point, reached};
use crate::http::api::body;
use crate::http::api::problem::{FieldError, Kind, NO_USABLE_POLICY, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::responses::Problems;
use crate::http::api::view::{Input, VerificationView, etag};
use crate::http::context::{Call, Service};
use crate::http::long_poll as wait;
use crate::http::long_poll::LongPoll;
use crate::http::middleware::auth::Caller;
use crate::http::middleware::idempotency::RequestHashes;
use crate::pocketbase::PocketbaseError;
use crate::pocketbase::records::{DEFAULT_POLICY, StoredVerification};
use crate::pocketbase::store::users::ClientToken;
use crate::verification::Policy;

/// Addresses for the next steps.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// Status of the verification.
    #[serde(rename = "self")]
    #[schema(example = "/api/v1/status/k3j9x0q2m5n7p1r")]
    pub this: String,
    /// Submission of documents.
    pub document: &'static str,
    /// Requests for liveness challenges.
    pub liveness: &'static str,
}

/// A verification that was started or found.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifyAnswer {
    /// State of the verification.
    #[serde(flatten)]
    pub verification: VerificationView,
    /// Token for the person's browser, valid for this API (`Authorization: Bearer`) and for
    /// `PocketBase`. Only for callers with an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// When `client_token` expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub client_token_expires_at: Option<Timestamp>,
    /// Addresses for the next steps.
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
            description = "The same key and body again return the same verification, with `Idempotent-Replayed: true`. A key never expires."),
        ("Prefer" = Option<String>, Header, example = "wait=10",
            description = "`wait=N`: answer once the device event in this request was checked or, without one, the verification was first processed; after N seconds at the latest."),
    ),
    responses(
        (status = 201, description = "Started; or, with `Idempotent-Replayed: true`, started earlier with this key. The answer then shows the verification as it is now.",
            body = VerifyAnswer, headers(
                ("Location" = String, description = "Address of the verification's status"),
                ("Idempotent-Replayed" = Option<String>, description = "`true` when the key was used before"),
            ), links(
                ("status" = (operation_id = "status", parameters(("id" = "$response.body#/id")))),
                ("liveness" = (operation_id = "liveness", request_body = json!({ "verification_id": "$response.body#/id" }))),
            )),
        (status = 200, description = "A verification of the same reference is already open under the same policy, of any version; the answer shows it", body = VerifyAnswer),
        (status = 409, description = "A request with this key is in progress; or a verification of the same reference is open under another policy", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = Option<u32>, description = "Seconds, for a request in progress"))),
        (status = 422, description = "A value cannot be accepted, or the key belongs to another body", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = []), ("user_token" = [])),
)]
pub async fn verify(service: &Service, call: &mut Call<'_>) -> Result<Reply> {
    let body = body::json(call.headers, &mut call.body, service.settings.json_bytes_max).await?;
    let secret = service.settings.hash_key.as_ref();
    let hashes = RequestHashes::new(call.headers, call.caller, call.route, &body, secret)?;
    // PocketBase's clock if it is known: this machine's clock may be wrong.
    let now = service.pocketbase.now().unwrap_or_else(Timestamp::now);
    let request = read(body, call.caller, now)?;
    if request.device.is_some() && request.reference.as_deref().unwrap_or_default().is_empty() {
        // The verification's id does not exist yet, so only the reference can bind the event to it.
        // An event without that binding would decline the person.
        let detail = "is accepted only with a reference that is the event's linked_id; without one, submit the event with \
                      the document";
        return Err(Problem::invalid(vec![FieldError::at("/device", detail)]));
    }
    let in_flight =
        hashes.as_ref().map(|f| service.in_flight.acquire_if_free(&f.key, ()).ok_or_else(key_in_flight)).transpose()?;
    let policy = policy(service, call.caller, request.policy.as_deref().unwrap_or_default()).await?;
    let event_id = request.device.as_ref().map(|device| device.event_id.clone());
    let found = find_or_create(service, call.caller, request, hashes).await?;
    drop(in_flight);
    let device_accepted = match &event_id {
        Some(event_id) => service.submit_device_event(&found.stored.id, event_id, "start").await?,
        None => false,
    };
    let stored = wait_for_first_result(service, call, found.stored, device_accepted).await?;
    let mut verification = VerificationView::new(&stored, Some(&policy));
    if device_accepted {
        verification = verification.without_input(Input::Device);
    }
    let location = format!("/api/v1/status/{}", stored.id);
    let answer = VerifyAnswer {
        verification,
        client_token: found.token.as_ref().map(|token| token.token.expose_secret().to_owned()),
        client_token_expires_at: found.token.as_ref().map(|token| token.expires_at),
        links: Links { this: location.clone(), document: "/api/v1/document", liveness: "/api/v1/liveness" },
    };
    let status = if found.origin == Origin::AlreadyOpen { StatusCode::OK } else { StatusCode::CREATED };
    let reply =
        Reply::json(status, &answer).with(header::ETAG, &etag(stored.version)).with(header::LOCATION, &location);
    Ok(match found.origin {
        Origin::Replayed => reply.with(HeaderName::from_static("idempotent-replayed"), "true"),
        Origin::Created | Origin::AlreadyOpen => reply,
    })
}

fn key_in_flight() -> Problem {
    Problem::new(Kind::InFlight, "A request with this Idempotency-Key is being handled.")
}

/// Reads the requested policy, if the caller may use it. For a person, a policy that is not open to
/// users does not exist.
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
        _ => Err(Problem::invalid(vec![FieldError::at("/policy", "is not the name of a policy that you may use")])),
    }
}

/// Returns `policy` unless it cannot decide anything: a verification under it would wait for an
/// operator.
fn usable(service: &Service, policy: Arc<Policy>) -> Result<Arc<Policy>> {
    let problems = policy.with_threshold(service.settings.face_liveness_threshold).problems();
    if problems.is_empty() {
        return Ok(policy);
    }
    let cause = format!("policies record {} cannot be used: {}", policy.id, problems.join("; "));
    Err(Problem::new(Kind::Unavailable, NO_USABLE_POLICY).because(cause))
}

/// Where the answer's verification comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Created,
    /// An earlier request with the same idempotency key created it.
    Replayed,
    /// It was open under the same reference and policy.
    AlreadyOpen,
}

struct Found {
    origin: Origin,
    stored: StoredVerification,
    /// Set for callers with an API key.
    token: Option<ClientToken>,
}

/// Creates the verification, unless the idempotency key or the reference names an existing one.
async fn find_or_create(
    service: &Service,
    caller: &Caller,
    request: VerifyRequest,
    hashes: Option<RequestHashes>,
) -> Result<Found> {
    let given = request.reference.clone().filter(|reference| !reference.is_empty());
    let asked = request.policy.as_deref().filter(|policy| !policy.is_empty()).unwrap_or(DEFAULT_POLICY);
    // Without a reference the person gets a new user. Its name follows from the idempotency key, so
    // that a request repeated after a crash finds the user that it created.
    let reference = given.clone().unwrap_or_else(|| match &hashes {
        Some(hashes) => format!("{GENERATED_PREFIX}{}", &hashes.key[..32]),
        None => format!("{GENERATED_PREFIX}{}", uuid::Uuid::now_v7().simple()),
    });
    if let Some(stored) = replayed(service, hashes.as_ref()).await? {
        let token = client_token(service, caller, &reference).await?;
        return Ok(Found { origin: Origin::Replayed, stored, token });
    }
    // Two requests for one reference run one after the other, so that the second finds what the
    // first created. A reference generated above belongs to this request alone: it is random, or of
    // a key that is marked as in flight.
    let _lock = match &given {
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
        // Only a verification that a server started under this reference. A person cannot set a
        // reference, and one that the person started alone, under another policy and with other
        // declared data, is not what this caller asks for.
        && stored.reference == *given
    {
        if stored.policy() != asked {
            return Err(other_policy(&stored, asked));
        }
        return Ok(Found { origin: Origin::AlreadyOpen, stored, token: Some(token.clone()) });
    }
    let user = match (caller, &token) {
        (Caller::Person { user }, _) => user.clone(),
        (Caller::Server { .. }, Some(token)) => token.user.clone(),
        (Caller::Server { .. }, None) => String::new(),
    };
    let record = record(request, user, hashes.as_ref());
    match service.pocketbase.create_verification(&record).await {
        Ok(stored) => {
            reached(Point::VerificationCreated);
            Ok(Found { origin: Origin::Created, stored, token })
        }
        // Another facade created it first with the same key.
        Err(PocketbaseError::Conflict { .. }) if hashes.is_some() => {
            let stored = replayed(service, hashes.as_ref()).await?.ok_or_else(key_in_flight)?;
            Ok(Found { origin: Origin::Replayed, stored, token })
        }
        Err(PocketbaseError::Invalid { fields, .. }) => Err(rejected(fields.iter().map(|f| f.field.as_str()))),
        Err(error) => Err(error.into()),
    }
}

/// Problem of an open verification under another policy. If it were returned as the requested one,
/// the caller could take an approval under weaker rules for one under its own.
fn other_policy(open: &StoredVerification, asked: &str) -> Problem {
    let (id, policy) = (&open.id, open.policy());
    Problem::new(
        Kind::OtherPolicy,
        format!(
            "The verification {id} of this reference is open under the policy {policy}, not {asked}. Let the person finish \
             or cancel it, or repeat the request with the policy {policy}."
        ),
    )
}

/// Finds the verification that an earlier request with this key and the same body created.
async fn replayed(service: &Service, hashes: Option<&RequestHashes>) -> Result<Option<StoredVerification>> {
    let Some(hashes) = hashes else { return Ok(None) };
    let stored = service.pocketbase.verification_by_idempotency_key(&hashes.key).await?;
    if let Some(stored) = &stored {
        service.status_cache.observe_version(&stored.id, stored.version, None);
    }
    match stored {
        Some(stored) if stored.request_hash != hashes.request => {
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

/// Waits, if the caller prefers that, until a sidecar has processed the verification and, if this
/// request brought a device event, has judged it.
async fn wait_for_first_result(
    service: &Service,
    call: &Call<'_>,
    stored: StoredVerification,
    device: bool,
) -> Result<StoredVerification> {
    let Some(budget) = service.wait_budget(wait::preferred(call.headers)) else { return Ok(stored) };
    let mut poll = LongPoll::begin(&service.changes, &stored.id, budget);
    let mut last = stored;
    loop {
        if let Some(stored) = poll.tolerate(service.stored(&last.id).await)? {
            last = stored;
            let judged = last.results.get("device").is_some_and(|outcome| outcome != "pending");
            if last.is_final || last.version > 0 && (judged || !device) {
                return Ok(last);
            }
        }
        if !poll.wait().await {
            return Ok(last);
        }
    }
}
