//! `device_signals`: events of the device provider that people submitted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::columns::Aged;
use crate::verification::DeviceSignal;

/// A device event that the facade submits for a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewDeviceSignal {
    /// Id of the verification.
    pub verification: String,
    /// Fingerprint's id of the event.
    pub event_id: String,
    /// The step at which the event was made: `start`, `document` or `liveness`.
    pub stage: &'static str,
}

#[derive(Debug, Deserialize)]
pub struct SignalRow {
    id: String,
    event_id: String,
    created: Timestamp,
}

impl Aged for SignalRow {
    fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

impl From<SignalRow> for DeviceSignal {
    fn from(row: SignalRow) -> Self {
        Self { id: row.id, event_id: row.event_id, created: row.created }
    }
}
