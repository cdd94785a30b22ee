//! Draws the sides of a specimen.

use image::RgbImage;

use super::content;
use super::definition::{Kind, Specimen};
use super::document::{self, SpecimenError};
use super::layout::Design;

/// The drawn sides of a document.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The side with the portrait.
    pub front: RgbImage,
    /// The other side, where the kind has one.
    pub back: Option<RgbImage>,
}

/// The lines of the machine-readable zone of a specimen.
pub fn zone(specimen: &Specimen) -> Vec<String> {
    content::of(specimen).mrz
}

/// Draws both sides of a specimen.
pub fn draw(specimen: &Specimen) -> Result<Drawn, SpecimenError> {
    let content = content::of(specimen);
    let (front, back) = match specimen.kind {
        Kind::Passport => (Design::Passport, None),
        Kind::IdentityCard => (Design::CardFront, Some(Design::CardBack)),
        Kind::LargeIdentityCard => (Design::LargeCard, None),
        Kind::DrivingLicence => (Design::LicenceFront, Some(Design::LicenceBack)),
    };
    let side = |design| document::draw(specimen, &content, design);
    Ok(Drawn { front: side(front)?, back: back.map(side).transpose()? })
}
