//! Bikram Sambat, the calendar of Nepal, whose months are published year by year.

use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::rules::document::normalise::words;

/// The first day of the first year of the table.
const EPOCH: Date = date(1918, 4, 13);

/// Years of the table: the days before each of them, and the days of its months.
static YEARS: LazyLock<Vec<(i16, i32, [i8; 12])>> = LazyLock::new(|| {
    let mut before = 0;
    words::rows(include_str!("../../../../../data/bikram-sambat.tsv"))
        .filter_map(|fields| {
            let year = fields.first()?.parse().ok()?;
            let months: Vec<i8> = fields[1..].iter().filter_map(|days| days.parse().ok()).collect();
            let months: [i8; 12] = months.try_into().ok()?;
            let row = (year, before, months);
            before += months.iter().map(|days| i32::from(*days)).sum::<i32>();
            Some(row)
        })
        .collect()
});

/// The Gregorian date of a day; `None` outside the years that are published.
pub fn to_gregorian(year: i16, month: i8, day: i8) -> Option<Date> {
    let (_, before, months) = YEARS.iter().find(|(of, ..)| *of == year)?;
    let at = usize::try_from(month).ok()?.checked_sub(1)?;
    if day < 1 || day > *months.get(at)? {
        return None;
    }
    let days = months[..at].iter().map(|days| i32::from(*days)).sum::<i32>();
    EPOCH.checked_add((before + days + i32::from(day) - 1).days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_published_calendar() {
        assert_eq!(YEARS.len(), 126);
        for (bikram, gregorian) in [
            ((1975, 1, 1), date(1918, 4, 13)),
            ((2000, 1, 1), date(1943, 4, 14)),
            ((2047, 4, 28), date(1990, 8, 12)),
            ((2080, 1, 1), date(2023, 4, 14)),
            ((2082, 1, 1), date(2025, 4, 14)),
        ] {
            let (year, month, day) = bikram;
            assert_eq!(to_gregorian(year, month, day), Some(gregorian), "{bikram:?}");
        }
        assert_eq!(to_gregorian(2047, 4, 33), None);
        assert_eq!(to_gregorian(2047, 13, 1), None);
        assert_eq!(to_gregorian(1974, 1, 1), None);
        assert_eq!(to_gregorian(2101, 1, 1), None);
    }
}
