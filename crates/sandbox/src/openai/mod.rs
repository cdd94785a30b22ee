//! `OpenAI`: models, chat completions and responses, to the extent that reading documents needs
//! them.

mod chat;
mod errors;
mod models;
mod prompt;
mod prompt_injection;
mod reading;
mod responses;
mod schema_fill;
mod usage;

use http::{Method, StatusCode};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use crate::faults::{Fault, FaultKind};
use crate::request_log::Notes;
use crate::state::Sandbox;
use crate::wire::{Call, Reply};
use errors::OpenaiError;

/// The name of the requested operation; empty if there is none.
pub fn operation(call: &Call) -> &'static str {
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    match call.path.as_str() {
        "/v1/models" if get => "models.list",
        path if get && path.starts_with("/v1/models/") => "models.retrieve",
        "/v1/chat/completions" if post => "chat.completions",
        "/v1/responses" if post => "responses",
        _ => "",
    }
}

/// Answers a request to the API.
pub fn answer(sandbox: &Sandbox, operation: &str, call: &Call, fault: Option<&Fault>, notes: &mut Notes) -> Reply {
    let number = sandbox.next_request();
    let request_id =
        format!("req_{}", hex::encode(&sandbox.seed.bytes("openai request", &[&number.to_be_bytes()])[..16]));
    notes.request_id = Some(request_id.clone());
    let worked = match fault.and_then(OpenaiError::of_fault) {
        Some(error) => Err(error),
        None => authorize(sandbox, call).and_then(|()| work(sandbox, operation, call, fault, notes)),
    };
    let reply = match worked {
        Ok(body) => Reply::json(StatusCode::OK, &body),
        Err(error) => {
            notes.error = error.code.clone().or_else(|| Some(error.kind.to_owned()));
            error.reply()
        }
    };
    let reply = match fault {
        Some(Fault { kind: FaultKind::Throttle, retry_after: Some(seconds), .. }) => {
            reply.with("retry-after", seconds.to_string())
        }
        _ => reply,
    };
    reply
        .with("x-request-id", &request_id)
        .with("openai-version", "2020-10-01")
        .with("openai-organization", "sandbox")
        .with("openai-processing-ms", "5")
        .with("x-ratelimit-limit-requests", "500")
        .with("x-ratelimit-remaining-requests", "499")
}

fn authorize(sandbox: &Sandbox, call: &Call) -> Result<(), OpenaiError> {
    let key = call.bearer();
    if key.is_some_and(|key| bool::from(key.as_bytes().ct_eq(sandbox.keys.openai_api_key.as_bytes()))) {
        return Ok(());
    }
    Err(OpenaiError::unauthorized(key))
}

fn work(
    sandbox: &Sandbox,
    operation: &str,
    call: &Call,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Result<Value, OpenaiError> {
    match operation {
        "models.list" => Ok(models::list(sandbox)),
        "models.retrieve" => {
            let encoded = call.path.trim_start_matches("/v1/models/");
            let id = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned();
            notes.subject = Some(id.clone());
            models::retrieve(sandbox, &id)
        }
        "chat.completions" => chat::complete(sandbox, &body(call)?, fault, notes),
        "responses" => responses::respond(sandbox, &body(call)?, fault, notes),
        _ => Err(OpenaiError {
            status: StatusCode::NOT_FOUND,
            ..OpenaiError::invalid(
                "",
                Some("unknown_url"),
                format!("Unknown request URL: {} {}", call.method, call.path),
            )
        }),
    }
}

fn body(call: &Call) -> Result<Value, OpenaiError> {
    let hint = "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly.)";
    serde_json::from_slice(&call.body).ok().filter(Value::is_object).ok_or_else(|| OpenaiError::invalid("", None, hint))
}
