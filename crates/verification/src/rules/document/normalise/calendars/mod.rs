//! The calendars that documents print, and what a state is known to print.
//!
//! Which calendars a state uses is data. A date in another one is unreadable: a foreign calendar is
//! no excuse for a date that does not fit.

pub mod bikram_sambat;
pub mod convert;

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;

use crate::rules::document::normalise::words;

/// A calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calendar {
    Gregorian,
    /// Thailand: 543 years ahead of the Gregorian calendar.
    Buddhist,
    /// Taiwan: years since 1912.
    Minguo,
    /// Years of the reign of an emperor.
    Japanese,
    /// North Korea, until 2024: the years of Minguo.
    Juche,
    /// Iran and Afghanistan: the solar Hijri calendar.
    Persian,
    /// Saudi Arabia: the lunar Hijri calendar.
    Islamic,
    /// Ethiopia: thirteen months, seven or eight years behind.
    Ethiopic,
    /// Nepal: 56 or 57 years ahead.
    BikramSambat,
    /// Israel. Its dates are letters, which are not read.
    Hebrew,
}

impl Calendar {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "gregorian" => Self::Gregorian,
            "buddhist" => Self::Buddhist,
            "minguo" => Self::Minguo,
            "japanese" => Self::Japanese,
            "juche" => Self::Juche,
            "persian" => Self::Persian,
            "islamic" => Self::Islamic,
            "ethiopic" => Self::Ethiopic,
            "bikram_sambat" => Self::BikramSambat,
            "hebrew" => Self::Hebrew,
            _ => return None,
        })
    }

    /// The calendar that a table names. Every table is read in a test, so the fallback is never
    /// used.
    pub fn named(name: &str) -> Self {
        Self::parse(name).unwrap_or(Self::Hebrew)
    }

    /// Whether its months and days are the Gregorian ones, and only its years are counted from
    /// another one.
    pub fn has_gregorian_months(self) -> bool {
        matches!(self, Self::Gregorian | Self::Buddhist | Self::Minguo | Self::Japanese | Self::Juche)
    }
}

/// Which of two numbers comes first in a date of figures whose year comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// 12.08.1990 is in August.
    DayFirst,
    /// 12/08/1990 is in December.
    MonthFirst,
    /// Not known: both are possible where the digits allow it.
    Unknown,
}

/// How a state writes dates.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// The order of day and month.
    pub order: Order,
    calendars: &'static [Calendar],
    languages: &'static [&'static str],
}

impl Habits {
    /// The habits of a state that is not known.
    pub const UNKNOWN: Habits = Habits { order: Order::Unknown, calendars: &[Calendar::Gregorian], languages: &[] };

    /// The habits of a state by its three-letter code.
    pub fn of(state: &str) -> Self {
        let languages = LANGUAGES.get(state).map(Vec::as_slice).unwrap_or_default();
        match STATES.get(state) {
            Some((order, calendars)) => Self { order: *order, calendars, languages },
            None => Self { languages, ..Self::UNKNOWN },
        }
    }

    /// Whether the state's documents use the calendar.
    pub fn uses(&self, calendar: Calendar) -> bool {
        self.calendars.contains(&calendar)
    }

    /// Whether all its dates are Gregorian.
    pub fn only_gregorian(&self) -> bool {
        self.calendars == [Calendar::Gregorian]
    }

    /// Whether the language is one of the state.
    pub fn speaks(&self, language: &str) -> bool {
        self.languages.contains(&language)
    }
}

static STATES: LazyLock<HashMap<&'static str, (Order, Vec<Calendar>)>> = LazyLock::new(|| {
    let row = |fields: Vec<&'static str>| {
        let [state, order, calendars, _source] = fields[..] else { return None };
        let order = match order {
            "day" => Order::DayFirst,
            "month" => Order::MonthFirst,
            _ => Order::Unknown,
        };
        Some((state, (order, calendars.split(' ').map(Calendar::named).collect())))
    };
    words::rows(include_str!("../../../../../data/calendars.tsv")).filter_map(row).collect()
});

static LANGUAGES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    words::rows(include_str!("../../../../../data/state-languages.tsv"))
        .filter_map(|fields| Some((*fields.first()?, fields.get(1)?.split(' ').collect())))
        .collect()
});

/// Where the word for an era stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Before,
    After,
}

/// The era that a year is counted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Era {
    pub calendar: Calendar,
    /// Where its word stands beside the year.
    pub place: Place,
    /// What is added to a year of the era.
    offset: i16,
    first: Option<Date>,
    last_year: Option<i16>,
    /// Whether the word is a single letter, which means an era only when it touches the year.
    pub is_letter: bool,
}

impl Era {
    /// The year that is `year` in the era, as its calendar counts it; `None` where the era has no
    /// such year.
    pub fn year(&self, year: i16) -> Option<i16> {
        let within = year >= 1 && self.last_year.is_none_or(|last| year <= last);
        within.then(|| year.checked_add(self.offset)).flatten()
    }

    /// Whether the era had begun on the day.
    pub fn has_begun(&self, day: Date) -> bool {
        self.first.is_none_or(|first| first <= day)
    }
}

/// The era that a word names where it stands at `place`: `H` is an era of Japan before a year and the
/// Hijra after it.
pub fn era(word: &str, place: Place) -> Option<&'static Era> {
    ERAS.get(&(words::own(word), place))
}

static ERAS: LazyLock<HashMap<(String, Place), Era>> = LazyLock::new(|| {
    let row = |fields: Vec<&'static str>| {
        let [word, calendar, place, offset, first, last, _source] = fields[..] else { return None };
        let word = words::own(word);
        let era = Era {
            calendar: Calendar::named(calendar),
            place: if place == "before" { Place::Before } else { Place::After },
            offset: offset.parse().ok()?,
            first: first.parse().ok(),
            last_year: last.parse().ok(),
            is_letter: word.len() == 1,
        };
        Some(((word, era.place), era))
    };
    words::rows(include_str!("../../../../../data/eras.tsv")).filter_map(row).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let count = |table| words::rows(table).count();
        assert_eq!(STATES.len(), count(include_str!("../../../../../data/calendars.tsv")));
        assert_eq!(LANGUAGES.len(), count(include_str!("../../../../../data/state-languages.tsv")));
        for fields in words::rows(include_str!("../../../../../data/calendars.tsv")) {
            assert!(fields[2].split(' ').all(|name| Calendar::parse(name).is_some()), "{fields:?}");
        }
        for fields in words::rows(include_str!("../../../../../data/eras.tsv")) {
            let place = if fields[2] == "before" { Place::Before } else { Place::After };
            let era = era(fields[0], place).expect("read");
            assert_eq!(Some(era.calendar), Calendar::parse(fields[1]), "{fields:?}");
            assert_eq!(era.first.is_some(), fields[4] != "-", "{fields:?}");
            assert_eq!(era.last_year.is_some(), fields[5] != "-", "{fields:?}");
        }
    }

    #[test]
    fn a_state_that_is_not_listed_writes_gregorian_dates() {
        assert!(Habits::of("ATL").only_gregorian());
        assert_eq!(Habits::of("DEU").order, Order::Unknown);
        assert!(Habits::of("DEU").speaks("de"));
        assert_eq!(Habits::of("FRA").order, Order::DayFirst);
        assert!(Habits::of("NPL").uses(Calendar::BikramSambat) && !Habits::of("IND").uses(Calendar::BikramSambat));
    }
}
