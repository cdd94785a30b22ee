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
