//! Limits of uploaded pictures, and the size of the re-encoded ones.

/// Limits of uploaded pictures, and the size of the re-encoded ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest accepted file in bytes.
    pub bytes: usize,
    /// Most pixels; a larger picture is not decoded.
    pub pixels: u64,
    /// Longest side in pixels; a longer one is not decoded.
    pub side: u32,
    /// Longest side of the re-encoded picture. Vision models use about 1.6 megapixels at most.
    pub sent_side: u32,
    /// JPEG quality of the re-encoded picture, 0 to 100.
    pub sent_quality: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 5 << 20, pixels: 25_000_000, side: 10_000, sent_side: 1600, sent_quality: 88 }
    }
}
