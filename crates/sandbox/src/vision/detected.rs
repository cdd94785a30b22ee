//! What an analysis of a picture found. `sandbox look` prints it as JSON.

use serde::Serialize;

use crate::vocabulary::{DocumentType, Side, SuspicionKind, VisualFields};

/// Everything that was found in one picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// Pixels across, after the file's own orientation was applied.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Faces, the largest first.
    pub faces: Vec<DetectedFace>,
    /// The document, if the picture shows one that can be recognised.
    pub document: Option<DetectedDocument>,
}

/// A rectangle as ratios of the picture's width and height, each 0..1 and inside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoundingBox {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectedFace {
    /// Whose face it is: a slug such as `anna`. Two faces are of the same person exactly if these
    /// are equal.
    pub person: String,
    #[serde(rename = "place")]
    pub bounds: BoundingBox,
    /// 0 (smeared) to 100 (crisp), measured on the face's pixels.
    pub sharpness: f32,
    /// 0 (black) to 100 (white), measured on the face's pixels.
    pub brightness: f32,
    /// Something covers a part of it.
    pub occluded: bool,
    /// Both eyes are open. True behind sunglasses, where they cannot be seen.
    pub eyes_open: bool,
    /// The person wears dark glasses.
    pub sunglasses: bool,
}

/// A document and what is printed on the side that is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectedDocument {
    pub document_type: DocumentType,
    pub side: Side,
    /// Three-letter code of the issuing state, if readable.
    pub issuing_state: Option<String>,
    /// The visual zone.
    pub fields: VisualFields,
    /// The machine-readable zone line by line, exactly as printed; empty if there is none or it is
    /// not readable.
    pub mrz_lines: Vec<String>,
    /// Any other text that is printed on the document.
    pub extra_text: Vec<String>,
    /// No part of the document lies outside the picture.
    pub wholly_visible: bool,
    pub suspicions: Vec<Suspicion>,
}

/// A sign that the document is not genuine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspicion {
    pub kind: SuspicionKind,
    /// Where on the document, in words.
    pub place: String,
    /// Why it is suspicious, in words.
    pub reason: String,
}

/// Why a picture was not analysed.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    #[error("the bytes are neither a JPEG nor a PNG picture")]
    UnknownFormat,
    #[error("the picture cannot be decoded")]
    Undecodable(#[source] image::ImageError),
}
