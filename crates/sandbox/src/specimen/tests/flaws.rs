//! Every flaw of every kind of document shows in the analyses of its sides, and nothing else
//! changes.

use clap::ValueEnum as _;

use super::TODAY;
use super::reread::{Reread, analysis_of, front_design, valid};
use crate::specimen::content;
use crate::specimen::flaw::FlawKind;
use crate::specimen::render::Drawn;
use crate::specimen::{Kind, Specimen, draw};
use crate::vocabulary::{Field, SuspicionKind};

#[test]
fn a_passport_and_its_flaws_are_read_back() {
    assert_every_flaw_of(Kind::Passport);
}

#[test]
fn an_identity_card_and_its_flaws_are_read_back() {
    assert_every_flaw_of(Kind::IdentityCard);
}

#[test]
fn a_large_identity_card_and_its_flaws_are_read_back() {
    assert_every_flaw_of(Kind::LargeIdentityCard);
}

#[test]
fn a_driving_licence_and_its_flaws_are_read_back() {
    assert_every_flaw_of(Kind::DrivingLicence);
}

fn assert_every_flaw_of(kind: Kind) {
    let flawless = Specimen::new(kind, 11, TODAY);
    let drawn = draw(&flawless).expect("a specimen whose texts fit");
    let reread = Reread::from_small_jpegs(&flawless);
    reread.assert_complete();
    assert_eq!(reread.people(), ["anna-maria-eriksson"]);
    assert!(reread.front.faces[0].sharpness > 60.0 && (30.0..80.0).contains(&reread.front.faces[0].brightness));
    for flaw in FlawKind::value_variants() {
        let specimen = flawless.clone().with(*flaw);
        let Drawn { front, back } = draw(&specimen).expect("a specimen whose texts fit");
        // A side that the flaw does not change need not be analysed again.
        let front = if front == drawn.front { reread.front.clone() } else { analysis_of(front, 1024) };
        let back =
            if back == drawn.back { reread.back.clone() } else { back.map(|picture| analysis_of(picture, 1024)) };
        assert_shows(&Reread { specimen, front, back }, *flaw);
    }
}

/// Asserts that the analyses show the flaw.
fn assert_shows(reread: &Reread, flaw: FlawKind) {
    let (kind, specimen) = (reread.specimen.kind, &reread.specimen);
    let has_mrz = kind != Kind::DrivingLicence;
    match flaw {
        FlawKind::Expired => {
            reread.assert_complete();
            assert!(reread.field(Field::DateOfExpiry) < Some("2026-11-23"));
        }
        FlawKind::NotYetValid => {
            reread.assert_complete();
            let issued = reread.field(Field::DateOfIssue);
            assert!(issued.is_none() || issued > Some("2026-11-23"));
        }
        FlawKind::WrongCheckDigit => {
            reread.assert_complete();
            assert_eq!(valid(kind, &reread.mrz()), !has_mrz);
        }
        FlawKind::OtherName => {
            assert_eq!(reread.field(Field::Surname), Some("SORENSEN"));
            assert!(reread.mrz().iter().all(|line| !line.contains("SORENSEN")));
            assert!(valid(kind, &reread.mrz()));
        }
        FlawKind::OtherBirth => {
            assert_eq!(reread.field(Field::DateOfBirth), Some("1985-02-03"));
            assert!(reread.mrz().iter().all(|line| !line.contains("850203")));
        }
        FlawKind::OtherNumber => {
            assert_eq!(reread.field(Field::DocumentNumber), Some("X70425186"));
            assert!(reread.mrz().iter().all(|line| !line.contains("X70425186")));
        }
        FlawKind::OtherBack => {
            assert_eq!(reread.field(Field::Surname), Some("ERIKSSON"));
            assert_eq!(reread.mrz().iter().any(|line| line.contains("QUIRKE")), has_mrz);
        }
        FlawKind::NoMrz => assert!(reread.mrz().is_empty()),
        FlawKind::NoBarcode | FlawKind::BrokenBarcode | FlawKind::OtherBarcode | FlawKind::BlackAndWhite => {
            reread.assert_complete();
        }
        FlawKind::NoPortrait => assert!(reread.people().is_empty()),
        FlawKind::TwoFaces => assert_eq!(reread.people(), ["anna-maria-eriksson", "bob"]),
        FlawKind::OtherPortrait => {
            reread.assert_complete();
            assert_eq!(reread.people(), ["bob"]);
        }
        FlawKind::AlteredPortrait => {
            assert_eq!(reread.people(), ["bob"]);
            reread.assert_suspicion(SuspicionKind::AlteredPortrait, "portrait");
        }
        FlawKind::Sunglasses => assert!(reread.front.faces[0].sunglasses && reread.front.faces[0].eyes_open),
        FlawKind::EyesClosed => assert!(!reread.front.faces[0].eyes_open),
        FlawKind::Masked => assert!(reread.front.faces[0].occluded),
        FlawKind::AlteredText => {
            reread.assert_suspicion(SuspicionKind::AlteredText, "date_of_expiry");
            assert_eq!(reread.field(Field::DateOfExpiry), Some(specimen.expires.to_string().as_str()));
        }
        FlawKind::Template => reread.assert_suspicion(SuspicionKind::Template, "document"),
        FlawKind::Blurred => {
            assert_eq!(reread.document().document_type, front_design(kind).document_type());
            reread.assert_no_fields();
            assert!(reread.people().is_empty());
        }
        FlawKind::Dark => {
            reread.assert_no_fields();
            assert!(reread.front.faces.iter().all(|face| face.brightness < 12.0));
        }
        FlawKind::Glare => {
            assert!(reread.field(Field::Sex) == Some("F") || reread.field(Field::Surname) == Some("ERIKSSON"));
            let slots = front_design(kind).layout().slots;
            let lost = slots.iter().filter(|slot| reread.field(slot.field).is_none()).count();
            assert!((1..slots.len()).contains(&lost), "{lost}");
        }
        FlawKind::CutOff => {
            assert!(!reread.document().wholly_visible && reread.mrz().is_empty());
            assert_eq!(reread.field(Field::Surname), Some("ERIKSSON"));
        }
        FlawKind::Covered => {
            assert!(reread.mrz().is_empty());
            assert_eq!(reread.field(Field::Surname), Some("ERIKSSON"));
            assert!(front_design(kind).layout().slots.iter().any(|slot| reread.field(slot.field).is_none()));
        }
        FlawKind::Small => reread.assert_no_fields(),
        FlawKind::Screen => {
            reread.assert_suspicion(SuspicionKind::Screen, "picture");
            assert_eq!(reread.mrz(), content::of(specimen).mrz);
            assert_eq!(reread.people(), ["anna-maria-eriksson"]);
        }
        FlawKind::PrintedCopy => {
            reread.assert_suspicion(SuspicionKind::PrintedCopy, "picture");
            assert_eq!(reread.mrz(), content::of(specimen).mrz);
            assert_eq!(reread.people(), ["anna-maria-eriksson"]);
        }
        FlawKind::NotADocument => assert!(reread.front.document.is_none() && reread.people().is_empty()),
    }
}
