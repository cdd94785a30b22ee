//! The session of the service: one token, renewed before it expires, by one task at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use super::error::{PocketbaseError, Result};
use super::records::Collection;
use super::request::Request;
use super::transport::Transport;
use crate::base::failpoints::{Point, reached};
use crate::base::lock::RwLock;

/// How long no login is tried after refused credentials. Each try costs the server a password hash.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// How long no renewal is tried after one that failed while the token is still valid.
const PAUSE_AFTER_FAILED_RENEWAL: Duration = Duration::from_secs(15);
const SUPERUSERS: &str = "_superusers";

/// The kind of account that the service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// A record of `services`, with the least privileges that suffice.
    Service,
    /// A superuser, which no rule binds. The sidecar runs, with a warning.
    Superuser,
}

/// A token of the service.
#[derive(Debug)]
pub(super) struct SessionToken {
    pub secret: SecretString,
    pub identity: Identity,
    renew_at: Instant,
    expires_at: Instant,
}

#[derive(Debug)]
pub(super) struct Session {
    transport: Transport,
    current: RwLock<Option<Arc<SessionToken>>>,
    /// Held by the task that logs in or renews.
    renewal: Mutex<Renewal>,
}

#[derive(Debug, Default)]
struct Renewal {
    /// No login before this instant.
    not_before: Option<Instant>,
}

/// What a token says about itself: decoded, not verified.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    /// The record that the token was issued to.
    pub id: String,
    /// The purpose of the token, such as `auth` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it expires, in seconds of Unix time.
    pub exp: i64,
}

/// The claims of a token; `None` for text that is no token. This proves nothing.
pub(super) fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: SecretString,
}

impl Session {
    pub fn new(transport: Transport) -> Self {
        Self { transport, current: RwLock::default(), renewal: Mutex::default() }
    }

    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The account that is logged in; `None` before the first login.
    pub fn identity(&self) -> Option<Identity> {
        self.current().map(|token| token.identity)
    }

    /// A token that has not expired. Logs in or renews when due.
    pub async fn token(&self) -> Result<Arc<SessionToken>> {
        let now = Instant::now();
        match self.current() {
            Some(token) if now < token.renew_at => Ok(token),
            Some(token) if now < token.expires_at => match self.renewal.try_lock() {
                Ok(renewal) => self.renew_early(renewal, token).await,
                // Another task is renewing it.
                Err(_) => Ok(token),
            },
            stale => self.log_in_again(stale.as_ref()).await,
        }
    }

    /// Logs in, unless another task has replaced `stale` in the meantime.
    pub async fn log_in_again(&self, stale: Option<&Arc<SessionToken>>) -> Result<Arc<SessionToken>> {
        if stale.is_some() {
            reached(Point::LoginLost);
        }
        let mut renewal = self.renewal.lock().await;
        match (self.current(), stale) {
            (Some(current), Some(stale)) if !Arc::ptr_eq(&current, stale) => return Ok(current),
            (Some(current), None) => return Ok(current),
            _ => {}
        }
        if renewal.not_before.is_some_and(|instant| Instant::now() < instant) {
            return Err(PocketbaseError::Unauthorized { operation: "log in", status: 400 });
        }
        let result = self.log_in_by_password().await;
        renewal.not_before =
            matches!(result, Err(PocketbaseError::Unauthorized { .. })).then(|| Instant::now() + PAUSE_AFTER_REFUSAL);
        result
    }

    /// Whether `PocketBase` accepts `token` now. Only this distinguishes an empty answer from the
    /// answer to a lost session.
    pub async fn is_accepted(&self, token: &SessionToken) -> Result<bool> {
        let refreshed = self.refresh(token).await;
        reached(Point::LoginProved);
        match refreshed {
            Ok(_) => Ok(true),
            Err(PocketbaseError::Unauthorized { .. } | PocketbaseError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn current(&self) -> Option<Arc<SessionToken>> {
        self.current.read().clone()
    }

    fn replace(&self, token: SessionToken) -> Arc<SessionToken> {
        let token = Arc::new(token);
        *self.current.write() = Some(token.clone());
        token
    }

    /// Renews a token at half of its life. A failure is no error yet: the old token is still valid.
    async fn renew_early(
        &self,
        renewal: MutexGuard<'_, Renewal>,
        token: Arc<SessionToken>,
    ) -> Result<Arc<SessionToken>> {
        let refreshed = self.refresh(&token).await;
        reached(Point::LoginRenewed);
        match refreshed {
            Ok(fresh) => Ok(self.replace(fresh)),
            Err(PocketbaseError::Unauthorized { .. } | PocketbaseError::NotFound { .. }) => {
                drop(renewal);
                self.log_in_again(Some(&token)).await
            }
            Err(error) => {
                tracing::warn!(%error, "the session's token could not be renewed yet; the old one is still valid");
                Ok(self.replace(SessionToken {
                    secret: token.secret.clone(),
                    identity: token.identity,
                    renew_at: Instant::now() + PAUSE_AFTER_FAILED_RENEWAL,
                    expires_at: token.expires_at,
                }))
            }
        }
    }

    async fn refresh(&self, token: &SessionToken) -> Result<SessionToken> {
        let path = format!("/api/collections/{}/auth-refresh", collection(token.identity));
        let request = Request::post("renew the login", path, json!({})).fields("token");
        self.token_from(&request, Some(&token.secret), token.identity).await
    }

    /// Logs in as a record of `services`, else as a superuser.
    async fn log_in_by_password(&self) -> Result<Arc<SessionToken>> {
        let token = match self.password_login(Identity::Service).await {
            Err(PocketbaseError::Unauthorized { .. }) => self.password_login(Identity::Superuser).await?,
            other => other?,
        };
        reached(Point::LoginAnswered);
        Ok(self.replace(token))
    }

    async fn password_login(&self, identity: Identity) -> Result<SessionToken> {
        const OPERATION: &str = "log in";
        let settings = self.transport.settings();
        let path = format!("/api/collections/{}/auth-with-password", collection(identity));
        let body = json!({ "identity": settings.email, "password": settings.password.expose_secret() });
        let request = Request::post(OPERATION, path, body).fields("token");
        self.token_from(&request, None, identity).await.map_err(|error| match error {
            // Wrong credentials are a 400 without data; a missing collection is a 404.
            PocketbaseError::Transient { status: status @ 400, .. } => {
                PocketbaseError::Unauthorized { operation: OPERATION, status }
            }
            PocketbaseError::NotFound { .. } => PocketbaseError::Unauthorized { operation: OPERATION, status: 404 },
            other => other,
        })
    }

    async fn token_from(
        &self,
        request: &Request,
        auth: Option<&SecretString>,
        identity: Identity,
    ) -> Result<SessionToken> {
        let answer = self.transport.send(request, auth).await?;
        let received = Instant::now();
        let now = self.transport.now_after(request.operation)?;
        let TokenAnswer { token: secret } = answer.json()?;
        let left = claims(secret.expose_secret())
            .and_then(|claims| Timestamp::from_second(claims.exp).ok())
            .map(|end| end.duration_since(now))
            .and_then(|left| Duration::try_from(left).ok())
            .ok_or_else(|| request.unexpected("its token has no readable expiry".to_owned()))?;
        Ok(SessionToken { secret, identity, renew_at: received + left / 2, expires_at: received + left })
    }
}

const fn collection(identity: Identity) -> &'static str {
    match identity {
        Identity::Service => Collection::Services.name(),
        Identity::Superuser => SUPERUSERS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_from_tokens_only() {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(r#"{"id":"abc","type":"auth","exp":1795481863}"#);
        let read = claims(&format!("h.{payload}.s")).expect("well formed");
        assert_eq!((read.id.as_str(), read.kind.as_str(), read.exp), ("abc", "auth", 1_795_481_863));
        for bad in ["", "a.b", "a.b.c", "a.b.c.d", &format!("h.{payload}"), &format!("h.{payload}.s.t")] {
            assert!(claims(bad).is_none(), "{bad}");
        }
    }
}
