//! The client: requests as the service, over a session that is renewed when it is lost.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cache_lease::Epoch;
use super::caches::Caches;
use super::error::{PocketbaseError, Result};
use super::records::Collection;
use super::request::{Answer, FilePart, Request};
use super::session::{Identity, Session};
use super::transport::{Settings, Transport};
use crate::base::failpoints::{Bug, bug_planted};

/// A client of one `PocketBase`. Cheap to clone; clones share the session, the clock and the
/// caches.
///
/// Each operation is tried once, within its timeout; whether and when to try again is the caller's
/// decision. The one exception is a lost session: it is renewed and the request sent again, because
/// a request that was refused changed nothing.
///
/// The operations themselves are in [`store`](super::store).
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    session: Session,
    caches: Caches,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
}

impl Client {
    /// A client that has sent nothing yet.
    pub fn new(settings: Settings) -> Result<Self> {
        let session = Session::new(Transport::new(settings)?);
        Ok(Self { inner: Arc::new(Inner { session, caches: Caches::default() }) })
    }

    pub(super) fn session(&self) -> &Session {
        &self.inner.session
    }

    pub(super) fn transport(&self) -> &Transport {
        self.inner.session.transport()
    }

    pub(super) fn caches(&self) -> &Caches {
        &self.inner.caches
    }

    /// Logs in, as a record of `services` or else as a superuser. Needed once: later logins happen
    /// when they are due.
    pub async fn login(&self) -> Result<Identity> {
        Ok(self.session().token().await?.identity)
    }

    /// The account that is logged in; `None` before the first login.
    pub fn identity(&self) -> Option<Identity> {
        self.session().identity()
    }

    /// Proves that `PocketBase` accepts the session now, and logs in again if it does not. Returns
    /// the server's time.
    pub async fn probe(&self) -> Result<Timestamp> {
        let token = self.session().token().await?;
        if !bug_planted(Bug::EmptyListTrusted) && !self.session().is_accepted(&token).await? {
            self.session().log_in_again(Some(&token)).await?;
        }
        self.transport().now_after("probe")
    }

    /// `PocketBase`'s time now, estimated from the answers so far; `None` before the first answer.
    pub fn now(&self) -> Option<Timestamp> {
        self.transport().now()
    }

    /// The epoch of the cache lease; `None` while it is not in force. Take it *before* reading what
    /// is to be cached.
    pub fn cache_epoch(&self) -> Option<Epoch> {
        self.caches().lease.epoch(Instant::now())
    }

    /// Renews the cache lease until `until`: a heartbeat came back, so the stream of events is
    /// whole.
    pub fn renew_cache_lease(&self, until: Instant) {
        self.caches().lease.renew(until);
    }

    /// Ends the cache lease: events may have been missed, and the next answer may come from another
    /// `PocketBase`. Each [`Connection`](super::realtime::Connection) does this when it is dropped.
    pub fn end_cache_lease(&self) {
        self.caches().lease.end();
    }

    /// Sends `request` as the service. An answer that a lost session would get counts only after a
    /// proof of the session. If the session was lost, the request is sent again with a new one.
    pub(super) async fn call(&self, request: &Request) -> Result<Answer> {
        let session = self.session();
        let token = session.token().await?;
        let first = self.transport().send(request, Some(&token.secret)).await;
        let doubtful = match &first {
            Ok(answer) => answer.is_empty_list(),
            Err(error) => may_hide_a_lost_session(error),
        };
        if !doubtful || bug_planted(Bug::EmptyListTrusted) || session.is_accepted(&token).await? {
            return first;
        }
        let token = session.log_in_again(Some(&token)).await?;
        self.transport().send(request, Some(&token.secret)).await
    }

    /// The record that `request` reads; `None` if it does not exist.
    pub(super) async fn find<T: DeserializeOwned>(&self, request: &Request) -> Result<Option<T>> {
        match self.call(request).await {
            Ok(answer) => answer.json().map(Some),
            Err(PocketbaseError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The records of a list.
    pub(super) async fn list<T: DeserializeOwned>(&self, request: &Request) -> Result<Vec<T>> {
        Ok(self.call(request).await?.json::<Page<T>>()?.items)
    }

    /// Creates a record. Returns its id.
    pub(super) async fn create(
        &self,
        operation: &'static str,
        collection: Collection,
        fields: &impl Serialize,
        files: Vec<FilePart>,
    ) -> Result<String> {
        #[derive(Deserialize)]
        struct Created {
            id: String,
        }
        Ok(self.create_and_read::<Created>(operation, collection, fields, files, "id").await?.id)
    }

    /// Creates a record. Returns what was stored in `returned`, a list of fields.
    pub(super) async fn create_and_read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        collection: Collection,
        fields: &impl Serialize,
        files: Vec<FilePart>,
        returned: &str,
    ) -> Result<T> {
        let json = serde_json::to_value(fields)
            .map_err(|_| PocketbaseError::Misuse { operation, what: "a number that JSON cannot hold" })?;
        let request = Request::write(operation, Method::POST, collection.records(), json).with_files(files);
        self.call(&request.fields(returned)).await?.json()
    }
}

/// Whether `error` is one that a guest gets: 401 and 403, 404 for a record that it may not see, and
/// 400 without data for a record that it may not create.
fn may_hide_a_lost_session(error: &PocketbaseError) -> bool {
    matches!(
        error,
        PocketbaseError::Unauthorized { .. }
            | PocketbaseError::NotFound { .. }
            | PocketbaseError::Transient { status: 400, .. }
    )
}
