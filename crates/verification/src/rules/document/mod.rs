//! Document evidence: bytes and readings in, findings out.
//!
//! [`image::prepare`] looks at the picture before anything is paid for; the providers then say which faces they see and what they
//! read; [`judge`] compares. A model's reading is compared with the machine-readable zone, the barcode and the declaration, its
//! suspicions can only lower the outcome, and whatever is absent, unknown or cannot be read never passes.

pub mod agreement;
pub mod judge;
pub mod normalise;

#[cfg(test)]
mod coverage;
pub mod image;
pub mod readings;
#[cfg(test)]
mod tests;

use crate::rules::document::agreement::matrix;
use crate::rules::document::judge::integrity;
use crate::rules::document::judge::number_format;
use crate::rules::document::judge::ocr_crosscheck;
use crate::rules::document::judge::presence;
use crate::rules::document::judge::validity;
use crate::rules::document::normalise::countries;
use jiff::civil::Date;
use serde_json::{Value, json};

use self::image::Prepared;
use self::readings::Readings;
use crate::check::Judgement;
use crate::faces::DetectedFace;
use crate::policy::Policy;
use crate::reason::Code;
use crate::records::{Document, Verification};
use crate::rules::document::agreement::comparison::Source;
use crate::rules::document::agreement::matrix::Row;
use crate::rules::document::judge::observations::{Basis, Claims};
use crate::rules::document::readings::ocr::OcrReading;
use crate::rules::document::readings::transcription::{Readable, Transcription};

use crate::rules::document::judge::portrait;
pub use crate::rules::document::judge::portrait::portrait;
pub use crate::rules::document::judge::presence::front;

/// Everything that is known about a document.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the person declared about themselves.
    pub record: &'a Verification,
    /// What they uploaded it as.
    pub document: &'a Document,
    /// The prepared front.
    pub front: &'a Prepared,
    /// The prepared back, if there is one.
    pub back: Option<&'a Prepared>,
    /// Faces that the provider detected in the prepared front.
    pub faces: &'a [DetectedFace],
    /// What the model read on the prepared front; `None` when it refused to.
    pub front_reading: Option<&'a Transcription>,
    /// What the model read on the prepared back; `None` when it refused to, or there is none.
    pub back_reading: Option<&'a Transcription>,
    /// What our own eyes saw on the prepared front; `None` where there is no own reading.
    pub front_ocr: Option<&'a OcrReading>,
    /// The same of the back.
    pub back_ocr: Option<&'a OcrReading>,
}

/// Judges a document on the day `today`.
pub fn judge(evidence: &Evidence<'_>, policy: &Policy, today: Date) -> Judgement {
    let readings = Readings::collect(evidence, today);
    let rows = matrix::build(&readings);
    let mut claims = Claims::new(readings.zone.0, readings.ocr.0);
    pictures(evidence, &mut claims);
    presence::sides(evidence, &readings, &mut claims);
    presence::kind(&readings, policy, &mut claims);
    portrait::claims(evidence, &mut claims);
    integrity::suspicions(&readings, &mut claims);
    integrity::instructions(evidence, &readings, &mut claims);
    if evidence.front_reading.is_some() {
        presence::zone(&readings, &mut claims);
        presence::barcode(&readings, &mut claims);
        presence::fields(&readings, &rows, &mut claims);
        integrity::agreement(&readings, &rows, &mut claims);
        ocr_crosscheck::claims(&readings, &mut claims);
        validity::dates(&readings, policy, &mut claims);
        validity::issuer(&readings, policy, &mut claims);
        number_format::format(&readings, &mut claims);
    }
    Judgement {
        reasons: claims.settle(policy),
        scores: scores(evidence, &readings),
        extracted: extracted(evidence, &readings, &rows),
    }
}

/// What was found in the pictures before anything was read, and what was not read at all.
fn pictures(evidence: &Evidence<'_>, claims: &mut Claims) {
    let front = evidence.front.reasons.iter().map(|reason| (reason, Basis::FRONT, "front"));
    let back = evidence.back.iter().flat_map(|back| &back.reasons).map(|reason| (reason, Basis::BACK, "back"));
    for (reason, basis, side) in front.chain(back) {
        // What a file's metadata says does not become wrong in a blurred picture.
        let from_metadata = matches!(reason.code, Code::DocumentDigitallyAltered | Code::DocumentScreenshotOrScan);
        let basis = if from_metadata { Basis::NONE } else { basis };
        claims.say(reason.code, basis, format!("{side}: {}", reason.detail));
    }
    let refused = |side: &str| format!("the model would not read the {side}");
    if evidence.front_reading.is_none() {
        claims.say(Code::SystemProviderRefused, Basis::NONE, refused("front"));
    }
    if evidence.back.is_some() && evidence.back_reading.is_none() {
        claims.say(Code::SystemProviderRefused, Basis::NONE, refused("back"));
    }
}

fn scores(evidence: &Evidence<'_>, readings: &Readings<'_>) -> Value {
    json!({
        "front": { "original": evidence.front.original, "quality": evidence.front.quality, "faces": evidence.front.faces },
        "back": evidence.back.map(|back| json!({ "original": back.original, "quality": back.quality })),
        "faces": evidence.faces,
        "check_digits": readings.zone().map(|zone| &zone.check_digits),
    })
}

/// The fields as one reads them, best source first, and how they agree.
fn extracted(evidence: &Evidence<'_>, readings: &Readings<'_>, rows: &[Row]) -> Value {
    let date = |dates: Vec<(Source, readings::DateReading)>| {
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

/// Without what was only declared.
fn document_first<T>(values: Vec<(Source, T)>) -> Vec<(Source, T)> {
    values.into_iter().filter(|(source, _)| *source != Source::Declared).collect()
}
