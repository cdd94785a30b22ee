//! The agreement matrix: each field, each reading of it, and whether any two readings agree.

use serde::Serialize;

use crate::rules::document::agreement::compare::{
    compare_dates, compare_names, compare_numbers, compare_personal_numbers, compare_sexes, compare_states, show_date,
    show_name, show_number, show_sex, show_state,
};
use crate::rules::document::normalise::comparison::Agreement;
use crate::rules::document::normalise::dates::Role;
use crate::rules::document::normalise::names::Name;
use crate::rules::document::readings::mrz::Zone;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::{NumberReading, Readings};

/// A field that several sources state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    DateOfBirth,
    DocumentNumber,
    DateOfExpiry,
    DateOfIssue,
    IssuingState,
    Nationality,
    Sex,
    PersonalNumber,
}

impl Field {
    /// The field's name in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Field::Name => "name",
            Field::DateOfBirth => "date of birth",
            Field::DocumentNumber => "document number",
            Field::DateOfExpiry => "date of expiry",
            Field::DateOfIssue => "date of issue",
            Field::IssuingState => "issuing state",
            Field::Nationality => "nationality",
            Field::Sex => "sex",
            Field::PersonalNumber => "personal number",
        }
    }
}

/// One field with its readings and their comparisons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub field: Field,
    pub readings: Vec<Shown>,
    /// One comparison for every two readings.
    pub comparisons: Vec<Comparison>,
}

/// What one source states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub source: Source,
    /// The value as the source states it.
    pub text: String,
    /// The value after normalisation, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
}

/// The comparison of two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub between: [Source; 2],
    #[serde(flatten)]
    pub agreement: Agreement,
}

impl Comparison {
    /// The other source of the pair, if `source` is one of the two.
    pub fn other_than(self, source: Source) -> Option<Source> {
        match self.between {
            [a, b] if a == source => Some(b),
            [a, b] if b == source => Some(a),
            _ => None,
        }
    }
}

impl Row {
    /// Whether a source of this kind states the field.
    pub fn has(&self, kind: impl Fn(Source) -> bool) -> bool {
        self.readings.iter().any(|shown| kind(shown.source))
    }

    /// Comparisons between a source of one kind and a source of the other.
    pub fn between(&self, a: impl Fn(Source) -> bool, b: impl Fn(Source) -> bool) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().filter(move |comparison| {
            let [x, y] = comparison.between;
            (a(x) && b(y)) || (a(y) && b(x))
        })
    }
}

/// Builds the matrix: compares every two readings of each field.
pub fn build(readings: &Readings<'_>) -> Vec<Row> {
    let ocr = readings.ocr_zone();
    let names = with_ocr(readings.names(), ocr.map(zone_name));
    let births = readings.dates(Role::Birth, ocr);
    let expiries = readings.dates(Role::Expiry, ocr);
    let ocr_number =
        |zone: &Zone| NumberReading { number: zone.document_number.clone(), others: zone.optional.clone() };
    let numbers = with_ocr(readings.numbers(), ocr.map(ocr_number));
    let rows = [
        row(Field::Name, &names, show_name, compare_names),
        row(Field::DateOfBirth, &births, show_date, compare_dates),
        row(Field::DocumentNumber, &numbers, show_number, compare_numbers),
        row(Field::DateOfExpiry, &expiries, show_date, compare_dates),
        row(Field::DateOfIssue, &readings.issues(), show_date, compare_dates),
        row(Field::IssuingState, &readings.issuing_states(), |state| show_state(state), compare_states),
        row(Field::Nationality, &readings.nationalities(), |state| show_state(state), compare_states),
        row(Field::Sex, &readings.sexes(), |sex| show_sex(sex), compare_sexes),
        row(Field::PersonalNumber, &readings.personal_numbers(), show_number, compare_personal_numbers),
    ];
    rows.into_iter().filter(|row| !row.readings.is_empty()).map(without_second_number).collect()
}

/// Adds the reading of the OCR model.
fn with_ocr<T>(mut values: Vec<(Source, T)>, ocr: Option<T>) -> Vec<(Source, T)> {
    values.extend(ocr.map(|ocr| (Source::Ocr, ocr)));
    values
}

fn zone_name(zone: &Zone) -> Name<'_> {
    Name { truncated: zone.names_truncated, ..Name::divided(Some(&zone.surname), Some(&zone.given_names)) }
}

/// Marks a different number on the back as not comparable, where the front's number is also the one
/// that machines read: the back's is another number of the card.
fn without_second_number(mut row: Row) -> Row {
    let confirmed =
        row.between(|source| source == Source::Front, Source::is_machine).any(|pair| pair.agreement.agrees());
    if row.field == Field::DocumentNumber && confirmed {
        for pair in row.comparisons.iter_mut().filter(|pair| pair.agreement == Agreement::Differs) {
            if pair.other_than(Source::Back).is_some() {
                pair.agreement = Agreement::NotComparable;
            }
        }
    }
    row
}

fn row<T>(
    field: Field,
    values: &[(Source, T)],
    show: impl Fn(&T) -> (String, Option<String>),
    compare: impl Fn((Source, &T), (Source, &T)) -> Agreement,
) -> Row {
    let readings = values
        .iter()
        .map(|(source, value)| {
            let (text, read_as) = show(value);
            Shown { source: *source, read_as: read_as.filter(|read| *read != text), text }
        })
        .collect();
    let mut comparisons = Vec::new();
    for (at, (a, x)) in values.iter().enumerate() {
        for (b, y) in values.iter().skip(at + 1).filter(|(b, _)| b != a && !is_ocr_with_declaration(*a, *b)) {
            comparisons.push(Comparison { between: [*a, *b], agreement: compare((*a, x), (*b, y)) });
        }
    }
    Row { field, readings, comparisons }
}

/// Whether two sources are the OCR model and the declaration, which are not compared: a declaration
/// that only the OCR model confirms is not confirmed.
fn is_ocr_with_declaration(a: Source, b: Source) -> bool {
    matches!((a, b), (Source::Ocr, Source::Declared) | (Source::Declared, Source::Ocr))
}
