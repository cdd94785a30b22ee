//! Searches for prior uses of a document by hashes of its number and its picture, and adds
//! what follows to the finding.

use secrecy::SecretString;

use crate::base::keyed_hash;
use crate::pocketbase::records::StoredHashes;
use crate::pocketbase::store::duplicates::PICTURES_MAX;
use crate::pocketbase::{Client, Result};
use crate::verification::check::Hashes;
use crate::verification::rules::document::image::PerceptualHash;
use crate::verification::rules::document::judge::duplicates::{
    DocumentKeys, Duplicates, Listed, Listing, MatchedBy, PriorUse,
};
use crate::verification::{Case, Finding};

/// Separates these hashes from those of the same text for another purpose.
const PURPOSE: &str = "identivia/document-number/1\0";
/// Most near copies of a picture whose hashes are also searched for on the list of known documents.
const COPIES_LISTED_MAX: usize = 20;

/// Hashes `keys`, searches for the hashes, and adds what follows to `finding`.
pub(super) async fn search(
    client: &Client,
    hash_key: Option<&SecretString>,
    case: &Case,
    keys: &DocumentKeys,
    finding: &mut Finding,
) -> Result<()> {
    let number = match (&keys.number, hash_key) {
        (Some(number), Some(key)) => Some(keyed_hash::hex(key, PURPOSE, number)),
        _ => None,
    };
    let hashes = Hashes {
        number_missing_because: match (&number, hash_key) {
            (Some(_), _) => None,
            (None, None) => Some("HASH_KEY is not set"),
            (None, Some(_)) => Some("no number with its issuer could be read"),
        },
        number: number.unwrap_or_default(),
        picture: keys.picture.map(|hash| hash.to_string()).unwrap_or_default(),
        bands: keys.picture.map(PerceptualHash::bands).unwrap_or_default(),
        ..Hashes::default()
    };
    search_hashes(client, case, hashes, finding).await
}

/// Searches again for the hashes that `finding` is about to store. A finding without hashes stays
/// as it is.
pub(super) async fn search_again(client: &Client, case: &Case, finding: &mut Finding) -> Result<()> {
    match finding.hashes.clone() {
        Some(hashes) => search_hashes(client, case, hashes, finding).await,
        None => Ok(()),
    }
}

async fn search_hashes(client: &Client, case: &Case, hashes: Hashes, finding: &mut Finding) -> Result<()> {
    let mut duplicates = Duplicates { hashes, ..Duplicates::default() };
    let by_number = search_number(client, &mut duplicates).await?;
    let by_picture = search_picture(client, &mut duplicates).await?;
    let mut wanted: Vec<String> = [&duplicates.hashes.number, &duplicates.hashes.picture]
        .into_iter()
        .filter(|hash| !hash.is_empty())
        .cloned()
        .collect();
    for (row, _) in &by_picture {
        if wanted.len() < COPIES_LISTED_MAX && !wanted.contains(&row.picture) {
            wanted.push(row.picture.clone());
        }
    }
    for (row, matched_by) in by_number.into_iter().chain(by_picture) {
        let other = prior_use(row, matched_by);
        if other.is_of_another_person(&case.record)
            && duplicates.others.iter().all(|o| o.verification != other.verification)
        {
            duplicates.others.push(other);
        }
    }
    if !wanted.is_empty() {
        let entries = client.known_documents(&wanted).await?;
        duplicates.listed =
            entries.into_iter().map(|e| Listed { listing: Listing::parse(&e.listing), record: e.id }).collect();
    }
    duplicates.record_in(&mut finding.judgement);
    finding.hashes = Some(duplicates.hashes);
    Ok(())
}

/// Stored rows with the same number.
async fn search_number(client: &Client, duplicates: &mut Duplicates) -> Result<Vec<(StoredHashes, MatchedBy)>> {
    if duplicates.hashes.number.is_empty() {
        return Ok(Vec::new());
    }
    let rows = client.hashes_with_number(&duplicates.hashes.number).await?;
    duplicates.hashes.number_first = rows.is_empty();
    Ok(rows.into_iter().map(|row| (row, MatchedBy::Number)).collect())
}

/// Stored rows with a picture that is the same or a near copy.
async fn search_picture(client: &Client, duplicates: &mut Duplicates) -> Result<Vec<(StoredHashes, MatchedBy)>> {
    let Some(picture) = PerceptualHash::parse(&duplicates.hashes.picture) else { return Ok(Vec::new()) };
    let rows = client.hashes_with_a_band(&duplicates.hashes.bands).await?;
    duplicates.overlooked = rows.len() >= PICTURES_MAX;
    duplicates.hashes.picture_first =
        !duplicates.overlooked && rows.iter().all(|row| row.picture != duplicates.hashes.picture);
    let alike = rows.into_iter().filter_map(|row| {
        let other = PerceptualHash::parse(&row.picture).filter(|other| other.is_copy_of(picture))?;
        Some((row, MatchedBy::Picture { distance: picture.distance(other) }))
    });
    Ok(alike.collect())
}

fn prior_use(row: StoredHashes, matched_by: MatchedBy) -> PriorUse {
    PriorUse { verification: row.verification, user: row.user, reference: row.reference, matched_by }
}
