//! Fingerprint's Server API v4, and the creation of events in place of the agent in the browser.

pub mod event;
pub mod scenario;
pub mod store;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::faults::{Fault, FaultKind};
use crate::json::merge;
use crate::request_log::Notes;
use crate::state::Sandbox;
use crate::wire::{Call, Reply};

/// Status, error code and message.
struct ApiError(StatusCode, String, &'static str);

/// The name of the requested operation; empty if there is none.
pub fn operation(call: &Call) -> &'static str {
    let under =
        |folder: &str| call.path.strip_prefix(folder).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'));
    match call.method {
        Method::GET if under("/v4/events/") => "events.get",
        Method::PATCH if under("/v4/events/") => "events.update",
        Method::DELETE if under("/v4/visitors/") => "visitors.delete",
        _ => "",
    }
}

/// Answers a request to the API.
pub fn answer(sandbox: &Sandbox, operation: &str, call: &Call, fault: Option<&Fault>, notes: &mut Notes) -> Reply {
    let request_id = sandbox.seed.uuid("fingerprint request", &[&sandbox.next_request().to_be_bytes()]);
    notes.request_id = Some(request_id.clone());
    let worked = match fault.and_then(refusal) {
        Some(error) => Err(error),
        None => authorize(sandbox, call).and_then(|()| work(sandbox, operation, call, fault, notes)),
    };
    let reply = worked.unwrap_or_else(|ApiError(status, code, message)| {
        notes.error = Some(code.clone());
        Reply::json(status, &json!({"error": {"code": code, "message": message}}))
    });
    let reply = match fault {
        Some(Fault { kind: FaultKind::Throttle, retry_after: Some(seconds), .. }) => {
            reply.with("retry-after", seconds.to_string())
        }
        _ => reply,
    };
    reply.with("x-request-id", request_id)
}

fn refusal(fault: &Fault) -> Option<ApiError> {
    let (status, code, message) = match fault.kind {
        FaultKind::Throttle => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests"),
        FaultKind::Error5xx => (StatusCode::INTERNAL_SERVER_ERROR, "failed", "internal server error"),
        FaultKind::ExpiredCredential => (StatusCode::FORBIDDEN, "secret_api_key_not_found", "secret key is not found"),
        _ => return None,
    };
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(status);
    Some(ApiError(status, fault.code.clone().unwrap_or_else(|| code.to_owned()), message))
}

fn authorize(sandbox: &Sandbox, call: &Call) -> Result<(), ApiError> {
    let refused = |code: &str, message| Err(ApiError(StatusCode::FORBIDDEN, code.to_owned(), message));
    match call.bearer() {
        None | Some("") => refused("secret_api_key_required", "secret API key in header is missing or empty"),
        Some(key) if bool::from(key.as_bytes().ct_eq(sandbox.keys.fingerprint_secret_key.as_bytes())) => Ok(()),
        Some(_) => refused("secret_api_key_not_found", "no fingerprint workspace found for specified secret API key"),
    }
}

fn work(
    sandbox: &Sandbox,
    operation: &str,
    call: &Call,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Result<Reply, ApiError> {
    let last = call.path.rsplit('/').next().unwrap_or_default();
    let id = percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned();
    notes.subject = Some(id.clone());
    match operation {
        "events.get" => {
            let mut event = find(sandbox, &id)?;
            change(&mut event, fault, sandbox);
            Ok(Reply::json(StatusCode::OK, &event))
        }
        "events.update" => update(sandbox, &id, &call.body),
        "visitors.delete" if sandbox.state().events.delete_visitor(&id) => Ok(Reply::empty(StatusCode::OK)),
        "visitors.delete" => Err(ApiError(StatusCode::NOT_FOUND, "visitor_not_found".to_owned(), "visitor not found")),
        _ => Err(ApiError(StatusCode::NOT_FOUND, "request_cannot_be_parsed".to_owned(), "there is no such endpoint")),
    }
}

fn find(sandbox: &Sandbox, id: &str) -> Result<Value, ApiError> {
    let now = sandbox.now();
    let state = sandbox.state();
    let found = state.events.get(id).filter(|stored| now >= stored.readable_from);
    found.map(|stored| stored.event.clone()).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError(StatusCode::NOT_FOUND, "event_not_found".to_owned(), "event id is not found")
}

/// Applies the faults that change the event itself.
fn change(event: &mut Value, fault: Option<&Fault>, sandbox: &Sandbox) {
    match fault.map(|fault| (fault.kind, fault.body.as_ref())) {
        Some((FaultKind::Nan, _)) => {
            event["identification"]["confidence"]["score"] = "NaN".into();
            event["suspect_score"] = "NaN".into();
        }
        Some((FaultKind::WrongSession, _)) => {
            let suffix = sandbox.seed.word(crate::seed::ALPHANUMERIC, 6, "another event", 1);
            event["event_id"] = format!("{}.{suffix}", event["timestamp"]).into();
            event["linked_id"] = "somebody-elses".into();
        }
        Some((FaultKind::Merge, Some(patch))) => merge(event, patch),
        _ => {}
    }
}

fn update(sandbox: &Sandbox, id: &str, body: &[u8]) -> Result<Reply, ApiError> {
    let patch: Value = serde_json::from_slice(body).map_err(|_| {
        ApiError(StatusCode::BAD_REQUEST, "request_cannot_be_parsed".to_owned(), "the body is not JSON")
    })?;
    let now = sandbox.now();
    let mut state = sandbox.state();
    let stored = state.events.get_mut(id).ok_or_else(not_found)?;
    if now < stored.readable_from {
        return Err(ApiError(
            StatusCode::CONFLICT,
            "state_not_ready".to_owned(),
            "resource is not mutable yet, try again",
        ));
    }
    for name in ["linked_id", "tags", "suspect"] {
        if !patch[name].is_null() {
            stored.event[name] = patch[name].clone();
        }
    }
    Ok(Reply::empty(StatusCode::OK))
}
