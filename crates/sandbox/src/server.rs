//! The listener: reads a request whole, finds its provider, applies the fault that is due, answers.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};

use crate::apply_fault::{self, Cut};
use crate::faults::{Fault, FaultKind};
use crate::operations::SimulatedProvider;
use crate::request_log::{Notes, Outcome};
use crate::request_record::RequestRecord;
use crate::state::Sandbox;
use crate::wire::{Call, Reply, WireBody};
use crate::{aws, control, fingerprint, openai};

/// Most bytes of a body: more than two images of 5 MiB in base64 (Rekognition), and than the 50 MB
/// that `OpenAI` documents.
const BODY_BYTES_MAX: usize = 64 << 20;
/// How long open requests may continue after the signal to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Serves until `stop` ends, then gives open requests [`STOP_GRACE`] to finish.
pub async fn serve(listener: TcpListener, sandbox: Arc<Sandbox>, stop: impl Future<Output = ()>) {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        let sandbox = Arc::clone(&sandbox);
        let service = service_fn(move |request| answer(Arc::clone(&sandbox), request));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            // A client that closed its connection and a connection that a fault cut both end here.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_GRACE, graceful.shutdown()).await.is_err() {
        tracing::info!("cut requests that were still open");
    }
    connections.shutdown().await;
}

async fn answer(sandbox: Arc<Sandbox>, request: Request<Incoming>) -> Result<Response<WireBody>, Cut> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            return Ok(Reply::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "text/plain",
                "the body is cut off or larger than 64 MiB\n",
            )
            .into_response());
        }
    };
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    if let Some((provider, operation)) = operation(&call) {
        return answer_as_provider(sandbox, provider, operation, call).await;
    }
    let answered = tokio::task::spawn_blocking(move || control::answer(&sandbox, &call));
    Ok(answered.await.unwrap_or_else(|error| failed(&error)).into_response())
}

/// The answer in place of a handler that panicked; the panic's message is on standard error
/// already.
fn failed(error: &JoinError) -> Reply {
    tracing::error!(%error, "a handler of the sandbox failed");
    Reply::new(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "the sandbox itself failed; its log says where\n")
}

/// The provider and operation of a request; `None` if it is for the sandbox's own endpoints.
fn operation(call: &Call) -> Option<(SimulatedProvider, String)> {
    if let Some(found) = aws::operation(call) {
        return Some(found);
    }
    if call.path == "/v1" || call.path.starts_with("/v1/") {
        return Some((SimulatedProvider::Openai, openai::operation(call).to_owned()));
    }
    if call.path == "/v4" || call.path.starts_with("/v4/") {
        return Some((SimulatedProvider::Fingerprint, fingerprint::operation(call).to_owned()));
    }
    None
}

async fn answer_as_provider(
    sandbox: Arc<Sandbox>,
    provider: SimulatedProvider,
    operation: String,
    call: Call,
) -> Result<Response<WireBody>, Cut> {
    let fault = {
        let mut state = sandbox.state();
        state.faults.take(provider, &operation, sandbox.seed)
    };
    let notes = notes_of(provider, &operation, &call);
    let record = RequestRecord::open(&sandbox, provider, &operation, fault.as_ref(), notes.clone());
    let latency = sandbox.state().settings.latency_ms.of(provider);
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    match fault.as_ref().map(|fault| fault.kind) {
        Some(FaultKind::Hang) => return std::future::pending().await,
        Some(FaultKind::Reset) => {
            record.close(Outcome::AnswerLost, None);
            return Err(Cut);
        }
        _ => {}
    }
    let (reply, notes) = run_handler(&sandbox, provider, operation, call, fault.clone(), notes).await;
    record.note(notes);
    apply_fault::deliver(reply, fault.as_ref(), record).await
}

/// Runs the provider's handler on a blocking thread: analysing pictures takes time.
async fn run_handler(
    sandbox: &Arc<Sandbox>,
    provider: SimulatedProvider,
    operation: String,
    call: Call,
    fault: Option<Fault>,
    mut notes: Notes,
) -> (Reply, Notes) {
    let sandbox = Arc::clone(sandbox);
    let handled = tokio::task::spawn_blocking(move || {
        let fault = fault.as_ref();
        if let Some(replacement) = fault.and_then(apply_fault::replacement) {
            return (replacement, notes);
        }
        let reply = match provider {
            SimulatedProvider::Rekognition | SimulatedProvider::Sts => {
                aws::answer(&sandbox, provider, &operation, &call, fault, &mut notes)
            }
            SimulatedProvider::Openai => openai::answer(&sandbox, &operation, &call, fault, &mut notes),
            SimulatedProvider::Fingerprint => fingerprint::answer(&sandbox, &operation, &call, fault, &mut notes),
        };
        (reply, notes)
    });
    handled.await.unwrap_or_else(|error| (failed(&error), Notes::default()))
}

/// What a request says about itself, so that the request log has it even if no handler runs.
fn notes_of(provider: SimulatedProvider, operation: &str, call: &Call) -> Notes {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct AboutSession {
        client_request_token: Option<String>,
        session_id: Option<String>,
    }
    let about = match provider {
        // Only small bodies are parsed here; bodies with pictures are left to their handlers.
        SimulatedProvider::Rekognition if operation.contains("FaceLiveness") => {
            serde_json::from_slice(&call.body).unwrap_or_default()
        }
        SimulatedProvider::Fingerprint => {
            AboutSession { session_id: call.path.rsplit('/').next().map(str::to_owned), ..AboutSession::default() }
        }
        _ => AboutSession::default(),
    };
    let owned = |name| call.header(name).map(str::to_owned);
    Notes {
        idempotency_token: about.client_request_token.or_else(|| owned("idempotency-key")),
        subject: about.session_id,
        client_request_id: owned("x-client-request-id").or_else(|| owned("amz-sdk-invocation-id")),
        attempt: owned("amz-sdk-request"),
        ..Notes::default()
    }
}
