//! The sources of a reading.

use serde::Serialize;

/// The sources of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The front's visual zone.
    Front,
    /// The back's visual zone.
    Back,
    /// The machine-readable zone.
    Mrz,
    /// The barcode.
    Barcode,
    /// The machine-readable zone as the local OCR model read it, where its check digits agree.
    #[serde(rename = "own_eyes")]
    Ocr,
    /// The person's declaration.
    Declared,
}

impl Source {
    /// Whether the source is printed for people to read.
    pub fn is_visual(self) -> bool {
        matches!(self, Source::Front | Source::Back)
    }

    /// Whether the source is printed for machines and read by the usual way. The OCR model is not
    /// one: it can only add doubt.
    pub fn is_machine(self) -> bool {
        matches!(self, Source::Mrz | Source::Barcode)
    }
}
