//! Who wants to be notified.

use serde::Deserialize;

use super::client::Client;
use super::error::Result;
use super::records::Collection;
use super::request::Call;

/// Endpoints in all; an operator has a handful.
const ENDPOINTS_MAX: usize = 50;

impl Client {
    /// Ids of the enabled endpoints that want to hear of `status`.
    pub async fn webhook_endpoints(&self, status: &str) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Row {
            id: String,
            enabled: bool,
            #[serde(default)]
            events: Vec<String>,
        }
        // Without a filter: see `people.rs` for what empty answers to filters cost.
        let call = Call::get("read the webhook endpoints", Collection::WebhookEndpoints.records())
            .with("perPage", ENDPOINTS_MAX.to_string())
            .with("skipTotal", "1")
            .with("fields", "id,enabled,events");
        let rows: Vec<Row> = self.list(&call).await?;
        let wants = |row: &Row| row.enabled && row.events.iter().any(|event| event == status);
        Ok(rows.into_iter().filter(wants).map(|row| row.id).collect())
    }
}
