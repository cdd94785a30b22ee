//! The result of comparing two readings of one field.

use serde::Serialize;

/// Whether two readings of one field say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "under")]
pub enum Agreement {
    /// They agree once this difference is allowed.
    Agrees(Normalisation),
    /// They differ.
    Differs,
    /// No rule leads from one to the other: other scripts, illegible values.
    NotComparable,
}

impl Agreement {
    /// Whether the verdict is [`Agreement::Agrees`].
    pub fn agrees(self) -> bool {
        matches!(self, Agreement::Agrees(_))
    }
}

/// The largest difference that had to be allowed, from none to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// No difference.
    Exact,
    /// Case, blanks, punctuation, the format of a date.
    Spelling,
    /// Codes and names of one state.
    Equivalent,
    /// ICAO 9303's or a common way to write the letters of a language.
    Transliteration,
    /// `0` and `O`, `1` and `I`.
    LookAlikes,
    /// One or two letters that the OCR model may have misread.
    Misread,
    /// Words written together or apart.
    Joined,
    /// The order of the words, or of day and month.
    Order,
    /// An initial for a name.
    Initial,
    /// One side says less: further names, the day of a date.
    LeftOut,
    /// One side ran out of room.
    Truncated,
    /// Another number that the same document carries.
    OtherNumber,
}
