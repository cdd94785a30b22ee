//! Parses dates as documents print them: many orders, many languages, sometimes without a day.
//!
//! A date is read as what it says and no more: a year alone stays a year. Where the digits can be
//! read in two orders, the issuer's habit decides. The other order is kept, so that a comparison
//! with a second reading can tell a habit from a false date.

#[cfg(test)]
mod tests;

use jiff::civil::Date;

use crate::rules::document::normalise::months;
use crate::rules::document::normalise::partial_date::PartialDate;

/// What a date is for. It decides in which century a two-digit year lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Never in the future.
    Birth,
    /// Never far from today.
    Issue,
    /// Never far from today.
    Expiry,
}

/// Which of two numbers comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// 12.08.1990 is in August.
    DayFirst,
    /// 12/08/1990 is in December.
    MonthFirst,
}

/// A printed date after parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// The date in the issuer's order.
    pub date: PartialDate,
    /// The date with day and month exchanged, where the digits allow that.
    pub other_order: Option<PartialDate>,
}

/// A printed date of expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The document expires on this day.
    On(Printed),
    /// The document says that it does not expire.
    Never,
}

/// Two-digit years of issue and expiry lie at most this many years in the future. Passports are
/// valid for ten years, some cards for fifteen.
const FUTURE_YEARS_MAX: i16 = 20;
/// Unknown words that a date may carry: its second language.
const UNKNOWN_WORDS_MAX: usize = 3;
/// Longest text that is parsed, in characters.
const TEXT_CHARS_MAX: usize = 64;

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
    PartialDate::new(full_year(short, month, day, role, today)?, month, day)
}

/// Completes a two-digit year. A birth is the latest date that is not in the future; other dates
/// are the latest that are not far in the future.
fn full_year(short: i16, month: Option<i8>, day: Option<i8>, role: Role, today: Date) -> Option<i16> {
    let century = today.year() - today.year() % 100;
    let candidates = [century + 100 + short, century + short, century - 100 + short];
    candidates.into_iter().find(|year| match role {
        Role::Birth => PartialDate::new(*year, month, day).is_some_and(|date| date.earliest() <= today),
        Role::Issue | Role::Expiry => *year <= today.year() + FUTURE_YEARS_MAX,
    })
}

/// Parses a printed date of expiry.
pub fn parse_expiry(text: &str, order: Order, today: Date) -> Option<Expiry> {
    if says_never(text) {
        return Some(Expiry::Never);
    }
    parse(text, Role::Expiry, order, today).map(Expiry::On)
}

/// Words for "without end", without accents, as parts of words.
const NEVER: [&str; 22] = [
    "PERMANEN",
    "UNLIMITED",
    "INDEFINI",
    "INDETERMINAD",
    "ILLIMIT",
    "UNBEFRIST",
    "UNBEGRENZT",
    "UNBESCHRANKT",
    "BEZTERMIN",
    "NEOMEZEN",
    "NEOBMEDZEN",
    "TAHTAJATU",
    "BESSROCH",
    "BEZSROCH",
    "BEZSTROK",
    "NEBEFRIST",
    "NELIMIT",
    "NEOGRANICEN",
    "VITALIC",
    "LIFETIME",
    "NO EXPIR",
    "ONBEPERKT",
];

fn says_never(text: &str) -> bool {
    let plain = deunicode::deunicode(text).to_ascii_uppercase();
    NEVER.iter().any(|word| plain.contains(word))
        || ["长期", "長期", "永久"].iter().any(|word| text.contains(word))
        || plain.contains("9999")
}

/// Parses a printed date.
pub fn parse(text: &str, role: Role, order: Order, today: Date) -> Option<Printed> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return None;
    }
    if let Some(date) = east_asian(text) {
        return Some(Printed { date, other_order: None });
    }
    let tokens = tokens(text);
    let mut month_word = None;
    let mut numbers = Vec::new();
    let mut unknown_words = 0;
    for token in &tokens {
        match token {
            Token::Number(digits) => numbers.push(digits.as_str()),
            Token::Month(month) if month_word.is_none_or(|known| known == *month) => month_word = Some(*month),
            Token::Month(_) => return None,
            Token::Filler => {}
            Token::Word => unknown_words += 1,
        }
    }
    if unknown_words > UNKNOWN_WORDS_MAX {
        return None;
    }
    let context = Context { role, order, today };
    match month_word {
        Some(month) => context.with_month_word(month, &numbers),
        // The name of the month may be unknown, so fewer than three numbers with words are not a
        // date.
        None if unknown_words > 0 && numbers.len() < 3 => None,
        None => context.numeric(&numbers),
    }
}

enum Token {
    Number(String),
    Month(i8),
    Filler,
    Word,
}

/// Splits into runs of digits and runs of letters; all other characters only divide.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut run = String::new();
    let mut digits = false;
    for c in text.chars().map(western_digit).chain([' ']) {
        let digit = c.is_ascii_digit();
        if !run.is_empty() && (digit != digits || !c.is_alphanumeric()) {
            tokens.push(token(&run, digits));
            run.clear();
        }
        if c.is_alphanumeric() {
            digits = digit;
            run.push(c);
        }
    }
    tokens
}

fn token(run: &str, digits: bool) -> Token {
    if digits {
        return Token::Number(run.to_owned());
    }
    let plain: String =
        deunicode::deunicode(run).chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
    // An unknown day is printed as XX. It counts as a number to keep its place.
    if plain == "XX" {
        return Token::Number("00".to_owned());
    }
    if let Some(month) = months::by_name(&plain) {
        return Token::Month(month);
    }
    match plain.as_str() {
        "" | "DE" | "DEL" | "OF" | "THE" | "ST" | "ND" | "RD" | "TH" | "R" | "G" | "T" | "DNE" | "DEN" | "L" | "LE" => {
            Token::Filler
        }
        _ => Token::Word,
    }
}

/// Decimal digits of other scripts as ASCII.
fn western_digit(c: char) -> char {
    const ZEROS: [u32; 9] = [0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0x0ED0, 0x1040, 0x17E0, 0xFF10];
    ZEROS
        .iter()
        .find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10))
        .and_then(|value| char::from_digit(value, 10))
        .unwrap_or(c)
}

struct Context {
    role: Role,
    order: Order,
    today: Date,
}

impl Context {
    /// Parses `12 AUG 1990`, `AUG 12, 1990`, `1990 AUG 12`, `AUG 1990`.
    fn with_month_word(&self, month: i8, numbers: &[&str]) -> Option<Printed> {
        let (year, day) = match *numbers {
            [year] if year.len() == 4 => (year, None),
            [year, day] if year.len() == 4 => (year, Some(day)),
            [day, year] => (year, Some(day)),
            _ => return None,
        };
        let day = match day {
            None => None,
            Some(day) => part(day)?,
        };
        let year = self.year(year, Some(month), day)?;
        only(PartialDate::new(year, Some(month), day))
    }

    fn numeric(&self, numbers: &[&str]) -> Option<Printed> {
        match *numbers {
            // 19900812, 12081990, 1990
            [run] if run.len() == 8 => {
                let year_first = run.starts_with("19") || run.starts_with("20");
                let parts =
                    if year_first { [&run[..4], &run[4..6], &run[6..]] } else { [&run[..2], &run[2..4], &run[4..]] };
                self.numeric(&parts)
            }
            [year] if year.len() == 4 => only(PartialDate::new(self.year(year, None, None)?, None, None)),
            // 08/1990
            [month, year] if year.len() == 4 => {
                let month = part(month)?;
                only(PartialDate::new(self.year(year, month, None)?, month, None))
            }
            [year, month, day] if year.len() == 4 => {
                let (month, day) = (part(month)?, part(day)?);
                only(PartialDate::new(self.year(year, month, day)?, month, day))
            }
            [first, second, year] if matches!(year.len(), 2 | 4) => {
                let (first, second) = (part(first)?, part(second)?);
                let day_first = self.year_last(second, first, year);
                let month_first = self.year_last(first, second, year);
                let (date, other) = match self.order {
                    Order::DayFirst => (day_first, month_first),
                    Order::MonthFirst => (month_first, day_first),
                };
                match (date, other) {
                    (Some(date), other) => Some(Printed { date, other_order: other.filter(|other| *other != date) }),
                    // 08/25/1990 can be read in one order only, whatever the issuer's habit.
                    (None, Some(date)) => only(Some(date)),
                    (None, None) => None,
                }
            }
            _ => None,
        }
    }

    fn year_last(&self, month: Option<i8>, day: Option<i8>, year: &str) -> Option<PartialDate> {
        PartialDate::new(self.year(year, month, day)?, month, day)
    }

    /// A year of four or two digits. The Thai calendar is 543 years ahead.
    fn year(&self, digits: &str, month: Option<i8>, day: Option<i8>) -> Option<i16> {
        const BUDDHIST_ERA: i16 = 543;
        let year: i16 = digits.parse().ok()?;
        match digits.len() {
            4 if (2400..2800).contains(&year) => Some(year - BUDDHIST_ERA),
            4 => Some(year),
            2 => full_year(year, month, day, self.role, self.today),
            _ => None,
        }
    }
}

fn only(date: Option<PartialDate>) -> Option<Printed> {
    date.map(|date| Printed { date, other_order: None })
}

/// A day or month; zero means unknown.
#[expect(clippy::option_option, reason = "unreadable, unknown and known are three things")]
fn part(digits: &str) -> Option<Option<i8>> {
    if digits.len() > 2 {
        return None;
    }
    let number: i8 = digits.parse().ok()?;
    Some((number != 0).then_some(number))
}

/// Parses `1990年8月12日`, and the same with the name of an era, whose year one is the era's first.
fn east_asian(text: &str) -> Option<PartialDate> {
    const ERAS: [(&str, i16); 10] = [
        ("令和", 2018),
        ("平成", 1988),
        ("昭和", 1925),
        ("大正", 1911),
        ("明治", 1867),
        ("民國", 1911),
        ("民国", 1911),
        ("中華民國", 1911),
        ("佛曆", -543),
        ("พ.ศ.", -543),
    ];
    let western: String = text.chars().map(western_digit).filter(|c| !c.is_whitespace()).collect();
    let at = western.find(['年', '년'])?;
    let (head, tail) = western.split_at(at);
    let era = ERAS.iter().find(|(name, _)| head.contains(name)).map_or(0, |(_, year)| *year);
    // A Japanese licence prints both: 2029年(令和11年)8月12日.
    let digits = if head.ends_with('元') { "1" } else { trailing_digits(head) };
    let year: i16 = digits.parse().ok()?;
    let year = if year > 1800 { year } else { year + era };
    let tail = tail.rsplit_once('年').map_or(tail, |(_, rest)| rest);
    let number_before = |marks: [char; 2]| {
        tail.find(marks).and_then(|at| trailing_digits(&tail[..at]).parse::<i8>().ok()).filter(|number| *number > 0)
    };
    PartialDate::new(year, number_before(['月', '월']), number_before(['日', '일']))
}

fn trailing_digits(text: &str) -> &str {
    let start = text
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}
