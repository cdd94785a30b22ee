//! Honest and fooled models beside the OCR model.

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

/// A sight of these lines, as sure of each letter.
fn sight(lines: &[&str], sure: f32) -> OcrReading {
    let line = |text: &&str| Line { text: (*text).to_owned(), sure: vec![sure; text.len()] };
    OcrReading { lines: lines.iter().map(line).collect(), reading: mrz::read(&owned(lines), TODAY), data: None }
}

fn verdict(own: &OcrReading, reported: &[&str]) -> Verdict {
    let reading = mrz::read(&owned(reported), TODAY);
    let zone = match &reading {
        mrz::Reading::Zone(zone) => Some(&**zone),
        _ => None,
    };
    compare(own, &owned(reported), zone).verdict
}

#[test]
fn the_same_zone_agrees_and_another_differs() {
    let own = sight(&LINES, 0.99);
    assert!(own.holds().is_some());
    assert_eq!(verdict(&own, &LINES), Verdict::Agrees);
    assert_eq!(verdict(&own, &OTHERS), Verdict::Differs);
    assert_eq!(verdict(&own, &[]), Verdict::Differs);
}

#[test]
fn one_changed_digit_with_its_check_digits_differs() {
    let own = sight(&LINES, 0.9);
    let later = "L898902C36UTO7408122F2204156ZE184226B<<<<<18";
    assert_eq!(verdict(&own, &[LINES[0], later]), Verdict::Differs);
}

#[test]
fn one_changed_letter_of_a_name_differs_where_our_eyes_are_sure_of_it() {
    let changed = LINES[0].replace("MARIA", "MARTA");
    assert_eq!(verdict(&sight(&LINES, 0.99), &[&changed, LINES[1]]), Verdict::Differs);
    assert_eq!(verdict(&sight(&LINES, 0.7), &[&changed, LINES[1]]), Verdict::Agrees);
}

#[test]
fn what_readers_confuse_and_miscount_is_no_difference() {
    let own = sight(&LINES, 0.99);
    let confused = LINES[0].replace("ERIKSSON", "ER1KSS0N");
    assert_eq!(verdict(&own, &[&confused, LINES[1]]), Verdict::Agrees);
    assert_eq!(verdict(&own, &[&LINES[0][..40], LINES[1]]), Verdict::Agrees);
}

#[test]
fn eyes_that_failed_say_nothing() {
    assert_eq!(verdict(&sight(&[], 0.9), &LINES), Verdict::NothingSeen);
    assert_eq!(verdict(&sight(&LINES[..1], 0.9), &LINES), Verdict::NothingSeen);
    let broken = ["P<UTOERIKSS", "L898902C36UTO7408122F1204159ZE184226B<<<R1I0"];
    assert_eq!(verdict(&sight(&broken, 0.6), &LINES), Verdict::Unsure);
    assert_eq!(verdict(&sight(&LINES, 0.4), &[]), Verdict::Differs, "check digits that agree are no accident");
}

#[test]
fn lines_whose_check_digits_agree_count_without_the_names() {
    let mut own = sight(&["<UTOQUIRKE<<ROWA", LINES[1]], 0.6);
    own.data = sight(&LINES, 0.9).holds().cloned().map(Box::new);
    assert!(own.holds().is_none());
    assert_eq!(verdict(&own, &[LINES[0], "L898902C36UTO7408122F2204156ZE184226B<<<<<18"]), Verdict::Differs);
    assert_eq!(verdict(&own, &LINES), Verdict::Unsure);
}

#[test]
fn a_sure_sight_of_other_lines_differs_even_where_it_does_not_hold() {
    let torn = ["P<UTOQUIRKE<<ROWAN<<<<<<<<<<<<<<<<<<<<<<<<<<", "D231458908UTO8501017M3104150<<<<<<<<<<<<<<09"];
    let own = sight(&torn, 0.97);
    assert!(own.holds().is_none());
    assert_eq!(verdict(&own, &LINES), Verdict::Differs);
}
