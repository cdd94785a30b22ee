//! Honest documents that are hard to compare.

use super::*;
use crate::reason::Reason;

#[test]
fn a_card_with_everything_on_its_front_needs_no_back() {
    let mut card = identity_card();
    card.back = None;
    card.back_reading = None;
    let zone = ::mrz::format_td2(&::mrz::Td2Fields {
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
    });
    card.reading().mrz_lines = zone.lines().map(str::to_owned).collect();
    assert_eq!(card.codes(), []);
}

/// What is hard about a document, a submission, and the change that makes it so.
type Honest = (&'static str, fn() -> Submission, fn(&mut Submission));

/// Honest documents that are hard to compare: after each change no reason may stand against them.
#[rustfmt::skip]
const HONEST: &[Honest] = &[
    ("lower case and accents", passport, |s| { s.fields().surname = some("Éríksson"); }),
    ("a German umlaut", passport, |s| {
        s.fields().surname = some("Müller"); s.record.declared_name = "Anna Mueller".to_owned();
        s.reading().mrz_lines = td3(|f| f.surname = "MUELLER".into());
    }),
    ("Cyrillic next to Latin", passport, |s| {
        s.fields().surname = some("ИВАНОВА / IVANOVA"); s.fields().given_names = some("ЮЛИЯ / IULIIA"); s.record.declared_name = "Iuliia Ivanova".to_owned();
        s.reading().mrz_lines = td3(|f| { f.surname = "IVANOVA".into(); f.given_names = "IULIIA".into(); });
    }),
    ("a long name cut in the zone", passport, |s| {
        s.fields().surname = some("Nilavadhanananda"); s.fields().given_names = some("Chayapa Dejthamrong Krasuang Kittisak"); s.record.declared_name = "Chayapa Nilavadhanananda".to_owned();
        s.reading().mrz_lines = td3(|f| { f.surname = "NILAVADHANANANDA".into(); f.given_names = "CHAYAPA DEJTHAMRONG KRASUANG KITTISAK".into(); });
    }),
    ("two surnames, one declared", passport, |s| {
        s.fields().surname = some("GARCÍA LÓPEZ"); s.fields().given_names = some("ANA MARÍA"); s.record.declared_name = "Ana García".to_owned();
        s.reading().mrz_lines = td3(|f| { f.surname = "GARCIA LOPEZ".into(); f.given_names = "ANA MARIA".into(); });
    }),
    ("one name only", passport, |s| {
        s.fields().surname = some("SUKARNO"); s.fields().given_names = None; s.record.declared_name = "Sukarno".to_owned();
        s.reading().mrz_lines = td3(|f| { f.surname = "SUKARNO".into(); f.given_names = String::new(); });
    }),
    ("a year of birth only", passport, |s| {
        s.fields().date_of_birth = some("1965"); s.record.declared_date_of_birth = Some(date(1965, 1, 1));
        s.reading().mrz_lines = td3(|f| f.date_of_birth = ::mrz::MrzDate::PartiallyUnknown(::mrz::RawDateField::try_from("65<<<<").expect("a field")));
    }),
    ("more than a hundred years old", passport, |s| {
        s.fields().date_of_birth = some("29 FEB 1924"); s.record.declared_date_of_birth = Some(date(1924, 2, 29));
        s.reading().mrz_lines = td3(|f| f.date_of_birth = ::mrz::MrzDate::Calendar(::mrz::Date::new(1924, 2, 29)));
    }),
    ("a month of birth only", passport, |s| {
        s.fields().date_of_birth = some("XX AUG 1965"); s.record.declared_date_of_birth = None;
        s.reading().mrz_lines = td3(|f| f.date_of_birth = ::mrz::MrzDate::PartiallyUnknown(::mrz::RawDateField::try_from("6508<<").expect("a field")));
    }),
    ("bilingual months", passport, |s| { s.fields().date_of_birth = some("12 AUG/AOÛT 90"); s.fields().date_of_expiry = some("15 AVR/APR 31"); }),
    ("dates in figures", passport, |s| { s.fields().date_of_birth = some("12.08.1990"); s.fields().date_of_expiry = some("2031-04-15"); }),
    ("dates in the reader's order", passport, |s| s.fields().date_of_birth = some("08/12/1990")),
    ("a number with blanks", passport, |s| { s.fields().document_number = some("L 898 902 C3"); s.record.declared_document_number = "l898902c3".to_owned(); }),
    ("a number with O for 0", passport, |s| s.fields().document_number = some("L8989O2C3")),
    ("the personal number declared", passport, |s| s.record.declared_document_number = "ZE184226B".to_owned()),
    ("the state's name", passport, |s| { s.reading().issuing_state = some("Utopia"); s.fields().nationality = some("UTOPIAN / UTOPIENNE"); }),
    ("sex in two languages", passport, |s| s.fields().sex = some("K/F")),
    ("sex X and a filler", passport, |s| { s.fields().sex = some("X"); s.reading().mrz_lines = td3(|f| f.sex = ::mrz::Sex::Unspecified); }),
    ("no date of issue", passport, |s| s.fields().date_of_issue = None),
    ("fillers miscounted", passport, |s| s.reading().mrz_lines[0].push_str("<<")),
    ("zeros for letters in the zone", passport, |s| s.reading().mrz_lines[0] = s.reading().mrz_lines[0].replace("UTO", "UT0")),
    ("partial legibility with all fields", passport, |s| s.reading().readable = Readable::Partial),
    ("no back needed, but given", passport, |s| { s.back = Some(picture()); s.back_reading = Some(Transcription { fields: Fields::default(), ..reading(SeenType::Passport, Side::Unknown) }); }),
    ("the side unknown", identity_card, |s| { s.reading().side = Side::Unknown; s.other_side().side = Side::Unknown; }),
    ("another number on the back", identity_card, |s| s.other_side().fields.document_number = some("CARD 5567")),
    ("a hyphen in the barcode", licence, |s| { s.fields().given_names = some("ANNA-MARIA"); }),
    ("no middle name in the barcode", licence, |s| s.back.as_mut().expect("a back").barcodes = vec![barcode(&[("DAD", "NONE")])]),
    ("a licence of California", licence, |s| {
        s.reading().issuing_state = some("CA"); s.record.declared_country = "US".to_owned(); s.fields().date_of_birth = some("08/12/1990"); s.fields().date_of_expiry = some("04/15/2031"); s.fields().date_of_issue = some("04/16/2021");
        s.back_reading.as_mut().expect("a reading").issuing_state = None;
        s.back.as_mut().expect("a back").barcodes = vec![barcode(&[("DAJ", "CA"), ("DCG", "USA")]).replace("636999", "636014")];
    }),
    ("an unreadable nationality", passport, |s| s.fields().nationality = some("?")),
    ("declared with a middle initial", passport, |s| s.record.declared_name = "Anna M. Eriksson".to_owned()),
    ("surname first", passport, |s| s.record.declared_name = "ERIKSSON, Anna Maria".to_owned()),
];

#[test]
fn honest_people_with_hard_documents_pass() {
    for (name, make, change) in HONEST {
        let mut submission = make();
        change(&mut submission);
        assert_eq!(submission.codes(), [], "{name}: {:?}", submission.judge().reasons);
    }
}

#[test]
fn a_prepared_reason_keeps_its_side() {
    let mut submission = identity_card();
    submission.back.as_mut().expect("a back").reasons = vec![Reason::new(Code::DocumentBlurred, "edges are wide")];
    assert_eq!(submission.judge().reasons[0].detail, "back: edges are wide");
}
