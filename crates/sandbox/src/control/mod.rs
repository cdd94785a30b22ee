//! The sandbox's own endpoints, by which scripts, tests and people with a browser control it.

mod catalogue;
mod pages;

use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::aws::sessions::{Outcome, Refused};
use crate::faults::Fault;
use crate::fingerprint::event::{self, EventRequest};
use crate::fingerprint::scenario;
use crate::json::merge;
use crate::state::{Sandbox, Settings};
use crate::wire::{Call, Reply};

/// Most entries of the request log in one answer.
const ENTRIES_MAX: usize = 1000;
/// Longest name of a person.
const NAME_CHARACTERS_MAX: usize = 60;

/// An error answer: status and message.
struct Problem(StatusCode, String);

type Answer = Result<Reply, Problem>;

/// Answers a request to the sandbox itself.
// Every origin is allowed: there is nothing to protect here.
pub fn answer(sandbox: &Sandbox, call: &Call) -> Reply {
    let reply = if call.is_preflight() {
        Reply::empty(StatusCode::NO_CONTENT)
            .with("access-control-allow-methods", "GET, POST, DELETE")
            .with("access-control-allow-headers", "content-type")
            .with("access-control-max-age", "600")
    } else {
        route(sandbox, call).unwrap_or_else(|Problem(status, message)| Reply::json(status, &json!({"error": message})))
    };
    reply.with("access-control-allow-origin", "*").with("cache-control", "no-store")
}

fn route(sandbox: &Sandbox, call: &Call) -> Answer {
    let parts: Vec<_> = call.path.trim_matches('/').split('/').collect();
    match (&call.method, &parts[..]) {
        (&Method::GET, [""]) => Ok(pages::index()),
        (&Method::GET, ["sandbox", "health"]) => Ok(health(sandbox)),
        (&Method::GET, ["sandbox", "scenarios"]) => Ok(Reply::json(StatusCode::OK, &catalogue::everything())),
        (&Method::GET, ["sandbox", "journal"]) => request_log(sandbox, call),
        (&Method::DELETE, ["sandbox", "journal"]) => {
            sandbox.state().request_log.clear();
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, ["sandbox", "faults"]) => {
            Ok(Reply::json(StatusCode::OK, &json!({"faults": sandbox.state().faults.rules()})))
        }
        (&Method::POST, ["sandbox", "faults"]) => add_faults(sandbox, call),
        (&Method::DELETE, ["sandbox", "faults"]) => {
            sandbox.state().faults.clear();
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        (&Method::DELETE, ["sandbox", "faults", id]) => remove_fault(sandbox, id),
        (&Method::GET, ["sandbox", "clock"]) => Ok(clock(sandbox)),
        (&Method::POST, ["sandbox", "clock"]) => advance_clock(sandbox, call),
        (&Method::GET, ["sandbox", "settings"]) => Ok(settings(sandbox)),
        (&Method::POST, ["sandbox", "settings"]) => change_settings(sandbox, call),
        (&Method::POST, ["sandbox", "reset"]) => {
            sandbox.reset();
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        (&Method::GET, ["sandbox", "liveness"]) => Ok(pages::liveness()),
        (&Method::GET, ["sandbox", "liveness", id]) => liveness_status(sandbox, id),
        (&Method::POST, ["sandbox", "liveness", id]) => take_challenge(sandbox, call, id),
        (&Method::GET, ["sandbox", "persons", file]) => portrait(sandbox, file),
        (&Method::POST, ["sandbox", "fingerprint", "events"]) => create_event(sandbox, call),
        _ => Err(Problem(
            StatusCode::NOT_FOUND,
            format!("there is no {} {} here; GET / explains what there is", call.method, call.path),
        )),
    }
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, Problem> {
    serde_json::from_slice(&call.body)
        .map_err(|error| Problem(StatusCode::UNPROCESSABLE_ENTITY, format!("the body: {error}")))
}

fn health(sandbox: &Sandbox) -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    Reply::json(
        StatusCode::OK,
        &json!({"status": "ok", "version": version, "seed": sandbox.seed.0, "now": format!("{:.3}", sandbox.now())}),
    )
}

fn request_log(sandbox: &Sandbox, call: &Call) -> Answer {
    let number = |name: &str| match call.query_value(name) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| Problem(StatusCode::UNPROCESSABLE_ENTITY, format!("{name} must be a whole number"))),
    };
    let since = number("since")?.unwrap_or(0);
    let limit = number("limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX);
    let matches = |value: Value, name: &str| call.query_value(name).is_none_or(|wanted| value == wanted.as_str());
    let state = sandbox.state();
    let entries: Vec<_> = state
        .request_log
        .after(since, usize::MAX)
        .filter(|entry| matches(json!(entry.provider), "provider") && matches(json!(entry.operation), "operation"))
        .take(limit)
        .collect();
    Ok(Reply::json(StatusCode::OK, &json!({"entries": entries, "last": state.request_log.last()})))
}

/// Adds one rule or a list of rules; if one rule is invalid or there are too many, none is added.
fn add_faults(sandbox: &Sandbox, call: &Call) -> Answer {
    let body: Value = read(call)?;
    let wanted = if body.is_array() { body } else { json!([body]) };
    let wanted: Vec<Fault> = serde_json::from_value(wanted)
        .map_err(|error| Problem(StatusCode::UNPROCESSABLE_ENTITY, format!("the body: {error}")))?;
    if let Some(problem) = wanted.iter().find_map(Fault::problem) {
        return Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, problem));
    }
    let ids = sandbox.state().faults.add(wanted).ok_or_else(|| {
        Problem(StatusCode::INSUFFICIENT_STORAGE, "there are too many fault rules; DELETE /sandbox/faults".to_owned())
    })?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"ids": ids})))
}

fn remove_fault(sandbox: &Sandbox, id: &str) -> Answer {
    let removed = id.parse().is_ok_and(|id| sandbox.state().faults.remove(id));
    if removed {
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    } else {
        Err(Problem(StatusCode::NOT_FOUND, format!("there is no fault {id}")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

fn clock(sandbox: &Sandbox) -> Reply {
    let ahead = sandbox.state().clock_offset.as_secs();
    Reply::json(StatusCode::OK, &json!({"now": format!("{:.3}", sandbox.now()), "ahead_seconds": ahead}))
}

fn advance_clock(sandbox: &Sandbox, call: &Call) -> Answer {
    let Advance { advance_seconds } = read(call)?;
    {
        let mut state = sandbox.state();
        state.clock_offset = state.clock_offset.saturating_add(SignedDuration::from_secs(advance_seconds));
    }
    Ok(clock(sandbox))
}

fn settings(sandbox: &Sandbox) -> Reply {
    Reply::json(StatusCode::OK, &json!(sandbox.state().settings))
}

/// Replaces the settings that are posted; null resets a setting to its default.
fn change_settings(sandbox: &Sandbox, call: &Call) -> Answer {
    let patch: Value = read(call)?;
    let changed = {
        let mut merged = json!(sandbox.state().settings);
        // `merge` alone would combine an object of latencies with the old one; a setting is
        // replaced whole.
        for (name, value) in patch.as_object().into_iter().flatten() {
            let mut replaced = serde_json::Map::new();
            replaced.insert(name.clone(), Value::Null);
            merge(&mut merged, &Value::Object(replaced));
            if !value.is_null() {
                merged[name] = value.clone();
            }
        }
        serde_json::from_value::<Settings>(merged)
            .map_err(|error| Problem(StatusCode::UNPROCESSABLE_ENTITY, format!("the body: {error}")))?
    };
    sandbox.state().settings = changed;
    Ok(settings(sandbox))
}

fn liveness_status(sandbox: &Sandbox, id: &str) -> Answer {
    let now = sandbox.now();
    let status = sandbox.state().sessions.status(id, now);
    let status =
        status.ok_or_else(|| Problem(StatusCode::NOT_FOUND, "there is no such liveness session".to_owned()))?;
    Ok(Reply::json(StatusCode::OK, &json!({"session_id": id, "status": status})))
}

/// Answers with the picture of a person as the camera would take it.
fn portrait(sandbox: &Sandbox, file: &str) -> Answer {
    let slug = |person: &&str| {
        (1..=NAME_CHARACTERS_MAX).contains(&person.len())
            && person.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
    };
    let message = "ask for {person}.jpg, with a name of up to 60 lower-case letters, digits and hyphens";
    let person =
        file.strip_suffix(".jpg").filter(slug).ok_or_else(|| Problem(StatusCode::NOT_FOUND, message.to_owned()))?;
    let picture = sandbox.selfie(person, "portrait", 0);
    Ok(Reply::new(StatusCode::OK, "image/jpeg", picture.jpeg.to_vec()))
}

fn take_challenge(sandbox: &Sandbox, call: &Call, id: &str) -> Answer {
    let outcome: Outcome = read(call)?;
    let now = sandbox.now();
    let taken = sandbox.state().sessions.take(id, &outcome, sandbox.seed, now);
    match taken {
        Ok(()) => liveness_status(sandbox, id),
        Err(Refused::UnknownSession) => {
            Err(Problem(StatusCode::NOT_FOUND, "there is no such liveness session".to_owned()))
        }
        Err(Refused::Expired) => Err(Problem(StatusCode::GONE, "the session is older than three minutes".to_owned())),
        Err(Refused::AlreadyTaken) => {
            Err(Problem(StatusCode::CONFLICT, "this session was taken already; one session is one check".to_owned()))
        }
    }
}

fn create_event(sandbox: &Sandbox, call: &Call) -> Answer {
    let mut request: EventRequest = if call.body.is_empty() { EventRequest::default() } else { read(call)? };
    let from_header = |name| call.header(name).map(str::to_owned);
    request.url = request.url.or_else(|| from_header("referer")).or_else(|| from_header("origin"));
    request.user_agent = request.user_agent.or_else(|| from_header("user-agent"));
    match event::create(sandbox, &request) {
        Ok(event_id) => Ok(Reply::json(StatusCode::CREATED, &json!({"event_id": event_id}))),
        Err(event::Refused::UnknownScenario(name)) => {
            let names: Vec<_> = scenario::CATALOGUE.iter().map(|entry| entry.name).collect();
            let message = format!("there is no scenario \"{name}\"; choose from {}", names.join(", "));
            Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, message))
        }
        Err(event::Refused::Timestamp) => {
            Err(Problem(StatusCode::UNPROCESSABLE_ENTITY, "timestamp is no instant".to_owned()))
        }
    }
}
