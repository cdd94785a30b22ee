//! Encodes pictures as JPEG files.

use image::RgbImage;
use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor, rgb_to_ycbcr};

/// Encodes a picture as a JPEG that holds nothing but its pixels, with colour at full resolution.
/// `None` where it is empty or too large for a JPEG.
pub fn encode(picture: &RgbImage, quality: u8) -> Option<Vec<u8>> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    let (width, height) = (u16::try_from(picture.width()).ok()?, u16::try_from(picture.height()).ok()?);
    encoder.encode_image(Rows { picture, width, height }).ok()?;
    Some(jpeg)
}

/// A picture row by row, as the encoder reads it. The encoder's own input type would compile it for
/// nine kinds of pixel.
struct Rows<'a> {
    picture: &'a RgbImage,
    width: u16,
    height: u16,
}

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, [light, blue, red, _]: &mut [Vec<u8>; 4]) {
        let length = usize::from(self.width) * 3;
        let row = &self.picture.as_raw()[usize::from(y) * length..][..length];
        for [r, g, b] in row.as_chunks().0 {
            let (y, cb, cr) = rgb_to_ycbcr(*r, *g, *b);
            light.push(y);
            blue.push(cb);
            red.push(cr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_picture_decodes_to_the_same_pixels() {
        let picture = RgbImage::from_fn(90, 61, |x, y| {
            let [across, down] = [x * 2, y * 4].map(|value| value.to_le_bytes()[0]);
            image::Rgb([across, down, 255 - across])
        });
        let jpeg = encode(&picture, 92).expect("a JPEG");
        let read = image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg).expect("a JPEG").into_rgb8();
        assert_eq!(read.dimensions(), picture.dimensions());
        let farthest = read.iter().zip(picture.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(farthest <= Some(12), "{farthest:?}");
    }

    #[test]
    fn a_picture_that_no_jpeg_can_hold_is_none() {
        assert_eq!(encode(&RgbImage::new(70_000, 1), 88), None);
        assert_eq!(encode(&RgbImage::new(0, 0), 88), None);
    }
}
