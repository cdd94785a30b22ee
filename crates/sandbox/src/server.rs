//! The listener: reads a request whole, finds out whom it is for, applies the faults that are due, answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};

use crate::faults::{Fault, FaultKind, Provider};
use crate::journal::{Notes, Outcome};
use crate::spoil::{self, Cut};
use crate::state::Sandbox;
use crate::wire::{Call, Reply, WireBody};
use crate::{aws, control, fingerprint, openai};

/// Two images of 5 MiB in base64, with room to spare; the facts name 50 MB for `OpenAI`.
const MOST_BODY_BYTES: usize = 64 << 20;
/// How long a request may be under way after the signal to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Every operation that is answered, by the name under which the journal and the faults know it.
pub const OPERATIONS: &[(Provider, &str)] = &[
    (Provider::Rekognition, "CreateFaceLivenessSession"),
    (Provider::Rekognition, "GetFaceLivenessSessionResults"),
    (Provider::Rekognition, "DetectFaces"),
    (Provider::Rekognition, "CompareFaces"),
    (Provider::Sts, "AssumeRole"),
    (Provider::Sts, "GetCallerIdentity"),
    (Provider::Openai, "models.list"),
    (Provider::Openai, "models.retrieve"),
    (Provider::Openai, "chat.completions"),
    (Provider::Openai, "responses"),
    (Provider::Fingerprint, "events.get"),
    (Provider::Fingerprint, "events.update"),
    (Provider::Fingerprint, "visitors.delete"),
];

/// Serves until `stop` ends, then lets requests under way finish for a moment.
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
            // Clients that leave and connections that a fault cut both end here.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_GRACE, graceful.shutdown()).await.is_err() {
        tracing::info!("some requests were still under way and were cut");
    }
    connections.shutdown().await;
}

async fn answer(sandbox: Arc<Sandbox>, request: Request<Incoming>) -> Result<Response<WireBody>, Cut> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BODY_BYTES).collect().await {
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
    if let Some((provider, operation)) = addressee(&call) {
        return provide(sandbox, provider, operation, call).await;
    }
    let answered = tokio::task::spawn_blocking(move || control::answer(&sandbox, &call));
    Ok(answered.await.unwrap_or_else(|error| failed(&error)).into_response())
}

/// A handler panicked. Its message is on standard error already.
fn failed(error: &JoinError) -> Reply {
    tracing::error!(%error, "a handler of the sandbox failed");
    Reply::new(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "the sandbox itself failed; its log says where\n")
}

/// Which provider's operation a request is; none if it is for the sandbox itself.
fn addressee(call: &Call) -> Option<(Provider, String)> {
    if let Some(found) = aws::operation(call) {
        return Some(found);
    }
    if call.path == "/v1" || call.path.starts_with("/v1/") {
        return Some((Provider::Openai, openai::operation(call).to_owned()));
    }
    if call.path == "/v4" || call.path.starts_with("/v4/") {
        return Some((Provider::Fingerprint, fingerprint::operation(call).to_owned()));
    }
    None
}

async fn provide(
    sandbox: Arc<Sandbox>,
    provider: Provider,
    operation: String,
    call: Call,
) -> Result<Response<WireBody>, Cut> {
    let fault = {
        let mut state = sandbox.state();
        state.faults.take(provider, &operation, sandbox.seed)
    };
    let ticket = Ticket::open(&sandbox, provider, &operation, fault.as_ref(), notes_of(provider, &operation, &call));
    let latency = sandbox.state().settings.latency_ms.of(provider);
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    match fault.as_ref().map(|fault| fault.kind) {
        Some(FaultKind::Hang) => return std::future::pending().await,
        Some(FaultKind::Reset) => {
            ticket.close(Outcome::AnswerLost, None);
            return Err(Cut);
        }
        _ => {}
    }
    let (reply, notes) = work(&sandbox, provider, operation, call, fault.clone(), ticket.notes.clone()).await;
    ticket.note(notes);
    spoil::deliver(reply, fault.as_ref(), ticket).await
}

/// Lets the provider answer. Looking at pictures takes time, so this happens beside the runtime.
async fn work(
    sandbox: &Arc<Sandbox>,
    provider: Provider,
    operation: String,
    call: Call,
    fault: Option<Fault>,
    mut notes: Notes,
) -> (Reply, Notes) {
    let sandbox = Arc::clone(sandbox);
    let worked = tokio::task::spawn_blocking(move || {
        let fault = fault.as_ref();
        let instead = fault.and_then(spoil::instead);
        let reply = match provider {
            _ if instead.is_some() => instead.unwrap_or_else(|| Reply::empty(StatusCode::OK)),
            Provider::Rekognition | Provider::Sts => {
                aws::answer(&sandbox, provider, &operation, &call, fault, &mut notes)
            }
            Provider::Openai => openai::answer(&sandbox, &operation, &call, fault, &mut notes),
            Provider::Fingerprint => fingerprint::answer(&sandbox, &operation, &call, fault, &mut notes),
        };
        (reply, notes)
    });
    worked.await.unwrap_or_else(|error| (failed(&error), Notes::default()))
}

/// What a request says about itself, so that the journal knows it even if nothing is done for it.
fn notes_of(provider: Provider, operation: &str, call: &Call) -> Notes {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct AboutSession {
        client_request_token: Option<String>,
        session_id: Option<String>,
    }
    let about = match provider {
        // Bodies with pictures are left to those who need the pictures.
        Provider::Rekognition if operation.contains("FaceLiveness") => {
            serde_json::from_slice(&call.body).unwrap_or_default()
        }
        Provider::Fingerprint => {
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

/// A journal entry that is not finished. If it is dropped, the client went away.
pub struct Ticket {
    sandbox: Arc<Sandbox>,
    seq: u64,
    started: Instant,
    notes: Notes,
    closed: bool,
}

impl Ticket {
    fn open(sandbox: &Arc<Sandbox>, provider: Provider, operation: &str, fault: Option<&Fault>, notes: Notes) -> Self {
        let at = format!("{:.3}", sandbox.now());
        let seq = sandbox.state().journal.open(at, provider, operation, fault.map(|fault| fault.kind), notes.clone());
        Self { sandbox: Arc::clone(sandbox), seq, started: Instant::now(), notes, closed: false }
    }

    /// Writes down what the handler noticed.
    fn note(&self, notes: Notes) {
        if let Some(entry) = self.sandbox.state().journal.entry(self.seq) {
            entry.notes = notes;
        }
    }

    /// Writes down how it ended.
    pub fn close(mut self, outcome: Outcome, status: Option<StatusCode>) {
        self.finish(outcome, status);
    }

    fn finish(&mut self, outcome: Outcome, status: Option<StatusCode>) {
        self.closed = true;
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.sandbox.close_entry(self.seq, outcome, status.map(|status| status.as_u16()), elapsed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.closed {
            self.finish(Outcome::ClientGone, None);
        }
    }
}

/// Whether a browser asks beforehand what it may send.
pub fn is_preflight(call: &Call) -> bool {
    call.method == Method::OPTIONS && call.header("access-control-request-method").is_some()
}
