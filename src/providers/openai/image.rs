//! A picture for the model.

/// A picture to be read. `Debug` shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// Format of the bytes.
    pub media_type: MediaType,
    /// The encoded picture.
    pub bytes: bytes::Bytes,
}

/// The picture formats that the API takes and this program makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
}

impl MediaType {
    /// The MIME type.
    pub const fn as_str(self) -> &'static str {
        match self {
            MediaType::Jpeg => "image/jpeg",
            MediaType::Png => "image/png",
        }
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {} bytes)", self.media_type.as_str(), self.bytes.len())
    }
}
