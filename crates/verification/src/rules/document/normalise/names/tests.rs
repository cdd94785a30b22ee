//! Honest spellings of one name, and other people's names.

use proptest::prelude::*;

use super::*;

/// A machine-readable name, `SURNAME<<GIVEN NAMES`.
fn zone(text: &str) -> Name<'_> {
    let (surname, given) = text.split_once("<<").unwrap_or((text, ""));
    Name::divided(Some(surname), Some(given))
}

#[rustfmt::skip]
const VISUAL_AND_ZONE: &[(&str, &str, &str)] = &[
    // surname and given names as printed, the zone
    ("ERIKSSON", "ANNA MARIA", "ERIKSSON<<ANNA MARIA"),
    ("Müller", "Jürgen", "MUELLER<<JUERGEN"),
    ("Müller", "Jürgen", "MULLER<<JURGEN"),
    ("Müller", "Jürgen", "MUXXLLER<<JUXXRGEN"),
    ("Weiß", "Björn", "WEISS<<BJOERN"),
    ("Åkesson", "Åsa", "AAKESSON<<AASA"),
    ("Østergård", "Søren", "OESTERGAARD<<SOEREN"),
    ("Þórsdóttir", "Guðrún", "THORSDOTTIR<<GUDRUN"),
    ("Núñez Peña", "María José", "NUNEZ PENA<<MARIA JOSE"),
    ("Núñez", "Begoña", "NUNXXEZ<<BEGONXXA"),
    ("Łukasiewicz", "Żaneta", "LUKASIEWICZ<<ZANETA"),
    ("Dvořáková", "Jiřina", "DVORAKOVA<<JIRINA"),
    ("Şahinoğlu", "İsmail Işık", "SAHINOGLU<<ISMAIL ISIK"),
    ("Nguyễn", "Thị Hồng Ánh", "NGUYEN<<THI HONG ANH"),
    ("Đoković", "Đurđa", "DOKOVIC<<DURDA"),
    ("Ștefănescu", "Ioniță", "STEFANESCU<<IONITA"),
    ("Đặng", "Văn Đức", "DANG<<VAN DUC"),
    ("O'Brien", "Siobhán", "OBRIEN<<SIOBHAN"),
    ("O’Connor", "Seán", "O CONNOR<<SEAN"),
    ("D'Artagnan", "Charles", "DARTAGNAN<<CHARLES"),
    ("Smith-Jones", "Mary-Ann", "SMITH JONES<<MARY ANN"),
    ("Smith-Jones", "Mary-Ann", "SMITHJONES<<MARYANN"),
    ("van der Berg", "Jan", "VANDERBERG<<JAN"),
    ("De Vries e/v Jansen", "Anna", "DE VRIES<<ANNA"),
    ("Dupont ép. Martin", "Claire", "DUPONT<<CLAIRE"),
    ("Dupont née Martin", "Claire", "DUPONT<<CLAIRE"),
    ("Meier geb. Schulz", "Eva", "MEIER<<EVA"),
    ("Dr. Meier", "Eva", "MEIER<<EVA"),
    ("KING JR.", "MARTIN LUTHER", "KING<<MARTIN LUTHER"),
    ("Иванов", "Иван Иванович", "IVANOV<<IVAN"),
    ("ИВАНОВА / IVANOVA", "ЮЛИЯ / IULIIA", "IVANOVA<<IULIIA"),
    ("Щербаков", "Юрий", "SHCHERBAKOV<<IURII"),
    ("Шевченко", "Євген", "SHEVCHENKO<<YEVHEN"),
    ("Георгиев", "Кръстьо", "GEORGIEV<<KRASTYO"),
    ("Живковић", "Ђорђе", "ZIVKOVIC<<DORDE"),
    ("Παπαδόπουλος", "Γεώργιος", "PAPADOPOULOS<<GEORGIOS"),
    ("Ευαγγέλου", "Αύγουστος", "EVANGELOU<<AVGOUSTOS"),
    ("王", "小明", "WANG<<XIAOMING"),
    ("欧阳", "伟", "OUYANG<<WEI"),
    ("田中 TANAKA", "花子 HANAKO", "TANAKA<<HANAKO"),
    ("SUKARNO", "", "SUKARNO<<"),
    ("", "SUKARNO", "SUKARNO<<"),
    ("FNU", "SANGEETA", "SANGEETA<<"),
    ("MADRAZO CARDENAS", "BONIFACIO DE LA TRINIDAD", "MADRAZO CARDENAS<<BONIFACIO"),
    ("ERIKSS0N", "ANNA", "ERIKSSON<<ANNA"),
    ("MÜLLER", "JÜRGEN", "MÜLLER<<JÜRGEN"),
    ("MU\u{308}LLER", "JU\u{308}RGEN", "MUELLER<<JUERGEN"),
    ("Al-Rashid", "Abd al-Rahman", "AL RASHID<<ABD ALRAHMAN"),
];

#[test]
fn honest_visual_zones_agree_with_their_machine_readable_zone() {
    for (surname, given, printed) in VISUAL_AND_ZONE {
        let visual = Name::divided(Some(surname), Some(given));
        let agreement = compare(visual, zone(printed), Strictness::Document);
        assert!(agreement.is_some_and(Agreement::agrees), "{surname}, {given} | {printed}: {agreement:?}");
    }
}

#[rustfmt::skip]
const STATED: &[(&str, &str)] = &[
    // what the person typed, the document
    ("Anna Maria Eriksson", "ERIKSSON<<ANNA MARIA"),
    ("Anna Eriksson", "ERIKSSON<<ANNA MARIA"),
    ("Maria Eriksson", "ERIKSSON<<ANNA MARIA"),
    ("Anna M. Eriksson", "ERIKSSON<<ANNA MARIA"),
    ("eriksson, anna maria", "ERIKSSON<<ANNA MARIA"),
    ("ERIKSSON Anna", "ERIKSSON<<ANNA MARIA"),
    ("Anna Maria Linnea Eriksson", "ERIKSSON<<ANNA MARIA"),
    ("Jürgen Müller", "MUELLER<<JUERGEN"),
    ("Jurgen Muller", "MUELLER<<JUERGEN"),
    ("Ana García", "GARCIA LOPEZ<<ANA MARIA"),
    ("Ana María García López", "GARCIA LOPEZ<<ANA MARIA"),
    ("María del Carmen Ruiz", "RUIZ ZAFON<<MARIA DEL CARMEN"),
    ("Mary Ann Smith Jones", "SMITH-JONES<<MARY-ANN"),
    ("Maryann Smithjones", "SMITH-JONES<<MARY-ANN"),
    ("Sean O'Connor", "OCONNOR<<SEAN"),
    ("Jan van den Berg", "VANDENBERG<<JAN"),
    ("Dr. Eva Meier", "MEIER<<EVA"),
    ("Martin Luther King Jr.", "KING<<MARTIN LUTHER"),
    ("Sukarno", "SUKARNO<<"),
    ("Novak Djokovic", "ĐOKOVIĆ<<NOVAK"),
    ("Wang Xiaoming", "WANG<<XIAO MING"),
    ("Иван Иванов", "IVANOV<<IVAN"),
    ("Nguyen Thi Hong Anh", "NGUYỄN<<THỊ HỒNG ÁNH"),
];

#[test]
fn people_may_write_their_name_as_they_are_used_to() {
    for (stated, document) in STATED {
        let agreement = compare(Name::whole(stated), zone(document), Strictness::Statement);
        assert!(agreement.is_some_and(Agreement::agrees), "{stated} | {document}: {agreement:?}");
    }
}

#[test]
fn a_name_that_ran_out_of_room_agrees_with_the_whole_one() {
    let cut = Name { truncated: true, ..zone("NILAVADHANANANDA<<CHAYAPA DEJTHAMRONG K") };
    let whole = Name::divided(Some("Nilavadhanananda"), Some("Chayapa Dejthamrong Krasuang"));
    assert!(compare(cut, whole, Strictness::Document).is_some_and(Agreement::agrees));
    let cut_in_a_word = Name { truncated: true, ..zone("NILAVADHANANANDA<<CHAYAPA DEJTHAM") };
    assert_eq!(compare(cut_in_a_word, whole, Strictness::Document), Some(Agreement::Agrees(Normalisation::Truncated)));
    let other = Name::divided(Some("Nilavadhanananda"), Some("Somchai Krasuang"));
    assert_eq!(compare(cut, other, Strictness::Document), Some(Agreement::Differs));
}

#[test]
fn another_persons_name_never_agrees() {
    for (a, b) in [
        ("ERIKSSON<<ANNA", "MALLORY<<EVIL"),
        ("ERIKSSON<<ANNA", "ERIKSSON<<BEATA"),
        ("ERIKSSON<<ANNA", "ERICSON<<ANNA"),
        ("HANSSON<<ANNA", "HANSON<<ANNA"),
        ("SMITH<<JOHN", "SMITH<<JOHNNY"),
        ("SMITH<<JOHN", "SMYTHE<<JOHN"),
        ("ERIKSSON<<ANNA MARIA", "MARIA<<ANNA"),
        ("GARCIA LOPEZ<<ANA", "LOPEZ<<MARIA"),
        ("ИВАНОВ<<ИВАН", "PETROV<<IVAN"),
        ("KIM<<MIN", "KIM<<JI"),
    ] {
        for strictness in [Strictness::Document, Strictness::Statement] {
            assert_eq!(compare(zone(a), zone(b), strictness), Some(Agreement::Differs), "{a} | {b}");
        }
    }
    for (stated, document) in [
        ("Anna", "ERIKSSON<<ANNA MARIA"),
        ("Anna Maria", "ERIKSSON<<ANNA MARIA"),
        ("Eriksson", "ERIKSSON<<ANNA MARIA"),
        ("A. Eriksson", "ERIKSSON<<ANNA MARIA"),
        ("Garcia Lopez", "GARCIA LOPEZ<<ANA MARIA"),
        ("Bill Smith", "SMITH<<WILLIAM"),
        ("Anna Maria Mallory", "ERIKSSON<<ANNA MARIA"),
    ] {
        let agreement = compare(Name::whole(stated), zone(document), Strictness::Statement);
        assert_eq!(agreement, Some(Agreement::Differs), "{stated} | {document}");
    }
}

#[test]
fn scripts_without_a_rule_between_them_are_not_compared() {
    let arabic = Name::divided(Some("الرشيد"), Some("عبد الرحمن"));
    assert_eq!(compare(arabic, zone("ALRASHID<<ABDULRAHMAN"), Strictness::Document), Some(Agreement::NotComparable));
    assert_eq!(compare(arabic, arabic, Strictness::Document), Some(Agreement::Agrees(Normalisation::Exact)));
    assert_eq!(compare(Name::divided(None, None), zone("A<<B"), Strictness::Document), None);
    assert_eq!(compare(Name::whole("12345 -"), zone("A<<B"), Strictness::Document), None);
}

proptest! {
    #[test]
    fn comparison_is_symmetric(a in "[A-ZÄÖÜéñА-Я' -]{0,16}", b in "[A-ZÄÖÜéñА-Я' -]{0,16}", c in "[A-ZÄÖÜéñ' -]{0,16}", d in "[A-ZÄÖÜéñ' -]{0,16}", cut: bool) {
        let x = Name { truncated: cut, ..Name::divided(Some(&a), Some(&b)) };
        let y = Name::divided(Some(&c), Some(&d));
        for strictness in [Strictness::Document, Strictness::Statement] {
            prop_assert_eq!(compare(x, y, strictness), compare(y, x, strictness));
            prop_assert_eq!(compare(Name::whole(&a), y, strictness), compare(y, Name::whole(&a), strictness));
        }
    }

    #[test]
    fn every_name_agrees_with_itself(a in "\\PC{0,24}", b in "\\PC{0,24}") {
        let name = Name::divided(Some(&a), Some(&b));
        if let Some(agreement) = compare(name, name, Strictness::Document) {
            prop_assert!(agreement.agrees(), "{:?}", agreement);
        }
    }
}
