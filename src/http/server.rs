//! Connections: taken up to a limit, cut when they are too slow, drained at a stop.

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

use super::{Facade, RenderMetrics};
use crate::http::api::body::TransportError;
use crate::http::api::reply::{Reply, ResponseBody};
use crate::http::dispatch::Service;
use crate::http::endpoints::meta::METRICS_TYPE;

/// How long a client may take for the head of a request; also how long a connection may stay without one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
const HEADERS_MAX: usize = 64;
/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most bytes read from a connection at a time. A picture passes through this room into its own memory, so hyper's usual 408 KiB,
/// and what is made of them on the way, would stand beside each upload.
const READ_BYTES_MAX: usize = 64 * 1024;
/// The pause after the system refused a connection (out of file descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections at the port for figures.
const METRICS_CONNECTIONS_MAX: usize = 8;

/// Serves the facade on `listener` until `shutdown` is cancelled. Then no connection is taken any more, waiting requests are
/// answered as things stand, and the others have [`super::Settings::drain`] to end.
pub async fn serve(listener: TcpListener, facade: Facade, shutdown: CancellationToken) -> io::Result<()> {
    let connections_max = facade.settings.connections_max;
    let drain = facade.settings.drain;
    let service = Arc::new(Service::new(facade, shutdown.clone()));
    let answer = move |request: Request<Incoming>, peer: SocketAddr| {
        let service = service.clone();
        async move {
            let request = request.map(|body| body.map_err(|e| -> TransportError { e.into() }).boxed());
            service.answer(request, peer.ip()).await
        }
    };
    accept(listener, connections_max, drain, shutdown, answer).await
}

/// Serves figures on `listener`: `GET /metrics` and nothing else, to anybody who reaches the port.
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
    let room = Arc::new(Semaphore::new(connections_max.max(1)));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        // The permit comes first: without room for it, a connection waits in the listener's backlog.
        let permit = tokio::select! {
            permit = room.clone().acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "a connection could not be taken");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = shutdown.cancelled() => break,
        };
        // Answers are small and complete: sending them at once matters more than packing.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a connection could not be set to send at once");
        }
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request, peer);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            // The permit moves into the task, so that even a panic returns it.
            let _permit = permit;
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        warn!(seconds = drain.as_secs(), "requests were still running at the end of the grace; they are cut");
    }
    connections.shutdown().await;
    Ok(())
}

/// HTTP/1 with its limits.
fn protocol() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(READ_BYTES_MAX);
    http
}
