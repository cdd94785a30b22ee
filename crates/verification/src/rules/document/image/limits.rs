//! What a picture may be, and what is made of it.

/// What a picture may be, and what is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file.
    pub bytes: usize,
    /// Most pixels; more are not decoded.
    pub pixels: u64,
    /// Longest side in pixels; a longer one is not decoded.
    pub side: u32,
    /// Longest side of what is sent. About 1.6 megapixels are all that vision models look at.
    pub sent_side: u32,
    /// JPEG quality of what is sent.
    pub sent_quality: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 5 << 20, pixels: 25_000_000, side: 10_000, sent_side: 1600, sent_quality: 88 }
    }
}
