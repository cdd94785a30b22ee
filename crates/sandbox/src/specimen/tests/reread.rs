//! A drawn specimen, read again from small JPEGs of its sides.

use image::{DynamicImage, RgbImage};

use crate::specimen::content;
use crate::specimen::file::{Encoding, encode};
use crate::specimen::layout::Design;
use crate::specimen::{Kind, Specimen, draw};
use crate::vision::{Analysis, DetectedDocument, analyse};
use crate::vocabulary::{Field, SuspicionKind};

/// A specimen and the analyses of its sides.
pub struct Reread {
    pub specimen: Specimen,
    pub front: Analysis,
    pub back: Option<Analysis>,
}

impl Reread {
    /// Scaled to 1024 pixels and written at quality 80, as a client that saves bandwidth does.
    pub fn from_small_jpegs(specimen: &Specimen) -> Self {
        let drawn = draw(specimen).expect("a specimen whose texts fit");
        let back = drawn.back.map(|picture| analysis_of(picture, 1024));
        Self { specimen: specimen.clone(), front: analysis_of(drawn.front, 1024), back }
    }

    pub fn document(&self) -> &DetectedDocument {
        self.front.document.as_ref().unwrap_or_else(|| panic!("no document found with {:?}", self.specimen.flaws))
    }

    pub fn people(&self) -> Vec<&str> {
        let mut people: Vec<_> = self.front.faces.iter().map(|face| face.person.as_str()).collect();
        people.sort_unstable();
        people
    }

    pub fn field(&self, field: Field) -> Option<&str> {
        self.document().fields.get(field)
    }

    pub fn mrz(&self) -> Vec<String> {
        let sides = [Some(&self.front), self.back.as_ref()];
        sides
            .into_iter()
            .flatten()
            .flat_map(|analysis| analysis.document.iter().flat_map(|document| document.mrz_lines.clone()))
            .collect()
    }

    /// Every slot of every side was read as printed, the machine-readable zone too, and nothing is
    /// suspicious.
    pub fn assert_complete(&self) {
        let content = content::of(&self.specimen);
        for (design, analysis, printed) in [
            (Some(front_design(self.specimen.kind)), Some(&self.front), &content.front),
            (back_design(self.specimen.kind), self.back.as_ref(), &content.back),
        ] {
            let (Some(design), Some(analysis)) = (design, analysis) else { continue };
            let document = analysis.document.as_ref().expect("a document");
            assert_eq!((document.document_type, document.side), (design.document_type(), design.side()));
            assert_eq!(document.issuing_state.as_deref(), Some("UTO"));
            assert!(document.wholly_visible && document.suspicions.is_empty() && document.extra_text.is_empty());
            for slot in design.layout().slots {
                assert_eq!(
                    document.fields.get(slot.field),
                    printed.get(slot.field),
                    "{design:?} {}",
                    slot.field.name()
                );
            }
        }
        assert_eq!(self.mrz(), content.mrz);
    }

    pub fn assert_suspicion(&self, kind: SuspicionKind, place: &str) {
        let found = self.document().suspicions.iter().any(|one| one.kind == kind && one.place.contains(place));
        assert!(found, "{:?}: {:?}", kind, self.document().suspicions);
    }

    pub fn assert_no_fields(&self) {
        assert!(Field::ALL.iter().all(|field| self.field(*field).is_none()), "{:?}", self.document().fields);
        assert!(self.mrz().is_empty());
    }
}

/// The analysis of a picture, scaled to a width and written at quality 80.
pub fn analysis_of(picture: RgbImage, width: u32) -> Analysis {
    let height = picture.height() * width / picture.width();
    let picture = DynamicImage::ImageRgb8(picture);
    let smaller = if width < picture.width() { picture.thumbnail_exact(width, height) } else { picture };
    let bytes = encode(&smaller.into_rgb8(), &Encoding { quality: 80, ..Encoding::default() }).expect("a JPEG");
    analyse(&bytes).expect("a picture")
}

pub fn front_design(kind: Kind) -> Design {
    match kind {
        Kind::Passport => Design::Passport,
        Kind::IdentityCard => Design::CardFront,
        Kind::LargeIdentityCard => Design::LargeCard,
        Kind::DrivingLicence => Design::LicenceFront,
    }
}

pub fn back_design(kind: Kind) -> Option<Design> {
    match kind {
        Kind::IdentityCard => Some(Design::CardBack),
        Kind::DrivingLicence => Some(Design::LicenceBack),
        Kind::Passport | Kind::LargeIdentityCard => None,
    }
}

/// Whether every check digit is right (or there is no zone).
pub fn valid(kind: Kind, lines: &[String]) -> bool {
    match (kind, lines) {
        (Kind::Passport, [first, second]) => mrz::parse_td3(first, second).is_ok_and(|data| data.valid()),
        (Kind::LargeIdentityCard, [first, second]) => mrz::parse_td2(first, second).is_ok_and(|data| data.valid()),
        (Kind::IdentityCard, [first, second, third]) => {
            mrz::parse_td1(first, second, third).is_ok_and(|data| data.valid())
        }
        (Kind::DrivingLicence, []) => true,
        _ => false,
    }
}
