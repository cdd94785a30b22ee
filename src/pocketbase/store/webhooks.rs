//! Who wants to be notified.

use std::sync::Arc;

use serde::Deserialize;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::records::Collection;
use crate::pocketbase::request::Call;

/// Endpoints in all; an operator has a handful.
const ENDPOINTS_MAX: usize = 50;

/// An endpoint, as far as it says whether it is told.
#[derive(Debug, Deserialize)]
pub(in crate::pocketbase) struct Endpoint {
    id: String,
    enabled: bool,
    #[serde(default)]
    events: Vec<String>,
}

impl Client {
    /// Ids of the enabled endpoints that want to hear of `status`. Kept while the watch vouches that no endpoint has changed since.
    pub async fn webhook_endpoints(&self, status: &str) -> Result<Vec<String>> {
        let kept = self.shelved(&self.inner.endpoints, "all", 1, self.read_endpoints()).await?;
        let endpoints = kept.unwrap_or_default();
        let wants = |endpoint: &&Endpoint| endpoint.enabled && endpoint.events.iter().any(|event| event == status);
        Ok(endpoints.iter().filter(wants).map(|endpoint| endpoint.id.clone()).collect())
    }

    /// An endpoint was created, changed or deleted: they must be read anew.
    pub fn endpoints_changed(&self) {
        self.inner.endpoints.changed(|_| true);
    }

    async fn read_endpoints(&self) -> Result<Option<Arc<[Endpoint]>>> {
        // Without a filter: see `people.rs` for what empty answers to filters cost.
        let call = Call::get("read the webhook endpoints", Collection::WebhookEndpoints.records())
            .with("perPage", ENDPOINTS_MAX.to_string())
            .with("skipTotal", "1")
            .with("fields", "id,enabled,events");
        Ok(Some(self.list::<Endpoint>(&call).await?.into()))
    }
}
