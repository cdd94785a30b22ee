//! Repeatable randomness: every random-looking value is a hash of the seed, a label and what the
//! value belongs to.

use sha2::{Digest as _, Sha256};

/// The number from which a sandbox's identifiers and noise follow.
#[derive(Debug, Clone, Copy)]
pub struct Seed(pub u64);

impl Seed {
    /// 32 bytes that depend on the seed, the label and the parts, and on nothing else.
    pub fn bytes(self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_be_bytes());
        hash.update(label.as_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// A number in 0..1.
    pub fn unit(self, label: &str, parts: &[&[u8]]) -> f64 {
        let [a, b, c, d, ..] = self.bytes(label, parts);
        f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }

    /// A number in `low..high`, with two decimals.
    pub fn between(self, low: f64, high: f64, label: &str, parts: &[&[u8]]) -> f64 {
        let value = low + (high - low) * self.unit(label, parts);
        (value * 100.0).floor() / 100.0
    }

    /// An identifier shaped like a random UUID.
    pub fn uuid(self, label: &str, parts: &[&[u8]]) -> String {
        let mut bytes = self.bytes(label, parts);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let text = hex::encode(&bytes[..16]);
        format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
    }

    /// A word of `length` (at most 32) letters from `alphabet`.
    pub fn word(self, alphabet: &[u8], length: usize, label: &str, number: u64) -> String {
        let bytes = self.bytes(label, &[&number.to_be_bytes()]);
        bytes.iter().take(length).map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
    }
}

/// Lower- and upper-case letters and digits.
pub const ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Upper-case letters and the digits that AWS uses in key ids.
pub const KEY_ID: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values_and_another_seed_others() {
        let session = |seed, number| Seed(seed).uuid("session", &[&[number]]);
        assert_eq!(session(1, 3), session(1, 3));
        assert_ne!(session(1, 3), session(2, 3));
        assert_ne!(session(1, 3), session(1, 4));
        let value = Seed(7).between(99.0, 100.0, "same", &[b"a", b"b"]);
        assert!((99.0..100.0).contains(&value));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Seed(1).bytes("x", &[b"ab", b"c"]), Seed(1).bytes("x", &[b"a", b"bc"]));
    }
}
