//! Documents that were shown before, looked up by index. However many there are, no more than a few
//! hundred rows are read.

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::filter::Filter;
use crate::pocketbase::records::{
    Collection, HashRow, KnownDocument, StoredHashes, sharing_a_band, with_any_hash, with_number,
};
use crate::pocketbase::request::Request;

/// The most pictures that share a band with one and are compared with it. Documents of one kind
/// share bands only by accident.
pub const PICTURES_MAX: usize = 500;
/// The most rows with one number that are read: the first few say enough.
const NUMBERS_MAX: usize = 50;

impl Client {
    /// The document checks that read the number with this keyed hash.
    pub async fn hashes_with_number(&self, number: &str) -> Result<Vec<StoredHashes>> {
        self.hashes(with_number(number)?, NUMBERS_MAX).await
    }

    /// The document checks whose picture shares one of `bands`, at most [`PICTURES_MAX`].
    pub async fn hashes_with_a_band(&self, bands: &[String]) -> Result<Vec<StoredHashes>> {
        self.hashes(sharing_a_band(bands)?, PICTURES_MAX).await
    }

    /// The entries of the operators' list with one of `hashes`.
    pub async fn known_documents(&self, hashes: &[String]) -> Result<Vec<KnownDocument>> {
        let request = Request::get("read the list of known documents", Collection::KnownDocuments.records())
            .filter(with_any_hash(hashes)?)
            .first_page(hashes.len())
            .fields(KnownDocument::FIELDS);
        self.list(&request).await
    }

    async fn hashes(&self, filter: Filter, limit: usize) -> Result<Vec<StoredHashes>> {
        let request = Request::get("look up documents that were shown before", Collection::DocumentHashes.records())
            .filter(filter)
            .first_page(limit)
            .with("expand", HashRow::EXPAND)
            .fields(HashRow::FIELDS);
        Ok(self.list::<HashRow>(&request).await?.into_iter().map(Into::into).collect())
    }
}
