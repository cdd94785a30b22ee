//! A picture turned by quarters to the right.

use image::{GrayImage, ImageBuffer, Pixel, RgbImage, imageops};

/// A picture in colour.
pub fn rgb(picture: RgbImage, quarters: u8) -> RgbImage {
    turned(picture, quarters)
}

/// A picture in shades of grey.
pub fn luma(picture: GrayImage, quarters: u8) -> GrayImage {
    turned(picture, quarters)
}

fn turned<P: Pixel<Subpixel = u8> + 'static>(
    picture: ImageBuffer<P, Vec<u8>>,
    quarters: u8,
) -> ImageBuffer<P, Vec<u8>> {
    match quarters {
        1 => imageops::rotate90(&picture),
        2 => imageops::rotate180(&picture),
        3 => imageops::rotate270(&picture),
        _ => picture,
    }
}
