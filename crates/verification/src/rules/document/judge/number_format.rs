//! Document numbers that do not have their issuer's format.

use crate::kind::DocumentType;
use crate::reason::Code;
use crate::rules::document::judge::observations::Observations;
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::numbers;
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::source::Source;

/// Formats of passport numbers in passports that are valid now: `A` a letter, `9` a digit, `*`
/// either. States that are not listed have numbers of many formats, or unknown ones.
const PASSPORTS: [(&str, &[&str]); 14] = [
    ("AUS", &["A9999999", "AA9999999"]),
    ("CAN", &["AA999999", "A999999AA"]),
    ("CHN", &["A99999999", "AA9999999"]),
    ("DEU", &["*********"]),
    ("FRA", &["99AA99999"]),
    ("GBR", &["999999999"]),
    ("IND", &["A9999999"]),
    ("ITA", &["AA9999999"]),
    ("JPN", &["AA9999999"]),
    ("KOR", &["A99999999", "A999A9999"]),
    ("POL", &["AA9999999"]),
    ("RUS", &["999999999"]),
    ("UKR", &["AA999999"]),
    ("USA", &["999999999", "A99999999"]),
];

/// Lengths of document numbers in all states.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=22;

/// Records numbers that cannot be right.
pub fn format(readings: &Readings<'_>, observations: &mut Observations) {
    let states = readings.issuing_states();
    let issuer = states.iter().find_map(|(_, state)| countries::code(state));
    let passport = readings.document.document_type == DocumentType::Passport;
    for (source, reading) in readings.numbers().into_iter().filter(|(source, _)| *source != Source::Declared) {
        let number = numbers::plain(&reading.number);
        let possible = LENGTHS.contains(&number.len()) && number.bytes().any(|byte| byte.is_ascii_digit());
        let known = PASSPORTS.iter().find(|(state, _)| passport && issuer == Some(*state));
        let fits = known.is_none_or(|(_, shapes)| shapes.iter().any(|shape| has_shape(&number, shape)));
        if !(possible && fits) {
            let basis = observations.basis(source);
            observations.record(
                Code::DocumentNumberFormatInvalid,
                basis,
                "the document number does not have its issuer's format",
            );
        }
    }
}

fn has_shape(number: &str, shape: &str) -> bool {
    number.len() == shape.len()
        && number.bytes().zip(shape.bytes()).all(|(found, wanted)| match wanted {
            b'A' => found.is_ascii_alphabetic(),
            b'9' => found.is_ascii_digit(),
            _ => found.is_ascii_alphanumeric(),
        })
}
