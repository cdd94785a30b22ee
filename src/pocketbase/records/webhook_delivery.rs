//! `webhook_deliveries`: the notifications that are due.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A notification to send. It is stored in the same batch as the event that it announces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// Id of the record in `webhook_endpoints`.
    pub endpoint: String,
    /// `seq` of the journal row that the notification announces.
    pub seq: u32,
    /// `verification.<status>`.
    pub event: String,
    /// The body of the notification.
    pub payload: Value,
    /// When to send it for the first time; `None` for at once.
    pub next_attempt_at: Option<Timestamp>,
}

/// A notification as stored.
#[derive(Debug, Serialize)]
pub struct DeliveryFields<'a> {
    verification: &'a str,
    status: &'static str,
    #[serde(flatten)]
    delivery: &'a Delivery,
}

impl<'a> DeliveryFields<'a> {
    pub fn new(verification: &'a str, delivery: &'a Delivery) -> Self {
        Self { verification, status: "pending", delivery }
    }
}
