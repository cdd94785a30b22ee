//! Rekognition and STS: identifies the caller by the signature, checks the permission, dispatches
//! the operation.

mod caller;
mod errors;
mod faces;
mod images;
pub mod issued;
mod liveness;
mod policy;
mod rekognition;
pub mod sessions;
mod sigv4;
mod sts;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};

use crate::faults::{Fault, FaultKind};
use crate::operations::SimulatedProvider;
use crate::request_log::Notes;
use crate::state::Sandbox;
use crate::wire::{Call, Reply};
use caller::Caller;
use errors::AwsError;

const TARGET_PREFIX: &str = "RekognitionService.";

/// The provider and operation, if this is a request for AWS.
pub fn operation(call: &Call) -> Option<(SimulatedProvider, String)> {
    if let Some(target) = call.header("x-amz-target") {
        return Some((SimulatedProvider::Rekognition, target.strip_prefix(TARGET_PREFIX).unwrap_or(target).to_owned()));
    }
    let form = call.header("content-type").is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let query_protocol =
        call.path == "/" && (call.method == Method::POST && form || call.query_value("Action").is_some());
    query_protocol.then(|| (SimulatedProvider::Sts, sts::parameter(call, "Action").unwrap_or_default()))
}

/// Answers a request to Rekognition or STS.
pub fn answer(
    sandbox: &Sandbox,
    provider: SimulatedProvider,
    operation: &str,
    call: &Call,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Reply {
    let request_id = sandbox.seed.uuid("aws request", &[&sandbox.next_request().to_be_bytes()]);
    notes.request_id = Some(request_id.clone());
    let now = aws_now(sandbox);
    let worked = match fault.and_then(refusal) {
        Some(error) => Err(error),
        None => Caller::identify(sandbox, provider, call, now).and_then(|caller| {
            notes.region = Some(caller.region.clone());
            caller.check_permission(provider, operation)?;
            match provider {
                SimulatedProvider::Sts => sts::answer(sandbox, operation, call, &caller, &request_id),
                _ => rekognition::answer(sandbox, operation, call, &caller, fault, notes),
            }
        }),
    };
    let reply = worked.unwrap_or_else(|error| {
        notes.error = Some(error.code.clone());
        if provider == SimulatedProvider::Sts { error.xml(&request_id) } else { error.json(&request_id) }
    });
    let reply = match fault {
        Some(Fault { kind: FaultKind::Throttle, retry_after: Some(seconds), .. }) => reply
            .with("retry-after", seconds.to_string())
            .with("x-amz-retry-after", seconds.saturating_mul(1000).to_string()),
        _ => reply,
    };
    // SDKs correct their clock by this header, so it must carry the time that signatures are
    // checked against.
    reply.with("x-amzn-requestid", &request_id).with("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// The time on AWS's clock.
// Advancing the sandbox's clock does not move it: the signatures of all clients would be refused.
fn aws_now(sandbox: &Sandbox) -> Timestamp {
    let skew = SignedDuration::from_secs(sandbox.state().settings.aws_clock_skew_seconds);
    Timestamp::now().saturating_add(skew).unwrap_or(Timestamp::MAX)
}

fn refusal(fault: &Fault) -> Option<AwsError> {
    let code = |usual: &str| fault.code.clone().unwrap_or_else(|| usual.to_owned());
    let status = |usual| fault.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(usual);
    Some(match fault.kind {
        FaultKind::Throttle => AwsError {
            status: status(StatusCode::BAD_REQUEST),
            code: code("ThrottlingException"),
            message: "Rate exceeded".to_owned(),
        },
        FaultKind::Error5xx => AwsError {
            status: status(StatusCode::INTERNAL_SERVER_ERROR),
            code: code("InternalServerError"),
            message: "Internal server error".to_owned(),
        },
        FaultKind::ExpiredCredential => AwsError {
            status: status(StatusCode::BAD_REQUEST),
            code: code("ExpiredTokenException"),
            message: "The security token included in the request is expired".to_owned(),
        },
        _ => return None,
    })
}
