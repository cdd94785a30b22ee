//! Fuzzes a model's answer, from its bytes to the judgement: no answer makes it panic, what is kept
//! is bounded and parses back to the same value, and every suspicion and every admitted instruction
//! has a reason.
#![no_main]

use std::sync::LazyLock;

use identivia_fuzz::TODAY;
use identivia_verification::rules::document::image::{Format, Metadata, Original, Prepared, Quality};
use identivia_verification::rules::document::readings::transcription::{TEXT_CHARS_MAX, TEXTS_MAX, Transcription};
use identivia_verification::rules::document::{Evidence, judge};
use identivia_verification::{Document, DocumentType, Policy, Verification};
use libfuzzer_sys::fuzz_target;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let text = r#"{"id": "policy000000001", "name": "default", "version": 1, "required_checks": ["document"], "face_match_pass": 90.0,
        "face_match_review": 80.0, "attempts_max": 3, "liveness_sessions_max": 5, "input_hours": 24, "technical_minutes": 30,
        "device_max_age_seconds": 600, "work_tries_max": 3, "minimum_age": 18}"#;
    serde_json::from_str(text).expect("a policy")
});

fn picture() -> Prepared {
    Prepared {
        jpeg: Vec::new(),
        width: 1600,
        height: 1100,
        original: Original { format: Format::Jpeg, width: 1600, height: 1100, bytes: 1, turned: 0 },
        quality: Quality::default(),
        metadata: Metadata::default(),
        faces: Vec::new(),
        barcodes: Vec::new(),
        square_codes: Vec::new(),
        reasons: Vec::new(),
        perceptual_hash: None,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let Ok(reading) = Transcription::read(&answer) else { return };
    assert!(reading.visible_text.len() <= TEXTS_MAX);
    assert!(reading.visible_text.iter().all(|text| text.chars().count() <= TEXT_CHARS_MAX));
    let stored = serde_json::to_value(&reading).expect("it can be written");
    assert_eq!(serde_json::from_value::<Transcription>(stored).expect("it can be read"), reading);
    let record = Verification { declared_name: "Anna Maria Eriksson".to_owned(), ..Verification::default() };
    for document_type in [DocumentType::Passport, DocumentType::IdentityCard, DocumentType::DrivingLicence] {
        let document = Document {
            id: "document0000001".to_owned(),
            document_type,
            country: String::new(),
            front: "front.jpg".to_owned(),
            back: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        let (front, back) = (picture(), picture());
        let judgement = judge(
            &Evidence {
                record: &record,
                document: &document,
                front: &front,
                back: Some(&back),
                faces: &[],
                front_reading: Some(&reading),
                back_reading: Some(&reading),
                front_ocr: None,
                back_ocr: None,
            },
            &POLICY,
            TODAY,
        );
        // Without a face there is always one reason; a doubt adds another.
        assert!(!judgement.reasons.is_empty());
        if reading.instructions_seen {
            let said = |code: &str| judgement.reasons.iter().any(|reason| reason.code.as_str() == code);
            assert!(said("document.instruction_text_found"));
        }
    }
});
