//! The people being verified: whose token is this, and a token for a partner's reference.
//!
//! After three filtered lists within three seconds that were empty, `PocketBase` makes everybody but superusers wait up to half
//! a second for each further one. So what is usually absent (a new person, an open verification, an idempotency key) is asked
//! for by an id that follows from it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::base::keyed_hash;
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::filter::{Filter, is_record_id, record_id_from};
use crate::pocketbase::records::Collection;
use crate::pocketbase::records::writes::UserFields;
use crate::pocketbase::request::Call;
use crate::pocketbase::session as login;

/// For how long a valid token need not be asked about again.
const TOKEN_HOLDS: Duration = Duration::from_secs(60);
/// Tokens known at a time; about 150 bytes each.
const TOKENS_MAX: usize = 4096;

/// A token of a `users` record, for that person's browser.
#[derive(Debug, Clone)]
pub struct ClientToken {
    /// The person.
    pub user: String,
    /// Their token.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether the person is new: they have no verification yet.
    pub is_new: bool,
}

/// A token that `PocketBase` has vouched for.
#[derive(Debug, Clone)]
pub(in crate::pocketbase) struct KnownToken {
    user: String,
    until: Instant,
}

impl Client {
    /// The id of the person whose valid token this is. `None` for any other text, also for valid tokens of reviewers,
    /// services and superusers.
    ///
    /// A page that polls shows the same token again and again, and all pages together share one address' limit on logins. So a
    /// valid one is asked about once in [`TOKEN_HOLDS`], as long as the watch vouches that its person was not changed (a new password ends
    /// all tokens) or deleted.
    pub async fn user_from_token(&self, token: &str) -> Result<Option<String>> {
        if !self.may_be_a_login(token) {
            return Ok(None);
        }
        let now = Instant::now();
        let name = name_of(token);
        let epoch = self.cache_epoch();
        let known = epoch.and_then(|epoch| self.inner.known_tokens.find(epoch, &name));
        if let Some(known) = known.filter(|known| now < known.until) {
            return Ok(Some(known.user));
        }
        let reading = epoch.map(|epoch| self.inner.known_tokens.reading(epoch));
        let user = self.ask_whose_token(token).await?;
        if let (Some(reading), Some(user)) = (reading, &user) {
            let known = KnownToken { user: user.clone(), until: now + TOKEN_HOLDS };
            self.inner.known_tokens.keep(reading, &name, known, TOKENS_MAX);
        }
        if user.is_none() {
            self.inner.known_tokens.forget(&name);
        }
        Ok(user)
    }

    /// Whether `token` was valid when it was last asked about, however long ago: then it is no guess. Says nothing about now.
    pub fn has_known_token(&self, token: &str) -> bool {
        self.inner.known_tokens.has_known(&name_of(token))
    }

    /// The person `user` was changed or deleted: their tokens may have ended.
    pub fn user_changed(&self, user: &str) {
        self.inner.known_tokens.changed(|known| known.user == user);
    }

    async fn ask_whose_token(&self, token: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Refreshed {
            record: Record,
        }
        #[derive(Deserialize)]
        struct Record {
            id: String,
        }
        let call =
            Call::ask("look at a person's token", auth_path("auth-refresh"), json!({})).with("fields", "record.id");
        match self.send(&call, Some(&SecretString::from(token))).await {
            Ok(answer) => Ok(Some(answer.json::<Refreshed>()?.record.id)),
            Err(PocketbaseError::Unauthorized { .. } | PocketbaseError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What can be told without asking: garbage must not use up `PocketBase`'s limit on strangers, which we share.
    fn may_be_a_login(&self, token: &str) -> bool {
        let printable = token.bytes().all(|b| b.is_ascii_graphic());
        printable
            && login::claims(token).is_some_and(|claims| {
                let ended = self.now().is_some_and(|now| claims.exp <= now.as_second());
                claims.kind == "auth" && is_record_id(&claims.id) && !ended
            })
    }

    /// The person a partner calls `reference`, created if new, with a fresh token for their browser.
    ///
    /// The record's password is derived from ours, so no state is kept. After ours was changed the person's is set anew,
    /// which ends the tokens they had.
    pub async fn ensure_user(&self, reference: &str) -> Result<ClientToken> {
        if reference.is_empty() {
            let what = "a person without a reference cannot be created";
            return Err(PocketbaseError::Misuse { operation: "create a person", what });
        }
        let (user, is_new) = match self.user_by_derived_id(reference).await? {
            Some(user) => (user, false),
            None => self.create_user(reference).await?,
        };
        let token = match self.client_token(reference, &user).await {
            Err(PocketbaseError::Unauthorized { .. }) => {
                self.set_password(&user).await?;
                self.client_token(reference, &user).await?
            }
            other => other?,
        };
        Ok(ClientToken { is_new, ..token })
    }

    async fn user_by_derived_id(&self, reference: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Row {
            id: String,
            reference: String,
        }
        let call = Call::get("look for a person", Collection::Users.record(&self.derived_id(reference)))
            .with("fields", "id,reference");
        Ok(self.find::<Row>(&call).await?.filter(|row| row.reference == reference).map(|row| row.id))
    }

    async fn user_by_reference(&self, reference: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Row {
            id: String,
        }
        let call = Call::get("look for a person", Collection::Users.records())
            .with("filter", Filter::default().equal("reference", reference)?)
            .with("perPage", "1")
            .with("skipTotal", "1")
            .with("fields", "id");
        Ok(self.list::<Row>(&call).await?.into_iter().next().map(|row| row.id))
    }

    /// The person's id, and whether they were created here.
    async fn create_user(&self, reference: &str) -> Result<(String, bool)> {
        const OPERATION: &str = "create a person";
        let id = self.derived_id(reference);
        let password = self.password_of(&id);
        let password = password.expose_secret();
        let fields = UserFields { id: &id, reference, password, password_again: password };
        match self.create(OPERATION, Collection::Users, &fields, Vec::new()).await {
            // Somebody else was faster, or created the person under another id.
            Err(PocketbaseError::Conflict { .. }) => {
                let user = self.user_by_reference(reference).await?;
                user.map(|user| (user, false)).ok_or(PocketbaseError::NotFound { operation: OPERATION })
            }
            created => created.map(|user| (user, true)),
        }
    }

    async fn client_token(&self, reference: &str, user: &str) -> Result<ClientToken> {
        const OPERATION: &str = "log a person in";
        #[derive(Deserialize)]
        struct LoggedIn {
            token: SecretString,
        }
        let body = json!({
            "identity": reference,
            "identityField": "reference",
            "password": self.password_of(user).expose_secret(),
        });
        let call = Call::ask(OPERATION, auth_path("auth-with-password"), body).with("fields", "token");
        let answer = self.send(&call, None).await.map_err(|error| match error {
            PocketbaseError::Transient { status: status @ 400, .. } => {
                PocketbaseError::Unauthorized { operation: OPERATION, status }
            }
            other => other,
        })?;
        let LoggedIn { token } = answer.json()?;
        let claims = login::claims(token.expose_secret())
            .filter(|claims| claims.id == user)
            .and_then(|claims| Timestamp::from_second(claims.exp).ok());
        let expires_at = claims.ok_or_else(|| PocketbaseError::Unexpected {
            operation: OPERATION,
            what: "a token of somebody else, or without an end".to_owned(),
        })?;
        Ok(ClientToken { user: user.to_owned(), token, expires_at, is_new: false })
    }

    async fn set_password(&self, user: &str) -> Result<()> {
        let password = self.password_of(user);
        let body = json!({ "password": password.expose_secret(), "passwordConfirm": password.expose_secret() });
        let call = Call::write("set a person's password", Method::PATCH, Collection::Users.record(user), body);
        self.call(&call.with("fields", "id")).await?;
        Ok(())
    }

    fn password_of(&self, user: &str) -> SecretString {
        SecretString::from(hex::encode(self.derive("password", user)))
    }

    /// The id that the person with `reference` gets, unguessable from outside.
    fn derived_id(&self, reference: &str) -> String {
        record_id_from(&self.derive("id", reference))
    }

    fn derive(&self, purpose: &str, from: &str) -> [u8; 32] {
        keyed_hash::bytes(&self.inner.settings.password, &format!("identivia/users/{purpose}/1/"), from)
    }
}

/// What a token is known by: its hash, so that none is kept.
fn name_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn auth_path(what: &str) -> String {
    format!("/api/collections/{}/{what}", Collection::Users.name())
}
