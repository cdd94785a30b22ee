//! What a check stores of a document in addition to its reasons: scores and extracted fields.

use serde_json::{Value, json};

use super::agreement::matrix::Row;
use super::evidence::Evidence;
use super::judge::ocr_crosscheck;
use super::normalise::countries;
use super::readings::source::Source;
use super::readings::{DateReading, Readings};

/// Builds `scores`: measurements of the pictures, detected faces, check digits.
pub fn scores(evidence: &Evidence<'_>, readings: &Readings<'_>) -> Value {
    json!({
        "front": { "original": evidence.front.original, "quality": evidence.front.quality, "faces": evidence.front.faces },
        "back": evidence.back.map(|back| json!({ "original": back.original, "quality": back.quality })),
        "faces": evidence.faces,
        "check_digits": readings.zone().map(|zone| &zone.check_digits),
    })
}

/// Builds `extracted`: each field from its best source, what every source read, and the matrix.
pub fn extracted(evidence: &Evidence<'_>, readings: &Readings<'_>, rows: &[Row]) -> Value {
    let date = |dates: Vec<(Source, DateReading)>| {
        document_first(dates).into_iter().find_map(|(_, reading)| reading.date()).map(|date| date.to_string())
    };
    let text = |values: Vec<(Source, String)>| document_first(values).into_iter().map(|(_, text)| text).next();
    let name = document_first(readings.names()).into_iter().map(|(_, name)| name).next();
    let state =
        |values: Vec<(Source, String)>| text(values).map(|text| countries::code(&text).map_or(text, str::to_owned));
    json!({
        "document_type": readings.document.document_type,
        "seen_type": readings.front.map(|reading| reading.document_type),
        "issuing_state": state(readings.issuing_states()),
        "surname": name.map(|name| name.surname),
        "given_names": name.map(|name| name.given_names),
        "document_number": document_first(readings.numbers()).into_iter().map(|(_, number)| number.number).next(),
        "date_of_birth": date(readings.births()),
        "date_of_issue": date(readings.issues()),
        "date_of_expiry": date(readings.expiries()),
        "nationality": state(readings.nationalities()),
        "sex": text(readings.sexes()),
        "mrz": readings.zone(),
        "barcode": readings.barcode(),
        "own_eyes": ocr_crosscheck::shown(readings),
        "metadata": { "front": evidence.front.metadata, "back": evidence.back.map(|back| &back.metadata) },
        "suspicions": readings.visual().flat_map(|(side, reading)| {
            reading.suspicions.iter().map(move |suspicion| json!({ "side": side, "suspicion": suspicion }))
        }).collect::<Vec<_>>(),
        "matrix": rows,
    })
}

/// Drops what was only declared.
fn document_first<T>(values: Vec<(Source, T)>) -> Vec<(Source, T)> {
    values.into_iter().filter(|(source, _)| *source != Source::Declared).collect()
}
