//! Whether the document is one piece: what looks wrong, and what does not agree.

use crate::reason::Code;
use crate::rules::document::agreement::matrix::{Field, Row};
use crate::rules::document::judge::observations::{Basis, Observations};
use crate::rules::document::normalise::comparison::Agreement;
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::source::Source;
use crate::rules::document::vocabulary::SuspicionKind;

/// Records the model's suspicions. They can only lower the outcome.
pub fn suspicions(readings: &Readings<'_>, observations: &mut Observations) {
    for (source, reading) in readings.visual() {
        for suspicion in &reading.suspicions {
            let basis = match suspicion.kind {
                // The text was legible, so the picture's quality does not excuse it.
                SuspicionKind::InstructionText => Basis::NONE,
                _ => observations.basis(source),
            };
            observations.record(
                code_of(suspicion.kind),
                basis,
                format!("seen by the model: {}", suspicion.kind.as_str()),
            );
        }
    }
}

fn code_of(kind: SuspicionKind) -> Code {
    match kind {
        SuspicionKind::Screen => Code::DocumentPhotoOfScreen,
        SuspicionKind::PrintedCopy => Code::DocumentPrintedCopy,
        SuspicionKind::Screenshot => Code::DocumentScreenshotOrScan,
        SuspicionKind::AlteredText => Code::DocumentDigitallyAltered,
        SuspicionKind::AlteredPortrait => Code::DocumentPortraitManipulated,
        SuspicionKind::Template => Code::DocumentTemplateMismatch,
        SuspicionKind::Covered => Code::DocumentCovered,
        SuspicionKind::Damaged => Code::DocumentDamaged,
        SuspicionKind::InstructionText => Code::DocumentInstructionTextFound,
        SuspicionKind::Other => Code::DocumentCounterfeitSuspected,
    }
}

/// Records what differs in the agreement matrix.
pub fn agreement(readings: &Readings<'_>, rows: &[Row], observations: &mut Observations) {
    for row in rows {
        for comparison in row.comparisons.iter().filter(|comparison| comparison.agreement == Agreement::Differs) {
            let [a, b] = comparison.between;
            let Some(code) = between_readings(a, b) else { continue };
            let basis = observations.basis_of([a, b]);
            observations.record(
                code,
                basis,
                format!("{} differs between {} and {}", row.field.words(), name(a), name(b)),
            );
        }
        declared(row, observations);
    }
    other_back(readings, rows, observations);
}

fn between_readings(a: Source, b: Source) -> Option<Code> {
    match (a, b) {
        // `ocr_crosscheck` judges the OCR model's reading letter by letter and by its scores; the
        // matrix shows it to the reviewer.
        (Source::Declared | Source::Ocr, _) | (_, Source::Declared | Source::Ocr) => None,
        (Source::Mrz, Source::Barcode) | (Source::Barcode, Source::Mrz) => Some(Code::DocumentDataInconsistent),
        (Source::Mrz, _) | (_, Source::Mrz) => Some(Code::DocumentMrzVisualMismatch),
        (Source::Barcode, _) | (_, Source::Barcode) => Some(Code::DocumentBarcodeVisualMismatch),
        (Source::Front | Source::Back, Source::Front | Source::Back) => Some(Code::DocumentSidesMismatch),
    }
}

/// Records a declaration that agrees with no reading of the document. Where one agrees, a further
/// reading that differs is not recorded again.
fn declared(row: &Row, observations: &mut Observations) {
    let code = match row.field {
        Field::Name => Code::DocumentDeclaredNameMismatch,
        Field::DateOfBirth => Code::DocumentDeclaredDobMismatch,
        Field::DocumentNumber => Code::DocumentDeclaredNumberMismatch,
        Field::IssuingState => Code::DocumentDataInconsistent,
        Field::DateOfExpiry | Field::DateOfIssue | Field::Nationality | Field::Sex | Field::PersonalNumber => return,
    };
    let pairs: Vec<_> =
        row.comparisons.iter().filter_map(|pair| Some((pair.other_than(Source::Declared)?, pair.agreement))).collect();
    if pairs.is_empty() || pairs.iter().any(|(_, agreement)| agreement.agrees()) {
        return;
    }
    let basis = observations.basis_of(pairs.iter().map(|(source, _)| *source));
    let how = if pairs.iter().any(|(_, agreement)| *agreement == Agreement::Differs) {
        "differs from"
    } else {
        "cannot be compared with"
    };
    observations.record(code, basis, format!("the declared {} {how} what the document states", row.field.words()));
}

/// Records sides of two cards: they differ in more than one field.
fn other_back(readings: &Readings<'_>, rows: &[Row], observations: &mut Observations) {
    const FIELDS_MIN: usize = 2;
    let on_back =
        |source: Source| source == Source::Barcode || (source == Source::Mrz && readings.zone.0 == Source::Back);
    let differing: Vec<&str> = rows
        .iter()
        .filter(|row| matches!(row.field, Field::Name | Field::DateOfBirth | Field::DocumentNumber))
        .filter(|row| {
            row.between(|source| source == Source::Front, on_back).any(|pair| pair.agreement == Agreement::Differs)
        })
        .map(|row| row.field.words())
        .collect();
    if differing.len() >= FIELDS_MIN {
        let basis = Basis::FRONT.and(Basis::BACK);
        observations.record(
            Code::DocumentSidesMismatch,
            basis,
            format!("front and back differ in {}", differing.join(", ")),
        );
    }
}

fn name(source: Source) -> &'static str {
    match source {
        Source::Front => "the front",
        Source::Back => "the back",
        Source::Mrz => "the machine-readable zone",
        Source::Barcode => "the barcode",
        Source::Ocr => "local OCR",
        Source::Declared => "the declaration",
    }
}
