//! Keyed hashes (HMAC-SHA256): equal for equal texts, and neither guessable nor checkable without
//! the key.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The keyed hash of `purpose` followed by `text`.
///
/// `purpose` separates the uses of one key: a hash made for one use means nothing for another. It
/// ends with a byte that cannot start `text`, so that no two pairs have the same concatenation.
pub(crate) fn bytes(key: &SecretString, purpose: &str, text: &str) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The same as 64 lower-case hexadecimal digits.
pub(crate) fn hex(key: &SecretString, purpose: &str, text: &str) -> String {
    ::hex::encode(bytes(key, purpose, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn it_is_hmac_sha256_of_purpose_and_text() {
        let key = SecretString::from("Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&key, "", "what do ya want for nothing?"), expected);
        assert_eq!(hex(&key, "what do ya ", "want for nothing?"), expected);
    }

    #[test]
    fn keys_purposes_and_texts_have_hashes_of_their_own() {
        let hash = |key: &str, purpose, text| hex(&SecretString::from(key), purpose, text);
        let one = hash("a", "number/", "1");
        assert_eq!(one, hash("a", "number/", "1"));
        for other in [hash("b", "number/", "1"), hash("a", "request/", "1"), hash("a", "number/", "2")] {
            assert_ne!(one, other);
        }
    }
}
