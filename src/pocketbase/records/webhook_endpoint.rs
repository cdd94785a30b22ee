//! `webhook_endpoints`: the addresses that notifications are sent to.

use serde::Deserialize;

/// The part of an endpoint that says which notifications it receives.
#[derive(Debug, Deserialize)]
pub struct Endpoint {
    pub id: String,
    enabled: bool,
    #[serde(default)]
    events: Vec<String>,
}

impl Endpoint {
    pub const FIELDS: &'static str = "id,enabled,events";

    /// Whether it receives a notification of `status`.
    pub fn receives(&self, status: &str) -> bool {
        self.enabled && self.events.iter().any(|event| event == status)
    }
}
