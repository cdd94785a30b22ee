//! The agreement matrix: each field, each reading of it, and whether any two of them agree.

use serde::Serialize;

use crate::rules::document::agreement::compare::{
    compare_dates, compare_names, compare_numbers, compare_personal_numbers, compare_sexes, compare_states, show_date,
    show_name, show_number, show_sex, show_state,
};
use crate::rules::document::normalise::comparison::Agreement;
use crate::rules::document::normalise::names::Name;
use crate::rules::document::normalise::partial_date::PartialDate;
use crate::rules::document::readings::mrz::Zone;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::{DateReading, NumberReading, Readings};

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
    /// Its name in a sentence.
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

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Which.
    pub field: Field,
    /// What each source says.
    pub readings: Vec<Shown>,
    /// Every two of them.
    pub comparisons: Vec<Comparison>,
}

/// What a source says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Which source.
    pub source: Source,
    /// As it says it.
    pub text: String,
    /// What it was understood as, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_as: Option<String>,
}

/// Two readings beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Which.
    pub between: [Source; 2],
    /// Whether they agree.
    #[serde(flatten)]
    pub agreement: Agreement,
}

impl Comparison {
    /// The one that is not `source`, if `source` is one of them.
    pub fn other_than(&self, source: Source) -> Option<Source> {
        match self.between {
            [a, b] if a == source => Some(b),
            [a, b] if b == source => Some(a),
            _ => None,
        }
    }
}

impl Row {
    /// Whether some source of this kind says something.
    pub fn has(&self, kind: impl Fn(Source) -> bool) -> bool {
        self.readings.iter().any(|shown| kind(shown.source))
    }

    /// Comparisons of a source of the one kind with one of the other.
    pub fn between(&self, a: impl Fn(Source) -> bool, b: impl Fn(Source) -> bool) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().filter(move |comparison| {
            let [x, y] = comparison.between;
            (a(x) && b(y)) || (a(y) && b(x))
        })
    }
}

/// Compares everything with everything.
pub fn build(readings: &Readings<'_>) -> Vec<Row> {
    let own = readings.ocr_zone();
    let names = with_own(readings.names(), own.map(zone_name));
    let date = |date: Option<PartialDate>| date.map_or_else(DateReading::unreadable, DateReading::known);
    let own_birth = own.map(|zone| date(zone.date_of_birth.map(|birth| readings.in_printed_century(birth))));
    let births = with_own(readings.births(), own_birth);
    let expiries = with_own(readings.expiries(), own.map(|zone| date(zone.date_of_expiry)));
    let own_number =
        |zone: &Zone| NumberReading { number: zone.document_number.clone(), others: zone.optional.clone() };
    let numbers = with_own(readings.numbers(), own.map(own_number));
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
    rows.into_iter().filter(|row| !row.readings.is_empty()).map(another_number).collect()
}

/// With what our own eyes read.
fn with_own<T>(mut values: Vec<(Source, T)>, own: Option<T>) -> Vec<(Source, T)> {
    values.extend(own.map(|own| (Source::Ocr, own)));
    values
}

fn zone_name(zone: &Zone) -> Name<'_> {
    Name { truncated: zone.names_truncated, ..Name::divided(Some(&zone.surname), Some(&zone.given_names)) }
}

/// Where the front's number is the one that machines read, a different one on the back is another number.
fn another_number(mut row: Row) -> Row {
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
        for (b, y) in values.iter().skip(at + 1).filter(|(b, _)| b != a && !stands_alone(*a, *b)) {
            comparisons.push(Comparison { between: [*a, *b], agreement: compare((*a, x), (*b, y)) });
        }
    }
    Row { field, readings, comparisons }
}

/// Our own eyes check what was read, not what was declared: a statement that only they confirm is not confirmed.
fn stands_alone(a: Source, b: Source) -> bool {
    matches!((a, b), (Source::Ocr, Source::Declared) | (Source::Declared, Source::Ocr))
}
