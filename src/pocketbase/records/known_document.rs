//! `known_documents`: the operators' list of documents that are not accepted.

use serde::Deserialize;

use crate::pocketbase::error::Result;
use crate::pocketbase::filter::{Alternative, Filter};

/// An entry of the operators' list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownDocument {
    /// Record id.
    pub id: String,
    /// Why the document is not accepted: `compromised` or `blocklisted`.
    pub listing: String,
}

impl KnownDocument {
    pub(in crate::pocketbase) const FIELDS: &'static str = "id,listing";
}

/// The entries with one of `hashes`.
pub fn with_any_hash(hashes: &[String]) -> Result<Filter> {
    let alternatives: Result<Vec<Alternative>> = hashes.iter().map(|hash| Alternative::equal("hash", hash)).collect();
    Filter::default().any_of(alternatives?)
}
