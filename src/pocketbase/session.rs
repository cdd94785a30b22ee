//! The login: one token, renewed before it ends, by one task at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use super::client::{Client, Identity};
use super::error::{PocketbaseError, Result};
use super::records::Collection;
use super::request::Call;
use crate::base::failpoints::{Point, reached};
use crate::base::lock::RwLock;

/// After refused credentials nobody tries again for so long: each try costs the server a password hash.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// When a renewal fails but the token still holds, the next one waits so long.
const PAUSE_AFTER_FAILED_RENEWAL: Duration = Duration::from_secs(15);
const SUPERUSERS: &str = "_superusers";

/// A token in use.
#[derive(Debug)]
pub(super) struct Token {
    pub secret: SecretString,
    pub identity: Identity,
    renew_at: Instant,
    ends_at: Instant,
}

/// What the client knows of its login.
#[derive(Debug, Default)]
pub(super) struct Login {
    current: RwLock<Option<Arc<Token>>>,
    /// Held by whoever logs in or renews.
    turn: Mutex<Turn>,
}

#[derive(Debug, Default)]
struct Turn {
    not_before: Option<Instant>,
}

impl Login {
    pub fn current(&self) -> Option<Arc<Token>> {
        self.current.read().clone()
    }

    fn replace(&self, token: Token) -> Arc<Token> {
        let token = Arc::new(token);
        *self.current.write() = Some(token.clone());
        token
    }
}

/// What a token says about itself; decoded, not verified.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    /// Record id.
    pub id: String,
    /// `auth`, `file` ...
    #[serde(rename = "type")]
    pub kind: String,
    /// End, in seconds of Unix time.
    pub exp: i64,
}

/// Reads a token's claims. Proves nothing.
pub(super) fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: SecretString,
}

impl Client {
    /// A token that holds, by all we know; logs in or renews when due.
    pub(super) async fn token(&self) -> Result<Arc<Token>> {
        let now = Instant::now();
        match self.inner.login.current() {
            Some(token) if now < token.renew_at => Ok(token),
            Some(token) if now < token.ends_at => match self.inner.login.turn.try_lock() {
                Ok(turn) => self.renew_early(turn, token).await,
                Err(_) => Ok(token),
            },
            stale => self.log_in_again(stale.as_ref()).await,
        }
    }

    /// Logs in, unless somebody replaced `stale` meanwhile.
    pub(super) async fn log_in_again(&self, stale: Option<&Arc<Token>>) -> Result<Arc<Token>> {
        if stale.is_some() {
            reached(Point::LoginLost);
        }
        let mut turn = self.inner.login.turn.lock().await;
        match (self.inner.login.current(), stale) {
            (Some(current), Some(stale)) if !Arc::ptr_eq(&current, stale) => return Ok(current),
            (Some(current), None) => return Ok(current),
            _ => {}
        }
        if turn.not_before.is_some_and(|instant| Instant::now() < instant) {
            return Err(PocketbaseError::Unauthorized { operation: "log in", status: 400 });
        }
        let result = self.log_in_by_password().await;
        turn.not_before =
            matches!(result, Err(PocketbaseError::Unauthorized { .. })).then(|| Instant::now() + PAUSE_AFTER_REFUSAL);
        result
    }

    /// Whether `PocketBase` knows `token` now. Nothing but this tells an empty answer from a lost login.
    pub(super) async fn still_known(&self, token: &Token) -> Result<bool> {
        let refreshed = self.refresh(token).await;
        reached(Point::LoginProved);
        match refreshed {
            Ok(_) => Ok(true),
            Err(PocketbaseError::Unauthorized { .. } | PocketbaseError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Renews at half life. A failure is no failure yet: the old token still holds.
    async fn renew_early(&self, turn: MutexGuard<'_, Turn>, token: Arc<Token>) -> Result<Arc<Token>> {
        let refreshed = self.refresh(&token).await;
        reached(Point::LoginRenewed);
        match refreshed {
            Ok(fresh) => Ok(self.inner.login.replace(fresh)),
            Err(PocketbaseError::Unauthorized { .. } | PocketbaseError::NotFound { .. }) => {
                drop(turn);
                self.log_in_again(Some(&token)).await
            }
            Err(error) => {
                tracing::warn!(%error, "the login could not be renewed yet; the old one still holds");
                let renew_at = Instant::now() + PAUSE_AFTER_FAILED_RENEWAL;
                Ok(self.inner.login.replace(Token {
                    secret: token.secret.clone(),
                    identity: token.identity,
                    renew_at,
                    ends_at: token.ends_at,
                }))
            }
        }
    }

    async fn refresh(&self, token: &Token) -> Result<Token> {
        let path = format!("/api/collections/{}/auth-refresh", collection(token.identity));
        let call = Call::ask("renew the login", path, json!({})).with("fields", "token");
        self.token_from(&call, Some(&token.secret), token.identity).await
    }

    /// As a record of `services`, else as a superuser.
    async fn log_in_by_password(&self) -> Result<Arc<Token>> {
        let token = match self.password_login(Identity::Service).await {
            Err(PocketbaseError::Unauthorized { .. }) => self.password_login(Identity::Superuser).await?,
            other => other?,
        };
        reached(Point::LoginAnswered);
        Ok(self.inner.login.replace(token))
    }

    async fn password_login(&self, identity: Identity) -> Result<Token> {
        let settings = &self.inner.settings;
        let path = format!("/api/collections/{}/auth-with-password", collection(identity));
        let body = json!({ "identity": settings.email, "password": settings.password.expose_secret() });
        let call = Call::ask("log in", path, body).with("fields", "token");
        self.token_from(&call, None, identity).await.map_err(|error| match error {
            // Wrong credentials are a 400 without data; a missing collection is a 404.
            PocketbaseError::Transient { status: status @ 400, .. } => {
                PocketbaseError::Unauthorized { operation: "log in", status }
            }
            PocketbaseError::NotFound { .. } => PocketbaseError::Unauthorized { operation: "log in", status: 404 },
            other => other,
        })
    }

    async fn token_from(&self, call: &Call, auth: Option<&SecretString>, identity: Identity) -> Result<Token> {
        let answer = self.send(call, auth).await?;
        let received = Instant::now();
        let now = self.now_after(call.operation)?;
        let TokenAnswer { token: secret } = answer.json()?;
        let left = claims(secret.expose_secret())
            .and_then(|claims| Timestamp::from_second(claims.exp).ok())
            .map(|end| end.duration_since(now))
            .and_then(|left| Duration::try_from(left).ok())
            .ok_or_else(|| PocketbaseError::Unexpected {
                operation: call.operation,
                what: "a token without a readable end".to_owned(),
            })?;
        Ok(Token { secret, identity, renew_at: received + left / 2, ends_at: received + left })
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
    fn claims_are_read_from_a_token_and_from_nothing_else() {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(r#"{"id":"abc","type":"auth","exp":1795481863}"#);
        let read = claims(&format!("h.{payload}.s")).expect("well formed");
        assert_eq!((read.id.as_str(), read.kind.as_str(), read.exp), ("abc", "auth", 1_795_481_863));
        for bad in ["", "a.b", "a.b.c", "a.b.c.d", &format!("h.{payload}"), &format!("h.{payload}.s.t")] {
            assert!(claims(bad).is_none(), "{bad}");
        }
    }
}
