//! From bytes to pixels, under limits.

use std::io::Cursor;

use ::image::codecs::jpeg::JpegDecoder;
use ::image::codecs::png::PngDecoder;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageResult, Rgb, RgbImage};
use serde::Serialize;

use super::{Limits, metadata};
use crate::reason::{Code, Reason};

/// Types of picture that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Jpeg,
    Png,
}

/// A decoded picture, set upright as its file asks for.
pub struct Opened {
    /// Type by content.
    pub format: Format,
    /// Pixels across as stored.
    pub width: u32,
    /// Pixels down as stored.
    pub height: u32,
    /// The pixels.
    pub picture: RgbImage,
}

/// Decoding may use this many bytes for each pixel the limits allow: 16 bits in four channels.
const BYTES_PER_PIXEL_MAX: u64 = 8;

/// Opens a picture.
///
/// # Errors
/// The reason why it cannot be looked at.
pub fn open(bytes: &[u8], limits: &Limits) -> Result<Opened, Reason> {
    if bytes.len() > limits.bytes {
        return Err(unreadable(format!("the file has {} bytes, more than {}", bytes.len(), limits.bytes)));
    }
    let format = sniff(bytes)?;
    match format {
        Format::Jpeg => decode(format, JpegDecoder::new(Cursor::new(bytes)), bytes, limits),
        Format::Png => {
            let decoder = PngDecoder::with_limits(Cursor::new(bytes), allocation(limits));
            if let Ok(true) = decoder.as_ref().map_or(Ok(false), PngDecoder::is_apng) {
                return Err(unreadable("the file is an animation, not one picture".to_owned()));
            }
            decode(format, decoder, bytes, limits)
        }
    }
}

/// Type by content; whatever the name or the sender's header says.
fn sniff(bytes: &[u8]) -> Result<Format, Reason> {
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
                .map_or("no picture that is known here", |(_, _, what)| what);
            Err(unreadable(format!("the file is {what}; JPEG and PNG are read")))
        }
    }
}

fn decode(
    format: Format,
    decoder: ImageResult<impl ImageDecoder>,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Opened, Reason> {
    let broken = |what: &str| unreadable(format!("the picture's {what} cannot be read"));
    let mut decoder = decoder.map_err(|_| broken("header"))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > limits.pixels || width > limits.side || height > limits.side {
        return Err(unreadable(format!(
            "the picture is {width} x {height}; at most {} pixels and {} a side are decoded",
            limits.pixels, limits.side
        )));
    }
    decoder.set_limits(allocation(limits)).map_err(|_| broken("size"))?;
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| broken("content"))?;
    let mut picture = DynamicImage::ImageRgb8(on_white(picture));
    picture.apply_orientation(metadata::orientation(bytes).unwrap_or(Orientation::NoTransforms));
    Ok(Opened { format, width, height, picture: picture.into_rgb8() })
}

fn allocation(limits: &Limits) -> ::image::Limits {
    let mut allocation = ::image::Limits::no_limits();
    allocation.max_image_width = Some(limits.side);
    allocation.max_image_height = Some(limits.side);
    allocation.max_alloc = Some(limits.pixels * BYTES_PER_PIXEL_MAX);
    allocation
}

/// The picture as a viewer shows it. Dropping the alpha channel instead would bring out pixels that no reviewer sees.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let seen = picture.into_rgba8();
    RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [red, green, blue, alpha] = seen.get_pixel(x, y).0;
        let over = |channel: u8| {
            let mixed = (u32::from(channel) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Rgb([over(red), over(green), over(blue)])
    })
}

fn unreadable(detail: String) -> Reason {
    Reason::new(Code::DocumentUnreadable, detail)
}
