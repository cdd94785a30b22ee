//! The agreement matrix: each field, each reading of it, and whether any two of them agree.

use serde::Serialize;

use crate::rules::document::agreement::comparison::{Agreement, Normalisation, Source};
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::dates::{Expiry, PartialDate};
use crate::rules::document::normalise::names::{self, Name, Strictness};
use crate::rules::document::readings::mrz::Zone;
use crate::rules::document::readings::ocr::compare::edits;
use crate::rules::document::readings::{DateReading, NumberReading, Readings};

/// A field that several sources state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
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

fn show_name(name: &Name<'_>) -> (String, Option<String>) {
    let parts = [name.surname, name.given_names].into_iter().filter(|part| !part.is_empty());
    (parts.collect::<Vec<_>>().join(", "), name.truncated.then(|| "possibly cut off".to_owned()))
}

fn compare_names((a, x): (Source, &Name<'_>), (b, y): (Source, &Name<'_>)) -> Agreement {
    let stated = a == Source::Declared || b == Source::Declared;
    let strictness = if stated { Strictness::Statement } else { Strictness::Document };
    let agreement = names::compare(*x, *y, strictness).unwrap_or(Agreement::NotComparable);
    // Names have no check digit. Whether a letter more or less differs is for the comparison of the lines to say.
    if agreement == Agreement::Differs && (a == Source::Ocr || b == Source::Ocr) {
        let whole = |name: &Name<'_>| format!("{} {}", name.surname, name.given_names);
        return if misread(&whole(x), &whole(y)) { Agreement::Agrees(Normalisation::Misread) } else { agreement };
    }
    agreement
}

/// Whether the one may be the other, misread: a letter or two are others, doubled or dropped.
fn misread(a: &str, b: &str) -> bool {
    const LETTERS_MAX: usize = 2;
    let letters = |text: &str| {
        let plain = deunicode::deunicode(text).to_ascii_uppercase();
        plain.chars().filter(char::is_ascii_alphabetic).collect::<Vec<_>>()
    };
    edits(&letters(a), &letters(b), |a, b| a == b) <= LETTERS_MAX
}

fn show_date(date: &DateReading) -> (String, Option<String>) {
    let read_as = match date.read {
        Some(Expiry::On(printed)) => printed.date.to_string(),
        Some(Expiry::Never) => "never".to_owned(),
        None => "unreadable".to_owned(),
    };
    (date.shown.clone(), Some(read_as))
}

fn compare_dates((_, x): (Source, &DateReading), (_, y): (Source, &DateReading)) -> Agreement {
    let (Some(Expiry::On(a)), Some(Expiry::On(b))) = (x.read, y.read) else { return Agreement::NotComparable };
    let swapped = |date, other: Option<_>| other == Some(date);
    if a.date == b.date {
        let exact = x.shown == y.shown;
        Agreement::Agrees(if exact { Normalisation::Exact } else { Normalisation::Spelling })
    } else if swapped(a.date, b.other_order) || swapped(b.date, a.other_order) {
        Agreement::Agrees(Normalisation::Order)
    } else if a.date.compatible(b.date) {
        Agreement::Agrees(Normalisation::LeftOut)
    } else {
        Agreement::Differs
    }
}

fn show_number(number: &NumberReading) -> (String, Option<String>) {
    (number.number.clone(), Some(plain_number(&number.number)))
}

fn compare_numbers((a, x): (Source, &NumberReading), (b, y): (Source, &NumberReading)) -> Agreement {
    if let Some(normalisation) = same_number(&x.number, &y.number) {
        return Agreement::Agrees(normalisation);
    }
    let among = |number: &str, others: &[String]| others.iter().any(|other| same_number(number, other).is_some());
    if among(&x.number, &y.others) || among(&y.number, &x.others) {
        return Agreement::Agrees(Normalisation::OtherNumber);
    }
    // The two sides of a card carry several numbers, and a reader may take any of them for the document's.
    if a.is_visual() && b.is_visual() { Agreement::NotComparable } else { Agreement::Differs }
}

/// Optional data of a zone may be anything, so only that it is the same says something.
fn compare_personal_numbers((_, x): (Source, &NumberReading), (_, y): (Source, &NumberReading)) -> Agreement {
    same_number(&x.number, &y.number).map_or(Agreement::NotComparable, Agreement::Agrees)
}

fn same_number(a: &str, b: &str) -> Option<Normalisation> {
    let (x, y) = (plain_number(a), plain_number(b));
    if x.is_empty() || y.is_empty() {
        None
    } else if a == b {
        Some(Normalisation::Exact)
    } else if x == y {
        Some(Normalisation::Spelling)
    } else if look_alike(&x) == look_alike(&y) {
        Some(Normalisation::LookAlikes)
    } else {
        None
    }
}

/// Letters and digits only, without the label before them.
pub fn plain_number(text: &str) -> String {
    let upper = text.to_uppercase();
    let without_label = ["NO.", "NR.", "NO ", "NR ", "Nº", "N°", "№"]
        .iter()
        .find_map(|label| upper.trim_start().strip_prefix(label))
        .unwrap_or(&upper);
    without_label.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// With the figure for each letter that looks like one.
pub fn look_alike(number: &str) -> String {
    number
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            other => other,
        })
        .collect()
}

fn show_state(state: &str) -> (String, Option<String>) {
    (state.to_owned(), countries::code(state).map(str::to_owned))
}

fn compare_states((_, x): (Source, &String), (_, y): (Source, &String)) -> Agreement {
    match (countries::code(x), countries::code(y)) {
        _ if x == y => Agreement::Agrees(Normalisation::Exact),
        _ if countries::same(x, y) => Agreement::Agrees(Normalisation::Equivalent),
        (Some(_), Some(_)) => Agreement::Differs,
        _ => Agreement::NotComparable,
    }
}

fn show_sex(text: &str) -> (String, Option<String>) {
    (text.to_owned(), sex(text).map(|sex| sex.to_string()))
}

fn compare_sexes((_, x): (Source, &String), (_, y): (Source, &String)) -> Agreement {
    match (sex(x), sex(y)) {
        (Some(a), Some(b)) if a == b => {
            Agreement::Agrees(if x == y { Normalisation::Exact } else { Normalisation::Spelling })
        }
        // A document without a sex, beside one with: the law has changed in many states, or a reader saw nothing.
        (Some('X'), Some(_)) | (Some(_), Some('X')) | (None, _) | (_, None) => Agreement::NotComparable,
        (Some(_), Some(_)) => Agreement::Differs,
    }
}

/// `M`, `F` or `X`, from a letter or word in the languages of documents; each side of a slash must mean the same.
fn sex(text: &str) -> Option<char> {
    let plain = deunicode::deunicode(&text.replace('<', "X")).to_ascii_uppercase();
    let mut meanings =
        plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(|word| match word {
            "M" | "MALE" | "H" | "HOMME" | "MASCULIN" | "MASCULINO" | "MANN" | "MAN" | "MANNLICH" | "HOMBRE"
            | "VARON" | "MASC" => 'M',
            "F" | "FEMALE" | "FEMME" | "FEMININ" | "FEMENINO" | "FEMININO" | "W" | "WEIBLICH" | "K" | "KVINDE"
            | "KVINNA" | "V" | "VROUW" | "Z" | "ZH" | "MUJER" | "FEM" | "N" | "S" => 'F',
            "X" | "U" | "UNSPECIFIED" => 'X',
            _ => '?',
        });
    let first = meanings.next()?;
    // The first is the issuer's own language, whose letter may mean the other sex elsewhere; `M/F` lists both and says nothing.
    let consistent = meanings.all(|meaning| meaning == first || meaning == '?');
    (first != '?' && consistent).then_some(first)
}
