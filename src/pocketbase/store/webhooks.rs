//! Which webhook endpoints receive a notification.

use std::sync::Arc;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::records::{Collection, Endpoint};
use crate::pocketbase::request::Request;

/// The most endpoints that are read; an operator has a handful.
const ENDPOINTS_MAX: usize = 50;

impl Client {
    /// Ids of the enabled endpoints that receive notifications of `status`, cached under the cache
    /// lease.
    pub async fn webhook_endpoints(&self, status: &str) -> Result<Vec<String>> {
        let caches = self.caches();
        let endpoints = caches.endpoints.get_or_read(&caches.lease, "all", self.read_endpoints()).await?;
        let endpoints = endpoints.unwrap_or_default();
        let receivers = endpoints.iter().filter(|endpoint| endpoint.receives(status));
        Ok(receivers.map(|endpoint| endpoint.id.clone()).collect())
    }

    /// Drops the cached endpoints: an event said that one was created, changed or deleted.
    pub fn endpoints_changed(&self) {
        self.caches().endpoints.invalidate(|_| true);
    }

    async fn read_endpoints(&self) -> Result<Option<Arc<[Endpoint]>>> {
        // Without a filter, since a filtered list that is often empty would be delayed (see
        // `users.rs`).
        let request = Request::get("read the webhook endpoints", Collection::WebhookEndpoints.records())
            .first_page(ENDPOINTS_MAX)
            .fields(Endpoint::FIELDS);
        Ok(Some(self.list::<Endpoint>(&request).await?.into()))
    }
}
