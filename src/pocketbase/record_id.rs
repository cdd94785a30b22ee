//! Record ids: their shape, and ids that follow from a name.

use sha2::{Digest, Sha256};

use super::error::{PocketbaseError, Result};

/// Characters of a record id.
const LENGTH: usize = 15;

/// Whether `text` has the shape of a record id. Any other text names no record.
pub fn is_record_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

/// `text` if it has the shape of a record id. Every id that becomes part of a path passes through
/// here.
pub fn record_id<'a>(text: &'a str, operation: &'static str) -> Result<&'a str> {
    if is_record_id(text) {
        return Ok(text);
    }
    Err(PocketbaseError::Misuse { operation, what: "a record id must be 15 characters of a-z and 0-9" })
}

/// The record id that follows from `name`, so that a record can be looked up and created without a
/// search.
pub fn id_of(name: &str) -> String {
    id_from_digest(&Sha256::digest(name).into())
}

/// The record id that follows from a digest: 75 bits of it.
pub fn id_from_digest(digest: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    digest.iter().take(LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_with_the_shape_of_an_id_is_an_id() {
        assert!(is_record_id("abcdefghij01234"));
        for bad in ["", "abcdefghij0123", "abcdefghij012345", "ABCDEFGHIJ01234", "abcdefghij/../.", "abcdefghij'0123"] {
            assert!(!is_record_id(bad), "{bad}");
        }
    }
}
