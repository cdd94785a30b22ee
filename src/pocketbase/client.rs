//! One client for everything: requests, the login, `PocketBase`'s clock.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::redirect;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::clock::ServerClock;
use super::error::{PocketbaseError, Result};
use super::request::{Answer, Call};
use crate::base::failpoints::{Bug, bug_planted};
use crate::base::lock::Mutex;
use crate::pocketbase::cache_lease::{CacheLease, Shelf};
use crate::pocketbase::session::Login;
use crate::pocketbase::store::files::FileToken;
use crate::pocketbase::store::users::KnownToken;
use crate::pocketbase::store::webhooks::Endpoint;
use crate::verification::Policy;

/// Idle connections are kept no longer: one that a router forgot must not be what the next heartbeat goes out on.
const POOL_IDLE: Duration = Duration::from_secs(5);

/// Where `PocketBase` is and who we are there.
#[derive(Clone)]
pub struct Settings {
    /// Base address, without user name, query or fragment. Prefer `127.0.0.1` to `localhost`.
    pub url: Url,
    /// E-mail of a `services` record, or of a superuser.
    pub email: String,
    /// Its password.
    pub password: SecretString,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a request may take in all; uploads included.
    pub request_timeout: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("connect_timeout", &self.connect_timeout).finish_non_exhaustive()
    }
}

/// As whom we are logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// A record of `services`: least privilege.
    Service,
    /// A superuser: rules do not bind it. Runs, with a warning.
    Superuser,
}

/// A connection to one `PocketBase`. Cheap to clone; clones share the login, the clock and the caches.
///
/// Each operation is tried once, within its timeout; when again is the caller's decision. Only a login that turns out to
/// be lost is renewed on the spot, because a lost login was refused and so changed nothing.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub settings: Settings,
    /// Base address without a slash at its end.
    pub base: String,
    pub http: reqwest::Client,
    pub login: Login,
    pub clock: Mutex<Option<ServerClock>>,
    pub policies: Mutex<HashMap<String, Arc<Policy>>>,
    pub live_policies: Shelf<Arc<Policy>>,
    pub endpoints: Shelf<Arc<[Endpoint]>>,
    pub known_tokens: Shelf<KnownToken>,
    pub file_token: tokio::sync::Mutex<Option<FileToken>>,
    pub cache_lease: CacheLease,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
}

impl Client {
    /// A client that has not spoken yet.
    pub fn new(settings: Settings) -> Result<Self> {
        let url = &settings.url;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain || url.fragment().is_some() {
            let what = "the address must be http:// or https://, without user name, query and fragment";
            return Err(PocketbaseError::Misuse { operation: "set up", what });
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .build()
            .map_err(|source| PocketbaseError::Unreachable { operation: "set up", source: Some(source) })?;
        let inner = Inner {
            base: settings.url.as_str().trim_end_matches('/').to_owned(),
            settings,
            http,
            login: Login::default(),
            clock: Mutex::default(),
            policies: Mutex::default(),
            live_policies: Shelf::default(),
            endpoints: Shelf::default(),
            known_tokens: Shelf::default(),
            file_token: tokio::sync::Mutex::default(),
            cache_lease: CacheLease::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Logs in: as a record of `services`, else as a superuser. Needed once; later logins happen by themselves.
    pub async fn login(&self) -> Result<Identity> {
        Ok(self.token().await?.identity)
    }

    /// As whom we are logged in; `None` before the first login.
    pub fn identity(&self) -> Option<Identity> {
        self.inner.login.current().map(|token| token.identity)
    }

    /// Proves that `PocketBase` knows us now (and logs in anew when it no longer did). Returns its time.
    pub async fn probe(&self) -> Result<Timestamp> {
        let token = self.token().await?;
        if !bug_planted(Bug::EmptyListTrusted) && !self.still_known(&token).await? {
            self.log_in_again(Some(&token)).await?;
        }
        self.now_after("probe")
    }

    /// `PocketBase`'s time now, by the answers so far; `None` before the first answer.
    pub fn now(&self) -> Option<Timestamp> {
        let clock = *self.inner.clock.lock();
        clock.map(|clock| clock.now(Instant::now()))
    }

    /// Learns from a stamp of the server that was just read.
    pub(super) fn has_passed(&self, stamp: Timestamp) {
        let mut clock = self.inner.clock.lock();
        if let Some(clock) = clock.as_mut() {
            clock.has_passed(stamp, Instant::now());
        }
    }

    /// `PocketBase`'s time, after an answer.
    pub(super) fn now_after(&self, operation: &'static str) -> Result<Timestamp> {
        self.now().ok_or_else(|| PocketbaseError::Unexpected {
            operation,
            what: "no Date header; a proxy between must keep it".to_owned(),
        })
    }

    /// Sends `call` once as whoever `token` belongs to, and learns the time from the answer.
    pub(super) async fn send(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer> {
        let answer = call.send(&self.inner.http, &self.inner.base, token).await?;
        if let Some((date, sent, received)) = answer.date {
            let mut clock = self.inner.clock.lock();
            clock.get_or_insert_with(|| ServerClock::new(date, received)).observe(date, sent, received);
        }
        Ok(answer)
    }

    /// Sends `call` as the service. Where the answer could be that of a lost login, the login is proved first; when it
    /// is lost indeed, `call` is sent again with a new one.
    pub(super) async fn call(&self, call: &Call) -> Result<Answer> {
        let token = self.token().await?;
        let first = self.send(call, Some(&token.secret)).await;
        let doubtful = match &first {
            Ok(answer) => answer.is_empty_list(),
            Err(error) => may_hide_a_lost_login(error),
        };
        if !doubtful || bug_planted(Bug::EmptyListTrusted) || self.still_known(&token).await? {
            return first;
        }
        let token = self.log_in_again(Some(&token)).await?;
        self.send(call, Some(&token.secret)).await
    }

    /// The same, where a missing record is an answer.
    pub(super) async fn find<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>> {
        match self.call(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(PocketbaseError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The items of a list; an empty one is backed by proof.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: &Call) -> Result<Vec<T>> {
        Ok(self.call(call).await?.json::<Page<T>>()?.items)
    }
}

/// What a guest gets: 401 and 403, 404 for what it cannot see, and 400 without data for what it cannot create.
fn may_hide_a_lost_login(error: &PocketbaseError) -> bool {
    matches!(
        error,
        PocketbaseError::Unauthorized { .. }
            | PocketbaseError::NotFound { .. }
            | PocketbaseError::Transient { status: 400, .. }
    )
}
