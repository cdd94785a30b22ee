//! `journal`: the events of each verification, numbered. The number of the next row is the lock of
//! the verification.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::columns::of_verification;
use crate::pocketbase::error::Result;
use crate::pocketbase::filter::Filter;
use crate::verification::{Entry, Event};

/// The number of a row, from 1.
pub const SEQ: &str = "seq";

/// A journal row as stored.
#[derive(Debug, Serialize)]
pub struct EntryFields<'a> {
    verification: &'a str,
    seq: u32,
    event: &'a str,
    data: &'a Value,
    action: &'a str,
    by: &'a str,
    previous_hash: &'a str,
    hash: &'a str,
}

impl<'a> EntryFields<'a> {
    pub fn new(verification: &'a str, entry: &'a Entry) -> Self {
        Self {
            verification,
            seq: entry.seq,
            event: &entry.name,
            data: &entry.data,
            action: &entry.action,
            by: &entry.by,
            previous_hash: &entry.previous_hash,
            hash: &entry.hash,
        }
    }
}

/// What says whose row was stored under a number.
#[derive(Deserialize)]
pub struct FenceRow {
    pub hash: String,
    pub created: Timestamp,
}

impl FenceRow {
    pub const FIELDS: &'static str = "hash,created";
}

/// The row `seq` of a verification.
pub fn row_of(verification: &str, seq: u32) -> Result<Filter> {
    Ok(of_verification(verification)?.equal_number(SEQ, seq))
}

#[derive(Debug, Deserialize)]
pub struct EntryRow {
    seq: u32,
    event: String,
    #[serde(default)]
    data: Value,
    action: String,
    by: String,
    previous_hash: String,
    hash: String,
    created: Timestamp,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            seq: row.seq,
            event: Event::from_parts(&row.event, &row.data),
            data: row.data,
            name: row.event,
            action: row.action,
            by: row.by,
            previous_hash: row.previous_hash,
            hash: row.hash,
            created: row.created,
        }
    }
}
