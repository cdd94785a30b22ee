//! Honest and deceived vision models against the OCR reading.

use jiff::civil::{Date, date};

use super::*;

const TODAY: Date = date(2026, 11, 25);
const LINES: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
const OTHERS: [&str; 2] =
    ["P<UTOQUIRKE<<ROWAN<<<<<<<<<<<<<<<<<<<<<<<<<<", "D231458907UTO8501017M3104150<<<<<<<<<<<<<<02"];

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// An OCR reading of these lines, with one score for all letters.
fn ocr_reading(lines: &[&str], sure: f32) -> OcrReading {
    let line = |text: &&str| Line { text: (*text).to_owned(), sure: vec![sure; text.len()] };
    OcrReading { lines: lines.iter().map(line).collect(), reading: mrz::read(&owned(lines), TODAY), data: None }
}

fn verdict(ocr: &OcrReading, reported: &[&str]) -> Verdict {
    let reading = mrz::read(&owned(reported), TODAY);
    let zone = match &reading {
        mrz::Reading::Zone(zone) => Some(&**zone),
        _ => None,
    };
    compare(ocr, &owned(reported), zone).verdict
}

#[test]
fn the_same_zone_agrees_and_another_differs() {
    let ocr = ocr_reading(&LINES, 0.99);
    assert!(ocr.holds().is_some());
    assert_eq!(verdict(&ocr, &LINES), Verdict::Agrees);
    assert_eq!(verdict(&ocr, &OTHERS), Verdict::Differs);
    assert_eq!(verdict(&ocr, &[]), Verdict::Differs);
}

#[test]
fn one_changed_digit_with_its_check_digits_differs() {
    let ocr = ocr_reading(&LINES, 0.9);
    let later = "L898902C36UTO7408122F2204156ZE184226B<<<<<18";
    assert_eq!(verdict(&ocr, &[LINES[0], later]), Verdict::Differs);
}

#[test]
fn one_changed_letter_of_a_name_differs_where_its_score_is_high() {
    let changed = LINES[0].replace("MARIA", "MARTA");
    assert_eq!(verdict(&ocr_reading(&LINES, 0.99), &[&changed, LINES[1]]), Verdict::Differs);
    assert_eq!(verdict(&ocr_reading(&LINES, 0.7), &[&changed, LINES[1]]), Verdict::Agrees);
}

#[test]
fn confused_letters_and_miscounted_fillers_are_not_a_difference() {
    let ocr = ocr_reading(&LINES, 0.99);
    let confused = LINES[0].replace("ERIKSSON", "ER1KSS0N");
    assert_eq!(verdict(&ocr, &[&confused, LINES[1]]), Verdict::Agrees);
    assert_eq!(verdict(&ocr, &[&LINES[0][..40], LINES[1]]), Verdict::Agrees);
}

#[test]
fn an_ocr_reading_that_failed_proves_nothing() {
    assert_eq!(verdict(&ocr_reading(&[], 0.9), &LINES), Verdict::NothingSeen);
    assert_eq!(verdict(&ocr_reading(&LINES[..1], 0.9), &LINES), Verdict::NothingSeen);
    let broken = ["P<UTOERIKSS", "L898902C36UTO7408122F1204159ZE184226B<<<R1I0"];
    assert_eq!(verdict(&ocr_reading(&broken, 0.6), &LINES), Verdict::Unsure);
    assert_eq!(
        verdict(&ocr_reading(&LINES, 0.4), &[]),
        Verdict::Differs,
        "check digits that agree are not an accident"
    );
}

#[test]
fn lines_whose_check_digits_agree_count_without_the_names() {
    let mut ocr = ocr_reading(&["<UTOQUIRKE<<ROWA", LINES[1]], 0.6);
    ocr.data = ocr_reading(&LINES, 0.9).holds().cloned().map(Box::new);
    assert!(ocr.holds().is_none());
    assert_eq!(verdict(&ocr, &[LINES[0], "L898902C36UTO7408122F2204156ZE184226B<<<<<18"]), Verdict::Differs);
    assert_eq!(verdict(&ocr, &LINES), Verdict::Unsure);
}

#[test]
fn other_lines_with_high_scores_differ_even_where_the_zone_does_not_hold() {
    let torn = ["P<UTOQUIRKE<<ROWAN<<<<<<<<<<<<<<<<<<<<<<<<<<", "D231458908UTO8501017M3104150<<<<<<<<<<<<<<09"];
    let ocr = ocr_reading(&torn, 0.97);
    assert!(ocr.holds().is_none());
    assert_eq!(verdict(&ocr, &LINES), Verdict::Differs);
}
