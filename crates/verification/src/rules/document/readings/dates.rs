//! The dates of one field by every source, each judged by what the others say.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::rules::document::normalise::dates::{Expiry, Printed};
use crate::rules::document::normalise::partial_date::PartialDate;
use crate::rules::document::readings::source::Source;

/// A date as its source shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateReading {
    /// The date as printed, or in ISO form where a machine read it.
    pub shown: String,
    /// The parsed date; `None` where it is illegible.
    pub read: Option<Expiry>,
}

impl DateReading {
    /// A legible date.
    pub fn known(date: PartialDate) -> Self {
        Self { shown: date.to_string(), read: Some(Expiry::On(date.into())) }
    }

    /// A date of a zone: its century is a guess.
    pub fn of_zone(date: PartialDate) -> Self {
        Self { shown: date.to_string(), read: Some(Expiry::On(Printed { is_two_digit: true, ..date.into() })) }
    }

    /// A date that is present and illegible.
    pub fn unreadable() -> Self {
        Self { shown: "unreadable".to_owned(), read: None }
    }

    fn printed(&self) -> Option<Printed> {
        match self.read? {
            Expiry::On(printed) => Some(printed),
            Expiry::Never | Expiry::MayBeNever => None,
        }
    }

    /// The date, unless the document says that it never expires.
    pub fn date(&self) -> Option<PartialDate> {
        self.printed().map(|printed| printed.date)
    }

    /// The first and the last day that the date can mean.
    pub fn span(&self) -> Option<(Date, Date)> {
        self.printed().map(Printed::span)
    }

    fn set(&mut self, printed: Printed) {
        // A zone shows the date in ISO form, so what is shown follows.
        if self.date().is_some_and(|date| date.to_string() == self.shown) {
            self.shown = printed.date.to_string();
        }
        self.read = Some(Expiry::On(printed));
    }
}

/// Settles what the digits of a reading leave open by what the other readings of the document say:
/// the century of a year of two digits, the order of day and month, the calendar. A declaration
/// settles nothing.
pub fn settle(readings: &mut [(Source, DateReading)]) {
    // Four digits decide a century. After that a zone decides an order: only its century was open.
    settle_by(readings, |printed| printed.is_sure && !printed.is_two_digit);
    settle_by(readings, |printed| printed.is_sure);
}

fn settle_by(readings: &mut [(Source, DateReading)], decides: impl Fn(Printed) -> bool) {
    let deciding: Vec<(Source, PartialDate)> = readings
        .iter()
        .filter(|(source, _)| !matches!(source, Source::Declared | Source::Ocr))
        .filter_map(|(source, reading)| Some((*source, reading.printed().filter(|printed| decides(*printed))?.date)))
        .collect();
    for (source, reading) in readings.iter_mut().filter(|(source, _)| *source != Source::Declared) {
        let Some(printed) = reading.printed().filter(|printed| !decides(*printed)) else { continue };
        let mut others = deciding.iter().filter(|(of, _)| of != source);
        let meant = others.find_map(|(_, day)| printed.possible().find(|date| printed.is_near(*date, *day)));
        if let Some(date) = meant {
            let other = Some(printed.date).filter(|other| *other != date && !printed.is_two_digit);
            reading.set(Printed { date, other, is_sure: true, ..printed });
        }
    }
}

/// Marks the digits of a zone that stand for "never" where the document prints that.
pub fn settle_never(expiries: &mut [(Source, DateReading)], issues: &[(Source, DateReading)]) {
    let says_never = expiries.iter().any(|(source, reading)| source.is_visual() && reading.read == Some(Expiry::Never));
    let zones = expiries.iter_mut().filter(|(source, _)| matches!(source, Source::Mrz | Source::Ocr));
    for (_, reading) in zones.filter(|_| says_never) {
        if may_be_never(reading, issues) {
            reading.read = Some(Expiry::MayBeNever);
        }
    }
}

/// Fillers, zeros, a year 99, or the day of issue a hundred years later.
fn may_be_never(reading: &DateReading, issues: &[(Source, DateReading)]) -> bool {
    const NINES: i16 = 99;
    const CENTURIES: [i32; 4] = [0, 100, 200, -100];
    let Some(date) = reading.date() else { return true };
    let is_zero = date.year() % 100 == 0 && date.month().is_none();
    let near = |a: Date, b: Date| a.saturating_sub(1.day()) <= b && b <= a.saturating_add(1.day());
    let is_issue = |issue: Date| {
        date.exact().is_some_and(|day| CENTURIES.iter().any(|years| near(day.saturating_add(years.years()), issue)))
    };
    date.year() % 100 == NINES || is_zero || issues.iter().filter_map(|(_, issue)| issue.date()?.exact()).any(is_issue)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn on(printed: Printed) -> DateReading {
        DateReading { shown: "printed".to_owned(), read: Some(Expiry::On(printed)) }
    }

    fn dates(mut readings: Vec<(Source, DateReading)>) -> Vec<String> {
        settle(&mut readings);
        readings.iter().map(|(_, reading)| reading.date().map_or_else(String::new, |date| date.to_string())).collect()
    }

    #[test]
    fn four_digits_decide_the_century_of_two() {
        let zone = DateReading::of_zone(date(1959, 4, 16).into());
        let printed = DateReading::known(date(2059, 4, 16).into());
        assert_eq!(dates(vec![(Source::Front, printed.clone()), (Source::Mrz, zone.clone())]), ["2059-04-16"; 2]);
        assert_eq!(dates(vec![(Source::Mrz, zone.clone()), (Source::Barcode, printed.clone())]), ["2059-04-16"; 2]);
        assert_eq!(dates(vec![(Source::Front, printed), (Source::Ocr, zone.clone())]), ["2059-04-16"; 2]);
        let short = on(Printed { is_two_digit: true, ..PartialDate::from(date(2059, 4, 16)).into() });
        assert_eq!(dates(vec![(Source::Front, short), (Source::Mrz, zone.clone())]), ["2059-04-16", "1959-04-16"]);
        let declared = DateReading::known(date(2059, 4, 16).into());
        assert_eq!(dates(vec![(Source::Declared, declared), (Source::Mrz, zone.clone())])[1], "1959-04-16");
        let another_day = DateReading::known(date(2059, 4, 17).into());
        assert_eq!(dates(vec![(Source::Front, another_day), (Source::Mrz, zone)])[1], "1959-04-16");
    }

    #[test]
    fn a_zone_decides_the_order_of_day_and_month() {
        let open = Printed {
            other: Some(date(1990, 12, 8).into()),
            is_sure: false,
            ..PartialDate::from(date(1990, 8, 12)).into()
        };
        let zone = |day| DateReading::of_zone(PartialDate::from(day));
        let mut readings = vec![(Source::Front, on(open)), (Source::Mrz, zone(date(1990, 12, 8)))];
        settle(&mut readings);
        assert_eq!(readings[0].1.span(), Some((date(1990, 12, 8), date(1990, 12, 8))));
        readings = vec![(Source::Front, on(open)), (Source::Mrz, zone(date(1991, 12, 8)))];
        settle(&mut readings);
        assert_eq!(readings[0].1.span(), Some((date(1990, 8, 12), date(1990, 12, 8))), "nothing decides");
    }

    #[test]
    fn digits_that_stand_for_never_are_known_beside_the_word_only() {
        let never = || (Source::Front, DateReading { shown: "TRAJNO".to_owned(), read: Some(Expiry::Never) });
        let issued = vec![(Source::Front, DateReading::known(date(2012, 3, 5).into()))];
        let zone = |reading| {
            let mut readings = vec![never(), (Source::Mrz, reading)];
            settle_never(&mut readings, &issued);
            readings.remove(1).1.read == Some(Expiry::MayBeNever)
        };
        assert!(zone(DateReading::unreadable()));
        for (year, month, day) in [(1999, 1, 1), (1999, 12, 31), (2012, 3, 5), (2012, 3, 4)] {
            assert!(zone(DateReading::of_zone(date(year, month, day).into())), "{year}-{month}-{day}");
        }
        assert!(zone(DateReading::of_zone(PartialDate::new(2000, None, None).expect("a year"))));
        for (year, month, day) in [(2025, 4, 15), (2000, 4, 15), (2013, 3, 5)] {
            assert!(!zone(DateReading::of_zone(date(year, month, day).into())), "{year}-{month}-{day}");
        }
        let mut without = vec![(Source::Mrz, DateReading::unreadable())];
        settle_never(&mut without, &issued);
        assert_eq!(without[0].1.read, None);
    }
}
