//! Parses machine-readable zones strictly: every check digit, and the calendar of ICAO 9303.
//!
//! A valid zone is consistent with itself and proves no more. Names, states and sex carry no check
//! digit, and a forger can compute the digits. So what a zone says counts once the visual zone says
//! the same.
//!
//! Two things are done to the text before it is parsed, and both are recorded in the reading: runs
//! of fillers are brought to the line's length, because readers miscount them, and digits in places
//! of letters become the letters they look like. Any other change that would make check digits
//! agree is a repair. A repaired zone is marked and is never evidence by itself.

pub(crate) mod layout;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use mrz::{Checks, Format, MrzData};
use serde::Serialize;

use self::layout::Layout;
use crate::rules::document::normalise::dates::{self, Role};
use crate::rules::document::normalise::partial_date::PartialDate;

/// The result of parsing transcribed lines.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// No line looks like one of a zone.
    Absent,
    /// Lines that no format fits.
    Unusable(&'static str),
    /// The lines are a zone.
    Zone(Box<Zone>),
}

/// A parsed zone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Zone {
    /// `td1`, `td2`, `td3`, `mrv_a` or `mrv_b`.
    pub format: &'static str,
    /// First letters of the zone, such as `P` or `ID`.
    pub code: String,
    /// Issuing state, as printed.
    pub issuing_state: String,
    /// Document number in full.
    pub document_number: String,
    /// Primary identifier: the surname.
    pub surname: String,
    /// Secondary identifier: the given names.
    pub given_names: String,
    /// Whether the names fill their field to the last place, so they may be cut off.
    pub names_truncated: bool,
    /// Nationality as printed.
    pub nationality: String,
    /// Date of birth, as far as the zone states it.
    pub date_of_birth: Option<PartialDate>,
    /// `M`, `F` or `<`.
    pub sex: char,
    /// Date of expiry, as far as the zone states it.
    pub date_of_expiry: Option<PartialDate>,
    /// Optional data, without fillers.
    pub optional: Vec<String>,
    /// Each check digit that the format prints, and whether it agrees.
    pub check_digits: Vec<CheckDigit>,
    /// What was done to the text before it was parsed.
    pub normalised: Vec<Normalised>,
    /// Whether the values are not what was read but what would make the check digits agree.
    pub repaired: bool,
}

/// A check digit of the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CheckDigit {
    /// The field that it protects.
    pub field: &'static str,
    /// Whether it agrees.
    pub agrees: bool,
}

/// Changes to the text that touch no character under a check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalised {
    /// A run of fillers was brought to length.
    Fillers,
    /// A digit in a place of letters became the letter it looks like.
    Letters,
}

impl Zone {
    /// Whether the zone is what was read and every check digit agrees.
    pub fn holds(&self) -> bool {
        !self.repaired && !self.check_digits.is_empty() && self.check_digits.iter().all(|digit| digit.agrees)
    }

    /// The fields whose check digit does not agree.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        self.check_digits.iter().filter(|digit| !digit.agrees).map(|digit| digit.field)
    }

    /// Whether it is the zone of a visa.
    pub fn is_visa(&self) -> bool {
        self.code.starts_with('V')
    }
}

/// Fewest characters of a line of a zone, however badly it was read.
const LINE_CHARS_MIN: usize = 24;
/// Characters that a line may be too short or too long for its format.
const LENGTH_SLACK: usize = 6;

/// Parses transcribed lines, top to bottom; `today` decides the century of two-digit years.
pub fn read(lines: &[String], today: Date) -> Reading {
    let lines: Vec<String> = lines.iter().map(|line| clean(line)).filter(|line| looks_like_a_line(line)).collect();
    if lines.is_empty() {
        return Reading::Absent;
    }
    if let Some(zone) = strict(&lines, today) {
        return Reading::Zone(Box::new(zone));
    }
    match mrz::find_and_parse(&lines.join("\n")) {
        Ok(data) => Reading::Zone(Box::new(zone(&data, Vec::new(), true, today))),
        Err(_) => Reading::Unusable("the lines fit no format of ICAO 9303"),
    }
}

/// Upper case without blanks; signs that readers use for `<` become `<`.
pub(crate) fn clean(line: &str) -> String {
    let mut cleaned = String::with_capacity(line.len());
    for c in line.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '«' | '《' | '≪' => cleaned.push_str("<<"),
            '‹' | '〈' | '＜' | '❮' | '⟨' | '˂' | '≺' => cleaned.push('<'),
            other => cleaned.extend(other.to_uppercase()),
        }
    }
    cleaned
}

fn looks_like_a_line(line: &str) -> bool {
    line.chars().count() >= LINE_CHARS_MIN
        && line.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '<')
}

/// Parses without repair, in the format whose shape the lines have.
fn strict(lines: &[String], today: Date) -> Option<Zone> {
    let head = lines[0].chars().next()?;
    let shapes: &[Shape] = match (lines.len(), head) {
        (3, _) => &[TD1],
        (2, 'V') => &[MRV_A, MRV_B],
        (2, 'P') => &[TD3, TD2],
        (2, _) => &[TD2, TD3],
        _ => return None,
    };
    shapes.iter().find_map(|shape| {
        let mut normalised = Vec::new();
        let fitted: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| shape.fit(index, line, &mut normalised))
            .collect::<Option<_>>()?;
        let data = (shape.parse)(&fitted)?;
        Some(zone(&data, normalised, false, today))
    })
}

/// A format: its layout, and how its lines are parsed.
struct Shape {
    layout: Layout,
    parse: fn(&[String]) -> Option<MrzData>,
}

const TD1: Shape = Shape { layout: layout::TD1, parse: |lines| mrz::parse_td1(&lines[0], &lines[1], &lines[2]).ok() };
const TD2: Shape = Shape { layout: layout::TD2, parse: |lines| mrz::parse_td2(&lines[0], &lines[1]).ok() };
const TD3: Shape = Shape { layout: layout::TD3, parse: |lines| mrz::parse_td3(&lines[0], &lines[1]).ok() };
const MRV_A: Shape = Shape { layout: layout::TD3, parse: |lines| mrz::parse_mrv_a(&lines[0], &lines[1]).ok() };
const MRV_B: Shape = Shape { layout: layout::TD2, parse: |lines| mrz::parse_mrv_b(&lines[0], &lines[1]).ok() };

impl Shape {
    /// The line at its format's length and with letters where letters stand.
    fn fit(&self, index: usize, line: &str, normalised: &mut Vec<Normalised>) -> Option<String> {
        let mut line = line.to_owned();
        if line.len() != self.layout.length {
            line = fillers(&line, self.layout.length)?;
            note(normalised, Normalised::Fillers);
        }
        let mut characters = line.into_bytes();
        for (at, character) in characters.iter_mut().enumerate() {
            let letter = letter_like(*character).filter(|_| self.layout.takes_letters(index, at));
            if let Some(letter) = letter {
                *character = letter;
                note(normalised, Normalised::Letters);
            }
        }
        String::from_utf8(characters).ok()
    }
}

/// Brings a line to `length` in its longest run of fillers. A line without two fillers in a row has
/// none that could be miscounted.
fn fillers(line: &str, length: usize) -> Option<String> {
    if line.len().abs_diff(length) > LENGTH_SLACK {
        return None;
    }
    let (at, run) = longest_run(line)?;
    let wanted = (run + length).checked_sub(line.len()).filter(|wanted| *wanted >= 2)?;
    Some(format!("{}{}{}", &line[..at], "<".repeat(wanted), &line[at + run..]))
}

/// Start and length of the last of the longest runs of `<`, if it has two or more.
fn longest_run(line: &str) -> Option<(usize, usize)> {
    let mut best = (0, 0);
    let mut run = 0;
    for (at, c) in line.bytes().enumerate() {
        run = if c == b'<' { run + 1 } else { 0 };
        if run >= best.1 && run > 0 {
            best = (at + 1 - run, run);
        }
    }
    (best.1 >= 2).then_some(best)
}

fn letter_like(character: u8) -> Option<u8> {
    match character {
        b'0' => Some(b'O'),
        b'1' => Some(b'I'),
        b'2' => Some(b'Z'),
        b'5' => Some(b'S'),
        b'6' => Some(b'G'),
        b'8' => Some(b'B'),
        _ => None,
    }
}

fn note(list: &mut Vec<Normalised>, what: Normalised) {
    if !list.contains(&what) {
        list.push(what);
    }
}

fn zone(data: &MrzData, normalised: Vec<Normalised>, repaired: bool, today: Date) -> Zone {
    let lines: Vec<&str> = data.mrz_lines.lines().collect();
    let (format, names, birth, expiry) = match data.format {
        Format::Td1 => ("td1", (2, 0), (1, 0), (1, 8)),
        Format::Td2 => ("td2", (0, 5), (1, 13), (1, 21)),
        Format::MrvA => ("mrv_a", (0, 5), (1, 13), (1, 21)),
        Format::MrvB => ("mrv_b", (0, 5), (1, 13), (1, 21)),
        _ => ("td3", (0, 5), (1, 13), (1, 21)),
    };
    let date_at = |(line, at): (usize, usize), role| {
        dates::from_zone(lines.get(line).and_then(|line| line.get(at..at + 6)).unwrap_or_default(), role, today)
    };
    let optional = [&data.optional_data_1, &data.optional_data_2];
    Zone {
        format,
        code: data.document_type.clone(),
        issuing_state: data.issuing_country.clone(),
        document_number: data.full_document_number().to_owned(),
        surname: data.surname.clone(),
        given_names: data.given_names.clone(),
        names_truncated: lines.get(names.0).is_some_and(|line| line.len() > names.1 && !line.ends_with('<')),
        nationality: data.nationality.clone(),
        date_of_birth: date_at(birth, Role::Birth),
        sex: data.sex.zone_char(),
        date_of_expiry: date_at(expiry, Role::Expiry),
        optional: optional
            .into_iter()
            .flatten()
            .map(|text| text.replace('<', ""))
            .filter(|text| !text.is_empty())
            .collect(),
        check_digits: check_digits(&data.checks),
        normalised,
        repaired,
    }
}

fn check_digits(checks: &Checks) -> Vec<CheckDigit> {
    [
        ("document_number", checks.document_number),
        ("date_of_birth", checks.date_of_birth),
        ("date_of_expiry", checks.date_of_expiry),
        ("personal_number", checks.personal_number),
        ("composite", checks.composite),
    ]
    .into_iter()
    .filter_map(|(field, agrees)| agrees.map(|agrees| CheckDigit { field, agrees }))
    .collect()
}
