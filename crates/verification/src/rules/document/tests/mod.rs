//! Whole documents, honest and hostile, judged through the public function.

pub(super) mod flaws;
mod hard;
mod honest;
mod hostile;
mod ocr_reading;

use jiff::civil::date;
use serde_json::json;

use super::*;
use crate::faces::DetectedFace;
use crate::faces::{BoundingBox, Sighting};
use crate::kind::{DocumentType, Kind};
use crate::reason::{Code, Disposition};
use crate::records::{Document, Verification};
use crate::rules::document::image::Prepared;
use crate::rules::document::judge::duplicates;
use crate::rules::document::readings::ocr::OcrReading;
use crate::rules::document::readings::transcription::{Fields, Transcription};
use crate::rules::document::vocabulary::{Readable, SeenType, Side};
use crate::sample::policy;

const TODAY: Date = date(2026, 11, 23);

/// A document and all its evidence; honest until a test changes it.
#[derive(Clone)]
pub(super) struct Submission {
    record: Verification,
    document: Document,
    pub(super) front: Prepared,
    pub(super) back: Option<Prepared>,
    faces: Vec<DetectedFace>,
    pub(super) front_reading: Option<Transcription>,
    back_reading: Option<Transcription>,
    front_ocr: Option<OcrReading>,
    back_ocr: Option<OcrReading>,
}

impl Submission {
    fn judge(&self) -> Judgement {
        self.judge_under(&policy())
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            record: &self.record,
            document: &self.document,
            front: &self.front,
            back: self.back.as_ref(),
            faces: &self.faces,
            front_reading: self.front_reading.as_ref(),
            back_reading: self.back_reading.as_ref(),
            front_ocr: self.front_ocr.as_ref(),
            back_ocr: self.back_ocr.as_ref(),
        }
    }

    pub(super) fn judge_under(&self, policy: &Policy) -> Judgement {
        judge(&self.evidence(), policy, TODAY)
    }

    pub(super) fn keys(&self, policy: &Policy) -> Option<duplicates::DocumentKeys> {
        duplicates::document_keys(&self.evidence(), &self.judge_under(policy), policy, TODAY)
    }

    pub(super) fn codes(&self) -> Vec<Code> {
        self.judge().reasons.iter().map(|reason| reason.code).collect()
    }

    /// Whether no reason stands against it.
    fn passes(&self) -> bool {
        let policy = policy();
        self.judge()
            .reasons
            .iter()
            .all(|reason| matches!(policy.disposition(reason.code, Kind::Document), Disposition::Inform))
    }

    pub(super) fn fields(&mut self) -> &mut Fields {
        &mut self.front_reading.as_mut().expect("a reading").fields
    }

    pub(super) fn reading(&mut self) -> &mut Transcription {
        self.front_reading.as_mut().expect("a reading")
    }

    fn other_side(&mut self) -> &mut Transcription {
        self.back_reading.as_mut().expect("a reading")
    }
}

fn picture() -> Prepared {
    Prepared {
        jpeg: Vec::new(),
        width: 1600,
        height: 1100,
        original: image::Original { format: image::Format::Jpeg, width: 1600, height: 1100, bytes: 1, turned: 0 },
        quality: image::Quality::default(),
        metadata: image::Metadata::default(),
        faces: Vec::new(),
        barcodes: Vec::new(),
        square_codes: Vec::new(),
        reasons: Vec::new(),
        perceptual_hash: None,
    }
}

fn face() -> DetectedFace {
    let open = Sighting { value: true, confidence: Some(99.0) };
    let none = Sighting { value: false, confidence: Some(99.0) };
    DetectedFace {
        bounds: Some(BoundingBox { left: 0.1, top: 0.2, width: 0.12, height: 0.2 }),
        confidence: Some(99.9),
        yaw: Some(1.0),
        pitch: Some(-2.0),
        roll: Some(0.0),
        brightness: Some(80.0),
        sharpness: Some(90.0),
        occluded: Some(none),
        eyes_open: Some(open),
        sunglasses: Some(none),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what it is for")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn reading(document_type: SeenType, side: Side) -> Transcription {
    Transcription {
        document_type,
        issuing_state: some("UTO"),
        side,
        fields: Fields::default(),
        mrz_lines: Vec::new(),
        readable: Readable::Good,
        suspicions: Vec::new(),
        visible_text: vec!["REPUBLIC OF UTOPIA".to_owned(), "SPECIMEN".to_owned()],
        instructions_seen: false,
    }
}

fn fields() -> Fields {
    Fields {
        surname: some("ERIKSSON"),
        given_names: some("ANNA MARIA"),
        document_number: some("L898902C3"),
        date_of_birth: some("12 AUG 1990"),
        date_of_expiry: some("15 APR 2031"),
        date_of_issue: some("16 APR 2021"),
        nationality: some("UTO"),
        sex: some("F"),
        place_of_birth: some("ZENITH"),
        personal_number: some("ZE184226B"),
        address: None,
        issuing_authority: some("PASSPORT OFFICE OF UTOPIA"),
    }
}

fn record() -> Verification {
    Verification {
        declared_name: "Anna Maria Eriksson".to_owned(),
        declared_date_of_birth: Some(date(1990, 8, 12)),
        declared_document_number: "L898902C3".to_owned(),
        declared_country: "UTO".to_owned(),
        ..Verification::default()
    }
}

fn document(document_type: DocumentType) -> Document {
    Document {
        id: "document0000001".to_owned(),
        document_type,
        country: String::new(),
        front: "front.jpg".to_owned(),
        back: String::new(),
        created: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn td3(change: impl FnOnce(&mut ::mrz::Td3Fields)) -> Vec<String> {
    let mut fields = ::mrz::Td3Fields {
        document_code: "P".into(),
        issuing_country: "UTO".into(),
        document_number: "L898902C3".into(),
        surname: "ERIKSSON".into(),
        given_names: "ANNA MARIA".into(),
        nationality: "UTO".into(),
        date_of_birth: ::mrz::MrzDate::Calendar(::mrz::Date::new(1990, 8, 12)),
        sex: ::mrz::Sex::Female,
        date_of_expiry: ::mrz::MrzDate::Calendar(::mrz::Date::new(2031, 4, 15)),
        personal_number: some("ZE184226B"),
    };
    change(&mut fields);
    ::mrz::format_td3(&fields).lines().map(str::to_owned).collect()
}

fn td1(change: impl FnOnce(&mut ::mrz::Td1Fields)) -> Vec<String> {
    let mut fields = ::mrz::Td1Fields {
        document_code: "I".into(),
        issuing_country: "UTO".into(),
        document_number: "L898902C3".into(),
        surname: "ERIKSSON".into(),
        given_names: "ANNA MARIA".into(),
        nationality: "UTO".into(),
        date_of_birth: ::mrz::MrzDate::Calendar(::mrz::Date::new(1990, 8, 12)),
        sex: ::mrz::Sex::Female,
        date_of_expiry: ::mrz::MrzDate::Calendar(::mrz::Date::new(2031, 4, 15)),
        ..Default::default()
    };
    change(&mut fields);
    ::mrz::format_td1(&fields).lines().map(str::to_owned).collect()
}

fn barcode(elements: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("DAQ", "L898902C3"),
        ("DCS", "ERIKSSON"),
        ("DAC", "ANNA"),
        ("DAD", "MARIA"),
        ("DBB", "08121990"),
        ("DBA", "04152031"),
        ("DBD", "04162021"),
        ("DBC", "2"),
        ("DAJ", "UP"),
        ("DCG", "UTO"),
    ];
    for (id, value) in elements {
        all.iter_mut().filter(|(known, _)| known == id).for_each(|(_, known)| *known = *value);
    }
    let lines: Vec<String> = all.iter().map(|(id, value)| format!("{id}{value}")).collect();
    format!("@\n\u{1e}\rANSI 636999100001DL00310200DL{}\r", lines.join("\n"))
}

pub(super) fn passport() -> Submission {
    let mut front = reading(SeenType::Passport, Side::Front);
    front.fields = fields();
    front.mrz_lines = td3(|_| {});
    Submission {
        record: record(),
        document: document(DocumentType::Passport),
        front: picture(),
        back: None,
        faces: vec![face()],
        front_reading: Some(front),
        back_reading: None,
        front_ocr: None,
        back_ocr: None,
    }
}

pub(super) fn identity_card() -> Submission {
    let mut front = reading(SeenType::IdentityCard, Side::Front);
    front.fields = fields();
    let mut back = reading(SeenType::IdentityCard, Side::Back);
    back.mrz_lines = td1(|_| {});
    Submission {
        document: document(DocumentType::IdentityCard),
        back: Some(picture()),
        front_reading: Some(front),
        back_reading: Some(back),
        front_ocr: None,
        back_ocr: None,
        ..passport()
    }
}

pub(super) fn licence() -> Submission {
    let mut front = reading(SeenType::DrivingLicence, Side::Front);
    front.fields = Fields { nationality: None, ..fields() };
    Submission {
        document: document(DocumentType::DrivingLicence),
        back: Some(Prepared { barcodes: vec![barcode(&[])], ..picture() }),
        front_reading: Some(front),
        back_reading: Some(reading(SeenType::DrivingLicence, Side::Back)),
        front_ocr: None,
        back_ocr: None,
        ..passport()
    }
}

fn all() -> [Submission; 3] {
    [passport(), identity_card(), licence()]
}

#[test]
fn honest_documents_pass() {
    for submission in all() {
        assert_eq!(submission.codes(), [], "{:?}", submission.document.document_type);
    }
    let mut undeclared = passport();
    undeclared.record = Verification::default();
    assert_eq!(undeclared.codes(), []);
}

#[test]
fn the_reviewer_sees_what_each_source_states() {
    let mut submission = passport();
    submission.fields().surname = some("Eriksson");
    let extracted = submission.judge().extracted;
    assert_eq!(extracted["date_of_birth"], "1990-08-12");
    assert_eq!(extracted["issuing_state"], "UTO");
    assert_eq!(extracted["mrz"]["check_digits"].as_array().map(Vec::len), Some(5));
    let name = &extracted["matrix"][0];
    assert_eq!(name["field"], "name");
    assert_eq!(name["readings"][0], json!({"source": "front", "text": "Eriksson, ANNA MARIA"}));
    assert_eq!(name["comparisons"][0], json!({"between": ["front", "mrz"], "verdict": "agrees", "under": "exact"}));
    assert_eq!(
        name["comparisons"][1],
        json!({"between": ["front", "declared"], "verdict": "agrees", "under": "order"})
    );
}
