//! Whether a document was seen before: its marks are hashed and looked for, and the answer becomes part of the finding.

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

/// What the key is used for here, so that a hash of the same text for another purpose is another hash.
const PURPOSE: &str = "identivia/document-number/1\0";
/// Near copies whose hashes are looked for on the list too.
const COPIES_LISTED_MAX: usize = 20;

/// Hashes `marks`, looks for them, and adds what follows to `finding`.
pub async fn look_for(
    client: &Client,
    key: Option<&SecretString>,
    case: &Case,
    marks: &DocumentKeys,
    finding: &mut Finding,
) -> Result<()> {
    let number = match (&marks.number, key) {
        (Some(number), Some(key)) => Some(keyed_hash::hex(key, PURPOSE, number)),
        _ => None,
    };
    let hashes = Hashes {
        number_missing_because: match (&number, key) {
            (Some(_), _) => None,
            (None, None) => Some("HASH_KEY is not set"),
            (None, Some(_)) => Some("no number with its issuer could be read"),
        },
        number: number.unwrap_or_default(),
        picture: marks.picture.map(|look| look.to_string()).unwrap_or_default(),
        bands: marks.picture.map(PerceptualHash::bands).unwrap_or_default(),
        ..Hashes::default()
    };
    tell(client, case, Duplicates { hashes, ..Duplicates::default() }, finding).await
}

/// Looks again for what `finding` is about to store. Nothing is done for a finding that stores no hashes.
pub async fn look_again(client: &Client, case: &Case, finding: &mut Finding) -> Result<()> {
    let Some(hashes) = finding.hashes.clone() else { return Ok(()) };
    tell(client, case, Duplicates { hashes, ..Duplicates::default() }, finding).await
}

async fn tell(client: &Client, case: &Case, mut known: Duplicates, finding: &mut Finding) -> Result<()> {
    let mut wanted: Vec<String> =
        [&known.hashes.number, &known.hashes.picture].into_iter().filter(|hash| !hash.is_empty()).cloned().collect();
    let mut seen = Vec::new();
    if !known.hashes.number.is_empty() {
        let rows = client.hashes_with_number(&known.hashes.number).await?;
        known.hashes.number_first = rows.is_empty();
        seen.extend(rows.into_iter().map(|row| sighting(row, MatchedBy::Number)));
    }
    if let Some(look) = PerceptualHash::parse(&known.hashes.picture) {
        let rows = client.hashes_with_a_band(&known.hashes.bands).await?;
        known.overlooked = rows.len() >= PICTURES_MAX;
        known.hashes.picture_first = !known.overlooked && rows.iter().all(|row| row.picture != known.hashes.picture);
        for row in rows {
            let Some(other) = PerceptualHash::parse(&row.picture).filter(|other| other.is_copy_of(look)) else {
                continue;
            };
            if wanted.len() < COPIES_LISTED_MAX && !wanted.contains(&row.picture) {
                wanted.push(row.picture.clone());
            }
            seen.push(sighting(row, MatchedBy::Picture { distance: look.distance(other) }));
        }
    }
    for other in seen.into_iter().filter(|seen| seen.is_of_another_person(&case.record)) {
        if known.others.iter().all(|known| known.verification != other.verification) {
            known.others.push(other);
        }
    }
    if !wanted.is_empty() {
        let entries = client.known_documents(&wanted).await?;
        known.listed =
            entries.into_iter().map(|e| Listed { listing: Listing::parse(&e.listing), record: e.id }).collect();
    }
    known.record_in(&mut finding.judgement);
    finding.hashes = Some(known.hashes);
    Ok(())
}

fn sighting(row: StoredHashes, matched_by: MatchedBy) -> PriorUse {
    PriorUse { verification: row.verification, user: row.user, reference: row.reference, matched_by }
}
