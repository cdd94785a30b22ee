//! The check of a person's token: whose it is. Cached under the cache lease.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::pocketbase::caches::ValidToken;
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::record_id::is_record_id;
use crate::pocketbase::records::{Collection, RecordId};
use crate::pocketbase::request::Request;
use crate::pocketbase::session::claims;

/// How long a valid token is not checked again.
const TOKEN_HOLDS: Duration = Duration::from_secs(60);

impl Client {
    /// The id of the person whose valid token this is. `None` for any other text, including valid
    /// tokens of reviewers, services and superusers.
    ///
    /// A page that polls sends the same token again and again, and all pages share one address's
    /// limit on logins. So a valid token is checked once in [`TOKEN_HOLDS`], as long as the cache
    /// lease is in force and no event says that the person was changed (a new password ends all
    /// tokens) or deleted.
    pub async fn user_from_token(&self, token: &str) -> Result<Option<String>> {
        if !self.may_be_valid(token) {
            return Ok(None);
        }
        let (now, name, valid_tokens) = (Instant::now(), name_of(token), &self.caches().valid_tokens);
        let epoch = self.cache_epoch();
        let cached = epoch.and_then(|epoch| valid_tokens.get(epoch, &name));
        if let Some(cached) = cached.filter(|cached| now < cached.until) {
            return Ok(Some(cached.user));
        }
        let reading = epoch.map(|epoch| valid_tokens.begin_read(epoch));
        let user = self.check_token(token).await?;
        if let (Some(reading), Some(user)) = (reading, &user) {
            valid_tokens.insert(reading, &name, ValidToken { user: user.clone(), until: now + TOKEN_HOLDS });
        }
        if user.is_none() {
            valid_tokens.remove(&name);
        }
        Ok(user)
    }

    /// Whether `token` was valid when it was last checked, however long ago: then it was not
    /// guessed. Says nothing about now.
    pub fn has_known_token(&self, token: &str) -> bool {
        self.caches().valid_tokens.contains(&name_of(token))
    }

    /// Drops the cached tokens of a person: an event said that the person was changed or deleted.
    pub fn user_changed(&self, user: &str) {
        self.caches().valid_tokens.invalidate(|token| token.user == user);
    }

    async fn check_token(&self, token: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Refreshed {
            record: RecordId,
        }
        let request = Request::post("check a person's token", Collection::Users.account("auth-refresh"), json!({}));
        match self.transport().send(&request.fields("record.id"), Some(&SecretString::from(token))).await {
            Ok(answer) => Ok(Some(answer.json::<Refreshed>()?.record.id)),
            Err(PocketbaseError::Unauthorized { .. } | PocketbaseError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether `token` has the form of a token that has not expired.
    // Anything else must not reach `PocketBase`: it would use up the limit on guests, which all
    // callers of the facade share.
    fn may_be_valid(&self, token: &str) -> bool {
        let printable = token.bytes().all(|b| b.is_ascii_graphic());
        printable
            && claims(token).is_some_and(|claims| {
                let expired = self.now().is_some_and(|now| claims.exp <= now.as_second());
                claims.kind == "auth" && is_record_id(&claims.id) && !expired
            })
    }
}

/// The name of a token in the cache: its hash, so that no token is kept.
fn name_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
