//! Dates as documents print them, where the day or the month may be unknown.

use std::fmt;
use std::str::FromStr;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// A date of which at least the year is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl PartialDate {
    /// As printed in the visual zone: `12 AUG 1990`, `AUG 1990`, `1990`.
    pub fn printed(self) -> String {
        let month = self.month.and_then(|month| MONTHS.get(usize::try_from(month - 1).ok()?)).copied();
        match (self.day, month) {
            (Some(day), Some(month)) => format!("{day:02} {month} {}", self.year),
            (_, Some(month)) => format!("{month} {}", self.year),
            (_, None) => self.year.to_string(),
        }
    }

    /// As six characters of a machine-readable zone, with fillers for unknown parts.
    pub fn machine(self) -> String {
        let part = |part: Option<i8>| part.map_or("<<".to_owned(), |part| format!("{part:02}"));
        format!("{:02}{}{}", self.year.rem_euclid(100), part(self.month), part(self.day))
    }

    /// Year, month and day, with zeros for unknown parts.
    pub fn numbers(self) -> (i16, i8, i8) {
        (self.year, self.month.unwrap_or(0), self.day.unwrap_or(0))
    }
}

impl From<jiff::civil::Date> for PartialDate {
    fn from(date: jiff::civil::Date) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{:04}", self.year)?;
        [self.month, self.day].into_iter().flatten().try_for_each(|part| write!(formatter, "-{part:02}"))
    }
}

impl FromStr for PartialDate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a date: write 1990-08-12, or 1990-08 or 1990 if the rest is unknown");
        let mut parts = text.split('-');
        let year: i16 = parts.next().and_then(|year| year.parse().ok()).ok_or_else(wrong)?;
        let month: Option<i8> = parts.next().map(str::parse).transpose().map_err(|_| wrong())?;
        let day: Option<i8> = parts.next().map(str::parse).transpose().map_err(|_| wrong())?;
        let known = jiff::civil::Date::new(year, month.unwrap_or(1), day.unwrap_or(1));
        if parts.next().is_some() || known.is_err() || !(1900..2100).contains(&year) {
            return Err(wrong());
        }
        Ok(Self { year, month, day })
    }
}
