//! Honest people whose documents are difficult; none of them may be declined.
//!
//! Every document is drawn, so each difficulty has one representative here. Hundreds of spellings
//! and dates are in the unit tests of `verification::rules::document`.

use jiff::civil::Date;

use super::case::{Case, CaseFactory, KINDS, Nature};
use crate::specimen::file::Format;
use crate::specimen::{Kind, Sex};
use crate::vocabulary::Field;

/// All honest cases.
pub fn cases(factory: &CaseFactory) -> Vec<Case> {
    [plain(factory), names(factory), dates(factory), numbers(factory), licences(factory), pictures(factory)].concat()
}

fn honest(factory: &CaseFactory, family: &'static str, what: &str, kind: Kind, shape: impl FnOnce(&mut Case)) -> Case {
    factory.case(Nature::Honest, family, what, kind, shape)
}

/// Documents without any difficulty.
fn plain(factory: &CaseFactory) -> Vec<Case> {
    let fully = KINDS.map(|kind| honest(factory, "plain", "all declared", kind, |_| {}));
    let undeclared = KINDS.map(|kind| {
        honest(factory, "plain", "nothing declared", kind, |case| {
            case.declared.name = None;
            case.declared.birth = None;
            case.declared.number = None;
            case.declared.document_type = None;
            case.declared.country = None;
        })
    });
    let unspecified =
        honest(factory, "plain", "no sex stated", Kind::Passport, |case| case.specimen.sex = Sex::Unspecified);
    [fully.to_vec(), undeclared.to_vec(), vec![unspecified]].concat()
}

/// A name: the case's name, the kind of document, the name in the machine-readable data, its
/// printed spelling if that differs, and the name as the person types it.
struct Named(&'static str, Kind, [&'static str; 2], Option<[&'static str; 2]>, &'static str);

#[rustfmt::skip]
const NAMES: &[Named] = &[
    Named("umlauts", Kind::Passport, ["MÜLLER", "JÜRGEN"], None, "Jürgen Müller"),
    Named("umlauts typed without", Kind::DrivingLicence, ["MÜLLER", "JÜRGEN"], None, "Jurgen Mueller"),
    Named("sharp s", Kind::IdentityCard, ["WEISS", "BJOERN"], Some(["Weiß", "Björn"]), "Björn Weiß"),
    Named("ring and slash", Kind::Passport, ["ØSTERGÅRD", "SØREN"], None, "Soren Ostergard"),
    Named("tilde", Kind::DrivingLicence, ["NÚÑEZ PEÑA", "MARÍA JOSÉ"], None, "Maria Jose Nunez Peña"),
    Named("polish", Kind::IdentityCard, ["ŁUKASIEWICZ", "ŻANETA"], None, "Zaneta Lukasiewicz"),
    Named("turkish", Kind::LargeIdentityCard, ["ŞAHINOĞLU", "ISMAIL ISIK"], Some(["Şahinoğlu", "İsmail Işık"]), "Ismail Işık Şahinoğlu"),
    Named("vietnamese", Kind::Passport, ["NGUYEN", "THI HONG ANH"], Some(["NGUYỄN", "THỊ HỒNG ÁNH"]), "Nguyen Thi Hong Anh"),
    Named("icelandic", Kind::Passport, ["THORSDOTTIR", "GUDRUN"], Some(["Þórsdóttir", "Guðrún"]), "Guðrún Þórsdóttir"),
    Named("romanian", Kind::IdentityCard, ["STEFANESCU", "IONITA"], Some(["ȘTEFĂNESCU", "IONIȚĂ"]), "Ionita Stefanescu"),
    Named("apostrophe", Kind::DrivingLicence, ["O'CONNOR", "SEÁN"], None, "Sean O’Connor"),
    Named("hyphens", Kind::IdentityCard, ["SMITH-JONES", "MARY-ANN"], None, "Mary Ann Smith Jones"),
    Named("two surnames, one typed", Kind::Passport, ["GARCÍA LÓPEZ", "ANA MARÍA"], None, "Ana García"),
    Named("particles", Kind::LargeIdentityCard, ["VAN DER BERG", "JAN"], Some(["van der Berg", "Jan"]), "Jan Vanderberg"),
    Named("married, french", Kind::IdentityCard, ["DUPONT", "CLAIRE"], Some(["DUPONT née MARTIN", "Claire"]), "Claire Dupont"),
    Named("married, dutch", Kind::Passport, ["DE VRIES", "ANNA"], Some(["De Vries e/v Jansen", "Anna"]), "Anna de Vries"),
    Named("married, german", Kind::IdentityCard, ["MEIER", "EVA"], Some(["MEIER geb. SCHULZ", "EVA"]), "Eva Meier"),
    Named("two scripts", Kind::Passport, ["IVANOVA", "IULIIA"], Some(["ИВАНОВА / IVANOVA", "ЮЛИЯ / IULIIA"]), "Юлия Иванова"),
    Named("ukrainian", Kind::IdentityCard, ["SHEVCHENKO", "YEVHEN"], Some(["ШЕВЧЕНКО", "ЄВГЕН"]), "Yevhen Shevchenko"),
    Named("bulgarian", Kind::LargeIdentityCard, ["GEORGIEV", "KRASTYO"], Some(["ГЕОРГИЕВ", "КРЪСТЬО"]), "Krastyo Georgiev"),
    Named("serbian", Kind::IdentityCard, ["ZIVKOVIC", "DORDE"], Some(["ЖИВКОВИЋ", "ЂОРЂЕ"]), "Đorđe Živković"),
    Named("greek", Kind::Passport, ["PAPADOPOULOS", "GEORGIOS"], Some(["ΠΑΠΑΔΟΠΟΥΛΟΣ", "ΓΕΩΡΓΙΟΣ"]), "Georgios Papadopoulos"),
    Named("chinese and latin", Kind::Passport, ["WANG", "XIAOMING"], Some(["王 WANG", "小明 XIAOMING"]), "Wang Xiao Ming"),
    Named("chinese only", Kind::IdentityCard, ["WANG", "XIAOMING"], Some(["王", "小明"]), "Wang Xiaoming"),
    Named("arabic and latin", Kind::Passport, ["AL RASHID", "ABD ALRAHMAN"], Some(["الرشيد AL-RASHID", "عبد الرحمن ABD AL-RAHMAN"]), "Abdalrahman Alrashid"),
    Named("one name", Kind::Passport, ["SUKARNO", ""], None, "Sukarno"),
    Named("one name on a licence", Kind::DrivingLicence, ["SUKARNO", ""], None, "Sukarno"),
    Named("one letter", Kind::Passport, ["O", "SUNG HEE"], None, "Sung Hee O"),
    Named("cut off by the zone of a card", Kind::IdentityCard, ["NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG"], None, "Chayapa Dejthamrong Krasuang Nilavadhanananda"),
    Named("cut off by the zone of a passport", Kind::Passport, ["VANDERWESTHUIZEN-MONTGOMERY", "CHRISTOPHER ALEXANDER MAXIMILIAN"], None, "Christopher Alexander Maximilian van der Westhuizen-Montgomery"),
    Named("many given names", Kind::LargeIdentityCard, ["BRAGANÇA", "PEDRO AFONSO JOÃO CARLOS MIGUEL"], None, "Pedro Bragança"),
    Named("an initial typed", Kind::Passport, ["ERIKSSON", "ANNA MARIA"], None, "Anna M. Eriksson"),
    Named("surname typed first", Kind::IdentityCard, ["ERIKSSON", "ANNA MARIA"], None, "ERIKSSON, Anna Maria"),
    Named("a title", Kind::IdentityCard, ["MEIER", "EVA"], Some(["Dr. MEIER", "EVA"]), "Dr. Eva Meier"),
    Named("a suffix", Kind::DrivingLicence, ["KING", "MARTIN LUTHER"], Some(["KING JR.", "MARTIN LUTHER"]), "Martin Luther King Jr."),
];

fn names(factory: &CaseFactory) -> Vec<Case> {
    NAMES
        .iter()
        .enumerate()
        .filter(|(place, _)| factory.takes(*place))
        .map(|(_, Named(what, kind, [surname, given_names], printed, typed))| {
            honest(factory, "names", what, *kind, |case| {
                (*surname).clone_into(&mut case.specimen.surname);
                (*given_names).clone_into(&mut case.specimen.given_names);
                if let Some([surname, given_names]) = printed {
                    case.print(Field::Surname, surname);
                    case.print(Field::GivenNames, given_names);
                }
                case.declared.name = Some((*typed).to_owned());
            })
        })
        .collect()
}

/// Date formats of documents: the case's name, the kind of document, the `strftime` format.
#[rustfmt::skip]
const WRITTEN: &[(&str, Kind, &str)] = &[
    ("day first, dots", Kind::IdentityCard, "%d.%m.%Y"),
    ("day first, slashes", Kind::Passport, "%d/%m/%Y"),
    ("day first, blanks", Kind::LargeIdentityCard, "%d %m %Y"),
    ("day first, two digits of the year", Kind::DrivingLicence, "%d.%m.%y"),
    ("year first", Kind::Passport, "%Y.%m.%d."),
    ("as ISO writes it", Kind::IdentityCard, "%Y-%m-%d"),
    ("digits only", Kind::LargeIdentityCard, "%d%m%Y"),
    ("two languages", Kind::Passport, "%d %b/%b %Y"),
    ("japanese", Kind::DrivingLicence, "%Y年%m月%d日"),
];

fn dates(factory: &CaseFactory) -> Vec<Case> {
    let mut cases: Vec<Case> = WRITTEN
        .iter()
        .map(|(what, kind, format)| honest(factory, "dates", what, *kind, |case| print_dates(case, format)))
        .collect();
    let born = |what: &str, kind, birth: &str, typed: Option<&str>| {
        honest(factory, "dates", what, kind, |case| {
            case.specimen.birth = birth.parse().unwrap_or(case.specimen.birth);
            case.declared.birth = typed.map(str::to_owned);
        })
    };
    for kind in [Kind::Passport, Kind::IdentityCard] {
        cases.push(born("no day of birth", kind, "1990-08", Some("1990-08-12")));
        cases.push(born("no month of birth", kind, "1990", Some("1990-01-01")));
        cases.push(born("over a hundred", kind, "1921-05-03", Some("1921-05-03")));
    }
    cases.push(born("over a hundred", Kind::DrivingLicence, "1924-02-29", Some("1924-02-29")));
    cases.push(born("born on a leap day", Kind::LargeIdentityCard, "1996-02-29", Some("1996-02-29")));
    cases.push(honest(factory, "dates", "expires next week", Kind::Passport, |case| {
        case.specimen.expires = case.specimen.today.saturating_add(jiff::ToSpan::days(7));
    }));
    for (kind, word) in [(Kind::IdentityCard, "UNLIMITED"), (Kind::LargeIdentityCard, "PERMANENTE")] {
        cases.push(honest(factory, "dates", "never expires", kind, |case| {
            case.specimen.unlimited = true;
            case.print(Field::DateOfExpiry, word);
        }));
    }
    cases
}

fn print_dates(case: &mut Case, format: &str) {
    let write = |date: Date| date.strftime(format).to_string().to_uppercase();
    let (issued, expires) = (case.specimen.issued, case.specimen.expires);
    case.print(Field::DateOfBirth, &write(jiff::civil::date(1990, 8, 12)));
    case.print(Field::DateOfIssue, &write(issued));
    case.print(Field::DateOfExpiry, &write(expires));
}

fn numbers(factory: &CaseFactory) -> Vec<Case> {
    let typed = |what: &str, kind, retype: fn(&str) -> String| {
        honest(factory, "numbers", what, kind, |case| {
            case.declared.number = Some(retype(&case.specimen.number));
        })
    };
    vec![
        typed("typed in small letters with blanks", Kind::Passport, |number| {
            format!("{} {}", &number[..3], &number[3..]).to_lowercase()
        }),
        typed("typed with a label", Kind::IdentityCard, |number| format!("No. {number}")),
        typed("typed with hyphens", Kind::DrivingLicence, |number| format!("{}-{}", &number[..4], &number[4..])),
        honest(factory, "numbers", "longer than the zone's field", Kind::IdentityCard, |case| {
            case.specimen.number.push_str("4711");
            case.specimen.personal_number = None;
            case.declared.number = Some(case.specimen.number.clone());
        }),
        honest(factory, "numbers", "no number of the person", Kind::Passport, |case| {
            case.specimen.personal_number = None;
        }),
        honest(factory, "numbers", "printed with blanks", Kind::LargeIdentityCard, |case| {
            let number = case.specimen.number.clone();
            case.print(Field::DocumentNumber, &format!("{} {}", &number[..2], &number[2..]));
        }),
    ]
}

/// Licences: issuer number, state in the address, country, version of the AAMVA standard.
#[rustfmt::skip]
const LICENCES: &[(u32, &str, &str, u8)] = &[
    (636_000, "VA", "USA", 1), (636_039, "NH", "USA", 2), (636_046, "KY", "USA", 3), (636_014, "CA", "USA", 4), (636_001, "NY", "USA", 5),
    (636_015, "TX", "USA", 6), (636_010, "FL", "USA", 7), (636_035, "IL", "USA", 8), (636_045, "WA", "USA", 9), (636_055, "GA", "USA", 10),
    (636_012, "ON", "CAN", 3), (604_428, "QC", "CAN", 8), (636_028, "BC", "CAN", 10),
];

fn licences(factory: &CaseFactory) -> Vec<Case> {
    let one = |&(issuer, state, country, version): &(u32, &str, &str, u8)| {
        honest(factory, "licences", &format!("{state} version {version}"), Kind::DrivingLicence, |case| {
            case.specimen.aamva_issuer = issuer;
            case.specimen.aamva_version = version;
            state.clone_into(&mut case.specimen.aamva_jurisdiction);
            country.clone_into(&mut case.specimen.issuer);
            case.declared.country = Some(country.to_owned());
            print_dates(case, if country == "USA" { "%m/%d/%Y" } else { "%Y/%m/%d" });
        })
    };
    LICENCES.iter().map(one).collect()
}

fn pictures(factory: &CaseFactory) -> Vec<Case> {
    let mut cases: Vec<Case> = [(3, Kind::Passport), (6, Kind::IdentityCard), (8, Kind::DrivingLicence)]
        .into_iter()
        .map(|(orientation, kind)| {
            honest(factory, "pictures", &format!("turned, orientation {orientation}"), kind, |case| {
                case.encoding.orientation = orientation;
            })
        })
        .collect();
    cases
        .push(honest(factory, "pictures", "a png", Kind::LargeIdentityCard, |case| case.encoding.format = Format::Png));
    cases.push(honest(factory, "pictures", "much compressed", Kind::Passport, |case| case.encoding.quality = 70));
    cases.push(honest(factory, "pictures", "developed by a phone", Kind::IdentityCard, |case| {
        case.encoding.software = Some("Adobe Photoshop Lightroom 9.2 (Android)".to_owned());
    }));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::{Model, kind_name};

    #[test]
    fn every_honest_case_has_a_unique_name_and_is_honest() {
        let cases = cases(&CaseFactory::new(1, Model::Honest, jiff::civil::date(2026, 11, 23)));
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len());
        assert!(cases.iter().all(|case| case.nature == Nature::Honest && case.challenger == case.specimen.person));
        assert!(KINDS.iter().all(|kind| {
            cases.iter().any(|case| case.name.ends_with(&format!("/{}", kind_name(*kind).replace(' ', "-"))))
        }));
    }
}
