//! Dates of other calendars as Gregorian ones.

use icu_calendar::cal::{Hijri, hijri};
use icu_calendar::{AsCalendar, Date as CalendarDate, Iso};
use jiff::civil::Date;

use super::{Calendar, bikram_sambat};
use crate::rules::document::normalise::partial_date::PartialDate;

/// Buddhist years until this one began in April.
const BUDDHIST_NEW_YEAR_MOVED: i16 = 2483;
/// Years that the Buddhist calendar is ahead.
const BUDDHIST_ERA: i16 = 543;

/// A date of `calendar` in the Gregorian calendar, and another one that it may mean. A calendar with
/// other months needs the whole date: a year of it lies in two Gregorian ones.
pub fn to_gregorian(
    calendar: Calendar,
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
) -> Option<(PartialDate, Option<PartialDate>)> {
    match calendar {
        Calendar::Buddhist => buddhist(year, month, day),
        // The years were counted from Gregorian ones when the era was read.
        _ if calendar.has_gregorian_months() => Some((PartialDate::new(year, month, day)?, None)),
        _ => Some((PartialDate::from(whole(calendar, year, month?, day?)?), None)),
    }
}

/// Until 1940 the first three months of a year were the last of the Gregorian one. Registers differ
/// in whether they follow that, so such a date has two readings.
fn buddhist(year: i16, month: Option<i8>, day: Option<i8>) -> Option<(PartialDate, Option<PartialDate>)> {
    const APRIL: i8 = 4;
    let same_year = PartialDate::new(year - BUDDHIST_ERA, month, day);
    if year >= BUDDHIST_NEW_YEAR_MOVED || month.is_some_and(|month| month >= APRIL) {
        return Some((same_year?, None));
    }
    Some((PartialDate::new(year - BUDDHIST_ERA + 1, month, day)?, same_year))
}

fn whole(calendar: Calendar, year: i16, month: i8, day: i8) -> Option<Date> {
    let (long_year, short_month, short_day) = (i32::from(year), u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    match calendar {
        Calendar::Persian => iso(&CalendarDate::try_new_persian(long_year, short_month, short_day).ok()?),
        Calendar::Islamic => islamic(long_year, short_month, short_day),
        Calendar::Ethiopic => iso(&CalendarDate::try_new_ethiopian(
            icu_calendar::cal::EthiopianEraStyle::AmeteMihret,
            long_year,
            short_month,
            short_day,
        )
        .ok()?),
        Calendar::BikramSambat => bikram_sambat::to_gregorian(year, month, day),
        _ => None,
    }
}

/// Umm al-Qura, and by the civil rule where that calendar has no such day.
fn islamic(year: i32, month: u8, day: u8) -> Option<Date> {
    let observed = CalendarDate::try_new_hijri_with_calendar(year, month, day, Hijri::new_umm_al_qura()).ok();
    observed.as_ref().and_then(iso).or_else(|| {
        let civil = Hijri::new_tabular(hijri::TabularAlgorithmLeapYears::TypeII, hijri::TabularAlgorithmEpoch::Friday);
        iso(&CalendarDate::try_new_hijri_with_calendar(year, month, day, civil).ok()?)
    })
}

fn iso<A: AsCalendar>(date: &CalendarDate<A>) -> Option<Date> {
    let iso = date.to_calendar(Iso);
    let year = i16::try_from(iso.era_year().year).ok()?;
    Date::new(year, i8::try_from(iso.month().ordinal).ok()?, i8::try_from(iso.day_of_month().0).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn one_day_in_every_calendar() {
        for (calendar, year, month, day, gregorian) in [
            (Calendar::Persian, 1369, 5, 21, date(1990, 8, 12)),
            (Calendar::Islamic, 1411, 1, 21, date(1990, 8, 12)),
            (Calendar::Ethiopic, 1982, 12, 6, date(1990, 8, 12)),
            (Calendar::BikramSambat, 2047, 4, 28, date(1990, 8, 12)),
            (Calendar::Buddhist, 2533, 8, 12, date(1990, 8, 12)),
            // A thirteenth month, and the last day of a leap year.
            (Calendar::Ethiopic, 1983, 13, 6, date(1991, 9, 11)),
            (Calendar::Persian, 1399, 12, 30, date(2021, 3, 20)),
        ] {
            let read = to_gregorian(calendar, year, Some(month), Some(day));
            assert_eq!(read, Some((gregorian.into(), None)), "{calendar:?} {year}-{month}-{day}");
        }
    }

    #[test]
    fn a_day_that_a_calendar_does_not_have_is_none() {
        assert_eq!(to_gregorian(Calendar::Persian, 1400, Some(12), Some(30)), None);
        assert_eq!(to_gregorian(Calendar::Islamic, 1411, Some(1), Some(31)), None);
        assert_eq!(to_gregorian(Calendar::Ethiopic, 1982, Some(13), Some(7)), None);
        assert_eq!(to_gregorian(Calendar::Hebrew, 5750, Some(1), Some(1)), None);
        assert_eq!(to_gregorian(Calendar::Persian, 1369, Some(5), None), None, "a year of it lies in two of ours");
    }

    #[test]
    fn a_thai_year_before_1941_began_in_april() {
        let read = |year, month| to_gregorian(Calendar::Buddhist, year, Some(month), Some(5)).expect("a date");
        assert_eq!(read(2473, 2), (date(1931, 2, 5).into(), Some(date(1930, 2, 5).into())));
        assert_eq!(read(2473, 4), (date(1930, 4, 5).into(), None));
        assert_eq!(read(2484, 2), (date(1941, 2, 5).into(), None));
    }
}
