//! Cuts a printed date into numbers, words for months, eras, and the rest.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::rules::document::normalise::calendars::{self, Era, Habits, Place};
use crate::rules::document::normalise::months::{self, Meaning};
use crate::rules::document::normalise::words::{self, western_digit};

/// A part of a printed date.
#[derive(Debug)]
pub enum Token {
    Number(Number),
    /// A word for a month.
    Month(Meaning),
    /// An era behind its year.
    Era(&'static Era),
    /// A sign or word between the two ends of a range.
    Until,
    /// A word that says nothing here.
    Word,
}

/// A run of digits.
#[derive(Debug, Default)]
pub struct Number {
    /// The digits, in ASCII; `00` for an unknown part.
    pub digits: String,
    pub is_devanagari: bool,
    /// What it is the number of, where a word beside it says so.
    pub unit: Option<Unit>,
    /// The era before it.
    pub era: Option<&'static Era>,
    /// Whether a sign of a range stands before it.
    pub after_dash: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Day,
    Month,
    Year,
}

/// The tokens of a text; `None` where something in it would change how the numbers are counted: an
/// era of a calendar that the state does not use, or letters that touch a number.
pub fn tokens(text: &str, habits: &Habits) -> Option<Vec<Token>> {
    let runs = runs(text);
    let mut tokens: Vec<Token> = Vec::new();
    let mut next = Next::default();
    let mut at = 0;
    while let Some(run) = runs.get(at) {
        match run.kind {
            Kind::Digits => {
                tokens.push(Token::Number(next.number(run)));
                at += 1;
            }
            Kind::Unknown => {
                let unknown = Run { text: "00".to_owned(), ..run.clone() };
                tokens.push(Token::Number(next.number(&unknown)));
                at += 1;
            }
            Kind::Letters => at += word(&runs[at..], habits, &mut tokens, &mut next)?,
        }
    }
    Some(tokens)
}

/// What the words so far say about the next number.
#[derive(Default)]
struct Next {
    era: Option<&'static Era>,
    unit: Option<Unit>,
}

impl Next {
    fn number(&mut self, run: &Run) -> Number {
        Number {
            digits: run.text.clone(),
            is_devanagari: run.is_devanagari,
            unit: self.unit.take(),
            era: self.era.take(),
            after_dash: run.before.contains(DASHES),
        }
    }
}

const DASHES: [char; 6] = ['-', '–', '—', '~', '～', '〜'];
/// Most runs of letters that are one name: `Dhu al-Hijja`, `ก.พ.`, `تشرين الأول`.
const RUNS_MAX: usize = 4;

/// Reads the word that begins with the first run; returns the number of its runs.
fn word(runs: &[Run], habits: &Habits, tokens: &mut Vec<Token>, next: &mut Next) -> Option<usize> {
    let letters = runs.iter().take(RUNS_MAX).take_while(|run| run.kind == Kind::Letters).count();
    let together = 1 + runs[1..letters].iter().take_while(|run| run.is_joined()).count();
    for length in (1..=together).rev() {
        let text: String = runs[..length].iter().map(|run| run.text.as_str()).collect();
        let following = runs.get(length).filter(|run| run.kind == Kind::Digits);
        let token = match classify(&text, following, tokens.last(), habits)? {
            Class::Token(token) => Some(token),
            Class::EraBefore(era) => {
                next.era = Some(era);
                None
            }
            Class::UnitBefore(unit) => {
                next.unit = Some(unit);
                None
            }
            Class::UnitAfter(unit) => {
                if let Some(Token::Number(number)) = tokens.last_mut() {
                    number.unit = Some(unit);
                }
                None
            }
            Class::Filler => None,
            Class::Unknown if length > 1 => continue,
            // `x1990`, or the letter of an era that is not known here.
            Class::Unknown if following.is_some_and(|run| run.before.is_empty()) => return None,
            Class::Unknown => Some(Token::Word),
        };
        tokens.extend(token);
        return Some(length);
    }
    None
}

enum Class {
    Token(Token),
    EraBefore(&'static Era),
    UnitBefore(Unit),
    UnitAfter(Unit),
    Filler,
    Unknown,
}

/// What a word is beside the number that follows and the token before; `None` where it makes the
/// date one of a calendar that the state does not use.
fn classify(text: &str, following: Option<&Run>, last: Option<&Token>, habits: &Habits) -> Option<Class> {
    let after_number = matches!(last, Some(Token::Number(_)));
    if let (Some(era), Some(number)) = (calendars::era(text, Place::Before), following)
        && (!era.is_letter || (number.text.len() <= 2 && matches!(number.before.as_str(), "" | "." | " ")))
    {
        return habits.uses(era.calendar).then_some(Class::EraBefore(era));
    }
    let touches = following.is_some_and(|run| run.before.is_empty());
    if let Some(meaning) = months::meaning(&text.to_uppercase(), habits)
        && !(touches && months::is_roman(text))
    {
        return Some(Class::Token(Token::Month(meaning)));
    }
    if after_number && let Some(era) = calendars::era(text, Place::After) {
        if habits.uses(era.calendar) {
            return Some(Class::Token(Token::Era(era)));
        }
        // Two Latin letters behind a date may be a place: `BERN BE`.
        return (text.is_ascii() && text.len() <= 2).then_some(Class::Unknown);
    }
    Some(match BESIDE.get(&words::own(text)) {
        Some(Beside::Before(unit)) if following.is_some() => Class::UnitBefore(*unit),
        Some(Beside::After(unit)) if after_number => Class::UnitAfter(*unit),
        Some(Beside::Until) => Class::Token(Token::Until),
        Some(Beside::Filler) => Class::Filler,
        _ => Class::Unknown,
    })
}

enum Beside {
    Before(Unit),
    After(Unit),
    Until,
    Filler,
}

static BESIDE: LazyLock<HashMap<String, Beside>> = LazyLock::new(|| {
    let unit = |name| match name {
        "day" => Unit::Day,
        "month" => Unit::Month,
        _ => Unit::Year,
    };
    let row = |fields: Vec<&'static str>| {
        let [_, word, meaning] = fields[..] else { return None };
        let beside = match meaning.split_once('-') {
            Some((name, "before")) => Beside::Before(unit(name)),
            Some((name, _)) => Beside::After(unit(name)),
            None if meaning == "until" => Beside::Until,
            None => Beside::Filler,
        };
        Some((words::own(word), beside))
    };
    words::rows(include_str!("../../../../../data/date-words.tsv")).filter_map(row).collect()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digits,
    Letters,
    /// A sign for an unknown part.
    Unknown,
}

#[derive(Debug, Clone)]
struct Run {
    kind: Kind,
    text: String,
    /// What stands between it and the run before.
    before: String,
    is_devanagari: bool,
}

impl Run {
    /// Whether it may belong to the same name as the run before.
    fn is_joined(&self) -> bool {
        self.before.chars().all(|c| c.is_whitespace() || matches!(c, '.' | '\'' | '’' | '-' | '\u{0F0B}'))
    }
}

/// Cuts into runs of digits and of letters.
fn runs(text: &str) -> Vec<Run> {
    let characters: Vec<char> = east_asian_numerals(text);
    let mut runs: Vec<Run> = Vec::new();
    let mut before = String::new();
    let mut at = 0;
    while let Some(first) = characters.get(at) {
        let kind = kind(*first);
        let mut end = at + 1;
        match kind {
            // `1990年8月`: the signs for year, month and day are words of their own.
            Some(Kind::Letters) if !is_unit_sign(*first) => {
                while characters.get(end).is_some_and(|c| self::kind(*c) == kind && !is_unit_sign(*c)) {
                    end += 1;
                }
            }
            Some(Kind::Digits) => {
                while characters.get(end).is_some_and(|c| self::kind(*c) == kind) {
                    end += 1;
                }
            }
            Some(_) => {}
            None => {
                while characters.get(end).is_some_and(|c| c == first) {
                    end += 1;
                }
                let alone = at.checked_sub(1).is_none_or(|at| self::kind(characters[at]).is_none())
                    && characters.get(end).is_none_or(|c| self::kind(*c).is_none());
                // `--` or `**` in the place of a number.
                if matches!(first, '-' | '*' | '_' | '?') && matches!(end - at, 2 | 4) && alone {
                    runs.push(Run {
                        kind: Kind::Unknown,
                        text: String::new(),
                        before: std::mem::take(&mut before),
                        is_devanagari: false,
                    });
                } else {
                    before.extend(&characters[at..end]);
                }
                at = end;
                continue;
            }
        }
        let raw = &characters[at..end];
        let text: String = raw.iter().copied().map(western_digit).collect();
        let is_devanagari = raw.iter().all(|c| ('\u{0966}'..='\u{096F}').contains(c));
        let kind = if text.eq_ignore_ascii_case("XX") || text.eq_ignore_ascii_case("XXXX") {
            Kind::Unknown
        } else {
            kind.unwrap_or(Kind::Letters)
        };
        runs.push(Run { kind, text, before: std::mem::take(&mut before), is_devanagari });
        at = end;
    }
    runs
}

fn kind(c: char) -> Option<Kind> {
    if western_digit(c).is_ascii_digit() {
        Some(Kind::Digits)
    } else if words::is_part_of_word(c) {
        Some(Kind::Letters)
    } else {
        None
    }
}

fn is_unit_sign(c: char) -> bool {
    matches!(c, '年' | '月' | '日' | '號' | '号' | '년' | '월' | '일' | '至')
}

/// The characters, with Chinese numerals before a sign for year, month or day as digits: `七十九年`,
/// `元年`, `一九九〇年`.
fn east_asian_numerals(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = Vec::new();
    let mut numerals: Vec<char> = Vec::new();
    for c in text.chars() {
        if "〇零一二三四五六七八九十廿卅元".contains(c) {
            numerals.push(c);
            continue;
        }
        match value(&numerals).filter(|_| is_unit_sign(c)) {
            Some(digits) => characters.extend(digits.chars()),
            None => characters.extend(&numerals),
        }
        numerals.clear();
        characters.push(c);
    }
    characters.extend(numerals);
    characters
}

/// Digits of a Chinese numeral below a hundred, or of one that is written digit by digit.
fn value(numerals: &[char]) -> Option<String> {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let digit = |c: char| if c == '零' { Some(0) } else { DIGITS.iter().position(|digit| *digit == c) };
    match numerals {
        [] => None,
        ['元'] => Some("1".to_owned()),
        _ if numerals.iter().any(|c| matches!(c, '十' | '廿' | '卅')) => {
            let at = numerals.iter().position(|c| matches!(c, '十' | '廿' | '卅'))?;
            let tens = match (numerals[at], &numerals[..at]) {
                ('十', []) => 1,
                ('十', [c]) => digit(*c)?,
                ('廿', []) => 2,
                ('卅', []) => 3,
                _ => return None,
            };
            let ones = match &numerals[at + 1..] {
                [] => 0,
                [c] => digit(*c)?,
                _ => return None,
            };
            Some((tens * 10 + ones).to_string())
        }
        _ => numerals
            .iter()
            .map(|c| {
                digit(*c).and_then(|digit| u32::try_from(digit).ok()).and_then(|digit| char::from_digit(digit, 10))
            })
            .collect(),
    }
}
