//! Measures how light, dark and colourful a picture is.

use image::{GrayImage, RgbImage};

/// The shades that these shares of the pixels do not exceed.
pub fn exceeded<const N: usize>(luma: &GrayImage, shares: [f32; N]) -> [f32; N] {
    let histogram = histogram(luma.as_raw().iter().copied());
    shares.map(|share| percentile(&histogram, share))
}

fn histogram(values: impl Iterator<Item = u8>) -> [u32; 256] {
    let mut counts = [0_u32; 256];
    for value in values {
        counts[usize::from(value)] += 1;
    }
    counts
}

/// The value that a share of all counted values does not exceed.
#[expect(clippy::cast_precision_loss, reason = "a picture has at most 2^25 pixels, a share of them needs no more")]
fn percentile(histogram: &[u32; 256], share: f32) -> f32 {
    let all: u32 = histogram.iter().sum();
    let mut seen = 0;
    for (value, count) in (0..=u8::MAX).zip(histogram) {
        seen += count;
        if seen as f32 >= all as f32 * share {
            return f32::from(value);
        }
    }
    0.0
}

/// Difference between colour channels, 0..255, that one block of pixels in fifty exceeds. Means of
/// blocks are compared, because pixel by pixel JPEG's coarse colour and sensor noise would pass for
/// colour.
pub fn colour(picture: &RgbImage) -> f32 {
    const BLOCK: usize = 8;
    let (width, pixels) = (picture.width() as usize, picture.as_raw().as_chunks::<3>().0);
    let mut spread = Vec::with_capacity(pixels.len() / (BLOCK * BLOCK));
    for rows in pixels.chunks_exact(width.max(1) * BLOCK) {
        for left in (0..width.saturating_sub(BLOCK - 1)).step_by(BLOCK) {
            let mut sums = [0_u32; 3];
            // A quarter of the block's pixels is enough for its mean.
            for row in rows.chunks_exact(width).step_by(2) {
                for pixel in row[left..left + BLOCK].iter().step_by(2) {
                    for (sum, channel) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*channel);
                    }
                }
            }
            let [low, high] = [sums.iter().min(), sums.iter().max()].map(|sum| sum.copied().unwrap_or_default());
            spread.push(u8::try_from((high - low) / 16).unwrap_or(u8::MAX));
        }
    }
    percentile(&histogram(spread.into_iter()), 0.98)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_all_white_can_be_measured() {
        let mut histogram = [0; 256];
        histogram[255] = 1000;
        assert_eq!(percentile(&histogram, 0.5).to_bits(), 255_f32.to_bits());
        assert_eq!(percentile(&[0; 256], f32::NAN).to_bits(), 0_f32.to_bits(), "nothing was counted");
    }
}
