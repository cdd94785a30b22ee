//! Text on a document that tries to instruct the model.

use crate::reason::Code;
use crate::rules::document::evidence::Evidence;
use crate::rules::document::instruction_text;
use crate::rules::document::judge::observations::{Basis, Observations};
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::transcription::Transcription;

/// Records text that addresses the reader, found by rule or reported by the model. It was legible,
/// so the picture's quality does not excuse it.
pub fn observe(evidence: &Evidence<'_>, readings: &Readings<'_>, observations: &mut Observations) {
    for (source, reading) in readings.visual() {
        if let Some(phrase) = instruction_text::find_in(texts(reading).into_iter()) {
            let detail = format!("{} carries `{phrase}`", side(source));
            observations.record(Code::DocumentInstructionTextFound, Basis::NONE, detail);
        } else if reading.instructions_seen {
            observations.record(
                Code::DocumentInstructionTextFound,
                Basis::NONE,
                format!("seen by the model on {}", side(source)),
            );
        }
    }
    let barcodes = evidence.back.map(|back| back.barcodes.as_slice()).unwrap_or_default();
    if let Some(phrase) = instruction_text::find_in(barcodes.iter().map(String::as_str)) {
        observations.record(Code::DocumentInstructionTextFound, Basis::NONE, format!("the barcode carries `{phrase}`"));
    }
    let pictures = [Some(evidence.front), evidence.back];
    let square_codes = pictures.into_iter().flatten().flat_map(|picture| &picture.square_codes);
    if let Some(phrase) = instruction_text::find_in(square_codes.map(String::as_str)) {
        observations.record(
            Code::DocumentInstructionTextFound,
            Basis::NONE,
            format!("a square code carries `{phrase}`"),
        );
    }
    if pictures.into_iter().flatten().any(|picture| picture.metadata.instructs) {
        observations.record(
            Code::DocumentInstructionTextFound,
            Basis::NONE,
            "the file's metadata carries instructions",
        );
    }
}

fn side(source: Source) -> &'static str {
    if source == Source::Back { "the back" } else { "the front" }
}

fn texts(reading: &Transcription) -> Vec<&str> {
    let fields = &reading.fields;
    let values = [
        &fields.surname,
        &fields.given_names,
        &fields.document_number,
        &fields.date_of_birth,
        &fields.date_of_expiry,
        &fields.date_of_issue,
        &fields.nationality,
        &fields.sex,
        &fields.place_of_birth,
        &fields.personal_number,
        &fields.address,
        &fields.issuing_authority,
        &reading.issuing_state,
    ];
    let values = values.into_iter().flatten();
    values.chain(&reading.mrz_lines).chain(&reading.visible_text).map(String::as_str).collect()
}
