//! Reading verifications and challenges as the facade shows them.

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::record_id::is_record_id;
use crate::pocketbase::records::{
    Collection, EXPAND_LIMIT, NEWEST_FIRST, StoredSession, StoredVerification, UserRow, VERIFICATIONS_OF_USER,
    id_of_idempotency_key, open_of,
};
use crate::pocketbase::request::Request;

impl Client {
    /// The verification `id`.
    pub async fn verification(&self, id: &str) -> Result<Option<StoredVerification>> {
        if !is_record_id(id) {
            return Ok(None);
        }
        let request = Request::get("read a verification", Collection::Verifications.record(id));
        self.find(&request.fields(StoredVerification::FIELDS)).await
    }

    /// The newest open verification of a person.
    pub async fn open_verification_of(&self, user: &str) -> Result<Option<StoredVerification>> {
        if !is_record_id(user) {
            return Ok(None);
        }
        // Through the person's record, since a list that is often empty would be delayed (see
        // `users.rs`).
        let request = Request::get("read a person's verifications", Collection::Users.record(user))
            .with("expand", VERIFICATIONS_OF_USER)
            .fields(UserRow::fields());
        let Some(row) = self.find::<UserRow>(&request).await? else { return Ok(None) };
        let verifications = row.verifications();
        if verifications.len() >= EXPAND_LIMIT {
            return self.newest_open_verification(user).await;
        }
        Ok(verifications.into_iter().filter(|v| !v.is_final).max_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id))))
    }

    async fn newest_open_verification(&self, user: &str) -> Result<Option<StoredVerification>> {
        let request = Request::get("look up a verification", Collection::Verifications.records())
            .filter(open_of(user)?)
            .sort(NEWEST_FIRST)
            .first_page(1)
            .fields(StoredVerification::FIELDS);
        Ok(self.list(&request).await?.into_iter().next())
    }

    /// The verification that was created with the idempotency key whose hash is `key`.
    pub async fn verification_by_idempotency_key(&self, key: &str) -> Result<Option<StoredVerification>> {
        if key.is_empty() {
            return Ok(None);
        }
        self.verification(&id_of_idempotency_key(key)).await
    }

    /// The liveness challenge `id`.
    pub async fn liveness_session(&self, id: &str) -> Result<Option<StoredSession>> {
        if !is_record_id(id) {
            return Ok(None);
        }
        self.find(&Request::get("read a liveness session", Collection::LivenessSessions.record(id))).await
    }
}
