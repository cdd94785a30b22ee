//! Filters of `PocketBase` lists, built in one place so that a person's text never becomes syntax.

use std::fmt::{self, Write};

use jiff::Timestamp;

use super::error::{PocketbaseError, Result};
use super::record_id::record_id;

const OPERATION: &str = "build a filter";

/// A filter: comparisons that must all hold.
#[derive(Debug, Clone, Default)]
#[must_use = "a filter does nothing by itself"]
pub struct Filter {
    text: String,
}

impl Filter {
    /// Requires `field = text`, for any text that can be stored. Text with control characters is
    /// refused: no field that is searched holds them, and `PocketBase` itself refuses some of them.
    pub fn equal(self, field: &str, text: &str) -> Result<Self> {
        if text.chars().any(char::is_control) {
            let what = "text with control characters cannot be searched for";
            return Err(PocketbaseError::Misuse { operation: OPERATION, what });
        }
        Ok(self.and(format_args!("{field} = '{}'", Quoted(text))))
    }

    /// Requires `field = number`.
    pub(super) fn equal_number(self, field: &str, number: u32) -> Self {
        self.and(format_args!("{field} = {number}"))
    }

    /// Requires `field = value`.
    pub(super) fn equal_bool(self, field: &str, value: bool) -> Self {
        self.and(format_args!("{field} = {value}"))
    }

    /// Requires `id > id`, for reading a collection in order, page by page.
    pub(super) fn after_id(self, id: &str) -> Result<Self> {
        record_id(id, OPERATION).map(|id| self.and(format_args!("id > '{id}'")))
    }

    /// Requires `field >= instant`.
    pub(super) fn since(self, field: &str, instant: Timestamp) -> Self {
        self.and(format_args!("{field} >= '{}'", Stored(instant)))
    }

    /// Requires that no record of another collection refers to this one. `relation` is written
    /// `collection_via_field`.
    pub(super) fn unreferenced_by(self, relation: &str) -> Self {
        self.and(format_args!("{relation}.id ?= null"))
    }

    /// Requires one of `alternatives`. They must not be empty: an empty one would find everything.
    pub(super) fn any_of(self, alternatives: impl IntoIterator<Item = Alternative>) -> Result<Self> {
        let alternatives: Vec<String> = alternatives.into_iter().map(|alternative| alternative.0).collect();
        if alternatives.is_empty() {
            let what = "a filter without alternatives would find everything";
            return Err(PocketbaseError::Misuse { operation: OPERATION, what });
        }
        Ok(self.and(format_args!("({})", alternatives.join(" || "))))
    }

    fn and(mut self, comparison: fmt::Arguments<'_>) -> Self {
        if !self.text.is_empty() {
            self.text.push_str(" && ");
        }
        self.text.write_fmt(comparison).expect("writing to a String cannot fail");
        self
    }
}

/// One alternative of [`Filter::any_of`]. `PocketBase` searches each by its own index.
pub(super) struct Alternative(String);

impl Alternative {
    /// `field = text`.
    pub fn equal(field: &str, text: &str) -> Result<Self> {
        Filter::default().equal(field, text).map(|filter| Self(filter.text))
    }

    /// `field` is set, and not after `instant`.
    pub fn reached(field: &str, instant: Timestamp) -> Self {
        Self(format!("({field} != '' && {field} <= '{}')", Stored(instant)))
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.text
    }
}

/// Text between single quotes. A backslash and a quote are escaped by a backslash.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if matches!(c, '\\' | '\'') {
                f.write_char('\\')?;
            }
            f.write_char(c)
        })
    }
}

/// An instant as `PocketBase` stores it. Filters compare text, so the format must be the stored
/// one.
struct Stored(Timestamp);

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%S.%3fZ"))
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
    fn alternatives_are_grouped_and_may_not_be_empty() {
        let alternatives = [Alternative::equal("a", ""), Alternative::equal("b", "x")];
        let alternatives = alternatives.map(|alternative| alternative.expect("no control characters"));
        let filter = Filter::default().equal_bool("final", false).any_of(alternatives).expect("alternatives");
        assert_eq!(text(filter), "final = false && (a = '' || b = 'x')");
        assert!(Filter::default().any_of([]).is_err());
    }
}
