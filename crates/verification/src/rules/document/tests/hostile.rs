//! Arbitrary answers of a model: nothing panics, and nothing passes without its mandatory fields.

use proptest::prelude::*;

use super::*;

/// Removes one mandatory field wherever it is read.
fn without(submission: &mut Submission, field: usize) {
    for reading in [submission.front_reading.as_mut(), submission.back_reading.as_mut()].into_iter().flatten() {
        let fields = &mut reading.fields;
        match field {
            0 => (fields.surname, fields.given_names) = (None, None),
            1 => fields.date_of_birth = None,
            2 => fields.date_of_expiry = None,
            3 => fields.document_number = None,
            _ => reading.mrz_lines.clear(),
        }
    }
}

proptest! {
    #[test]
    fn nothing_passes_without_a_mandatory_field(kind in 0..3_usize, field in 0..4_usize, zone_too: bool, rest in prop::collection::vec(0..4_usize, 0..3)) {
        let mut submission = all()[kind].clone();
        without(&mut submission, field);
        for more in rest {
            without(&mut submission, more);
        }
        if zone_too {
            without(&mut submission, 4);
            if let Some(back) = &mut submission.back {
                back.barcodes.clear();
            }
        }
        prop_assert!(!submission.passes(), "{:?}", submission.codes());
    }

    #[test]
    fn nothing_passes_with_an_unreadable_mandatory_field(kind in 0..3_usize, field in 0..4_usize, text in "[?*#. -]{0,8}|unknown|N/A|illegible") {
        let mut submission = all()[kind].clone();
        let fields = submission.fields();
        match field {
            0 => (fields.surname, fields.given_names) = (Some(text.clone()), None),
            1 => fields.date_of_birth = Some(text.clone()),
            2 => fields.date_of_expiry = Some(text.clone()),
            _ => fields.document_number = Some(text.clone()),
        }
        prop_assert!(!submission.passes(), "{}: {:?}", text, submission.codes());
    }

    #[test]
    fn no_answer_of_a_model_panics_or_lets_another_name_pass(surname in "\\PC{0,30}", given in "\\PC{0,30}", date in "\\PC{0,20}", number in "\\PC{0,20}", state in "\\PC{0,20}") {
        let mut submission = passport();
        let named = surname.to_uppercase().contains("ERIKSSON") || given.to_uppercase().contains("ERIKSSON");
        let fields = submission.fields();
        fields.surname = Some(surname);
        fields.given_names = Some(given);
        fields.date_of_birth = Some(date.clone());
        fields.date_of_expiry = Some(date);
        fields.document_number = Some(number);
        submission.reading().issuing_state = Some(state);
        prop_assert!(named || !submission.passes());
    }
}

/// A change to an honest document by which somebody re-dates it.
type Redated = (&'static str, fn() -> Submission, fn(&mut Submission));

#[rustfmt::skip]
const REDATED: &[Redated] = &[
    ("never, over a zone that expired", identity_card, |s| { s.fields().date_of_expiry = some("UNLIMITED"); s.other_side().mrz_lines = td1(|f| f.date_of_expiry = mrz_date(2025, 4, 15)); }),
    ("never, over a zone that will expire", identity_card, |s| s.fields().date_of_expiry = some("UNLIMITED")),
    ("never, over a barcode that expired", licence, |s| { s.fields().date_of_expiry = some("01.01.9999"); s.back.as_mut().expect("a back").barcodes = vec![barcode(&[("DBA", "04152025")])]; }),
    ("never, where the zone stands for it and the paper does not", identity_card, |s| s.other_side().mrz_lines = td1(|f| f.date_of_expiry = mrz_date(1999, 12, 31))),
    ("a century later in print", identity_card, |s| { s.fields().date_of_expiry = some("15 APR 2125"); s.other_side().mrz_lines = td1(|f| f.date_of_expiry = mrz_date(2025, 4, 15)); }),
    ("a calendar that the state does not use", passport, |s| { s.fields().date_of_expiry = some("12/08/2574"); s.reading().mrz_lines = td3(|f| f.date_of_expiry = mrz_date(2031, 8, 12)); }),
    ("an era that the state does not use", passport, |s| s.fields().date_of_birth = some("平成2年8月12日")),
    ("two calendars that do not agree", passport, |s| s.fields().date_of_birth = some("12/08/1990 21/01/1411")),
    ("an expired date and a later one", passport, |s| { s.fields().date_of_expiry = some("15 APR 2025 15 APR 2035"); s.reading().mrz_lines = td3(|f| f.date_of_expiry = mrz_date(2025, 4, 15)); }),
    ("a range that ends before it begins", passport, |s| s.fields().date_of_expiry = some("15 APR 2041-15 APR 2031")),
    ("day and month exchanged by one who is under age", licence, |s| { s.fields().date_of_birth = some("11/12/2008"); s.back.as_mut().expect("a back").barcodes = vec![barcode(&[("DBB", "12112008")])]; }),
    ("a birth a century ago in print", passport, |s| { s.fields().date_of_birth = some("12 AUG 1911"); s.reading().mrz_lines = td3(|f| f.date_of_birth = mrz_date(2012, 8, 12)); }),
    ("unreadable over an expired zone", passport, |s| { s.fields().date_of_expiry = some("15 ABC 2035"); s.reading().mrz_lines = td3(|f| f.date_of_expiry = mrz_date(2025, 4, 15)); }),
];

fn mrz_date(year: i32, month: u32, day: u32) -> ::mrz::MrzDate {
    ::mrz::MrzDate::Calendar(::mrz::Date::new(year, month, day))
}

#[test]
fn no_document_passes_by_another_way_to_write_its_dates() {
    for (what, make, change) in REDATED {
        let mut submission = make();
        change(&mut submission);
        assert!(!submission.passes(), "{what} passes");
    }
}

#[test]
fn one_reading_alone_declines_nobody() {
    let mut unreadable = passport();
    unreadable.fields().date_of_expiry = some("15 ABC 2025");
    unreadable.reading().mrz_lines = td3(|f| f.date_of_expiry = mrz_date(2025, 4, 15));
    assert!(!unreadable.codes().contains(&Code::DocumentExpired), "{:?}", unreadable.codes());
    let mut never = identity_card();
    never.fields().date_of_expiry = some("UNLIMITED");
    never.other_side().mrz_lines = td1(|f| f.date_of_expiry = mrz_date(2025, 4, 15));
    assert_eq!(never.codes(), [Code::DocumentDataInconsistent]);
    let mut ambiguous = licence();
    ambiguous.fields().date_of_expiry = some("12/11/2026");
    ambiguous.back.as_mut().expect("a back").barcodes.clear();
    assert!(!ambiguous.codes().contains(&Code::DocumentExpired), "the eleventh of December is to come");
}
