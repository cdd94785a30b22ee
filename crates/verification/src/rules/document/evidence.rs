//! What a document is judged by.

use crate::faces::DetectedFace;
use crate::records::{Document, Verification};
use crate::rules::document::image::Prepared;
use crate::rules::document::readings::ocr::OcrReading;
use crate::rules::document::readings::transcription::Transcription;

/// Everything that is known about a document.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the person declared about themselves.
    pub record: &'a Verification,
    /// What they uploaded it as.
    pub document: &'a Document,
    /// The prepared front.
    pub front: &'a Prepared,
    /// The prepared back, if there is one.
    pub back: Option<&'a Prepared>,
    /// Faces that the provider detected in the prepared front.
    pub faces: &'a [DetectedFace],
    /// What the model read on the prepared front; `None` when it refused to.
    pub front_reading: Option<&'a Transcription>,
    /// What the model read on the prepared back; `None` when it refused to, or there is none.
    pub back_reading: Option<&'a Transcription>,
    /// What our own eyes saw on the prepared front; `None` where there is no own reading.
    pub front_ocr: Option<&'a OcrReading>,
    /// The same of the back.
    pub back_ocr: Option<&'a OcrReading>,
}
