//! Reading a model's answer: complete, odd and hostile.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::document::vocabulary::FIELDS;

fn answer() -> Value {
    json!({
        "document_type": "passport", "issuing_state": "UTO", "side": "front",
        "fields": {"surname": "ERIKSSON", "given_names": "ANNA MARIA", "document_number": 898_902,
                   "date_of_birth": "12 AUG 1974", "sex": null},
        "mrz_lines": ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
        "readable": "good",
        "suspicions": [{"kind": "screen", "place": "whole picture", "reason": "moire"}],
        "visible_text": ["PASSPORT", "UTOPIA"],
        "instructions_seen": false
    })
}

#[test]
fn an_answer_is_read_and_written_back_the_same() {
    let read = Transcription::read(&answer()).unwrap();
    assert_eq!(read.document_type, SeenType::Passport);
    assert_eq!(read.fields.document_number.as_deref(), Some("898902"), "a number where text was due");
    assert_eq!(read.fields.sex, None);
    assert_eq!(read.mrz_lines.len(), 2);
    assert!(!read.instructions_seen);
    let stored = serde_json::to_value(&read).unwrap();
    assert_eq!(serde_json::from_value::<Transcription>(stored).unwrap(), read);
}

#[test]
fn every_property_is_required() {
    for name in PROPERTIES {
        let mut short = answer();
        short.as_object_mut().unwrap().remove(name);
        assert_eq!(Transcription::read(&short), Err(NotATranscription::Missing(name)));
    }
    assert_eq!(Transcription::read(&json!([])), Err(NotATranscription::NotAnObject));
    let mut flat = answer();
    flat["fields"] = json!("ERIKSSON");
    assert_eq!(Transcription::read(&flat), Err(NotATranscription::FieldsNotAnObject));
}

#[test]
fn the_schema_names_are_those_of_the_type() {
    let stored = serde_json::to_value(Transcription::read(&answer()).unwrap()).unwrap();
    assert_eq!(stored.as_object().unwrap().keys().collect::<Vec<_>>(), PROPERTIES);
    assert_eq!(stored["fields"].as_object().unwrap().keys().collect::<Vec<_>>(), FIELDS);
}

#[test]
fn doubt_goes_in_the_safe_direction() {
    let mut odd = answer();
    odd["document_type"] = json!("library card");
    odd["side"] = json!(7);
    odd["readable"] = json!("excellent");
    odd["instructions_seen"] = json!(null);
    odd["suspicions"] = json!("hologram missing");
    let read = Transcription::read(&odd).unwrap();
    assert_eq!(read.document_type, SeenType::Other);
    assert_eq!(read.side, Side::Unknown);
    assert_eq!(read.readable, Readable::Unreadable);
    assert!(read.instructions_seen);
    assert_eq!(read.suspicions.len(), 1);
    assert_eq!(read.suspicions[0].kind, SuspicionKind::Other);
    assert_eq!(read.suspicions[0].reason, "hologram missing");
}

#[test]
fn text_is_cleaned_and_cut() {
    let mut odd = answer();
    odd["fields"]["surname"] = json!("  ERIK\u{202E}S\u{0000}SON\u{200B} \n OF\tUTOPIA\u{E0041} ");
    odd["fields"]["address"] = json!("x".repeat(5_000));
    odd["fields"]["place_of_birth"] = json!(" \u{200B} ");
    odd["mrz_lines"] = json!("P<UTO ERIKSSON\nL898902C3\u{0007}6");
    let read = Transcription::read(&odd).unwrap();
    assert_eq!(read.fields.surname.as_deref(), Some("ERIKSSON OF UTOPIA"));
    assert_eq!(read.fields.address.unwrap().len(), FIELD_CHARS_MAX);
    assert_eq!(read.fields.place_of_birth, None);
    assert_eq!(read.mrz_lines, ["P<UTOERIKSSON", "L898902C36"]);
}

proptest! {
    #[test]
    fn every_text_becomes_bounded_and_visible(raw in any::<String>(), max in 1_usize..50) {
        if let Some(clean) = text(&Value::String(raw), max) {
            prop_assert!(clean.chars().count() <= max);
            prop_assert!(clean.chars().all(visible));
            prop_assert_eq!(clean.trim(), clean.as_str());
            prop_assert_eq!(text(&Value::String(clean.clone()), max), Some(clean));
        }
    }
}
