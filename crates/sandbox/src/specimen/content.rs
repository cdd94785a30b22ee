//! The content of a specimen before it is drawn: the fields of each side, the machine-readable
//! zone, the barcode.

use jiff::ToSpan;
use mrz::{Date, MrzDate, RawDateField, Td1Fields, Td2Fields, Td3Fields};

use crate::vocabulary::{Field, SuspicionKind, VisualFields};

use super::aamva;
use super::date::PartialDate;
use super::definition::{Kind, Specimen, document_number, split_name};
use super::flaw::FlawKind;
use super::rng::Rng;

/// Everything that is printed on one document.
#[derive(Debug, Clone)]
pub struct Content {
    /// The visual zone of the side with the portrait.
    pub front: VisualFields,
    /// The visual zone of the other side.
    pub back: VisualFields,
    pub mrz: Vec<String>,
    pub barcode: Option<String>,
    /// The alterations that vision reports, each with its place.
    pub suspicions: Vec<(SuspicionKind, String)>,
}

/// The content as the issuer, or a forger, would print it.
pub fn of(specimen: &Specimen) -> Content {
    let genuine = with_dates(specimen);
    let other_holder = || other_holder(&genuine);
    let visual = forged(&genuine);
    let back_of = if specimen.has(FlawKind::OtherBack) { other_holder() } else { visual.clone() };
    let machine_of = if specimen.has(FlawKind::OtherBack) { other_holder() } else { genuine.clone() };
    let barcode_of = if specimen.has(FlawKind::OtherBarcode) { other_holder() } else { machine_of.clone() };
    let has_barcode = specimen.kind == Kind::DrivingLicence && !specimen.has(FlawKind::NoBarcode);
    let zone = |side: &Specimen| {
        let mut zone = fields(side);
        for (field, text) in &specimen.printed {
            zone.set(*field, Some(text));
        }
        zone
    };
    Content {
        front: zone(&visual),
        back: zone(&back_of),
        mrz: if specimen.has(FlawKind::NoMrz) { Vec::new() } else { mrz_lines(&machine_of) },
        barcode: has_barcode.then(|| specimen.barcode_text.clone().unwrap_or_else(|| aamva::text(&barcode_of))),
        suspicions: suspicions(specimen),
    }
}

/// The specimen with the dates that its flaws require.
fn with_dates(specimen: &Specimen) -> Specimen {
    let mut genuine = specimen.clone();
    if specimen.has(FlawKind::Expired) {
        genuine.expires = specimen.today.saturating_sub(400.days());
        genuine.issued = genuine.expires.saturating_sub(10.years());
    }
    if specimen.has(FlawKind::NotYetValid) {
        genuine.issued = specimen.today.saturating_add(300.days());
        genuine.expires = genuine.issued.saturating_add(10.years());
    }
    genuine
}

/// The visual zone with the values in which it differs from the machine-readable zone.
fn forged(genuine: &Specimen) -> Specimen {
    let mut visual = genuine.clone();
    let flaw_value = |kind| genuine.flaw(kind).map(|flaw| flaw.value.as_deref());
    if let Some(name) = flaw_value(FlawKind::OtherName) {
        (visual.surname, visual.given_names) = split_name(name.unwrap_or("SORENSEN, MIKA"));
    }
    if let Some(birth) = flaw_value(FlawKind::OtherBirth) {
        visual.birth = birth.unwrap_or("1985-02-03").parse().unwrap_or(genuine.birth);
    }
    if let Some(number) = flaw_value(FlawKind::OtherNumber) {
        number.unwrap_or("X70425186").clone_into(&mut visual.number);
    }
    visual
}

/// Another holder's document of the same kind.
fn other_holder(genuine: &Specimen) -> Specimen {
    let mut other = genuine.clone();
    (other.surname, other.given_names) = split_name("QUIRKE, ROWAN");
    other.birth = PartialDate::from(jiff::civil::date(1979, 11, 23));
    other.number = document_number(&mut Rng::from_text(&genuine.number));
    other.personal_number = Some(document_number(&mut Rng::from_text(&other.number)));
    "7 HARBOUR ROW, NUSQUAM 2040".clone_into(&mut other.address);
    other
}

fn fields(specimen: &Specimen) -> VisualFields {
    let mut fields = VisualFields::default();
    let dates = [
        (Field::DateOfBirth, specimen.birth.to_string()),
        (Field::DateOfIssue, specimen.issued.to_string()),
        (Field::DateOfExpiry, specimen.expires.to_string()),
    ];
    for (field, date) in dates {
        fields.set(field, Some(&date));
    }
    let texts = [
        (Field::Surname, specimen.surname.as_str()),
        (Field::GivenNames, &specimen.given_names),
        (Field::DocumentNumber, &specimen.number),
        (Field::Nationality, &specimen.nationality),
        (Field::Sex, specimen.sex.letter()),
        (Field::PlaceOfBirth, &specimen.place_of_birth),
        (Field::PersonalNumber, specimen.personal_number.as_deref().unwrap_or_default()),
        (Field::Address, &specimen.address),
        (Field::Authority, &specimen.authority),
        (Field::VehicleClasses, &specimen.vehicle_classes),
    ];
    for (field, text) in texts {
        fields.set(field, Some(text));
    }
    fields
}

fn mrz_lines(specimen: &Specimen) -> Vec<String> {
    let (surname, given_names) = (latin(&specimen.surname), latin(&specimen.given_names));
    let document_number = latin(&specimen.number);
    let (issuing_country, nationality) = (specimen.issuer.clone(), specimen.nationality.clone());
    let (date_of_birth, date_of_expiry) = (mrz_date(specimen.birth), expiry(specimen));
    let sex = specimen.sex.mrz();
    let personal_number = specimen.personal_number.clone();
    let text = match specimen.kind {
        Kind::Passport => mrz::format_td3(&Td3Fields {
            document_code: "P".to_owned(),
            issuing_country,
            document_number,
            surname,
            given_names,
            nationality,
            date_of_birth,
            sex,
            date_of_expiry,
            personal_number,
        }),
        Kind::IdentityCard => mrz::format_td1(&Td1Fields {
            document_code: "I".to_owned(),
            issuing_country,
            document_number,
            optional_data_1: personal_number,
            surname,
            given_names,
            nationality,
            date_of_birth,
            sex,
            date_of_expiry,
            optional_data_2: None,
        }),
        Kind::LargeIdentityCard => mrz::format_td2(&Td2Fields {
            document_code: "I".to_owned(),
            issuing_country,
            document_number,
            surname,
            given_names,
            nationality,
            date_of_birth,
            sex,
            date_of_expiry,
            optional_data: None,
        }),
        Kind::DrivingLicence => return Vec::new(),
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some(flaw) = specimen.flaw(FlawKind::WrongCheckDigit) {
        break_check_digit(&mut lines, specimen.kind, flaw.value.as_deref().unwrap_or("number"));
    }
    lines
}

/// Transliterates the letters that the table of ICAO 9303 lacks; `mrz` transliterates those that it
/// has.
fn latin(text: &str) -> String {
    let in_table = |letter: char| {
        letter.is_ascii() || mrz::encode_name_component(&letter.to_string()).bytes().any(|byte| byte != b'<')
    };
    text.chars()
        .map(|letter| if in_table(letter) { letter.to_string() } else { deunicode::deunicode(&letter.to_string()) })
        .collect()
}

fn mrz_date(date: PartialDate) -> MrzDate {
    match date.numbers() {
        (year, month @ 1.., day @ 1..) => {
            MrzDate::Calendar(Date::new(year.into(), month.unsigned_abs().into(), day.unsigned_abs().into()))
        }
        _ => RawDateField::try_from(date.machine().as_str()).map_or(MrzDate::Unknown, MrzDate::PartiallyUnknown),
    }
}

fn expiry(specimen: &Specimen) -> MrzDate {
    if specimen.unlimited { MrzDate::Unknown } else { mrz_date(specimen.expires.into()) }
}

/// Makes one check digit wrong.
fn break_check_digit(lines: &mut [String], kind: Kind, which: &str) {
    let (line, column) = match (kind, which) {
        (Kind::IdentityCard, "birth") => (1, 6),
        (Kind::IdentityCard, "expiry") => (1, 14),
        (Kind::IdentityCard, "composite" | "personal") => (1, 29),
        (Kind::IdentityCard, _) => (0, 14),
        (_, "birth") => (1, 19),
        (_, "expiry") => (1, 27),
        (Kind::LargeIdentityCard, "composite" | "personal") => (1, 35),
        (_, "personal") => (1, 42),
        (_, "composite") => (1, 43),
        _ => (1, 9),
    };
    if let Some(text) = lines.get_mut(line)
        && let Some(digit) = text[column..=column].chars().next()
    {
        let value = digit.to_digit(10).unwrap_or(0);
        text.replace_range(column..=column, &((value + 3) % 10).to_string());
    }
}

fn suspicions(specimen: &Specimen) -> Vec<(SuspicionKind, String)> {
    let mut suspicions = Vec::new();
    for flaw in &specimen.flaws {
        let found = match flaw.kind {
            FlawKind::Screen => (SuspicionKind::Screen, String::new()),
            FlawKind::PrintedCopy => (SuspicionKind::PrintedCopy, String::new()),
            FlawKind::AlteredText => (SuspicionKind::AlteredText, specimen.altered_field().name().to_owned()),
            FlawKind::AlteredPortrait => (SuspicionKind::AlteredPortrait, "portrait".to_owned()),
            FlawKind::Template => (SuspicionKind::Template, String::new()),
            _ => continue,
        };
        suspicions.push(found);
    }
    suspicions
}
