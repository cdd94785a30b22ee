//! Connections: accepted up to a limit, closed when they are too slow, drained when the service
//! stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::http::api::body::TransportError;
use crate::http::api::reply::{Reply, ResponseBody};
use crate::http::context::{Facade, RenderMetrics};
use crate::http::dispatch::Dispatcher;
use crate::http::endpoints::meta::METRICS_TYPE;

/// Longest time for the head of a request; also the longest time that a connection may be idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
const HEADERS_MAX: usize = 64;
/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most bytes read from a connection at a time. A picture passes through this buffer into its own
/// memory, so hyper's default of 408 KiB, and the copies made of it on the way, would add to the
/// memory of each upload.
const READ_BYTES_MAX: usize = 64 * 1024;
/// Pause after the operating system refused a connection, usually because file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most connections at the port for metrics.
const METRICS_CONNECTIONS_MAX: usize = 8;

/// Serves the facade on `listener` until `shutdown` is cancelled. It then accepts no further
/// connection, answers waiting requests with the current state, and gives the others
/// [`super::Settings::drain`] to finish.
pub async fn serve(listener: TcpListener, facade: Facade, shutdown: CancellationToken) -> io::Result<()> {
    let connections_max = facade.settings.connections_max;
    let drain = facade.settings.drain;
    let dispatcher = Arc::new(Dispatcher::new(facade, shutdown.clone()));
    let answer = move |request: Request<Incoming>, peer: SocketAddr| {
        let dispatcher = dispatcher.clone();
        async move {
            let request = request.map(|body| body.map_err(|e| -> TransportError { e.into() }).boxed());
            dispatcher.answer(request, peer.ip()).await
        }
    };
    accept(listener, connections_max, drain, shutdown, answer).await
}

/// Serves only `GET /metrics` on `listener`, without credentials, to any client that reaches the
/// port.
pub async fn serve_metrics(
    listener: TcpListener,
    render: RenderMetrics,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let answer = move |request: Request<Incoming>, _| {
        let reply = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/metrics") => Reply::content(METRICS_TYPE, render()),
            (_, "/metrics") => Reply::empty(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, "GET, HEAD"),
            _ => Reply::empty(StatusCode::NOT_FOUND),
        };
        std::future::ready(reply.into_response())
    };
    accept(listener, METRICS_CONNECTIONS_MAX, Duration::from_secs(1), shutdown, answer).await
}

async fn accept<A, F>(
    listener: TcpListener,
    connections_max: usize,
    drain: Duration,
    shutdown: CancellationToken,
    answer: A,
) -> io::Result<()>
where
    A: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = http::Response<ResponseBody>> + Send + 'static,
{
    let http = protocol();
    let slots = Arc::new(Semaphore::new(connections_max.max(1)));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        // Acquire before accepting: without a permit, a connection waits in the listener's backlog.
        let permit = tokio::select! {
            permit = slots.clone().acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "could not accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = shutdown.cancelled() => break,
        };
        // Answers are small and complete: sending them at once matters more than filling packets.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "could not set TCP_NODELAY");
        }
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request, peer);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            // The permit moves into the task, so that even a panic releases it.
            let _permit = permit;
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        warn!(
            seconds = drain.as_secs(),
            "requests were still running after the drain time; their connections are closed"
        );
    }
    connections.shutdown().await;
    Ok(())
}

/// HTTP/1 with this server's limits.
fn protocol() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(READ_BYTES_MAX);
    http
}
