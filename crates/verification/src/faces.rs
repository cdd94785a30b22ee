//! Faces: what a detector found in a picture, and the comparison of two pictures.

use serde::{Deserialize, Serialize};

/// A rectangle in a picture, in fractions of its width and height. It can reach beyond the edges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Width as a fraction of the picture's.
    pub width: f64,
    /// Height as a fraction of the picture's.
    pub height: f64,
}

/// A face in a picture. A value that the detector did not give, or that is no finite number, is
/// `None`: absent is not `false`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    /// Where the face is.
    pub bounds: Option<BoundingBox>,
    /// How sure the detector is that it is a face, 0-100.
    pub confidence: Option<f64>,
    /// Head turned to the side, in degrees.
    pub yaw: Option<f64>,
    /// Head turned up or down, in degrees.
    pub pitch: Option<f64>,
    /// Head tilted, in degrees.
    pub roll: Option<f64>,
    /// Brightness of the face, 0-100.
    pub brightness: Option<f64>,
    /// Sharpness of the face, 0-100.
    pub sharpness: Option<f64>,
    /// Whether something covers the face.
    pub occluded: Option<Sighting>,
    /// Whether the eyes are open.
    pub eyes_open: Option<Sighting>,
    /// Whether the person wears sunglasses.
    pub sunglasses: Option<Sighting>,
}

/// A yes or no, with how sure the detector is of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The detector's answer.
    pub value: bool,
    /// How sure the detector is of the answer, 0-100.
    pub confidence: Option<f64>,
}

/// The largest face of one picture, compared with all faces of another.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// One of the pictures has no face.
    NoFace,
    /// Both pictures have faces.
    Compared {
        /// Similarity, 0-100, of each face of the target that has one; `None` where it is no finite
        /// number.
        similarities: Vec<Option<f64>>,
        /// Faces of the target for which the provider gave no similarity, because it found none.
        unmatched: usize,
    },
}
