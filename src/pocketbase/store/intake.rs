//! What the facade creates on behalf of people: the same records a `PocketBase` client would write.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::read::id_of_idempotency_key;
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::records::writes::DocumentFields;
use crate::pocketbase::records::{
    Collection, NewAction, NewDeviceSignal, NewDocument, NewLivenessSession, NewVerification, StoredVerification,
};
use crate::pocketbase::request::{Call, FilePart};

impl Client {
    /// Creates a verification, as stored; its id follows from the idempotency key where there is one.
    /// [`PocketbaseError::Conflict`] on `idempotency_key` when the key is taken.
    pub async fn create_verification(&self, new: &NewVerification) -> Result<StoredVerification> {
        const OPERATION: &str = "create a verification";
        let key = &new.idempotency_key;
        let mut json = json!(new);
        if !key.is_empty() {
            json["id"] = json!(id_of_idempotency_key(key));
        }
        let fields = StoredVerification::FIELDS;
        match self.create_and_read(OPERATION, Collection::Verifications, &json, Vec::new(), fields).await {
            Err(PocketbaseError::Conflict { .. }) if !key.is_empty() => {
                Err(PocketbaseError::Conflict { operation: OPERATION, field: "idempotency_key".to_owned() })
            }
            other => other,
        }
    }

    /// Hands in a document with its pictures; its id.
    pub async fn create_document(&self, new: &NewDocument) -> Result<String> {
        let fields =
            DocumentFields { verification: &new.verification, document_type: new.document_type, country: &new.country };
        let sides = [("front", Some(&new.front)), ("back", new.back.as_ref())];
        let files = sides
            .into_iter()
            .filter_map(|(side, bytes)| Some(FilePart::picture(side.to_owned(), side, bytes?.clone())))
            .collect();
        self.create("hand in a document", Collection::Documents, &fields, files).await
    }

    /// Asks for a liveness challenge; its id.
    pub async fn create_liveness_session(&self, new: &NewLivenessSession) -> Result<String> {
        self.create("ask for a liveness challenge", Collection::LivenessSessions, new, Vec::new()).await
    }

    /// Hands in a device event; its id. [`PocketbaseError::Conflict`] on `event_id` when it was used before.
    pub async fn create_device_signal(&self, new: &NewDeviceSignal) -> Result<String> {
        self.create("hand in a device event", Collection::DeviceSignals, new, Vec::new()).await
    }

    /// Records what a person did; its id.
    pub async fn create_action(&self, new: &NewAction) -> Result<String> {
        self.create("record an action", Collection::Actions, new, Vec::new()).await
    }

    pub(in crate::pocketbase) async fn create(
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

    /// Creates a record; what its answer says of `returned`, a list of fields.
    async fn create_and_read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        collection: Collection,
        fields: &impl Serialize,
        files: Vec<FilePart>,
        returned: &str,
    ) -> Result<T> {
        let json = serde_json::to_value(fields)
            .map_err(|_| PocketbaseError::Misuse { operation, what: "a number that JSON cannot hold" })?;
        let call = Call::write(operation, Method::POST, collection.records(), json).with_files(files);
        self.call(&call.with("fields", returned)).await?.json()
    }
}
