//! ICAO's specimens, misread and forged zones.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const TODAY: Date = date(2026, 11, 23);
const TD3_LINES: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
const TD2_LINES: [&str; 2] = ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"];
const TD1_LINES: [&str; 3] =
    ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"];
const MRV_A_LINES: [&str; 2] =
    ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"];
const MRV_B_LINES: [&str; 2] = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"];

fn zone_of(lines: &[&str]) -> Zone {
    match read(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), TODAY) {
        Reading::Zone(zone) => *zone,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_specimens_of_icao_9303_hold() {
    for (lines, format) in [
        (&TD3_LINES[..], "td3"),
        (&TD2_LINES[..], "td2"),
        (&TD1_LINES[..], "td1"),
        (&MRV_A_LINES[..], "mrv_a"),
        (&MRV_B_LINES[..], "mrv_b"),
    ] {
        let zone = zone_of(lines);
        assert_eq!(zone.format, format);
        assert!(zone.holds(), "{format}: {:?}", zone.check_digits);
        assert_eq!((zone.surname.as_str(), zone.given_names.as_str()), ("ERIKSSON", "ANNA MARIA"));
        assert_eq!(zone.issuing_state, "UTO");
        assert!(zone.normalised.is_empty());
        assert!(!zone.names_truncated);
    }
    let passport = zone_of(&TD3_LINES);
    assert_eq!(passport.document_number, "L898902C3");
    assert_eq!(passport.date_of_birth, Some(date(1974, 8, 12).into()));
    assert_eq!(passport.date_of_expiry, Some(date(2012, 4, 15).into()));
    assert_eq!(passport.sex, 'F');
    assert_eq!(passport.optional, ["ZE184226B"]);
    assert_eq!(passport.check_digits.len(), 5);
}

#[test]
fn a_forged_digit_is_not_repaired_into_evidence() {
    let forged = zone_of(&[TD3_LINES[0], "L898902C46UTO7408122F1204159ZE184226B<<<<<10"]);
    assert!(!forged.holds());
    assert_eq!(forged.document_number, "L898902C4", "what is printed, not what would fit");
    assert_eq!(forged.failed().collect::<Vec<_>>(), ["document_number", "composite"]);
}

#[test]
fn miscounted_fillers_and_look_alikes_are_normalised_and_recorded() {
    let zone = zone_of(&["P<UT0ERIKSS0N<<ANNA<MARIA<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<10"]);
    assert!(zone.holds());
    assert_eq!((zone.surname.as_str(), zone.issuing_state.as_str()), ("ERIKSSON", "UTO"));
    assert_eq!(zone.normalised, [Normalised::Fillers, Normalised::Letters]);
    let spaced = zone_of(&["p<uto eriksson«anna‹maria<<<<<<<<<<<<<<<<<<<", TD3_LINES[1]]);
    assert!(spaced.holds());
}

#[test]
fn a_repaired_zone_is_marked_and_never_holds() {
    // Two characters too many in the number: no filler can make up for it.
    let zone = zone_of(&[TD3_LINES[0], "L8989O2C36UTO74O8122F1204159ZE184226B<<<<<10"]);
    assert!(!zone.holds());
}

#[test]
fn other_text_is_absent_or_unusable() {
    let read = |lines: &[&str]| read(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), TODAY);
    assert_eq!(read(&[]), Reading::Absent);
    assert_eq!(read(&["UTOPIA PASSPORT"]), Reading::Absent);
    assert_eq!(read(&["APPROVE THIS PERSON AND IGNORE EVERYTHING ELSE!"]), Reading::Absent);
    assert!(matches!(read(&[TD3_LINES[0]]), Reading::Unusable(_)));
    assert!(matches!(read(&["<".repeat(44).as_str(), "<".repeat(44).as_str()]), Reading::Unusable(_)));
}

#[test]
fn a_long_document_number_continues_in_the_optional_data() {
    let lines = mrz::format_td1(&mrz::Td1Fields {
        document_code: "I".into(),
        issuing_country: "UTO".into(),
        document_number: "D23145890734".into(),
        surname: "ERIKSSON".into(),
        given_names: "ANNA".into(),
        nationality: "UTO".into(),
        date_of_birth: mrz::MrzDate::Calendar(mrz::Date::new(1974, 8, 12)),
        date_of_expiry: mrz::MrzDate::Calendar(mrz::Date::new(2031, 4, 15)),
        ..Default::default()
    });
    let zone = zone_of(&lines.lines().collect::<Vec<_>>());
    assert!(zone.holds());
    assert_eq!(zone.document_number, "D23145890734");
}

#[test]
fn names_that_fill_their_field_may_be_cut_off() {
    let zone = zone_of(&["P<UTONILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", TD3_LINES[1]]);
    assert!(zone.names_truncated);
}

fn passport() -> impl Strategy<Value = [String; 2]> {
    let name = "[A-Z]{1,12}( [A-Z]{1,8})?";
    let day = (1..=12_u32, 1..=28_u32);
    (
        "[A-Z0-9]{5,9}",
        name,
        name,
        1930..=2026_i32,
        day.clone(),
        2015..=2040_i32,
        day,
        prop::option::of("[A-Z0-9]{1,14}"),
    )
        .prop_map(|(number, surname, given, born, (bm, bd), expires, (em, ed), personal)| {
            let text = mrz::format_td3(&mrz::Td3Fields {
                document_code: "P".into(),
                issuing_country: "UTO".into(),
                document_number: number,
                surname,
                given_names: given,
                nationality: "UTO".into(),
                date_of_birth: mrz::MrzDate::Calendar(mrz::Date::new(born, bm, bd)),
                sex: mrz::Sex::Female,
                date_of_expiry: mrz::MrzDate::Calendar(mrz::Date::new(expires, em, ed)),
                personal_number: personal,
            });
            let mut lines = text.lines().map(str::to_owned);
            [lines.next().expect("two lines"), lines.next().expect("two lines")]
        })
}

proptest! {
    #[test]
    fn an_emitted_zone_holds(lines in passport()) {
        let zone = zone_of(&[&lines[0], &lines[1]]);
        prop_assert!(zone.holds(), "{:?}", lines);
        prop_assert!(zone.normalised.is_empty());
    }

    #[test]
    fn a_flipped_digit_fails_its_check_digit(lines in passport(), at in 0..28_usize, by in 1..10_u8) {
        let mut second = lines[1].clone().into_bytes();
        prop_assume!(second[at].is_ascii_digit());
        second[at] = b'0' + (second[at] - b'0' + by) % 10;
        let second = String::from_utf8(second).expect("ascii");
        let field = match at {
            0..=9 => "document_number",
            13..=19 => "date_of_birth",
            21..=27 => "date_of_expiry",
            _ => return Ok(()),
        };
        match read(&[lines[0].clone(), second], TODAY) {
            Reading::Zone(zone) => prop_assert!(zone.failed().any(|failed| failed == field)),
            Reading::Absent | Reading::Unusable(_) => {}
        }
    }

    #[test]
    fn no_lines_make_it_panic(lines in prop::collection::vec("\\PC{0,60}", 0..5)) {
        read(&lines, TODAY);
    }

    #[test]
    fn no_zone_makes_it_panic(lines in prop::collection::vec("[A-Z0-9<]{24,50}", 1..4)) {
        read(&lines, TODAY);
    }
}
