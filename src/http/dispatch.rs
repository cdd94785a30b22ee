//! One request: who asks, may they, where does it lead, and what every answer carries.

use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, debug_span, error, info, info_span, warn};

use super::routes::{Access, Match, Operation, Table};
use super::{Facade, Settings, openapi};
use crate::base::failpoints::{Point, reached};
use crate::base::refcounted::{RefCountedMap, Reference};
use crate::http::api::body::Body;
use crate::http::api::problem::{Kind, Problem, Result};
use crate::http::api::reply::{Reply, ResponseBody};
use crate::http::api::validation::Rule;
use crate::http::api::view::VerificationView;
use crate::http::endpoints::{document, liveness, meta, status, verify};
use crate::http::long_poll::notify::Notifier;
use crate::http::long_poll::{LongPoll, WaitBudget};
use crate::http::middleware::address;
use crate::http::middleware::auth::{self, Caller, Keys, Presented};
use crate::http::middleware::cors::{self, Origins};
use crate::http::middleware::limits::{Allowance, Counted, Limiter};
use crate::http::middleware::request_metrics::RequestMetrics;
use crate::http::openapi::page::Docs;
use crate::http::status_cache::{PendingRead, StatusCache};
use crate::pocketbase::records::{NewDeviceSignal, StoredVerification};
use crate::pocketbase::{Client, PocketbaseError};
use crate::verification::{Kind as CheckKind, SessionStatus};

/// How a record's id looks.
pub const ID: Rule = Rule {
    max: 15,
    test: |text| text.len() == 15 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
    says: "must be an id of 15 lower-case letters and digits",
};

/// How long an upload waits for its turn.
const UPLOAD_TURN: Duration = Duration::from_secs(5);

/// A request on its way to a handler: routed, its caller known.
pub struct Call<'r> {
    /// Who asks.
    pub caller: &'r Caller,
    /// The route's pattern.
    pub route: &'static str,
    /// The route's parameter.
    pub id: Option<&'r str>,
    /// Path and query.
    pub uri: &'r Uri,
    /// Headers.
    pub headers: &'r HeaderMap,
    /// Body, not read yet.
    pub body: Body,
}

/// The facade at work: what handlers share.
pub struct Service {
    /// What the operator chose.
    pub settings: Settings,
    /// Where the records are.
    pub pocketbase: Client,
    /// Wakes requests that wait.
    pub changes: Notifier,
    /// Finished answers.
    pub status_cache: StatusCache,
    /// Idempotency keys under way.
    pub in_flight: RefCountedMap<()>,
    /// Ends every wait.
    pub shutdown: CancellationToken,
    pub(super) facade: Facade,
    pub(super) started: Instant,
    pub(super) description: Bytes,
    pub(super) docs: Docs,
    keys: Keys,
    origins: Origins,
    request_metrics: RequestMetrics,
    table: Table,
    limiter: Limiter,
    uploads: Semaphore,
    turns: RefCountedMap<Arc<Mutex<()>>>,
}

impl Service {
    /// A service around `facade` that ends its waits when `shutdown` is cancelled.
    pub fn new(facade: Facade, shutdown: CancellationToken) -> Self {
        let settings = facade.settings.clone();
        let description = openapi::document(&settings.version);
        Self {
            keys: Keys::new(&settings.api_keys),
            origins: Origins::new(&settings.client_urls),
            request_metrics: RequestMetrics::default(),
            table: Table::new(),
            limiter: Limiter::new(settings.quotas),
            uploads: Semaphore::new(settings.uploads_max.max(1)),
            turns: RefCountedMap::default(),
            pocketbase: facade.pocketbase.clone(),
            changes: facade.changes.clone(),
            status_cache: facade.status_cache.clone(),
            in_flight: RefCountedMap::default(),
            started: Instant::now(),
            docs: Docs::new(&description),
            description: Bytes::from(description.to_string()),
            settings,
            facade,
            shutdown,
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
            Match::Nothing => "unmatched",
        };
        // Why a request failed is logged below, with what the span holds. A span for each read would cost as much as a kept answer.
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
                    error!(method, route, request_id, %error, "a request failed by a fault of ours");
                }
                Some(error) => warn!(method, route, request_id, %error, "a request could not be served"),
                None => {}
            }
            refusal(&problem, &found, parts.uri.path(), &request_id)
        });
        let mut response = reply.into_response();
        self.common_headers(&parts, &request_id, allowance, response.headers_mut());

        let status = response.status().as_u16();
        let elapsed = begun.elapsed();
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        // Probes and people who poll come every few seconds and would bury the rest.
        let probe = matches!(found, Match::Route(_, _, Access::Probe, _));
        let polled = parts.method == Method::GET && status < 400;
        if probe || polled {
            debug!(method, route, request_id, status, duration_ms, "answered");
        } else {
            info!(method, route, request_id, status, duration_ms, "answered");
        }
        self.request_metrics.count(method, route, status, elapsed);
        response
    }

    /// What every answer carries.
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
            Match::Nothing => return Err(Problem::new(Kind::NotFound, "There is no such address.")),
        };
        let Some(caller) = self.authenticate(access, parts, peer, allowance).await? else {
            return meta::answer(self, operation);
        };
        let mut call = Call { caller: &caller, route, id, uri: &parts.uri, headers: &parts.headers, body };
        match operation {
            // On the heap: their state is large, and every read of a status would be moved about with room for it.
            Operation::Verify => Box::pin(verify::verify(self, &mut call)).await,
            Operation::Document => Box::pin(document::document(self, &mut call)).await,
            Operation::Liveness => Box::pin(liveness::liveness(self, &mut call)).await,
            Operation::Status => status::status(self, &mut call).await,
            Operation::Health | Operation::OpenApi | Operation::Docs | Operation::Metrics => {
                meta::answer(self, operation)
            }
        }
    }

    /// Who asks, counted; `None` where nobody needs to say.
    async fn authenticate(
        &self,
        access: Access,
        parts: &Parts,
        peer: IpAddr,
        allowance: &mut Option<Allowance>,
    ) -> Result<Option<Caller>> {
        let address = Counted::stranger(address::client(peer, &parts.headers, &self.settings.trusted_proxies));
        let mut count = |counted| {
            let counted = self.limiter.count(counted, Instant::now());
            *allowance = Some(counted);
            within(counted)
        };
        let caller = match (access, auth::presented(&parts.headers)) {
            (Access::Probe, _) => return Ok(None),
            (Access::Public, _) => return count(address).map(|()| None),
            (Access::Caller | Access::Server, Presented::Key(key)) => {
                self.keys.find(key).map(|key| (Caller::Server { key }, Counted::Key(key)))
            }
            (Access::Caller, Presented::Token(token)) => {
                // Asking costs a request to PocketBase, so an address that only guesses is stopped before. What was a token before
                // is no guess: strangers behind the same address must not lock out those who are signed in.
                let left = self.limiter.peek(address.clone(), Instant::now());
                if !left.granted && !self.pocketbase.has_known_token(token) {
                    within(left)?;
                }
                let user = self.pocketbase.user_from_token(token).await?;
                user.map(|user| (Caller::Person { user: user.clone() }, Counted::User(user)))
            }
            (Access::Caller | Access::Server, _) => None,
        };
        if let Some((caller, counted)) = caller {
            count(counted).map(|()| Some(caller))
        } else {
            count(address)?;
            Err(Problem::new(Kind::Unauthorized, "The request shows no credentials that are valid here."))
        }
    }

    /// The verification `id`, if `caller` may see it, and the reading under which an answer made of it may be kept.
    pub async fn read(&self, caller: &Caller, id: &str) -> Result<(StoredVerification, Option<PendingRead>)> {
        if !(ID.test)(id) {
            return Err(Problem::not_found());
        }
        let reading = self.pocketbase.cache_epoch().and_then(|epoch| self.status_cache.begin_read(id, epoch));
        let stored = self.pocketbase.verification(id).await?;
        let stored = stored.filter(|stored| caller.may_see(stored)).ok_or_else(Problem::not_found)?;
        let reading = self.status_cache.observe_version(id, stored.version, reading);
        Ok((stored, reading))
    }

    /// The verification `id`, if `caller` may see it.
    pub async fn visible(&self, caller: &Caller, id: &str) -> Result<StoredVerification> {
        Ok(self.read(caller, id).await?.0)
    }

    /// The verification `id`, which was there a moment ago.
    pub async fn stored(&self, id: &str) -> Result<StoredVerification> {
        let stored = self.pocketbase.verification(id).await?.ok_or_else(Problem::not_found)?;
        self.status_cache.observe_version(id, stored.version, None);
        Ok(stored)
    }

    /// `stored` as callers see it.
    pub async fn view(&self, stored: &StoredVerification) -> Result<VerificationView> {
        if stored.version > 0 {
            return Ok(VerificationView::new(stored, None));
        }
        let policy = self.pocketbase.live_policy(stored.policy()).await?;
        Ok(VerificationView::new(stored, policy.as_deref()))
    }

    /// Hands in a device event; false when it was handed in before, which is no error: the person can make another.
    pub async fn submit_device_event(&self, verification: &str, event_id: &str, stage: &'static str) -> Result<bool> {
        let new = NewDeviceSignal { verification: verification.to_owned(), event_id: event_id.to_owned(), stage };
        let handed_in = self.pocketbase.create_device_signal(&new).await;
        reached(Point::DeviceStored);
        match handed_in {
            Ok(_) => Ok(true),
            Err(PocketbaseError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// For how long a request that asks for `wait` waits.
    pub fn wait_budget(&self, wait: Option<Duration>) -> Option<WaitBudget> {
        let wait = wait.filter(|wait| !wait.is_zero())?.min(self.settings.wait_max);
        Some(WaitBudget { deadline: tokio::time::Instant::now() + wait, shutdown: self.shutdown.clone() })
    }

    /// Waits until `evidence` was judged by a check of `kind`, or never will be; whether that happened in time.
    pub async fn wait_for_check(
        &self,
        id: &str,
        kind: CheckKind,
        evidence: &str,
        wait_budget: WaitBudget,
    ) -> Result<bool> {
        let mut poll = LongPoll::begin(&self.changes, id, wait_budget);
        let mut seen = None;
        loop {
            // The small record tells by its version whether reading the large case is worth it.
            if let Some(stored) = poll.heed(self.stored(id).await)? {
                if stored.is_final {
                    return Ok(true);
                }
                if seen != Some(stored.version)
                    && let Some(judged) = poll.heed(self.judged(id, kind, evidence).await)?
                {
                    if judged {
                        return Ok(true);
                    }
                    seen = Some(stored.version);
                }
            }
            if !poll.again().await {
                return Ok(false);
            }
        }
    }

    /// Whether a check of `kind` rests on `evidence`, or none ever will: a challenge can end without one.
    async fn judged(&self, id: &str, kind: CheckKind, evidence: &str) -> Result<bool> {
        let (case, _) = self.pocketbase.read_case(id).await?.ok_or_else(Problem::not_found)?;
        let checked = case.checks.iter().any(|c| c.kind == kind && c.evidence.iter().any(|e| e == evidence));
        let open = |status| matches!(status, SessionStatus::Requested | SessionStatus::Open);
        Ok(checked || case.session(evidence).is_some_and(|session| !open(session.status)))
    }

    /// Room for the pictures of one upload.
    pub async fn upload_slot(&self) -> Result<SemaphorePermit<'_>> {
        match tokio::time::timeout(UPLOAD_TURN, self.uploads.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Problem::new(Kind::Unavailable, "Too many uploads are under way.")),
        }
    }

    /// Waits until no other request about `reference` is creating something.
    pub async fn reference_lock(&self, reference: &str) -> ReferenceLock {
        let held = self.turns.acquire(reference, Arc::default);
        // It is held, so it has a lock.
        let lock = held.with(|lock| Arc::clone(lock)).unwrap_or_default();
        ReferenceLock { _turn: lock.lock_owned().await, _held: held }
    }
}

/// A request's turn, over when dropped.
pub struct ReferenceLock {
    // In this order: whoever waits must still find the lock that this one gives back.
    _turn: OwnedMutexGuard<()>,
    _held: Reference<Arc<Mutex<()>>>,
}

fn refusal(problem: &Problem, found: &Match<'_>, path: &str, request_id: &str) -> Reply {
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

/// A panic in a handler is one caller's 500, nothing more.
async fn catch_panic(handler: impl Future<Output = Result<Reply>>) -> Result<Reply> {
    let mut handler = std::pin::pin!(handler);
    std::future::poll_fn(move |context| {
        // A handler that panicked is not polled again, and what it shared is locks that do not poison and PocketBase.
        if let Ok(poll) = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(context))) {
            poll
        } else {
            let problem = Problem::new(Kind::Internal, "The request could not be completed.");
            Poll::Ready(Err(problem.because("a handler panicked; the panic's own message is on standard error")))
        }
    })
    .await
}

/// The caller's own id if it is harmless in a log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let sent = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    sent.filter(harmless).map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// Methods by name; whatever else is sent is one name, so that it cannot make labels.
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
    async fn a_panic_is_one_callers_500() {
        let fails = async {
            tokio::task::yield_now().await;
            Ok(Vec::<Reply>::new().remove(0))
        };
        let problem = catch_panic(fails).await.expect_err("a problem");
        assert_eq!(problem.kind, Kind::Internal);
        assert!(!problem.detail.contains("index"));
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        let id = |sent: &'static [u8]| {
            let value = HeaderValue::from_bytes(sent).expect("a header");
            request_id(&HeaderMap::from_iter([(HeaderName::from_static("x-request-id"), value)]))
        };
        assert_eq!(id(b"a-b.c_1"), "a-b.c_1");
        assert_ne!(id(b"a\tb"), "a\tb");
        assert_ne!(id(b"\xff"), id(b"\xff"), "each new one is another");
    }
}
