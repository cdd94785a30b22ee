//! Turns pictures by quarters.

use image::{ImageBuffer, Pixel, imageops};

/// Turns `picture` to the right by this number of quarters.
pub fn right<P: Pixel<Subpixel = u8> + 'static>(
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
