//! Bare hyper: the same answer to every request. The cost of a facade that has nothing behind it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Options of `driver bare`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The body of every answer.
    #[arg(long)]
    body: PathBuf,
}

/// Serves on a free port, which it prints, until it is killed.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let body = Bytes::from(std::fs::read(&options.body).context("the body")?);
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("ready {}", listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let body = body.clone();
        connections.spawn(async move {
            let service = service_fn(move |_: Request<Incoming>| answer(body.clone()));
            // A client that disconnects is not an error here.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

#[expect(clippy::unused_async, reason = "a service's answer is a future")]
async fn answer(body: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}
