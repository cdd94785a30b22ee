//! One request on its way to an endpoint: routing, authentication, rate limits, and what every
//! answer carries.

use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, debug_span, error, info, info_span, warn};

use crate::http::api::body::Body;
use crate::http::api::problem::{Kind, Problem, Result};
use crate::http::api::reply::{Reply, ResponseBody};
use crate::http::context::{Call, Facade, Service};
use crate::http::endpoints::{document, health, liveness, meta, status, verify};
use crate::http::middleware::address;
use crate::http::middleware::auth::{self, Caller, Credentials, Keys};
use crate::http::middleware::cors::{self, Origins};
use crate::http::middleware::limits::{Allowance, Client, RateLimiter};
use crate::http::middleware::request_metrics::RequestMetrics;
use crate::http::openapi;
use crate::http::openapi::page::Docs;
use crate::http::routes::{Access, Match, Operation, Table};

/// Takes requests to their endpoints.
pub struct Dispatcher {
    service: Service,
    table: Table,
    keys: Keys,
    origins: Origins,
    limiter: RateLimiter,
    request_metrics: RequestMetrics,
    description: Bytes,
    docs: Docs,
}

impl Dispatcher {
    /// Creates a dispatcher whose waiting requests are answered when `shutdown` is cancelled.
    pub fn new(facade: Facade, shutdown: CancellationToken) -> Self {
        let service = Service::new(facade, shutdown);
        let settings = &service.settings;
        let description = openapi::document(&settings.version);
        Self {
            table: Table::new(),
            keys: Keys::new(&settings.api_keys),
            origins: Origins::new(&settings.client_urls),
            limiter: RateLimiter::new(settings.quotas),
            request_metrics: RequestMetrics::default(),
            docs: Docs::new(&description),
            description: Bytes::from(description.to_string()),
            service,
        }
    }

    /// Answers one request that came from `peer`.
    pub async fn answer(&self, request: Request<Body>, peer: IpAddr) -> Response<ResponseBody> {
        let begun = Instant::now();
        let (parts, body) = request.into_parts();
        let request_id = request_id(&parts.headers);
        let found = self.table.find(&parts.method, parts.uri.path());
        let method = known_method(&parts.method);
        let route = match &found {
            Match::Route(pattern, ..) | Match::OtherMethod(pattern, _) => pattern,
            Match::NotFound => "unmatched",
        };
        // An info span for each read would cost as much as a cached answer. What the span holds is
        // also logged below when a request fails.
        let span = if parts.method == Method::GET {
            debug_span!("request", method, route, request_id)
        } else {
            info_span!("request", method, route, request_id)
        };
        let mut allowance = None;
        let outcome = catch_panic(self.handle(&parts, body, &found, peer, &mut allowance)).instrument(span).await;
        let reply = outcome.unwrap_or_else(|problem| {
            match &problem.cause {
                Some(error) if problem.kind == Kind::Internal => {
                    error!(method, route, request_id, %error, "request failed with an internal error");
                }
                Some(error) => warn!(method, route, request_id, %error, "request could not be served"),
                None => {}
            }
            problem_reply(&problem, &found, parts.uri.path(), &request_id)
        });
        let mut response = reply.into_response();
        self.common_headers(&parts, &request_id, allowance, response.headers_mut());

        let status = response.status().as_u16();
        let elapsed = begun.elapsed();
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        // Probes and pages that poll come every few seconds and would bury the other lines.
        let probe = matches!(found, Match::Route(_, _, Access::Probe, _));
        let polled = parts.method == Method::GET && status < 400;
        if probe || polled {
            debug!(method, route, request_id, status, duration_ms, "answered");
        } else {
            info!(method, route, request_id, status, duration_ms, "answered");
        }
        self.request_metrics.record(method, route, status, elapsed);
        response
    }

    /// Adds the headers that every answer carries.
    fn common_headers(&self, request: &Parts, request_id: &str, allowance: Option<Allowance>, headers: &mut HeaderMap) {
        const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        if let Some(allowance) = allowance {
            allowance.write(headers);
        }
        self.origins.allow(&request.headers, headers);
    }

    async fn handle(
        &self,
        parts: &Parts,
        body: Body,
        found: &Match<'_>,
        peer: IpAddr,
        allowance: &mut Option<Allowance>,
    ) -> Result<Reply> {
        if parts.method == Method::OPTIONS && cors::is_preflight(&parts.headers) {
            let reply = Reply::empty(StatusCode::NO_CONTENT);
            return Ok(self
                .origins
                .preflight(&parts.headers)
                .into_iter()
                .fold(reply, |reply, (name, value)| reply.with(name, value.to_str().unwrap_or_default())));
        }
        let (route, operation, access, id) = match found {
            Match::Route(route, operation, access, id) => (*route, *operation, *access, *id),
            Match::OtherMethod(_, allow) if parts.method == Method::OPTIONS => {
                return Ok(Reply::empty(StatusCode::NO_CONTENT).with(header::ALLOW, allow));
            }
            Match::OtherMethod(..) => {
                return Err(Problem::new(
                    Kind::MethodNotAllowed,
                    "The Allow header lists the methods of this address.",
                ));
            }
            Match::NotFound => return Err(Problem::new(Kind::NotFound, "This address does not exist.")),
        };
        let caller = self.authenticate(access, parts, peer, allowance).await?;
        // The table lets no request without a caller reach an endpoint that needs one.
        let call = caller
            .as_ref()
            .map(|caller| Call { caller, route, id, uri: &parts.uri, headers: &parts.headers, body })
            .ok_or_else(|| Problem::new(Kind::Unauthorized, "Credentials are required."));
        let service = &self.service;
        match operation {
            // Boxed: the state of these handlers is large, and each read of a status would carry
            // room for it.
            Operation::Verify => Box::pin(verify::verify(service, &mut call?)).await,
            Operation::Document => Box::pin(document::document(service, &mut call?)).await,
            Operation::Liveness => Box::pin(liveness::liveness(service, &mut call?)).await,
            Operation::Status => status::status(service, &mut call?).await,
            Operation::Health => Ok(health::health(service)),
            Operation::OpenApi => Ok(meta::openapi(&self.description)),
            Operation::Docs => Ok(meta::docs(&self.docs.page, &self.docs.policy)),
            Operation::Metrics => call.and_then(|_| meta::metrics(service)),
        }
    }

    /// Identifies the caller and counts the request against a quota. Returns `None` where no caller
    /// needs to be known.
    async fn authenticate(
        &self,
        access: Access,
        parts: &Parts,
        peer: IpAddr,
        allowance: &mut Option<Allowance>,
    ) -> Result<Option<Caller>> {
        let service = &self.service;
        let address = Client::anonymous(address::client(peer, &parts.headers, &service.settings.trusted_proxies));
        let mut count = |client| {
            let counted = self.limiter.count(client, Instant::now());
            *allowance = Some(counted);
            within(counted)
        };
        let caller = match (access, auth::credentials(&parts.headers)) {
            (Access::Probe, _) => return Ok(None),
            (Access::Public, _) => return count(address).map(|()| None),
            (Access::Caller | Access::Server, Credentials::Key(key)) => {
                self.keys.find(key).map(|key| (Caller::Server { key }, Client::Key(key)))
            }
            (Access::Caller, Credentials::Token(token)) => {
                // Checking a token costs a request to PocketBase, so an address that only guesses
                // is stopped before. A token that was valid before is no guess: strangers behind
                // the same address must not lock out people who are signed in.
                let left = self.limiter.peek(address.clone(), Instant::now());
                if !left.granted && !service.pocketbase.has_known_token(token) {
                    within(left)?;
                }
                let user = service.pocketbase.user_from_token(token).await?;
                user.map(|user| (Caller::Person { user: user.clone() }, Client::User(user)))
            }
            (Access::Caller | Access::Server, _) => None,
        };
        if let Some((caller, client)) = caller {
            count(client).map(|()| Some(caller))
        } else {
            count(address)?;
            Err(Problem::new(Kind::Unauthorized, "The request has no valid credentials for this address."))
        }
    }
}

fn problem_reply(problem: &Problem, found: &Match<'_>, path: &str, request_id: &str) -> Reply {
    let reply = Reply::problem(problem, path, request_id);
    match (problem.kind, found) {
        (Kind::MethodNotAllowed, Match::OtherMethod(_, allow)) => reply.with(header::ALLOW, allow),
        _ => reply,
    }
}

fn within(allowance: Allowance) -> Result<()> {
    if allowance.granted {
        return Ok(());
    }
    let mut problem = Problem::new(Kind::RateLimited, "The quota for this minute is used up.");
    problem.retry_after = Some(allowance.reset_seconds());
    Err(problem)
}

/// Turns a panic of `handler` into a 500 for its caller alone.
async fn catch_panic(handler: impl Future<Output = Result<Reply>>) -> Result<Reply> {
    let mut handler = std::pin::pin!(handler);
    std::future::poll_fn(move |context| {
        // Unwind safe: a handler that panicked is not polled again, and it shares only PocketBase
        // and locks that do not poison.
        if let Ok(poll) = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(context))) {
            poll
        } else {
            let problem = Problem::new(Kind::Internal, "The request could not be completed.");
            Poll::Ready(Err(problem.because("a handler panicked; standard error has the panic's message")))
        }
    })
    .await
}

/// Returns the request id that the caller sent if it is safe to log, otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    let sent = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let safe = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    sent.filter(safe).map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// Returns the method's name for logs and metrics. All unknown methods share one name, so that
/// callers cannot create labels.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_for_one_caller() {
        let fails = async {
            tokio::task::yield_now().await;
            Ok(Vec::<Reply>::new().remove(0))
        };
        let problem = catch_panic(fails).await.expect_err("a problem");
        assert_eq!(problem.kind, Kind::Internal);
        assert!(!problem.detail.contains("index"));
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_replaced() {
        let id = |sent: &'static [u8]| {
            let value = HeaderValue::from_bytes(sent).expect("a header");
            request_id(&HeaderMap::from_iter([(HeaderName::from_static("x-request-id"), value)]))
        };
        assert_eq!(id(b"a-b.c_1"), "a-b.c_1");
        assert_ne!(id(b"a\tb"), "a\tb");
        assert_ne!(id(b"\xff"), id(b"\xff"), "each new id is different");
    }
}
