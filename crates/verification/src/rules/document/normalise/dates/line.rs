//! One or two dates in one text, with what stands around them.

use super::group::{Context, Group};
use super::printed::{Printed, Role};
use super::tokens::{Number, Token};
use crate::rules::document::normalise::calendars::Calendar;
use crate::rules::document::normalise::partial_date::PartialDate;

/// Unknown words around a date with one before it: a label.
const LABEL_WORDS_MAX: usize = 3;
/// Digits of a date without separators.
const COMPACT: usize = 8;
/// Unknown words behind a date that stands first: the place of birth on a licence.
const PLACE_WORDS_MAX: usize = 6;

/// The dates of a text.
#[derive(Default)]
pub struct Line {
    groups: Vec<Group>,
    /// What does not make a whole date.
    rest: Group,
    /// Whether words stand between the last whole date and the rest.
    rest_is_place: bool,
    /// Whether the second date, or the second number of the rest, is the end of a range.
    is_range: bool,
    words_before: usize,
    words_after: usize,
}

impl Line {
    /// Divides the tokens into dates; `None` where there are too many words.
    pub fn of(tokens: Vec<Token>) -> Option<Self> {
        let mut line = Self::default();
        let mut after_month = false;
        let mut until = false;
        for token in tokens {
            let is_month = matches!(token, Token::Month(_));
            match token {
                Token::Number(number) => line.number(number, &mut until),
                // `1990 FEB/FÉV`, and else a word for a month behind a date is a place: `MARS`.
                Token::Month(meaning) if !line.rest.is_complete() || after_month => line.rest.months.push(meaning),
                Token::Era(era) => line.rest.era = Some(era),
                Token::Until => until = true,
                Token::Month(_) | Token::Word => line.word(),
            }
            after_month = is_month;
        }
        line.close();
        let words_max = if line.words_before > 0 { LABEL_WORDS_MAX } else { PLACE_WORDS_MAX };
        (line.words_before + line.words_after <= words_max).then_some(line)
    }

    fn number(&mut self, number: Number, until: &mut bool) {
        if number.digits.len() == COMPACT && number.unit.is_none() && number.era.is_none() {
            for part in cut(&number.digits) {
                self.number(
                    Number { digits: part.to_owned(), after_dash: number.after_dash, ..Number::default() },
                    until,
                );
            }
            return;
        }
        let is_end = std::mem::take(until) || number.after_dash;
        if self.rest.is_complete() {
            self.close();
            self.is_range = is_end;
            self.rest_is_place = self.words_after > 0;
        } else if self.groups.is_empty() && self.rest.numbers.len() == 1 {
            self.is_range = is_end;
        }
        self.rest.numbers.push(number);
    }

    fn word(&mut self) {
        if self.rest.is_complete() || !self.groups.is_empty() {
            self.words_after += 1;
        } else {
            self.words_before += 1;
        }
    }

    fn close(&mut self) {
        if self.rest.is_complete() {
            self.groups.push(std::mem::take(&mut self.rest));
        }
    }

    pub fn read(&self, context: &Context<'_>) -> Option<Printed> {
        let whole = match (&self.groups[..], self.rest.is_empty()) {
            ([], _) => return self.partial(context),
            // `05.02.1990 PARIS (75)`
            (groups, false) if self.rest_is_place && context.role == Role::Birth && groups.len() == 1 => groups,
            (groups, true) => groups,
            _ => return None,
        };
        match whole {
            [only] => Some(only.read(context)?.0),
            [first, second] => self.two(first.read(context)?, second.read(context)?, context),
            _ => None,
        }
    }

    /// A year, or a month of a year; also a range of years, of which Mexico prints only these.
    fn partial(&self, context: &Context<'_>) -> Option<Printed> {
        if let [first, second] = &self.rest.numbers[..]
            && self.rest.months.is_empty()
            && first.digits.len() == 4
            && second.digits.len() == 4
        {
            let year = match context.role {
                Role::Expiry => &second.digits,
                Role::Issue => &first.digits,
                Role::Birth => return None,
            };
            let (from, to): (i16, i16) = (first.digits.parse().ok()?, second.digits.parse().ok()?);
            let date = PartialDate::new(year.parse().ok()?, None, None)?;
            return (self.is_range && from < to && context.habits.uses(Calendar::Gregorian)).then(|| date.into());
        }
        // The word may be the name of a month that is not known.
        if self.words_before > 0 && self.rest.months.is_empty() {
            return None;
        }
        Some(self.rest.read(context)?.0)
    }

    /// One day in two calendars, or the two ends of a range.
    fn two(&self, first: (Printed, Calendar), second: (Printed, Calendar), context: &Context<'_>) -> Option<Printed> {
        let ((a, of_a), (b, of_b)) = (first, second);
        if of_a == of_b && a.date == b.date {
            return Some(a);
        }
        let exact = if of_a == Calendar::Gregorian { a } else { b };
        let loose = if of_a == Calendar::Gregorian { b } else { a };
        // A state without another calendar prints one day twice in one way.
        let both_gregorian = of_a == Calendar::Gregorian && of_b == of_a && context.habits.only_gregorian();
        let agreed = exact.possible().find(|day| loose.possible().any(|date| loose.is_near(date, *day)));
        if let Some(day) = agreed.filter(|_| !both_gregorian) {
            let days_off = if of_a == Calendar::Gregorian || of_b == Calendar::Gregorian { 0 } else { exact.days_off };
            return Some(Printed { days_off, ..day.into() });
        }
        let is_range = self.is_range && of_a == of_b && a.date.latest() < b.date.earliest();
        match context.role {
            Role::Expiry if is_range => Some(b),
            Role::Issue if is_range => Some(a),
            _ => None,
        }
    }
}

/// Year, month and day of `19900812`, or day, month and year of `12081990`. No date is both.
fn cut(digits: &str) -> [&str; 3] {
    let is_year_first = digits[4..6].parse::<u8>().is_ok_and(|month| month <= 12);
    if is_year_first {
        [&digits[..4], &digits[4..6], &digits[6..]]
    } else {
        [&digits[..2], &digits[2..4], &digits[4..]]
    }
}
