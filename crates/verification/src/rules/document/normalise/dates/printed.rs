//! What a printed date says, and in which century.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::rules::document::normalise::partial_date::PartialDate;

/// What a date is for. It decides in which century a two-digit year lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Never in the future.
    Birth,
    /// Never far from today.
    Issue,
    /// Up to fifty years ahead.
    Expiry,
}

/// A printed date after parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// The date by the issuer's habits.
    pub date: PartialDate,
    /// The date with day and month exchanged or in another calendar, where the digits allow that.
    pub other: Option<PartialDate>,
    /// Whether the issuer's habits exclude the other date.
    pub is_sure: bool,
    /// Days by which its calendar may differ from the table that it was read by.
    pub days_off: i8,
    /// Whether the year has two digits, so that its century is a guess.
    pub is_two_digit: bool,
}

impl From<PartialDate> for Printed {
    /// A date that can be read in one way only.
    fn from(date: PartialDate) -> Self {
        Self { date, other: None, is_sure: true, days_off: 0, is_two_digit: false }
    }
}

impl Printed {
    /// The first and the last day that it can mean.
    pub fn span(self) -> (Date, Date) {
        let other = self.other.filter(|_| !self.is_sure).unwrap_or(self.date);
        let days = i32::from(self.days_off).days();
        (
            self.date.earliest().min(other.earliest()).saturating_sub(days),
            self.date.latest().max(other.latest()).saturating_add(days),
        )
    }

    /// Whether the date may be `day`, allowing for its calendar.
    pub fn is_near(self, date: PartialDate, day: PartialDate) -> bool {
        let days = i32::from(self.days_off).days();
        date.compatible(day)
            || date
                .exact()
                .zip(day.exact())
                .is_some_and(|(date, day)| date.saturating_sub(days) <= day && day <= date.saturating_add(days))
    }

    /// Every date that the digits allow: the other order or calendar, and the other centuries of a
    /// year with two digits.
    pub fn possible(self) -> impl Iterator<Item = PartialDate> {
        const CENTURIES: [i16; 4] = [0, -100, 100, -200];
        let centuries = if self.is_two_digit { &CENTURIES[..] } else { &CENTURIES[..1] };
        [Some(self.date), self.other]
            .into_iter()
            .flatten()
            .flat_map(move |date| centuries.iter().filter_map(move |years| date.years_later(*years)))
    }
}

/// A printed date of expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The document expires on this day.
    On(Printed),
    /// The document says that it does not expire.
    Never,
    /// Digits of a zone that stand for `Never` where the document prints that: fillers, 99, a hundred
    /// years after the issue.
    MayBeNever,
}

/// Two-digit years of issue lie at most this many years in the future.
const ISSUE_YEARS_MAX: i16 = 20;
/// Two-digit years of expiry lie at most this many years in the future: cards of old people are
/// valid for up to fifty years.
const EXPIRY_YEARS_MAX: i16 = 50;
/// Completes a two-digit year. A birth is the latest date that is not in the future; other dates
/// are the latest that are not far in the future.
pub fn full_year(short: i16, month: Option<i8>, day: Option<i8>, role: Role, today: Date) -> Option<i16> {
    let century = today.year() - today.year() % 100;
    let candidates = [century + 100 + short, century + short, century - 100 + short];
    candidates.into_iter().find(|year| match role {
        Role::Birth => PartialDate::new(*year, month, day).is_some_and(|date| date.earliest() <= today),
        Role::Issue => *year <= today.year() + ISSUE_YEARS_MAX,
        Role::Expiry => *year <= today.year() + EXPIRY_YEARS_MAX,
    })
}
