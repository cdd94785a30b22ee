//! The accepted picture formats, recognised by content.

use serde::Serialize;

use crate::reason::{Code, Reason};

/// Accepted picture formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Jpeg,
    Png,
}

/// Recognises the format by content; the file name and the sender's header are ignored.
pub fn sniff(bytes: &[u8]) -> Result<Format, Reason> {
    let named: [(&[u8], usize, &str); 7] = [
        (b"GIF8", 0, "a GIF"),
        (b"WEBP", 8, "a WebP picture"),
        (b"ftyp", 4, "a HEIF picture or a video"),
        (b"%PDF", 0, "a PDF"),
        (b"BM", 0, "a BMP picture"),
        (b"II*\0", 0, "a TIFF picture"),
        (b"MM\0*", 0, "a TIFF picture"),
    ];
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Ok(Format::Png),
        _ => {
            let what = named
                .iter()
                .find(|(magic, at, _)| bytes.get(*at..at + magic.len()) == Some(*magic))
                .map_or("of an unknown type", |(_, _, what)| what);
            Err(unreadable(format!("the file is {what}; JPEG and PNG are read")))
        }
    }
}

/// The reason for a file that cannot be opened.
pub fn unreadable(detail: String) -> Reason {
    Reason::new(Code::DocumentUnreadable, detail)
}
