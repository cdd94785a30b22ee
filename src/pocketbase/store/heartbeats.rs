//! Heartbeats: written often, and expected back over the realtime stream.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::records::{
    BeatRow, Collection, Heartbeat, LATEST_FIRST, NewHeartbeat, RecordId, id_of_instance,
};
use crate::pocketbase::request::{PAGE_LIMIT, Request};

impl Client {
    /// The number of the last heartbeat that is stored for `instance`.
    pub async fn last_beat(&self, instance: &str) -> Result<Option<u64>> {
        let record = Collection::Heartbeats.record(&id_of_instance(instance));
        let request = Request::get("read the heartbeat", record).fields(BeatRow::FIELDS);
        Ok(self.find::<BeatRow>(&request).await?.map(|row| row.beat))
    }

    /// Writes a heartbeat. Returns the id of the sidecar's record, which is the same after every
    /// restart.
    pub async fn heartbeat(&self, new: &NewHeartbeat<'_>) -> Result<String> {
        const OPERATION: &str = "write the heartbeat";
        let id = id_of_instance(new.instance);
        let mut json = json!(new);
        let patch = Request::write(OPERATION, Method::PATCH, Collection::Heartbeats.record(&id), json.clone());
        match self.call(&patch.fields(RecordId::FIELDS)).await {
            Ok(_) => Ok(id),
            Err(PocketbaseError::NotFound { .. }) => {
                json["id"] = json!(id);
                self.create(OPERATION, Collection::Heartbeats, &json, Vec::new()).await
            }
            Err(error) => Err(error),
        }
    }

    /// The heartbeats of all sidecars, latest first, and `PocketBase`'s time.
    pub async fn heartbeats(&self) -> Result<(Vec<Heartbeat>, Timestamp)> {
        const OPERATION: &str = "read heartbeats";
        let request =
            Request::get(OPERATION, Collection::Heartbeats.records()).sort(LATEST_FIRST).first_page(PAGE_LIMIT);
        let heartbeats = self.list(&request).await?;
        Ok((heartbeats, self.transport().now_after(OPERATION)?))
    }
}
