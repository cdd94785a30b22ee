//! Parses dates as documents print them: many orders, languages, scripts and calendars, sometimes
//! without a day.
//!
//! A date is read as what it says and no more: a year alone stays a year. Where it can be read in two
//! ways, the issuer's habits decide. The other way is kept, so that a comparison with a second
//! reading can tell a habit from a false date. A date that cannot be read is unreadable and never
//! another day.

mod group;
mod line;
mod printed;
mod tokens;

#[cfg(test)]
mod forms;
#[cfg(test)]
mod tests;

use jiff::civil::Date;

use self::group::Context;
use self::line::Line;
pub use self::printed::{Expiry, Printed, Role};
use crate::rules::document::normalise::calendars::Habits;
use crate::rules::document::normalise::never;
use crate::rules::document::normalise::partial_date::PartialDate;
use crate::rules::document::normalise::words::western_digit;

/// Longest text that is parsed, in characters.
const TEXT_CHARS_MAX: usize = 96;

/// Parses `YYMMDD` of a machine-readable zone; `<` and `00` stand for unknown parts.
pub fn from_zone(field: &str, role: Role, today: Date) -> Option<PartialDate> {
    let pair = |at: usize| -> Option<Option<i8>> {
        match field.get(at..at + 2)? {
            "<<" | "00" => Some(None),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(Some(digits.parse().ok()?)),
            _ => None,
        }
    };
    if field.len() != 6 {
        return None;
    }
    let short: i16 = field.get(..2).filter(|year| year.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    let (month, day) = (pair(2)?, pair(4)?);
    PartialDate::new(printed::full_year(short, month, day, role, today)?, month, day)
}

/// Parses a printed date of expiry.
pub fn parse_expiry(text: &str, habits: &Habits, today: Date) -> Option<Expiry> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return None;
    }
    if never::says_never(without_label(text, Role::Expiry).unwrap_or(text), |date| {
        parse(date, Role::Issue, habits, today).is_some()
    }) {
        return Some(Expiry::Never);
    }
    parse(text, Role::Expiry, habits, today).map(Expiry::On)
}

/// Parses a printed date.
pub fn parse(text: &str, role: Role, habits: &Habits, today: Date) -> Option<Printed> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return None;
    }
    let context = Context { role, habits, today };
    let read = |text: &str| tokens::tokens(text, habits).and_then(|tokens| Line::of(tokens)?.read(&context));
    match (read(text), without_label(text, role).and_then(read)) {
        // `3. 1990` may be a month, or the year behind the field's number.
        (Some(whole), Some(rest)) if rest.date.month().is_none() && whole.date.compatible(rest.date) => Some(rest),
        (whole, rest) => whole.or(rest),
    }
}

/// The text behind the number that licences print before the field: `3.`, `4a.`, `4b.`
fn without_label(text: &str, role: Role) -> Option<&str> {
    let (digit, letter) = match role {
        Role::Birth => ('3', None),
        Role::Issue => ('4', Some('a')),
        Role::Expiry => ('4', Some('b')),
    };
    let text = text.trim_start();
    let mut rest = text.strip_prefix(|c| western_digit(c) == digit)?;
    if let Some(letter) = letter {
        let open = rest.trim_start_matches([' ', '(']);
        rest = open.strip_prefix(|c: char| c.to_ascii_lowercase() == letter)?;
    }
    rest.starts_with(['.', ')', ':', ' ']).then(|| rest.trim_start_matches(['.', ')', ':', ' ']))
}
