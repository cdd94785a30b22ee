//! Encodes pictures as JPEG and PNG files, with metadata.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageError, RgbImage};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// JPEG
    #[value(alias = "jpg")]
    Jpeg,
    /// PNG
    Png,
}

/// How a picture becomes a file.
#[derive(Debug, Clone)]
pub struct Encoding {
    pub format: Format,
    /// Quality of a JPEG, 1 to 100.
    pub quality: u8,
    /// EXIF orientation, 1 to 8: the pixels are stored rotated, and the tag says how to rotate them
    /// back.
    pub orientation: u8,
    /// Program that the metadata names, such as an image editor.
    pub software: Option<String>,
    /// Description in the metadata.
    pub description: Option<String>,
    /// Comment of a JPEG, outside the metadata.
    pub comment: Option<String>,
}

impl Default for Encoding {
    fn default() -> Self {
        Self { format: Format::Jpeg, quality: 90, orientation: 1, software: None, description: None, comment: None }
    }
}

/// Encodes a picture as a file.
pub fn encode(picture: &RgbImage, encoding: &Encoding) -> Result<Vec<u8>, ImageError> {
    let turned = turned(picture, encoding.orientation);
    let picture = turned.as_ref().unwrap_or(picture);
    let mut bytes = Vec::new();
    match encoding.format {
        Format::Jpeg => {
            write(JpegEncoder::new_with_quality(&mut bytes, encoding.quality), picture, encoding)?;
            if let Some(comment) = &encoding.comment {
                bytes.splice(START_OF_JPEG.len()..START_OF_JPEG.len(), comment_segment(comment));
            }
        }
        Format::Png => write(PngEncoder::new(&mut bytes), picture, encoding)?,
    }
    Ok(bytes)
}

const START_OF_JPEG: [u8; 2] = [0xFF, 0xD8];

/// A segment `COM`; its length includes the two bytes of the length itself.
fn comment_segment(text: &str) -> Vec<u8> {
    let text = text.as_bytes();
    let length = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    let text = &text[..usize::from(length) - 2];
    [&[0xFF, 0xFE], &length.to_be_bytes()[..], text].concat()
}

fn write(mut encoder: impl ImageEncoder, picture: &RgbImage, encoding: &Encoding) -> Result<(), ImageError> {
    let entries = exif_entries(encoding);
    if !entries.is_empty() {
        encoder.set_exif_metadata(exif(&entries)).map_err(ImageError::Unsupported)?;
    }
    encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
}

/// The pixels to store so that a viewer that applies the orientation shows the picture upright;
/// `None` if unchanged.
fn turned(picture: &RgbImage, orientation: u8) -> Option<RgbImage> {
    let picture = || DynamicImage::ImageRgb8(picture.clone());
    let turned = match orientation {
        2 => picture().fliph(),
        3 => picture().rotate180(),
        4 => picture().flipv(),
        5 => picture().rotate90().fliph(),
        6 => picture().rotate270(),
        7 => picture().rotate270().fliph(),
        8 => picture().rotate90(),
        _ => return None,
    };
    Some(turned.into_rgb8())
}

/// EXIF tags, in the order in which a directory must list them.
const DESCRIPTION: u16 = 0x010e;
const ORIENTATION: u16 = 0x0112;
const SOFTWARE: u16 = 0x0131;
/// EXIF types of value.
const ASCII: u16 = 2;
const SHORT: u16 = 3;

struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

fn exif_entries(encoding: &Encoding) -> Vec<Entry> {
    let text = |tag, text: &Option<String>| {
        let mut value = text.as_ref()?.clone().into_bytes();
        value.push(0);
        Some(Entry { tag, kind: ASCII, count: u32::try_from(value.len()).ok()?, value })
    };
    let orientation = (encoding.orientation != 1).then(|| {
        let value = u16::from(encoding.orientation).to_le_bytes().to_vec();
        Entry { tag: ORIENTATION, kind: SHORT, count: 1, value }
    });
    [text(DESCRIPTION, &encoding.description), orientation, text(SOFTWARE, &encoding.software)]
        .into_iter()
        .flatten()
        .collect()
}

/// An EXIF block with one directory: its entries, then the values that do not fit into an entry.
fn exif(entries: &[Entry]) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0".to_vec();
    let values_at = block.len() + 2 + entries.len() * 12 + 4;
    let mut values: Vec<u8> = Vec::new();
    block.extend((entries.len() as u16).to_le_bytes());
    for entry in entries {
        block.extend(entry.tag.to_le_bytes());
        block.extend(entry.kind.to_le_bytes());
        block.extend(entry.count.to_le_bytes());
        if entry.value.len() <= 4 {
            block.extend(&entry.value);
            block.resize(block.len() + 4 - entry.value.len(), 0);
        } else {
            block.extend(((values_at + values.len()) as u32).to_le_bytes());
            values.extend(&entry.value);
        }
    }
    block.extend([0; 4]);
    block.extend(values);
    block
}
