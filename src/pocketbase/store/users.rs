//! The people who are verified: found or created by a partner's reference, and logged in for their
//! browser.
//!
//! After three empty filtered lists within three seconds `PocketBase` delays each further one by up
//! to half a second, for all clients but superusers. So a record that is usually absent (a new
//! person, an open verification, an idempotency key) is looked up by an id that follows from what
//! is known.

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::base::keyed_hash;
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::record_id::id_from_digest;
use crate::pocketbase::records::{
    Collection, PasswordFields, PasswordLogin, RecordId, UserFields, UserReference, with_reference,
};
use crate::pocketbase::request::Request;
use crate::pocketbase::session::claims;

/// A person's token, for their browser.
#[derive(Debug, Clone)]
pub struct ClientToken {
    /// Id of the person's record in `users`.
    pub user: String,
    /// The token of that record.
    pub token: SecretString,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// Whether the person was just created, and so has no verification yet.
    pub is_new: bool,
}

impl Client {
    /// The person with the partner's `reference`, created if new, with a fresh token for their
    /// browser.
    ///
    /// The password of the record is derived from the service's own, so no state is kept. After the
    /// service's password was changed the person's is set again, which ends the tokens that they
    /// had.
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
        let record = Collection::Users.record(&self.derived_id(reference));
        let request = Request::get("look up a person", record).fields(UserReference::FIELDS);
        let found = self.find::<UserReference>(&request).await?;
        Ok(found.filter(|row| row.reference == reference).map(|row| row.id))
    }

    async fn user_by_reference(&self, reference: &str) -> Result<Option<String>> {
        let request = Request::get("look up a person", Collection::Users.records())
            .filter(with_reference(reference)?)
            .first_page(1)
            .fields(RecordId::FIELDS);
        Ok(self.list::<RecordId>(&request).await?.into_iter().next().map(|row| row.id))
    }

    /// Creates a person. Returns their id, and whether this call created them.
    async fn create_user(&self, reference: &str) -> Result<(String, bool)> {
        const OPERATION: &str = "create a person";
        let id = self.derived_id(reference);
        let password = self.password_of(&id);
        let fields = UserFields { id: &id, reference, password: password.expose_secret().into() };
        match self.create(OPERATION, Collection::Users, &fields, Vec::new()).await {
            // Another request was faster, or an operator created the person under another id.
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
        let password = self.password_of(user);
        let login = json!(PasswordLogin::new(reference, password.expose_secret()));
        let request = Request::post(OPERATION, Collection::Users.account("auth-with-password"), login).fields("token");
        let answer = self.transport().send(&request, None).await.map_err(|error| match error {
            // Wrong credentials are a 400 without data.
            PocketbaseError::Transient { status: status @ 400, .. } => {
                PocketbaseError::Unauthorized { operation: OPERATION, status }
            }
            other => other,
        })?;
        let LoggedIn { token } = answer.json()?;
        let expires_at = claims(token.expose_secret())
            .filter(|claims| claims.id == user)
            .and_then(|claims| Timestamp::from_second(claims.exp).ok())
            .ok_or_else(|| request.unexpected("its token is another person's, or has no readable expiry".to_owned()))?;
        Ok(ClientToken { user: user.to_owned(), token, expires_at, is_new: false })
    }

    async fn set_password(&self, user: &str) -> Result<()> {
        let password = self.password_of(user);
        let fields = json!(PasswordFields::from(password.expose_secret()));
        let request = Request::write("set a person's password", Method::PATCH, Collection::Users.record(user), fields);
        self.call(&request.fields(RecordId::FIELDS)).await?;
        Ok(())
    }

    fn password_of(&self, user: &str) -> SecretString {
        SecretString::from(hex::encode(self.derive("password", user)))
    }

    /// The id that the person with `reference` gets. It cannot be guessed from outside.
    fn derived_id(&self, reference: &str) -> String {
        id_from_digest(&self.derive("id", reference))
    }

    fn derive(&self, purpose: &str, from: &str) -> [u8; 32] {
        keyed_hash::bytes(&self.transport().settings().password, &format!("identivia/users/{purpose}/1/"), from)
    }
}
