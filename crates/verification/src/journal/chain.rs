//! The hash chain of a journal: canonical JSON, the hash of a row, and the verification of a whole
//! journal.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Entry;

/// The hash of a row: SHA-256 over the canonical JSON of its content and of the hash before it, in
/// hex.
pub fn hash(verification: &str, entry: &Entry) -> String {
    digest(&json!({
        "action": entry.action,
        "by": entry.by,
        "data": entry.data,
        "event": entry.name,
        "previous_hash": entry.previous_hash,
        "seq": entry.seq,
        "verification": verification,
    }))
}

/// SHA-256 over the canonical JSON of `value`, in hex.
pub fn digest(value: &Value) -> String {
    hex::encode(Sha256::digest(canonical(value).as_bytes()))
}

/// JSON with sorted keys and without spaces, so that a hash survives a database that reorders keys.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Why a journal cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing or occurs twice.
    #[error("journal row {found} stands where {expected} should")]
    Gap {
        /// The number that comes next.
        expected: u32,
        /// The number that the row has.
        found: u32,
    },
    /// A row does not carry the hash of the row before it.
    #[error("journal row {seq} does not follow from the row before it")]
    Chain {
        /// Number of the row.
        seq: u32,
    },
    /// The hash of a row is not the hash of its content.
    #[error("journal row {seq} was altered after it was written")]
    Altered {
        /// Number of the row.
        seq: u32,
    },
}

/// Checks the numbers and hashes of a whole journal, given in the order of `seq`.
pub fn verify(verification: &str, entries: &[Entry]) -> Result<(), Broken> {
    let mut previous = "";
    for (entry, expected) in entries.iter().zip(1u32..) {
        if entry.seq != expected {
            return Err(Broken::Gap { expected, found: entry.seq });
        }
        if entry.previous_hash != previous {
            return Err(Broken::Chain { seq: entry.seq });
        }
        if entry.hash != hash(verification, entry) {
            return Err(Broken::Altered { seq: entry.seq });
        }
        previous = &entry.hash;
    }
    Ok(())
}
