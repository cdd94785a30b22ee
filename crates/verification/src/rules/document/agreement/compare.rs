//! How each field is shown to reviewers and compared between two sources.

use crate::rules::document::normalise::comparison::{Agreement, Normalisation};
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::dates::Expiry;
use crate::rules::document::normalise::edit_distance::edits;
use crate::rules::document::normalise::names::{self, Name, Strictness};
use crate::rules::document::normalise::numbers;
use crate::rules::document::normalise::sex::sex;
use crate::rules::document::normalise::words;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::{DateReading, NumberReading};

pub fn show_name(name: &Name<'_>) -> (String, Option<String>) {
    let parts = [name.surname, name.given_names].into_iter().filter(|part| !part.is_empty());
    (parts.collect::<Vec<_>>().join(", "), name.truncated.then(|| "possibly cut off".to_owned()))
}

pub fn compare_names((a, x): (Source, &Name<'_>), (b, y): (Source, &Name<'_>)) -> Agreement {
    let stated = a == Source::Declared || b == Source::Declared;
    let strictness = if stated { Strictness::Statement } else { Strictness::Document };
    let agreement = names::compare(*x, *y, strictness).unwrap_or(Agreement::NotComparable);
    // Names have no check digit. `ocr_crosscheck` judges whether a letter more or less differs.
    if agreement == Agreement::Differs && (a == Source::Ocr || b == Source::Ocr) {
        let whole = |name: &Name<'_>| format!("{} {}", name.surname, name.given_names);
        return if misread(&whole(x), &whole(y)) { Agreement::Agrees(Normalisation::Misread) } else { agreement };
    }
    agreement
}

/// Whether one name may be the other, misread: one or two letters changed, doubled or dropped.
fn misread(a: &str, b: &str) -> bool {
    const LETTERS_MAX: usize = 2;
    let letters = |text: &str| words::latin(text).chars().collect::<Vec<_>>();
    edits(&letters(a), &letters(b), |a, b| a == b) <= LETTERS_MAX
}

pub fn show_date(date: &DateReading) -> (String, Option<String>) {
    let read_as = match date.read {
        Some(Expiry::On(printed)) => printed.date.to_string(),
        Some(Expiry::Never | Expiry::MayBeNever) => "never".to_owned(),
        None => "unreadable".to_owned(),
    };
    (date.shown.clone(), Some(read_as))
}

pub fn compare_dates((_, x): (Source, &DateReading), (_, y): (Source, &DateReading)) -> Agreement {
    let (a, b) = match (x.read, y.read) {
        (Some(Expiry::On(a)), Some(Expiry::On(b))) => (a, b),
        (Some(Expiry::Never), Some(Expiry::Never)) => return Agreement::Agrees(Normalisation::Spelling),
        // A card without an end may have one in its zone, and a card may be prolonged without a new
        // one: neither contradicts the other. `validity` records the difference.
        _ => return Agreement::NotComparable,
    };
    if a.date == b.date {
        let exact = x.shown == y.shown;
        Agreement::Agrees(if exact { Normalisation::Exact } else { Normalisation::Spelling })
    } else if a.other == Some(b.date) || b.other == Some(a.date) {
        Agreement::Agrees(Normalisation::Order)
    } else if a.date.compatible(b.date) {
        Agreement::Agrees(Normalisation::LeftOut)
    } else if a.possible().any(|date| a.is_near(date, b.date)) || b.possible().any(|date| b.is_near(date, a.date)) {
        // Another century of two digits, or a calendar that follows the moon.
        Agreement::Agrees(Normalisation::Spelling)
    } else {
        Agreement::Differs
    }
}

pub fn show_number(number: &NumberReading) -> (String, Option<String>) {
    (number.number.clone(), Some(numbers::plain(&number.number)))
}

pub fn compare_numbers((a, x): (Source, &NumberReading), (b, y): (Source, &NumberReading)) -> Agreement {
    if let Some(normalisation) = numbers::same(&x.number, &y.number) {
        return Agreement::Agrees(normalisation);
    }
    let among = |number: &str, others: &[String]| others.iter().any(|other| numbers::same(number, other).is_some());
    if among(&x.number, &y.others) || among(&y.number, &x.others) {
        return Agreement::Agrees(Normalisation::OtherNumber);
    }
    // The two sides of a card carry several numbers, and a reader may take any of them for the
    // document's.
    if a.is_visual() && b.is_visual() { Agreement::NotComparable } else { Agreement::Differs }
}

/// Compares personal numbers. Optional data of a zone may be anything, so only equality counts.
pub fn compare_personal_numbers((_, x): (Source, &NumberReading), (_, y): (Source, &NumberReading)) -> Agreement {
    numbers::same(&x.number, &y.number).map_or(Agreement::NotComparable, Agreement::Agrees)
}

pub fn show_state(state: &str) -> (String, Option<String>) {
    (state.to_owned(), countries::code(state).map(str::to_owned))
}

pub fn compare_states((_, x): (Source, &String), (_, y): (Source, &String)) -> Agreement {
    match (countries::code(x), countries::code(y)) {
        _ if x == y => Agreement::Agrees(Normalisation::Exact),
        _ if countries::same(x, y) => Agreement::Agrees(Normalisation::Equivalent),
        (Some(_), Some(_)) => Agreement::Differs,
        _ => Agreement::NotComparable,
    }
}

pub fn show_sex(text: &str) -> (String, Option<String>) {
    (text.to_owned(), sex(text).map(|sex| sex.to_string()))
}

pub fn compare_sexes((_, x): (Source, &String), (_, y): (Source, &String)) -> Agreement {
    match (sex(x), sex(y)) {
        (Some(a), Some(b)) if a == b => {
            Agreement::Agrees(if x == y { Normalisation::Exact } else { Normalisation::Spelling })
        }
        // One document states no sex: the law has changed in many states, or the reader missed it.
        (Some('X'), Some(_)) | (Some(_), Some('X')) | (None, _) | (_, None) => Agreement::NotComparable,
        (Some(_), Some(_)) => Agreement::Differs,
    }
}
