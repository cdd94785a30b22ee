//! A small static server for the example page, and what the page needs from a developer's machine:
//! its URLs, the demo person's login, specimens to upload. It serves loopback only and knows no
//! keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::console;
use crate::environment::Urls;
use crate::specimen::{self, Specimen, SpecimenError};

type Answer = Response<Full<Bytes>>;

/// The files and answers of the page's server.
pub struct Page {
    folder: PathBuf,
    sandbox: PathBuf,
    config: String,
    security_policy: String,
}

impl Page {
    /// Serves `folder`; `sandbox` is the program that draws specimens.
    pub fn new(folder: PathBuf, sandbox: PathBuf, urls: &Urls, demo_email: &str, demo_password: &str) -> Self {
        let config = json!({
            "pocketbase_url": urls.pocketbase,
            "facade_url": urls.facade,
            "sandbox_url": urls.sandbox,
            "demo_user": { "email": demo_email, "password": demo_password },
        });
        // As a production page would send it: scripts from this origin only, requests to these
        // services only.
        let security_policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'; connect-src 'self' {} {} {}; frame-src {}",
            urls.pocketbase, urls.facade, urls.sandbox, urls.sandbox
        );
        Self { folder, sandbox, config: config.to_string(), security_policy }
    }
}

/// Serves until `stop`, then finishes the requests in flight.
pub async fn serve(listener: TcpListener, page: Page, stop: CancellationToken) {
    let page = Arc::new(page);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    console::note(&format!("the page's server cannot accept a connection: {error}"));
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let page = Arc::clone(&page);
        let service = service_fn(move |request| {
            let page = Arc::clone(&page);
            async move { Ok::<_, std::convert::Infallible>(answer(&page, &request).await) }
        });
        // Ignore errors: a browser may close its connection at any time.
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move { drop(connection.await) });
    }
    graceful.shutdown().await;
}

async fn answer<B>(page: &Page, request: &Request<B>) -> Answer {
    let mut answer = match *request.method() {
        Method::GET | Method::HEAD => get(page, request.uri()).await,
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed here\n"),
    };
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(&page.security_policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if request.method() == Method::HEAD {
        *answer.body_mut() = Full::default();
    }
    answer
}

async fn get(page: &Page, uri: &http::Uri) -> Answer {
    match uri.path() {
        "/config.json" => found("application/json", page.config.clone().into()),
        "/specimen" => match specimen(&page.sandbox, uri.query().unwrap_or_default()).await {
            Ok(Some(jpeg)) => found("image/jpeg", jpeg),
            Ok(None) => plain(StatusCode::NOT_FOUND, "this document has no such side\n"),
            Err(problem) => no_specimen(&problem),
        },
        "/specimen/flaws.json" => match specimen::flaws(&page.sandbox).await {
            Ok(flaws) => found("application/json", json!(flaws).to_string().into()),
            Err(problem) => no_specimen(&problem),
        },
        path => match file(&page.folder, path).await {
            Some((kind, content)) => found(kind, content.into()),
            None => plain(StatusCode::NOT_FOUND, "no such file on the example page\n"),
        },
    }
}

fn no_specimen(problem: &SpecimenError) -> Answer {
    match problem {
        SpecimenError::Refused(_) => plain(StatusCode::BAD_REQUEST, &format!("{problem}\n")),
        SpecimenError::Failed(cause) => {
            console::note(&format!("cannot draw a specimen: {cause}"));
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox could not draw it; see the terminal\n")
        }
    }
}

/// One side of the specimen that a query describes: `side=front&type=passport&person=anna`.
async fn specimen(sandbox: &Path, query: &str) -> Result<Option<Bytes>, SpecimenError> {
    let mut specimen = Specimen::default();
    let mut wants_back = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("side", side) => wants_back = side == "back",
            (name, value) => specimen.choose(name, value)?,
        }
    }
    let pictures = specimen.draw(sandbox).await?;
    Ok(if wants_back { pictures.back } else { Some(pictures.front) })
}

/// Content type and content of the file at `path`; `None` unless it is one of the page's own, of a
/// known type.
async fn file(folder: &Path, path: &str) -> Option<(&'static str, Vec<u8>)> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    let inside = match decoded.trim_start_matches('/') {
        "" => "index.html",
        other => other,
    };
    // No `..`, `node_modules` or dot files; the one package that the page uses has a path of its
    // own.
    if inside.split('/').any(|piece| piece.is_empty() || piece.starts_with('.') || piece == "node_modules") {
        return None;
    }
    let kind = kind(inside)?;
    let place = match inside.strip_prefix("vendor/pocketbase/") {
        Some(of_package) => folder.join("node_modules/pocketbase/dist").join(of_package),
        None => folder.join(inside),
    };
    Some((kind, tokio::fs::read(place).await.ok()?))
}

fn kind(name: &str) -> Option<&'static str> {
    match Path::new(name).extension()?.to_str()? {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" | "mjs" => Some("text/javascript; charset=utf-8"),
        "map" => Some("application/json"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

fn found(kind: &'static str, content: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(content));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let mut answer = found("text/plain; charset=utf-8", text.to_owned().into());
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_pages_own_files_are_served() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let page = folder.path().join("page");
        std::fs::create_dir_all(page.join("node_modules/pocketbase/dist")).expect("made");
        std::fs::write(folder.path().join("secret.html"), "secret").expect("written");
        std::fs::write(page.join("index.html"), "index").expect("written");
        std::fs::write(page.join(".hidden.html"), "hidden").expect("written");
        std::fs::write(page.join("env"), "keys").expect("written");
        std::fs::write(page.join("node_modules/pocketbase/dist/sdk.mjs"), "sdk").expect("written");

        assert_eq!(file(&page, "/").await, Some(("text/html; charset=utf-8", b"index".to_vec())));
        let sdk = file(&page, "/vendor/pocketbase/sdk.mjs").await;
        assert_eq!(sdk, Some(("text/javascript; charset=utf-8", b"sdk".to_vec())));
        for outside in [
            "/../secret.html",
            "/%2e%2e/secret.html",
            "/..%2fsecret.html",
            "/vendor/pocketbase/../../../../secret.html",
            "/.hidden.html",
            "/env",
            "/node_modules/pocketbase/dist/sdk.mjs",
            "//etc/passwd.html",
        ] {
            assert_eq!(file(&page, outside).await, None, "{outside}");
        }
    }
}
