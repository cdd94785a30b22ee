//! Faces: what a detector saw, and the comparison of two pictures.

use serde::{Deserialize, Serialize};

/// A place in a picture, in fractions of its width and height. Can reach beyond the edges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A face in a picture. Everything that was not told, or is no finite number, is `None`: absent is not `false`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    /// Where.
    pub bounds: Option<BoundingBox>,
    /// 0-100: how sure that it is a face.
    pub confidence: Option<f64>,
    /// Head turned to the side, in degrees.
    pub yaw: Option<f64>,
    /// Head up or down, in degrees.
    pub pitch: Option<f64>,
    /// Head tilted, in degrees.
    pub roll: Option<f64>,
    /// 0-100.
    pub brightness: Option<f64>,
    /// 0-100.
    pub sharpness: Option<f64>,
    /// Whether something covers it.
    pub occluded: Option<Sighting>,
    /// Whether the eyes are open.
    pub eyes_open: Option<Sighting>,
    /// Whether it wears sunglasses.
    pub sunglasses: Option<Sighting>,
}

/// A yes or no with how sure the detector is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The answer.
    pub value: bool,
    /// 0-100.
    pub confidence: Option<f64>,
}

/// One face (the source's largest) against all faces of another picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// A picture has no face to compare.
    NoFace,
    /// They were compared.
    Compared {
        /// Similarity, 0-100, of each of the target's faces that has one; `None` where it is no finite number.
        similarities: Vec<Option<f64>>,
        /// The target's faces that the provider found no likeness in, and so gave no number for.
        unmatched: usize,
    },
}
