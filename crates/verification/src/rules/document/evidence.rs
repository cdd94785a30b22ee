//! What a document is judged by.

use crate::faces::DetectedFace;
use crate::records::{Document, Verification};
use crate::rules::document::image::Prepared;
use crate::rules::document::readings::ocr::OcrReading;
use crate::rules::document::readings::transcription::Transcription;

/// Everything that is known about a document when it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the person declared about themselves.
    pub record: &'a Verification,
    /// What the person uploaded it as.
    pub document: &'a Document,
    /// The prepared front.
    pub front: &'a Prepared,
    /// The prepared back, if there is one.
    pub back: Option<&'a Prepared>,
    /// Faces that the provider detected in the prepared front.
    pub faces: &'a [DetectedFace],
    /// What the model read on the prepared front; `None` when it refused.
    pub front_reading: Option<&'a Transcription>,
    /// What the model read on the prepared back; `None` when it refused or there is no back.
    pub back_reading: Option<&'a Transcription>,
    /// What the local OCR model read on the prepared front; `None` where none is configured.
    pub front_ocr: Option<&'a OcrReading>,
    /// What the local OCR model read on the prepared back.
    pub back_ocr: Option<&'a OcrReading>,
}
