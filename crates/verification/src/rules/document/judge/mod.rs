//! What the readings of a document mean: one question per file, each with its reasons.

pub mod duplicates;
pub(crate) mod integrity;
pub(crate) mod number_format;
pub(crate) mod observations;
pub mod ocr_crosscheck;

pub(crate) mod pictures;
pub(crate) mod portrait;
pub(crate) mod presence;
pub(crate) mod prompt_injection;
pub(crate) mod validity;
