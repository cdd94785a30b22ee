//! The parts of one printed date, and the days that they can mean.

use jiff::civil::Date;

use super::printed::{Printed, Role, full_year};
use super::tokens::{Number, Unit};
use crate::rules::document::normalise::calendars::convert::to_gregorian;
use crate::rules::document::normalise::calendars::{Calendar, Era, Habits, Order};
use crate::rules::document::normalise::months::{self, Meaning, Month};
use crate::rules::document::normalise::partial_date::PartialDate;

/// The numbers and words of one date.
#[derive(Debug, Default)]
pub struct Group {
    pub numbers: Vec<Number>,
    pub months: Vec<Meaning>,
    /// An era behind the year.
    pub era: Option<&'static Era>,
}

/// Days by which a calendar that follows the moon may differ from its table.
const MOON_DAYS: i8 = 2;

impl Group {
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.months.is_empty()
    }

    /// Whether year, month and day are all there.
    pub fn is_complete(&self) -> bool {
        let with = |unit| self.numbers.iter().filter(move |number| number.unit == Some(unit)).count();
        let month = usize::from(with(Unit::Month) > 0 || !self.months.is_empty());
        let plain = self.numbers.iter().filter(|number| number.unit.is_none()).count();
        with(Unit::Year).min(1) + month + with(Unit::Day).min(1) + plain >= 3
    }

    /// The day of the group, and its calendar.
    pub fn read(&self, context: &Context<'_>) -> Option<(Printed, Calendar)> {
        let shapes = self.shapes(context)?;
        let mut read = shapes.iter().map(|shape| shape.read(context));
        let (first, second) = (read.next()?, read.next().flatten());
        match (first, second) {
            (Some((first, calendar)), Some((second, _))) if first.other.is_none() => {
                let other = Some(second.date).filter(|other| *other != first.date);
                let is_sure = first.is_sure && (other.is_none() || context.habits.order != Order::Unknown);
                Some((Printed { other, is_sure, ..first }, calendar))
            }
            // 08/25/1990 can be read in one order only, whatever the issuer's habit.
            (first, second) => first.or(second),
        }
    }

    /// Which number is the year, the month, the day: one way, or two where the order is open.
    fn shapes(&self, context: &Context<'_>) -> Option<Vec<Shape<'_>>> {
        let month = match (self.month_of_words(), self.month_of_unit()) {
            (Some(None), _) | (_, Some(None)) => return None,
            (Some(Some((calendar, word))), Some(Some(number))) => {
                (word == number && calendar.has_gregorian_months()).then_some(Some((calendar, word)))?
            }
            (Some(word), None) => word,
            (None, Some(Some(number))) => Some((Calendar::Gregorian, number)),
            (None, None) => None,
        };
        let rest: Vec<&Number> = self.numbers.iter().filter(|number| number.unit != Some(Unit::Month)).collect();
        let years: Vec<&Number> =
            rest.iter().filter(|number| number.unit == Some(Unit::Year) || number.era.is_some()).copied().collect();
        if !years.is_empty() {
            return self.with_stated_year(&years, &rest, month);
        }
        match month {
            Some(month) => {
                let (year, day) = match rest[..] {
                    [year] if year.digits.len() == 4 => (year, None),
                    [year, day] if year.digits.len() == 4 => (year, part(day)?),
                    [day, year] => (year, part(day)?),
                    _ => return None,
                };
                Some(vec![self.shape(vec![year], Some(month), day)])
            }
            None => self.numeric(&rest, context),
        }
    }

    /// The month that the words name together: absent, contradictory, or a month.
    #[expect(clippy::option_option, reason = "absent, contradictory and known are three things")]
    fn month_of_words(&self) -> Option<Option<Month>> {
        (!self.months.is_empty()).then(|| months::agreed(&self.months))
    }

    #[expect(clippy::option_option, reason = "absent, unknown and known are three things")]
    fn month_of_unit(&self) -> Option<Option<i8>> {
        let number = self.numbers.iter().find(|number| number.unit == Some(Unit::Month))?;
        Some(part(number).flatten())
    }

    fn shape<'a>(&'a self, years: Vec<&'a Number>, month: Option<Month>, day: Option<i8>) -> Shape<'a> {
        let is_english = self.months.iter().any(|meaning| meaning.english.is_some());
        Shape {
            years,
            era: self.era,
            month: month.map(|(_, month)| month),
            words: month.map(|(calendar, _)| calendar).filter(|_| !self.months.is_empty()),
            is_english,
            day,
            is_year_first: false,
        }
    }

    /// `平成2年8月12日`, `5 ก.พ. พ.ศ. 2533`, `H2.8.12`: a word or sign says which number is the year.
    fn with_stated_year<'a>(
        &'a self,
        years: &[&'a Number],
        rest: &[&'a Number],
        month: Option<Month>,
    ) -> Option<Vec<Shape<'a>>> {
        let others: Vec<&Number> =
            rest.iter().filter(|number| !years.iter().any(|year| std::ptr::eq(*year, **number))).copied().collect();
        let is_year_first = rest.first().is_some_and(|first| std::ptr::eq(*first, years[0]));
        let (month, day) = match (month, &others[..]) {
            (month, []) => (month, None),
            (Some(month), [day]) => (Some(month), part(day)?),
            (None, [day]) if day.unit.is_some() => return None,
            (None, [month]) => (part(month)?.map(|month| (Calendar::Gregorian, month)), None),
            (None, [first, second]) => {
                let (month, day) = if is_year_first { (first, second) } else { (second, first) };
                (part(month)?.map(|month| (Calendar::Gregorian, month)), part(day)?)
            }
            _ => return None,
        };
        Some(vec![Shape { is_year_first, ..self.shape(years.to_vec(), month, day) }])
    }

    fn numeric<'a>(&'a self, numbers: &[&'a Number], context: &Context<'_>) -> Option<Vec<Shape<'a>>> {
        let shape = |year: &'a Number, month: Option<i8>, day| {
            self.shape(vec![year], month.map(|month| (Calendar::Gregorian, month)), day)
        };
        let is_year = |number: &Number| number.digits.len() == 4;
        match *numbers {
            [year] if is_year(year) => Some(vec![shape(year, None, None)]),
            // 08/1990, 1990-08
            [month, year] if is_year(year) && !is_year(month) => Some(vec![shape(year, part(month)?, None)]),
            [year, month] if is_year(year) => Some(vec![shape(year, part(month)?, None)]),
            [year, month, day] if is_year(year) || context.is_minguo_year(year) => {
                Some(vec![Shape { is_year_first: true, ..shape(year, part(month)?, part(day)?) }])
            }
            [first, second, year] if matches!(year.digits.len(), 2 | 4) => {
                let (first, second) = (part(first)?, part(second)?);
                let (day_first, month_first) = (shape(year, second, first), shape(year, first, second));
                Some(match context.habits.order {
                    Order::DayFirst | Order::Unknown => vec![day_first, month_first],
                    Order::MonthFirst => vec![month_first, day_first],
                })
            }
            _ => None,
        }
    }
}

/// What a date is read by.
pub struct Context<'a> {
    pub role: Role,
    pub habits: &'a Habits,
    pub today: Date,
}

impl Context<'_> {
    /// Whether a number in the first place can only be a year of Taiwan's calendar: `079.02.05`.
    fn is_minguo_year(&self, number: &Number) -> bool {
        const DAY_MAX: i16 = 31;
        self.habits.uses(Calendar::Minguo)
            && (number.digits.len() == 3
                || (number.digits.len() == 2 && number.digits.parse::<i16>().is_ok_and(|year| year > DAY_MAX)))
    }

    /// Whether a date can have its role on a document of a living person.
    fn is_plausible(&self, date: PartialDate) -> bool {
        let years = date.year() - self.today.year();
        match self.role {
            Role::Birth => date.earliest() <= self.today && years >= -125,
            Role::Issue => date.earliest() <= self.today && years >= -60,
            Role::Expiry => (-30..=60).contains(&years),
        }
    }
}

/// One way to assign year, month and day.
struct Shape<'a> {
    /// The year; twice where two calendars count it: `2029年(令和11年)`.
    years: Vec<&'a Number>,
    era: Option<&'static Era>,
    month: Option<i8>,
    /// The calendar that a word for the month belongs to.
    words: Option<Calendar>,
    /// Whether one of the words is English.
    is_english: bool,
    day: Option<i8>,
    is_year_first: bool,
}

impl Shape<'_> {
    fn read(&self, context: &Context<'_>) -> Option<(Printed, Calendar)> {
        let mut read = self.years.iter().map(|year| self.in_year(year, context));
        let first = read.next()??;
        // Years of two calendars must be one.
        read.all(|other| other.is_some_and(|(other, _)| other.date == first.0.date)).then_some(first)
    }

    fn in_year(&self, year: &Number, context: &Context<'_>) -> Option<(Printed, Calendar)> {
        let era = year.era.or(self.era);
        let mut candidates: Vec<(Calendar, PartialDate, Option<PartialDate>)> = self
            .calendars(year, era, context)
            .into_iter()
            .filter_map(|(calendar, year)| {
                let (date, other) = to_gregorian(calendar, year, self.month, self.day)?;
                era.is_none_or(|era| era.has_begun(date.latest())).then_some((calendar, date, other))
            })
            .collect();
        if candidates.len() > 1 && candidates.iter().any(|(_, date, _)| context.is_plausible(*date)) {
            candidates.retain(|(_, date, _)| context.is_plausible(*date));
        }
        let (calendar, date, other) = *candidates.first()?;
        let other = other.or(candidates.get(1).map(|(_, date, _)| *date));
        let days_off = if calendar == Calendar::Islamic { MOON_DAYS } else { 0 };
        let is_two_digit = year.digits.len() == 2 && era.is_none() && calendar == Calendar::Gregorian;
        Some((Printed { date, other, is_sure: other.is_none(), days_off, is_two_digit }, calendar))
    }

    /// The calendars in which the year can be counted, the likeliest first.
    fn calendars(&self, number: &Number, era: Option<&'static Era>, context: &Context<'_>) -> Vec<(Calendar, i16)> {
        let habits = context.habits;
        let Ok(year) = number.digits.parse::<i16>() else { return Vec::new() };
        let fits_words = |calendar: Calendar| match self.words {
            Some(words) => words == calendar || (words.has_gregorian_months() && calendar.has_gregorian_months()),
            None => true,
        };
        if let Some(era) = era {
            return era
                .year(year)
                .filter(|_| fits_words(era.calendar))
                .map(|year| (era.calendar, year))
                .into_iter()
                .collect();
        }
        let found: Vec<(Calendar, i16)> = match number.digits.len() {
            // A year of two digits may be counted in the state's other calendar, unless an English
            // word says that it is not.
            2 if number.unit.is_none() && (habits.only_gregorian() || self.is_english) => {
                full_year(year, self.month, self.day, context.role, context.today)
                    .map(|year| (Calendar::Gregorian, year))
                    .into_iter()
                    .collect()
            }
            2 | 3 if self.is_year_first && context.is_minguo_year(number) => vec![(Calendar::Minguo, year + 1911)],
            4 => self.of_four_digits(number, year, habits),
            _ => Vec::new(),
        };
        found.into_iter().filter(|(calendar, _)| fits_words(*calendar)).collect()
    }

    fn of_four_digits(&self, number: &Number, year: i16, habits: &Habits) -> Vec<(Calendar, i16)> {
        const BIKRAM_SAMBAT: std::ops::RangeInclusive<i16> = 1975..=2100;
        const ETHIOPIC: std::ops::RangeInclusive<i16> = 1870..=2100;
        let mut calendars = Vec::new();
        match year {
            2400..2700 => calendars.push(Calendar::Buddhist),
            1250..1510 => calendars.extend([Calendar::Persian, Calendar::Islamic]),
            _ => {
                if BIKRAM_SAMBAT.contains(&year)
                    && number.unit.is_none()
                    && (self.is_year_first || number.is_devanagari || self.words.is_some())
                {
                    calendars.push(Calendar::BikramSambat);
                }
                if !(number.is_devanagari && habits.uses(Calendar::BikramSambat)) {
                    calendars.push(Calendar::Gregorian);
                }
                if ETHIOPIC.contains(&year) {
                    calendars.push(Calendar::Ethiopic);
                }
            }
        }
        calendars.into_iter().filter(|calendar| habits.uses(*calendar)).map(|calendar| (calendar, year)).collect()
    }
}

/// A day or month; zero means unknown.
#[expect(clippy::option_option, reason = "unreadable, unknown and known are three things")]
fn part(number: &Number) -> Option<Option<i8>> {
    if number.digits.len() > 2 {
        return None;
    }
    let number: i8 = number.digits.parse().ok()?;
    Some((number != 0).then_some(number))
}
