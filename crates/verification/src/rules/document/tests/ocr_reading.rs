//! The local OCR model's reading next to the vision model's.

use super::*;
use crate::rules::document::readings::{mrz, ocr};

/// The OCR reading of a picture that shows these lines.
#[expect(clippy::unnecessary_wraps, reason = "what it is for")]
pub(super) fn ocr_of(lines: Vec<String>) -> Option<OcrReading> {
    let line = |text: String| ocr::Line { sure: vec![0.99; text.len()], text };
    let reading = mrz::read(&lines, TODAY);
    Some(OcrReading { reading, data: None, lines: lines.into_iter().map(line).collect() })
}

#[test]
fn the_ocr_reading_is_in_the_matrix_and_confirms_no_declaration() {
    let mut submission = passport();
    submission.front_ocr = ocr_of(td3(|_| {}));
    let judgement = submission.judge();
    assert_eq!(judgement.reasons, []);
    assert_eq!(judgement.extracted["own_eyes"]["verdict"], "agrees");
    assert_eq!(judgement.extracted["own_eyes"]["seen"]["state"], "holds");
    let name = &judgement.extracted["matrix"][0];
    let pair = |a: &str, b: &str| {
        let pairs = name["comparisons"].as_array().expect("comparisons");
        pairs.iter().find(|pair| pair["between"] == json!([a, b])).cloned()
    };
    assert_eq!(pair("front", "own_eyes").expect("compared")["verdict"], "agrees");
    assert_eq!(pair("mrz", "own_eyes").expect("compared")["under"], "exact");
    assert_eq!(pair("own_eyes", "declared"), None);
}

#[test]
fn a_deceived_model_that_reports_one_consistent_lie_is_caught_by_ocr() {
    for (make, seen) in [
        (passport as fn() -> Submission, td3(|f| f.surname = "QUIRKE".into())),
        (identity_card, td1(|f| f.document_number = "A11111111".into())),
    ] {
        let mut submission = make();
        assert_eq!(submission.codes(), [], "without OCR the lie is perfect");
        assert_eq!(submission.judge().extracted["own_eyes"]["verdict"], "unavailable");
        if submission.back.is_some() {
            submission.back_ocr = ocr_of(seen);
        } else {
            submission.front_ocr = ocr_of(seen);
        }
        assert_eq!(submission.codes(), [Code::DocumentExtractionDisagreement]);
        assert!(!submission.passes());
    }
}

#[test]
fn an_ocr_reading_that_failed_or_was_repaired_changes_nothing() {
    let all_seen: [Vec<String>; 3] = [
        Vec::new(),
        vec!["P<UTOERIKSS0N".to_owned()],
        td3(|_| {}).iter().map(|line| line.replace("L898902C3", "L898902CB")).collect(),
    ];
    for seen in all_seen {
        let mut submission = passport();
        submission.front_ocr = ocr_of(seen);
        assert_eq!(submission.codes(), []);
    }
}
