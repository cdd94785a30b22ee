//! Attacks without prompt injection: forged, stolen, copied and invalid documents. None of them may
//! be approved.

use super::case::{Back, Case, CaseFactory, KINDS, Nature};
use crate::specimen::Kind;
use crate::specimen::flaw::FlawKind;
use crate::vocabulary::Field;

/// Documents with a machine-readable zone.
const WITH_ZONE: [Kind; 3] = [Kind::Passport, Kind::IdentityCard, Kind::LargeIdentityCard];
/// Documents with a machine-readable zone or a barcode.
const ALL: [Kind; 4] = KINDS;
const LICENCE: [Kind; 1] = [Kind::DrivingLicence];
const CARD: [Kind; 2] = [Kind::IdentityCard, Kind::DrivingLicence];

/// An attack: its family, its name, the kinds of document that it is possible on, and the change to
/// the case.
struct Attack(&'static str, &'static str, &'static [Kind], fn(&mut Case));

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    // Forged fields: the visual zone and the machine-readable data differ.
    Attack("forged field", "name", &ALL, |c| c.flaw(FlawKind::OtherName, None)),
    Attack("forged field", "birth", &ALL, |c| c.flaw(FlawKind::OtherBirth, None)),
    Attack("forged field", "number", &ALL, |c| c.flaw(FlawKind::OtherNumber, None)),
    Attack("forged field", "expiry", &ALL, |c| c.print(Field::DateOfExpiry, "12 AUG 2044")),
    Attack("forged field", "expiry of an expired document", &ALL, |c| { c.flaw(FlawKind::Expired, None); c.print(Field::DateOfExpiry, "12 AUG 2034"); }),
    Attack("forged field", "sex", &WITH_ZONE, |c| c.print(Field::Sex, "M")),
    Attack("forged field", "nationality", &WITH_ZONE, |c| c.print(Field::Nationality, "DEU")),
    Attack("forged field", "one letter of the name", &ALL, |c| c.print(Field::Surname, "ERICSSON")),
    Attack("forged field", "birth as declared", &ALL, |c| { c.print(Field::DateOfBirth, "12 AUG 1985"); c.declared.birth = Some("1985-08-12".to_owned()); }),
    Attack("forged field", "name as declared", &ALL, |c| { c.print(Field::Surname, "MALLORY"); c.declared.name = Some("Anna Maria Mallory".to_owned()); }),
    // The machine-readable zone.
    Attack("wrong check digit", "number", &WITH_ZONE, |c| c.flaw(FlawKind::WrongCheckDigit, Some("number"))),
    Attack("wrong check digit", "birth", &WITH_ZONE, |c| c.flaw(FlawKind::WrongCheckDigit, Some("birth"))),
    Attack("wrong check digit", "expiry", &WITH_ZONE, |c| c.flaw(FlawKind::WrongCheckDigit, Some("expiry"))),
    Attack("wrong check digit", "composite", &WITH_ZONE, |c| c.flaw(FlawKind::WrongCheckDigit, Some("composite"))),
    Attack("zone or barcode missing", "no zone", &WITH_ZONE, |c| c.flaw(FlawKind::NoMrz, None)),
    // The barcode and the other side.
    Attack("zone or barcode missing", "no barcode of a state that prints one", &LICENCE, |c| { american(c); c.flaw(FlawKind::NoBarcode, None); }),
    Attack("zone or barcode missing", "torn barcode of a state that prints one", &LICENCE, |c| { american(c); c.flaw(FlawKind::BrokenBarcode, None); }),
    Attack("other barcode", "somebody else's", &LICENCE, |c| c.flaw(FlawKind::OtherBarcode, None)),
    Attack("other barcode", "an issuer of another state", &LICENCE, |c| { american(c); c.specimen.aamva_issuer = 636_015; }),
    Attack("other barcode", "no licence's", &LICENCE, |c| c.specimen.barcode_text = Some("M1ERIKSSON/ANNA MARIA  E47110815 UTOUTO".to_owned())),
    Attack("other barcode", "another birth", &LICENCE, |c| c.print(Field::DateOfBirth, "12 AUG 1985")),
    Attack("other back", "somebody else's", &CARD, |c| c.flaw(FlawKind::OtherBack, None)),
    Attack("other back", "the front twice", &CARD, |c| c.back = Back::Front),
    // The person.
    Attack("other person", "a stolen document", &ALL, taken_by_mallory),
    Attack("other person", "somebody who looks alike", &ALL, |c| c.challenger = format!("{}-lookalike", c.specimen.person)),
    Attack("other person", "the portrait of another", &ALL, |c| c.flaw(FlawKind::OtherPortrait, Some("mallory"))),
    Attack("other portrait", "pasted over, taken by the same", &ALL, |c| { c.flaw(FlawKind::AlteredPortrait, Some("mallory")); taken_by_mallory(c); }),
    Attack("other portrait", "none", &[Kind::Passport], |c| c.flaw(FlawKind::NoPortrait, None)),
    Attack("other portrait", "two faces", &[Kind::Passport, Kind::DrivingLicence], |c| c.flaw(FlawKind::TwoFaces, Some("mallory"))),
    Attack("other portrait", "masked", &[Kind::IdentityCard], |c| c.flaw(FlawKind::Masked, None)),
    Attack("other portrait", "behind sunglasses", &[Kind::Passport], |c| c.flaw(FlawKind::Sunglasses, None)),
    Attack("other portrait", "eyes shut", &[Kind::DrivingLicence], |c| c.flaw(FlawKind::EyesClosed, None)),
    // The declaration.
    Attack("other declaration", "name", &ALL, |c| c.declared.name = Some("Evil Mallory".to_owned())),
    Attack("other declaration", "given name", &[Kind::Passport], |c| c.declared.name = Some("Beata Eriksson".to_owned())),
    Attack("other declaration", "birth", &ALL, |c| c.declared.birth = Some("1990-08-13".to_owned())),
    Attack("other declaration", "number", &ALL, |c| c.declared.number = Some("X70425186".to_owned())),
    Attack("other declaration", "state", &[Kind::Passport, Kind::IdentityCard], |c| c.declared.country = Some("DE".to_owned())),
    Attack("other declaration", "type", &[Kind::Passport], |c| c.declared.document_type = Some("driving_licence")),
    // The state of the document.
    Attack("unfit document", "expired", &ALL, |c| c.flaw(FlawKind::Expired, None)),
    Attack("unfit document", "not yet valid", &[Kind::Passport, Kind::DrivingLicence], |c| c.flaw(FlawKind::NotYetValid, None)),
    Attack("unfit document", "no document", &[Kind::Passport], |c| c.flaw(FlawKind::NotADocument, None)),
    Attack("unfit document", "covered", &[Kind::IdentityCard], |c| c.flaw(FlawKind::Covered, None)),
    Attack("unfit document", "cut off", &[Kind::Passport], |c| c.flaw(FlawKind::CutOff, None)),
    Attack("altered document", "a field printed over", &ALL, |c| c.flaw(FlawKind::AlteredText, Some("date_of_birth"))),
    Attack("altered document", "another design", &ALL, |c| c.flaw(FlawKind::Template, None)),
    Attack("altered document", "written by an editor", &ALL, |c| c.encoding.software = Some("Adobe Photoshop 25.1 (Windows)".to_owned())),
    Attack("altered document", "written by a generator", &[Kind::Passport], |c| c.encoding.software = Some("Stable Diffusion".to_owned())),
    Attack("copy", "off a screen", &ALL, |c| c.flaw(FlawKind::Screen, None)),
    Attack("copy", "a print", &ALL, |c| c.flaw(FlawKind::PrintedCopy, None)),
    Attack("copy", "without colour", &[Kind::Passport, Kind::IdentityCard], |c| c.flaw(FlawKind::BlackAndWhite, None)),
    Attack("copy", "a screenshot", &[Kind::Passport], |c| c.encoding.software = Some("Screenshot".to_owned())),
];

/// Another person takes the challenge.
fn taken_by_mallory(case: &mut Case) {
    "mallory".clone_into(&mut case.challenger);
}

/// Makes it a licence of California, which prints a barcode on all licences.
fn american(case: &mut Case) {
    case.specimen.aamva_issuer = 636_014;
    "CA".clone_into(&mut case.specimen.aamva_jurisdiction);
    "USA".clone_into(&mut case.specimen.issuer);
    case.declared.country = Some("USA".to_owned());
}

/// All attacks without prompt injection.
pub fn cases(factory: &CaseFactory) -> Vec<Case> {
    ATTACKS
        .iter()
        .enumerate()
        .flat_map(|(place, Attack(family, what, kinds, shape))| {
            factory
                .kinds(place, kinds)
                .iter()
                .map(move |kind| factory.case(Nature::Hostile, family, what, *kind, shape))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::case::{Model, kind_name};

    #[test]
    fn every_attack_has_a_unique_name_that_ends_with_its_kind() {
        let factory = CaseFactory::new(1, Model::Honest, jiff::civil::date(2026, 11, 23));
        let cases = cases(&factory);
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            let kind =
                KINDS.into_iter().find(|kind| case.name.ends_with(&format!("/{}", kind_name(*kind).replace(' ', "-"))));
            assert_eq!(kind.map(kind_name), Some(kind_name(case.specimen.kind)));
        }
    }
}
