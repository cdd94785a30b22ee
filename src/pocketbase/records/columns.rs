//! The columns that several collections share, and how stored values become Rust values.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::pocketbase::error;
use crate::pocketbase::filter::Filter;

/// The relation to the verification that a record belongs to.
pub const VERIFICATION: &str = "verification";
/// When a record was created.
pub const CREATED: &str = "created";
/// Sorts by creation.
pub const OLDEST_FIRST: &str = CREATED;
/// Sorts by creation; records that were created in the same millisecond by id.
pub const OLDEST_FIRST_THEN_ID: &str = "created,id";
/// Sorts by creation, latest first.
pub const NEWEST_FIRST: &str = "-created";

/// The records of a verification.
pub fn of_verification(verification: &str) -> error::Result<Filter> {
    Filter::default().equal(VERIFICATION, verification)
}

/// The records that were created from `instant` on.
pub fn created_since(instant: Timestamp) -> Filter {
    Filter::default().since(CREATED, instant)
}

/// A record of which only the id is read.
#[derive(Debug, Deserialize)]
pub struct RecordId {
    pub id: String,
}

impl RecordId {
    pub const FIELDS: &'static str = "id";
}

/// A record of which only its verification is read.
#[derive(Debug, Deserialize)]
pub struct OfVerification {
    pub verification: String,
}

impl OfVerification {
    pub const FIELDS: &'static str = VERIFICATION;
}

/// A row that has an age.
pub trait Aged {
    /// The order of creation. Rows that were created in the same millisecond are ordered by id.
    fn age(&self) -> (Timestamp, &str);
}

pub fn oldest_first<R: Aged>(mut rows: Vec<R>) -> impl Iterator<Item = R> {
    rows.sort_by(|a, b| a.age().cmp(&b.age()));
    rows.into_iter()
}

/// A stored date, which is empty for none.
pub fn instant_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(de::Error::custom)
}

/// A stored list, which is null when it was never set.
pub fn list_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
