//! Decodes an upload to pixels, under limits.

use std::io::Cursor;

use ::image::codecs::jpeg::JpegDecoder;
use ::image::codecs::png::PngDecoder;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageResult, Rgb, RgbImage};

use super::format::{Format, sniff, unreadable};
use super::limits::Limits;
use super::metadata;
use crate::reason::Reason;

/// A decoded picture, turned as its EXIF orientation asks.
pub struct Opened {
    /// Format of the file, recognised by content.
    pub format: Format,
    /// Width in the file, before the orientation is applied.
    pub width: u32,
    /// Height in the file, before the orientation is applied.
    pub height: u32,
    /// The pixels, in the orientation that the file asks for.
    pub picture: RgbImage,
}

/// Bytes that decoding may allocate for each allowed pixel: 16 bits in four channels.
const BYTES_PER_PIXEL_MAX: u64 = 8;

/// Decodes a picture.
///
/// # Errors
/// The reason why the picture cannot be decoded.
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

/// The picture as a viewer shows it. Dropping the alpha channel would reveal pixels that no
/// reviewer sees.
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
