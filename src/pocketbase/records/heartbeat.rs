//! `heartbeats`: one record for each running sidecar. The sidecar patches it often and expects the
//! event of each patch.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::pocketbase::record_id::id_of;

/// Sorts by the time of the last heartbeat, latest first.
pub const LATEST_FIRST: &str = "-updated";

/// A `heartbeats` record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Heartbeat {
    /// Record id.
    pub id: String,
    /// Name of a running sidecar.
    pub instance: String,
    /// Version of its program.
    pub version: String,
    /// Number of its latest heartbeat.
    pub beat: u64,
    /// When the record was last patched, on `PocketBase`'s clock.
    pub updated: Timestamp,
}

/// A heartbeat of this sidecar, to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewHeartbeat<'a> {
    /// Name of this sidecar, unique among those that share a `PocketBase`.
    pub instance: &'a str,
    /// Version of this program.
    pub version: &'a str,
    /// Number of the heartbeat. It only increases.
    pub beat: u64,
    /// When this process started, on `PocketBase`'s clock.
    pub started_at: Option<Timestamp>,
}

/// A heartbeat of which only the number is read.
#[derive(Deserialize)]
pub struct BeatRow {
    pub beat: u64,
}

impl BeatRow {
    pub const FIELDS: &'static str = "beat";
}

/// The id of a sidecar's record, which is the same after every restart.
pub fn id_of_instance(instance: &str) -> String {
    id_of(&format!("heartbeats/{instance}"))
}
