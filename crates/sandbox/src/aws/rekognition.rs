//! Rekognition's protocol (AWS JSON 1.1): dispatches an operation and its body to the handlers.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::caller::Caller;
use super::errors::AwsError;
use super::{faces, liveness};
use crate::faults::{Fault, FaultKind};
use crate::request_log::Notes;
use crate::state::Sandbox;
use crate::wire::{Call, Reply};

/// Members whose numbers the fault `nan` replaces.
const MEASURES: [&str; 2] = ["Confidence", "Similarity"];

/// Answers a request whose caller is known and allowed.
pub fn answer(
    sandbox: &Sandbox,
    operation: &str,
    call: &Call,
    caller: &Caller,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Result<Reply, AwsError> {
    let json = call.header("content-type").is_some_and(|value| value.starts_with("application/x-amz-json-1.1"));
    let request: Value = serde_json::from_slice(&call.body)
        .ok()
        .filter(|request: &Value| json && request.is_object())
        .ok_or_else(|| {
            AwsError::client(
                "SerializationException",
                "the body is not a JSON object of type application/x-amz-json-1.1",
            )
        })?;
    let kind = fault.map(|fault| fault.kind);
    let mut body = match operation {
        "CreateFaceLivenessSession" => liveness::create(sandbox, &request, caller, notes)?,
        "GetFaceLivenessSessionResults" => {
            liveness::results(sandbox, &request, caller, kind == Some(FaultKind::WrongSession), notes)?
        }
        "DetectFaces" => faces::detect(sandbox, &request, notes)?,
        "CompareFaces" => faces::compare(sandbox, &request, notes)?,
        _ => return Err(AwsError::client("UnknownOperationException", "")),
    };
    match (kind, fault.and_then(|fault| fault.body.as_ref())) {
        (Some(FaultKind::Nan), _) => replace_measures(&mut body),
        (Some(FaultKind::Merge), Some(patch)) => crate::json::merge(&mut body, patch),
        _ => {}
    }
    let reply = Reply { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_string().into() };
    Ok(reply.with("content-type", "application/x-amz-json-1.1"))
}

fn replace_measures(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if MEASURES.contains(&name.as_str()) && member.is_number() {
                    *member = "NaN".into();
                } else {
                    replace_measures(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_measures),
        _ => {}
    }
}
