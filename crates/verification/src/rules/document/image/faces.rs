//! Searches for a portrait on this machine, so that a picture without one costs no provider call.
//!
//! The detector finds frontal, upright faces. Documents are often photographed sideways, so a
//! picture without a face is turned, and the turn that shows one is kept. The provider's detection
//! decides which face is the portrait.

use std::sync::LazyLock;

use ::image::{DynamicImage, GrayImage, RgbImage};
use rustface::{ImageData, Model};
use serde::Serialize;

use crate::faces::BoundingBox;
use crate::reason::{Code, Reason};
use identivia_pixels::scale::{self, Filter};
use identivia_pixels::turn;

/// A face found on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LocalFace {
    /// The face's place, as ratios of the picture's sides.
    pub bounds: BoundingBox,
    /// The detector's score, without an upper limit.
    pub score: f64,
}

/// Longest side of the picture in a full search.
const FULL_SIDE: u32 = 800;
/// Longest side in the coarse search, which costs two fifths of a full one and settles most
/// portraits. Faces smaller than [`WINDOW`] are not seen.
const COARSE_SIDE: u32 = 480;
/// Width in pixels of the smallest face that the detector can see.
const WINDOW: f64 = 40.0;
/// Least score of a detection: one with a lower score is as often a pattern as a face.
const SCORE_MIN: f64 = 2.0;
/// Score from which a detection is certainly a face. A lower score is accepted in place, but the
/// picture is not turned for it.
const SCORE_SURE: f64 = 8.0;
/// Height, relative to the first face, from which a second face is a second portrait and not a
/// ghost image.
pub const RIVAL_HEIGHT: f64 = 0.75;

/// Share of a picture that shows structure where it holds a printed document, however small.
const PRINT_MIN: f32 = 0.12;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let bytes: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/face_model.bin"));
    rustface::read_model(bytes).expect("the model is a constant of the build, and a test reads it")
});

/// The quarter turns to the right that bring a face upright, and the faces then found, the largest
/// first.
pub fn upright(picture: &RgbImage) -> (u8, Vec<LocalFace>) {
    if let Some(faces) = coarse_search(picture) {
        return (0, faces);
    }
    let small = shades(picture, FULL_SIDE);
    let upright = find(&small);
    if sure(&upright) {
        return (0, upright);
    }
    // Sideways is common, upside down is rare.
    let turned = [1, 3, 2].into_iter().map(|quarters| (quarters, find(&turn::right(small.clone(), quarters))));
    turned.into_iter().find(|(_, faces)| sure(faces)).unwrap_or((0, upright))
}

/// The faces of an upright picture, where the coarse search is as good as the full one: there is
/// certainly a face, and any rival would be large enough to be seen.
fn coarse_search(picture: &RgbImage) -> Option<Vec<LocalFace>> {
    let coarse = shades(picture, COARSE_SIDE);
    let faces = find(&coarse);
    let rivals_seen = |face: &LocalFace| face.bounds.height * RIVAL_HEIGHT * f64::from(coarse.height()) >= WINDOW;
    (sure(&faces) && faces.first().is_some_and(rivals_seen)).then_some(faces)
}

/// The shades of grey of a picture, scaled so that no side is longer than `longest`.
fn shades(picture: &RgbImage, longest: u32) -> GrayImage {
    let small = match scale::within(picture.dimensions(), longest) {
        Some(to) => scale::rgb(picture, to, Filter::Triangle),
        None => picture.clone(),
    };
    // Scores jump with the rounding of a shade, and `SCORE_SURE` was set with these.
    DynamicImage::ImageRgb8(small).into_luma8()
}

fn sure(faces: &[LocalFace]) -> bool {
    faces.iter().any(|face| face.score >= SCORE_SURE)
}

/// The reason that follows from the number of faces, in a picture with this share of structure.
pub fn reasons(faces: &[LocalFace], structure: f32) -> Option<Reason> {
    match faces {
        [] if structure < PRINT_MIN => Some(Reason::new(
            Code::DocumentNotADocument,
            format!("no face was found in the picture, and {:.0} % of it shows any structure", structure * 100.0),
        )),
        [] => Some(Reason::new(Code::DocumentPortraitMissing, "no face was found in the picture, whichever way up")),
        [portrait, rest @ ..] => {
            let rivals = rest.iter().filter(|face| face.bounds.height >= portrait.bounds.height * RIVAL_HEIGHT).count();
            (rivals > 0).then(|| {
                Reason::new(
                    Code::DocumentMultipleDocuments,
                    format!("{} faces of like size were found in the picture", rivals + 1),
                )
            })
        }
    }
}

fn find(luma: &GrayImage) -> Vec<LocalFace> {
    let (width, height) = luma.dimensions();
    if width == 0 || height == 0 {
        return Vec::new();
    }
    let mut detector = rustface::create_detector_with_model(MODEL.clone());
    detector.set_score_thresh(SCORE_MIN);
    let mut faces: Vec<LocalFace> = detector
        .detect(&ImageData::new(luma.as_raw(), width, height))
        .iter()
        .map(|face| {
            let place = face.bbox();
            LocalFace {
                bounds: BoundingBox {
                    left: f64::from(place.x()) / f64::from(width),
                    top: f64::from(place.y()) / f64::from(height),
                    width: f64::from(place.width()) / f64::from(width),
                    height: f64::from(place.height()) / f64::from(height),
                },
                score: face.score(),
            }
        })
        .collect();
    faces.sort_by(|a, b| b.bounds.height.total_cmp(&a.bounds.height));
    faces
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_face_model_is_the_pinned_one() {
        let bytes: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/face_model.bin"));
        assert_eq!(
            hex::encode(Sha256::digest(bytes)),
            "c4619d066ed35e84d9a8e842860b0dff567aba0cbb139881075538761db3ff5d"
        );
        assert_eq!(MODEL.get_hierarchy_count(), 3);
    }
}
