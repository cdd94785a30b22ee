//! Our own heartbeat row: patched often, and expected back over the realtime stream.

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::filter::id_of;
use crate::pocketbase::records::Collection;
use crate::pocketbase::records::writes::HeartbeatFields;
use crate::pocketbase::request::Call;

/// The heartbeat of this instance, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHeartbeat<'a> {
    /// Name of this instance; unique among those that share a `PocketBase`.
    pub instance: &'a str,
    /// Version of this program.
    pub version: &'a str,
    /// Counts up.
    pub beat: u64,
    /// When this process started, on `PocketBase`'s clock.
    pub started_at: Option<Timestamp>,
}

impl Client {
    /// The beat that is stored for `instance`, if any.
    pub async fn last_beat(&self, instance: &str) -> Result<Option<u64>> {
        #[derive(Deserialize)]
        struct Row {
            beat: u64,
        }
        let row = Collection::Heartbeats.record(&id_of_instance(instance));
        let call = Call::get("read the heartbeat", row).with("fields", "beat");
        Ok(self.find::<Row>(&call).await?.map(|row| row.beat))
    }

    /// Creates or patches our row; its record id, which is the same for an instance after every restart.
    pub async fn heartbeat(&self, new: &NewHeartbeat<'_>) -> Result<String> {
        const OPERATION: &str = "write the heartbeat";
        let id = id_of_instance(new.instance);
        let fields = HeartbeatFields {
            instance: new.instance,
            version: new.version,
            beat: new.beat,
            started_at: new.started_at,
        };
        let mut json = json!(fields);
        let patch = Call::write(OPERATION, Method::PATCH, Collection::Heartbeats.record(&id), json.clone());
        match self.call(&patch.with("fields", "id")).await {
            Ok(_) => Ok(id),
            Err(PocketbaseError::NotFound { .. }) => {
                json["id"] = json!(id);
                self.create(OPERATION, Collection::Heartbeats, &json, Vec::new()).await
            }
            Err(error) => Err(error),
        }
    }
}

/// The record of an instance has the same id after every restart.
fn id_of_instance(instance: &str) -> String {
    id_of(&format!("heartbeats/{instance}"))
}
