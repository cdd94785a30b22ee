//! `document_hashes`: the hashes by which a document is recognised when it is shown again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pocketbase::error::Result;
use crate::pocketbase::filter::{Alternative, Filter};
use crate::verification::check::Hashes;

/// The hashes that an earlier document check stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHashes {
    /// Id of the verification.
    pub verification: String,
    /// Id of its person's record in `users`.
    pub user: String,
    /// The partner's name for its person; may be empty.
    pub reference: String,
    /// Perceptual hash of the front, in hexadecimal digits; may be empty.
    pub picture: String,
}

/// The hashes of a document as stored. The record has the id of its check.
#[derive(Debug, Serialize)]
pub struct HashFields<'a> {
    id: &'a str,
    verification: &'a str,
    number: &'a str,
    number_first: bool,
    picture: &'a str,
    picture_first: bool,
    #[serde(flatten)]
    bands: BTreeMap<String, &'a str>,
}

impl<'a> HashFields<'a> {
    pub fn new(verification: &'a str, check: &'a str, hashes: &'a Hashes) -> Self {
        Self {
            id: check,
            verification,
            number: &hashes.number,
            number_first: hashes.number_first,
            picture: &hashes.picture,
            picture_first: hashes.picture_first,
            bands: hashes.bands.iter().enumerate().map(|(at, band)| (band_field(at), band.as_str())).collect(),
        }
    }
}

#[derive(Deserialize)]
pub struct HashRow {
    verification: String,
    picture: String,
    #[serde(default)]
    expand: Expanded,
}

#[derive(Default, Deserialize)]
struct Expanded {
    #[serde(default)]
    verification: Owner,
}

#[derive(Default, Deserialize)]
struct Owner {
    #[serde(default)]
    user: String,
    #[serde(default)]
    reference: String,
}

impl HashRow {
    pub const EXPAND: &'static str = "verification";
    pub const FIELDS: &'static str = "verification,picture,expand.verification.user,expand.verification.reference";
}

impl From<HashRow> for StoredHashes {
    fn from(row: HashRow) -> Self {
        let Owner { user, reference } = row.expand.verification;
        Self { verification: row.verification, user, reference, picture: row.picture }
    }
}

/// The rows with this keyed hash of a document number.
pub fn with_number(number: &str) -> Result<Filter> {
    Filter::default().equal("number", number)
}

/// The rows whose picture shares at least one of `bands`, each at its own position.
pub fn sharing_a_band(bands: &[String]) -> Result<Filter> {
    let alternatives: Result<Vec<Alternative>> =
        bands.iter().enumerate().map(|(at, band)| Alternative::equal(&band_field(at), band)).collect();
    Filter::default().any_of(alternatives?)
}

/// The field of one part of a picture's hash.
fn band_field(at: usize) -> String {
    format!("band_{at}")
}
