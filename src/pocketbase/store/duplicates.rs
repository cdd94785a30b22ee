//! Documents seen before, looked up by index: never more than a few hundred rows are read, however many there are.

use serde::Deserialize;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::filter::Filter;
use crate::pocketbase::records::Collection;
use crate::pocketbase::records::writes::band_field;
use crate::pocketbase::request::Call;

/// Pictures that share a part with one and are compared with it at most. Documents of one kind share parts only by accident.
pub const PICTURES_MAX: usize = 500;
/// Rows of one number that are read: the first few say enough.
const NUMBERS_MAX: usize = 50;

/// What an earlier document check left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHashes {
    /// The verification.
    pub verification: String,
    /// Its person.
    pub user: String,
    /// The partner's name for its person; may be empty.
    pub reference: String,
    /// The look of the front, in hex; may be empty.
    pub picture: String,
}

/// An entry of the operators' list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownDocument {
    /// Record id.
    pub id: String,
    /// `compromised` or `blocklisted`.
    pub listing: String,
}

impl Client {
    /// Document checks that read this number (its keyed hash).
    pub async fn hashes_with_number(&self, number: &str) -> Result<Vec<StoredHashes>> {
        self.hashes(Filter::default().equal("number", number)?, NUMBERS_MAX).await
    }

    /// Document checks whose picture shares a part with these, at most [`PICTURES_MAX`].
    pub async fn hashes_with_a_band(&self, bands: &[String]) -> Result<Vec<StoredHashes>> {
        let fields: Vec<String> = (0..bands.len()).map(band_field).collect();
        let pairs = fields.iter().map(String::as_str).zip(bands.iter().map(String::as_str));
        self.hashes(Filter::default().any_equal(pairs)?, PICTURES_MAX).await
    }

    /// Entries of the operators' list with one of these hashes.
    pub async fn known_documents(&self, hashes: &[String]) -> Result<Vec<KnownDocument>> {
        let call = Call::get("look at the list of known documents", Collection::KnownDocuments.records())
            .with("filter", Filter::default().any_equal(hashes.iter().map(|hash| ("hash", hash.as_str())))?)
            .with("perPage", hashes.len().to_string())
            .with("skipTotal", "1")
            .with("fields", "id,listing");
        self.list(&call).await
    }

    async fn hashes(&self, filter: Filter, limit: usize) -> Result<Vec<StoredHashes>> {
        #[derive(Deserialize)]
        struct Row {
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
        let call = Call::get("look for documents seen before", Collection::DocumentHashes.records())
            .with("filter", filter)
            .with("perPage", limit.to_string())
            .with("skipTotal", "1")
            .with("expand", "verification")
            .with("fields", "verification,picture,expand.verification.user,expand.verification.reference");
        let rows: Vec<Row> = self.list(&call).await?;
        Ok(rows
            .into_iter()
            .map(|row| StoredHashes {
                verification: row.verification,
                picture: row.picture,
                user: row.expand.verification.user,
                reference: row.expand.verification.reference,
            })
            .collect())
    }
}
