//! A picture of a document before a provider is paid for it: opened under limits, turned upright,
//! measured, re-encoded.
//!
//! The bytes are untrusted. Their type is recognised by content; size and frames are read from the
//! header before a pixel is decoded. A fresh JPEG of the visible pixels is sent to providers: no
//! metadata, no colour profile and no hidden layer goes with it. What the metadata says is kept as
//! evidence; what is wrong with the pixels becomes a reason that the person can act on.

pub mod faces;
pub mod format;
pub mod limits;
pub mod metadata;
pub mod open;
pub mod quality;
#[cfg(test)]
pub(super) mod tests;

use std::fmt;

use ::image::{GrayImage, RgbImage};
use serde::Serialize;

pub use faces::LocalFace;
pub use format::Format;
pub use identivia_pixels::extent::Edge;
pub use identivia_pixels::jpeg::encode;
pub use identivia_pixels::perceptual_hash::PerceptualHash;
pub use limits::Limits;
pub use metadata::{Capture, Metadata};
pub use quality::Quality;

use crate::faces::BoundingBox;
use crate::kind::Kind;
use crate::policy::Policy;
use crate::reason::{Code, Disposition, Reason};
use crate::rules::document::vocabulary::Side;
use identivia_pixels::scale::{self, Filter};
use identivia_pixels::{barcode, turn};

/// A picture that can be sent to providers, and what was found in it on this machine.
#[derive(Clone, PartialEq)]
pub struct Prepared {
    /// The re-encoded picture, a JPEG.
    pub jpeg: Vec<u8>,
    /// Width of the re-encoded picture in pixels.
    pub width: u32,
    /// Height of the re-encoded picture in pixels.
    pub height: u32,
    /// The file as it was uploaded.
    pub original: Original,
    /// Measures of the picture's quality.
    pub quality: Quality,
    /// What the file's metadata says.
    pub metadata: Metadata,
    /// Faces found on this machine, the largest first; searched for on a front only.
    pub faces: Vec<LocalFace>,
    /// Payloads of PDF417 barcodes; searched for on a back only.
    pub barcodes: Vec<String>,
    /// Payloads of QR codes.
    pub square_codes: Vec<String>,
    /// What is wrong with the picture, each reason once.
    pub reasons: Vec<Reason>,
    /// Perceptual hash that finds copies of the picture; of a front only.
    pub perceptual_hash: Option<PerceptualHash>,
}

/// The file as it was uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Original {
    /// Type of the file, recognised by content.
    pub format: Format,
    /// Pixels across as stored in the file.
    pub width: u32,
    /// Pixels down as stored in the file.
    pub height: u32,
    /// Size of the file in bytes.
    pub bytes: usize,
    /// Quarter turns to the right that brought the portrait upright.
    pub turned: u8,
}

impl Prepared {
    /// Whether the person must take the picture again, so no provider is called.
    pub fn stops(&self, policy: &Policy) -> bool {
        self.reasons
            .iter()
            .map(|reason| policy.disposition(reason.code, Kind::Document))
            .any(|disposition| matches!(disposition, Disposition::Resubmit | Disposition::Decline))
    }

    /// Cuts out the portrait around `face` as a JPEG, with the margin that face comparison needs.
    /// `None` when `face` lies outside the picture.
    pub fn portrait(&self, face: BoundingBox) -> Option<Vec<u8>> {
        let picture = ::image::load_from_memory_with_format(&self.jpeg, ::image::ImageFormat::Jpeg).ok()?;
        let (left, top, width, height) = pixels_with_margin(face, picture.width(), picture.height())?;
        encode(&picture.crop_imm(left, top, width, height).into_rgb8(), PORTRAIT_QUALITY)
    }
}

impl fmt::Debug for Prepared {
    /// Prints neither pixels nor barcode text: both are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("jpeg_bytes", &self.jpeg.len())
            .field("width", &self.width)
            .field("height", &self.height)
            .field("original", &self.original)
            .field("quality", &self.quality)
            .field("faces", &self.faces)
            .field("barcodes", &self.barcodes.len())
            .field("square_codes", &self.square_codes.len())
            .field("reasons", &self.reasons)
            .finish_non_exhaustive()
    }
}

/// Margin on each side of a face, as a ratio of the face's size.
const PORTRAIT_MARGIN: f64 = 0.45;
/// Margin below a face: head and shoulders, the frame of an identity photograph.
const PORTRAIT_MARGIN_BELOW: f64 = 1.1;
const PORTRAIT_QUALITY: u8 = 92;
/// Longest side at which barcodes are searched for; more pixels only cost time.
const BARCODE_SIDE: u32 = 2600;

/// Opens, measures and re-encodes a picture of `side`.
///
/// # Errors
/// The reasons why the picture cannot be opened.
pub fn prepare(bytes: &[u8], side: Side, limits: &Limits) -> Result<Prepared, Vec<Reason>> {
    let opened = open::open(bytes, limits).map_err(|reason| vec![reason])?;
    let metadata = metadata::read(bytes, opened.format);
    let mut original =
        Original { format: opened.format, width: opened.width, height: opened.height, bytes: bytes.len(), turned: 0 };
    let barcodes = if side == Side::Front { Vec::new() } else { barcode::read(&luma_for_barcode(&opened.picture)) };
    let mut sent = shrink(opened.picture, limits.sent_side);
    let mut luma = scale::grey(&sent);
    let square_codes = barcode::read_square(&luma);
    let mut faces = Vec::new();
    if side == Side::Front {
        (original.turned, faces) = faces::upright(&sent);
        (sent, luma) = (turn::right(sent, original.turned), turn::right(luma, original.turned));
    }
    let perceptual_hash = (side == Side::Front).then(|| PerceptualHash::of(&sent));
    let quality = quality::measure(&sent, &luma);
    let mut reasons = metadata.reasons();
    reasons.extend(quality.reasons(original.width, original.height));
    if side == Side::Front && !too_bad_for_faces(&reasons) {
        reasons.extend(faces::reasons(&faces, quality.structure));
    }
    let jpeg = encode(&sent, limits.sent_quality)
        .ok_or_else(|| vec![Reason::new(Code::DocumentUnreadable, "the picture cannot be written as a JPEG")])?;
    Ok(Prepared {
        jpeg,
        width: sent.width(),
        height: sent.height(),
        original,
        quality,
        metadata,
        faces,
        barcodes,
        square_codes,
        reasons,
        perceptual_hash,
    })
}

/// Whether a missing face follows from the picture's quality, so that the reason to give is the
/// quality.
fn too_bad_for_faces(reasons: &[Reason]) -> bool {
    reasons.iter().any(|reason| {
        matches!(
            reason.code,
            Code::DocumentBlurred
                | Code::DocumentTooDark
                | Code::DocumentGlare
                | Code::DocumentImageTooSmall
                | Code::DocumentNotADocument
                | Code::DocumentCutOff
        )
    })
}

/// Scales a picture so that no side is longer than `longest`; never enlarges it.
pub fn shrink(picture: RgbImage, longest: u32) -> RgbImage {
    match scale::within(picture.dimensions(), longest) {
        Some(to) => scale::rgb(&picture, to, Filter::Sharp),
        None => picture,
    }
}

fn luma_for_barcode(picture: &RgbImage) -> GrayImage {
    let luma = scale::grey(picture);
    match scale::within(luma.dimensions(), BARCODE_SIDE) {
        Some(to) => scale::luma(&luma, to, Filter::Sharp),
        None => luma,
    }
}

/// `(left, top, width, height)` in pixels of a face with its margin, clamped to the picture.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
fn pixels_with_margin(face: BoundingBox, width: u32, height: u32) -> Option<(u32, u32, u32, u32)> {
    let all = [face.left, face.top, face.width, face.height];
    if !all.iter().all(|ratio| ratio.is_finite()) || face.width <= 0.0 || face.height <= 0.0 {
        return None;
    }
    let span = |from: f64, extent: f64, after: f64, pixels: u32| {
        let end = f64::from(pixels);
        let low = ((from - extent * PORTRAIT_MARGIN) * end).clamp(0.0, end) as u32;
        let high = ((from + extent * (1.0 + after)) * end).clamp(0.0, end) as u32;
        (high > low).then_some((low, high - low))
    };
    let (left, across) = span(face.left, face.width, PORTRAIT_MARGIN, width)?;
    let (top, down) = span(face.top, face.height, PORTRAIT_MARGIN_BELOW, height)?;
    Some((left, top, across, down))
}
