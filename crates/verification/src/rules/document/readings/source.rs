//! Where a reading comes from.

use serde::Serialize;

/// Where a reading comes from.
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
    /// The machine-readable zone as our own eyes read it, where its check digits agree.
    #[serde(rename = "own_eyes")]
    Ocr,
    /// What the person declared.
    Declared,
}

impl Source {
    /// Whether it is printed for people to read.
    pub fn is_visual(self) -> bool {
        matches!(self, Source::Front | Source::Back)
    }

    /// Whether it is printed for machines to read, and read by the usual way: our own eyes only ever add doubt.
    pub fn is_machine(self) -> bool {
        matches!(self, Source::Mrz | Source::Barcode)
    }
}
