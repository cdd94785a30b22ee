//! The portrait: there must be one usable face on the front.

use crate::faces::{BoundingBox, DetectedFace, Sighting};
use crate::reason::Code;
use crate::rules::document::evidence::Evidence;
use crate::rules::document::image::faces::RIVAL_HEIGHT;
use crate::rules::document::judge::observations::{Basis, Observations};

/// Confidence from which the provider's detection counts as a face.
const FACE_CONFIDENCE: f64 = 90.0;
/// Confidence from which an attribute of a face counts.
const SIGHTING_CONFIDENCE: f64 = 90.0;
/// Least height of a face in pixels. AWS: face comparison needs 50 in a picture of 1920 x 1080.
const FACE_PIXELS_MIN: f64 = 50.0;
/// Largest angles, in degrees. AWS: beyond them faces are not compared well. Portraits of documents
/// face the camera.
const YAW_MAX: f64 = 45.0;
const PITCH_MAX: f64 = 30.0;

/// The portrait: the largest face that counts, if no other face rivals it.
pub fn portrait(faces: &[DetectedFace]) -> Option<BoundingBox> {
    match by_size(faces).as_slice() {
        [(bounds, _)] => Some(*bounds),
        [(bounds, _), (next, _), ..] if next.height < bounds.height * RIVAL_HEIGHT => Some(*bounds),
        _ => None,
    }
}

/// Faces that count, the largest first.
fn by_size(faces: &[DetectedFace]) -> Vec<(BoundingBox, &DetectedFace)> {
    let mut sized: Vec<(BoundingBox, &DetectedFace)> = faces
        .iter()
        .filter(|face| face.confidence.is_some_and(|confidence| confidence >= FACE_CONFIDENCE))
        .filter_map(|face| Some((face.bounds?, face)))
        .filter(|(bounds, _)| bounds.height > 0.0 && bounds.width > 0.0)
        .collect();
    sized.sort_by(|(a, _), (b, _)| b.height.total_cmp(&a.height));
    sized
}

/// Records what the faces on the front show.
pub fn observe(evidence: &Evidence<'_>, observations: &mut Observations) {
    let faces = by_size(evidence.faces);
    let Some((bounds, face)) = faces.first() else {
        observations.record(Code::DocumentPortraitMissing, Basis::FRONT, "no face was detected on the front");
        return;
    };
    let rivals = faces.iter().skip(1).filter(|(other, _)| other.height >= bounds.height * RIVAL_HEIGHT).count();
    if rivals > 0 {
        observations.record(
            Code::DocumentMultipleDocuments,
            Basis::FRONT,
            format!("{} faces of like size were detected on the front", rivals + 1),
        );
    } else if faces.len() > 1 {
        // Often a ghost image of the portrait. But a person next to another person's document looks
        // the same.
        observations.record(
            Code::DocumentDataInconsistent,
            Basis::FRONT,
            format!("{} smaller faces were detected next to the portrait", faces.len() - 1),
        );
    }
    let pixels = bounds.height * f64::from(evidence.front.height);
    if pixels < FACE_PIXELS_MIN {
        observations.record(
            Code::DocumentImageTooSmall,
            Basis::FRONT,
            format!("the portrait's face is {pixels:.0} pixels high; at least {FACE_PIXELS_MIN} are needed"),
        );
    }
    if yes(face.occluded) {
        observations.record(Code::DocumentPortraitMissing, Basis::FRONT, "the portrait's face is covered");
    }
    let beyond = |angle: Option<f64>, limit: f64| angle.is_some_and(|angle| angle.abs() > limit);
    if beyond(face.yaw, YAW_MAX) || beyond(face.pitch, PITCH_MAX) {
        observations.record(Code::DocumentPortraitMissing, Basis::FRONT, "the portrait's face is turned away");
    }
    if yes(face.sunglasses) || no(face.eyes_open) {
        observations.record(
            Code::DocumentTemplateMismatch,
            Basis::FRONT,
            "the portrait shows hidden or shut eyes, which no issuer accepts",
        );
    }
}

fn yes(sighting: Option<Sighting>) -> bool {
    sighting.is_some_and(|sighting| sighting.value && sure(sighting))
}

fn no(sighting: Option<Sighting>) -> bool {
    sighting.is_some_and(|sighting| !sighting.value && sure(sighting))
}

fn sure(sighting: Sighting) -> bool {
    sighting.confidence.is_some_and(|confidence| confidence >= SIGHTING_CONFIDENCE)
}
