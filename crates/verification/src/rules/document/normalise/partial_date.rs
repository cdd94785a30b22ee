//! A date of which the day, or the month and the day, may be unknown.

use std::fmt;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

/// Years that can occur on documents of living people.
const YEARS: std::ops::RangeInclusive<i16> = 1880..=2199;

/// A date of which the day, or the month and the day, may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl PartialDate {
    /// The date, if the calendar has it as far as it is known.
    pub fn new(year: i16, month: Option<i8>, day: Option<i8>) -> Option<Self> {
        if !YEARS.contains(&year) {
            return None;
        }
        match (month, day) {
            (None, Some(_)) => None,
            (month, day) => {
                Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
                Some(Self { year, month, day })
            }
        }
    }

    /// The date, if year, month and day are known.
    pub fn exact(self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }

    /// The first day that it can mean.
    pub fn earliest(self) -> Date {
        Date::constant(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1))
    }

    /// The last day that it can mean.
    pub fn latest(self) -> Date {
        let month = Date::constant(self.year, self.month.unwrap_or(12), 1);
        match self.day {
            Some(day) => Date::constant(self.year, month.month(), day),
            None => month.last_of_month(),
        }
    }

    /// Whether both can mean the same day.
    pub fn compatible(self, other: Self) -> bool {
        fn fits(a: Option<i8>, b: Option<i8>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        self.year == other.year && fits(self.month, other.month) && fits(self.day, other.day)
    }

    /// The same day so many years later, if there is one.
    pub fn years_later(self, years: i16) -> Option<Self> {
        Self::new(self.year.checked_add(years)?, self.month, self.day)
    }

    pub fn year(self) -> i16 {
        self.year
    }

    pub fn month(self) -> Option<i8> {
        self.month
    }
}

impl From<Date> for PartialDate {
    fn from(date: Date) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day {
            write!(f, "-{day:02}")?;
        }
        Ok(())
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
