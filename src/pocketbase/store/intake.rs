//! What the facade creates for people: the same records that a `PocketBase` client in their browser
//! would create.

use serde_json::json;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::records::{
    Collection, DocumentFields, IDEMPOTENCY_KEY, NewAction, NewDeviceSignal, NewDocument, NewLivenessSession,
    NewVerification, StoredVerification, id_of_idempotency_key,
};

impl Client {
    /// Creates a verification and returns it as stored. With an idempotency key its id follows from
    /// the key, and a key that is taken is a [`PocketbaseError::Conflict`] of `idempotency_key`.
    pub async fn create_verification(&self, new: &NewVerification) -> Result<StoredVerification> {
        const OPERATION: &str = "create a verification";
        let key = &new.idempotency_key;
        let mut json = json!(new);
        if !key.is_empty() {
            json["id"] = json!(id_of_idempotency_key(key));
        }
        let fields = StoredVerification::FIELDS;
        match self.create_and_read(OPERATION, Collection::Verifications, &json, Vec::new(), fields).await {
            // The id may be what is taken, and it stands for the key.
            Err(PocketbaseError::Conflict { .. }) if !key.is_empty() => {
                Err(PocketbaseError::Conflict { operation: OPERATION, field: IDEMPOTENCY_KEY.to_owned() })
            }
            other => other,
        }
    }

    /// Uploads a document with its pictures. Returns its id.
    pub async fn create_document(&self, new: &NewDocument) -> Result<String> {
        self.create("upload a document", Collection::Documents, &DocumentFields::from(new), new.files()).await
    }

    /// Asks for a liveness challenge. Returns its id.
    pub async fn create_liveness_session(&self, new: &NewLivenessSession) -> Result<String> {
        self.create("ask for a liveness challenge", Collection::LivenessSessions, new, Vec::new()).await
    }

    /// Submits a device event. Returns its id. An event that was used before is a
    /// [`PocketbaseError::Conflict`] of `event_id`.
    pub async fn create_device_signal(&self, new: &NewDeviceSignal) -> Result<String> {
        self.create("submit a device event", Collection::DeviceSignals, new, Vec::new()).await
    }

    /// Records an action of a person. Returns its id.
    pub async fn create_action(&self, new: &NewAction) -> Result<String> {
        self.create("record an action", Collection::Actions, new, Vec::new()).await
    }
}
