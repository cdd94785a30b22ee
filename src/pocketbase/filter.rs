//! Filters, built in one place, so that no text of a person ever becomes syntax.

use std::fmt::{self, Write};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::error::{PocketbaseError, Result};

/// Whether `text` has the shape of a record id. What has not names no record.
pub fn is_record_id(text: &str) -> bool {
    text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

/// `text` if it has the shape of a record id; everything that goes into a path passes here.
pub(super) fn record_id<'a>(text: &'a str, operation: &'static str) -> Result<&'a str> {
    if is_record_id(text) {
        return Ok(text);
    }
    Err(PocketbaseError::Misuse { operation, what: "a record id must be 15 characters of a-z and 0-9" })
}

/// The record id that follows from `name`, so that it can be looked for and created without knowing whether it exists.
pub(super) fn id_of(name: &str) -> String {
    record_id_from(&Sha256::digest(name).into())
}

/// The record id that follows from a digest: 75 bits of it.
pub(super) fn record_id_from(digest: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    digest.iter().take(15).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// A `PocketBase` filter: comparisons joined by "and".
#[derive(Debug, Clone, Default)]
#[must_use = "a filter does nothing by itself"]
pub struct Filter {
    text: String,
}

impl Filter {
    /// `field = 'text'`, for any text that can be stored. Control characters are refused: no field of ours holds them, and
    /// `PocketBase` refuses some of them itself.
    pub fn equal(self, field: &str, text: &str) -> Result<Self> {
        if text.chars().any(char::is_control) {
            let what = "control characters cannot be looked for";
            return Err(PocketbaseError::Misuse { operation: "build a filter", what });
        }
        Ok(self.and(format_args!("{field} = '{}'", Escaped(text))))
    }

    /// `field = number`.
    pub fn equal_number(self, field: &str, number: u32) -> Self {
        self.and(format_args!("{field} = {number}"))
    }

    /// `field = false`.
    pub fn is_false(self, field: &str) -> Self {
        self.and(format_args!("{field} = false"))
    }

    /// One of `pairs` is equal. Each of them is looked for by its own index.
    pub fn any_equal<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut any = String::new();
        for (field, text) in pairs {
            let one = Filter::default().equal(field, text)?.text;
            any = if any.is_empty() { one } else { format!("{any} || {one}") };
        }
        if any.is_empty() {
            let what = "nothing to look for would find everything";
            return Err(PocketbaseError::Misuse { operation: "build a filter", what });
        }
        Ok(self.and(format_args!("({any})")))
    }

    /// `id > 'id'`, for walking in order.
    pub fn after_id(self, id: &str) -> Result<Self> {
        record_id(id, "build a filter").map(|id| self.and(format_args!("id > '{id}'")))
    }

    /// `field >= instant`.
    pub fn since(self, field: &str, instant: Timestamp) -> Self {
        self.and(format_args!("{field} >= '{}'", instant.strftime("%Y-%m-%d %H:%M:%S.%3fZ")))
    }

    /// Verifications that may need a look although nobody touched them: new, at work, or silent for too long at `now`.
    pub fn restless(self, now: Timestamp) -> Self {
        self.and(format_args!(
            "(status = '' || status = 'processing' || (expires_at != '' && expires_at <= '{}'))",
            now.strftime("%Y-%m-%d %H:%M:%S.%3fZ")
        ))
    }

    /// No record of another collection points here. `relation` is `collection_via_field`.
    pub fn nobody_points_here(self, relation: &str) -> Self {
        self.and(format_args!("{relation}.id ?= null"))
    }

    fn and(mut self, comparison: fmt::Arguments<'_>) -> Self {
        if !self.text.is_empty() {
            self.text.push_str(" && ");
        }
        self.text.write_fmt(comparison).expect("writing to a String cannot fail");
        self
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.text
    }
}

/// Text between single quotes: backslash first, then the quote.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if matches!(c, '\\' | '\'') {
                f.write_char('\\')?;
            }
            f.write_char(c)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(filter: Filter) -> String {
        filter.into()
    }

    #[test]
    fn quotes_and_backslashes_stay_text() {
        let filter = Filter::default().equal("reference", r"x\' || 1=1 //").expect("no control characters");
        assert_eq!(text(filter), r"reference = 'x\\\' || 1=1 //'");
    }

    #[test]
    fn control_characters_are_refused() {
        for bad in ["\0", "a\nb", "\u{7f}", "\u{85}"] {
            assert!(Filter::default().equal("reference", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_the_shape_of_an_id_is_an_id() {
        assert!(is_record_id("abcdefghij01234"));
        for bad in ["", "abcdefghij0123", "abcdefghij012345", "ABCDEFGHIJ01234", "abcdefghij/../.", "abcdefghij'0123"] {
            assert!(!is_record_id(bad), "{bad}");
        }
    }
}
