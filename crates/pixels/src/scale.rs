//! Scales pictures, and converts them to shades of grey.
//!
//! Each pixel is a weighted mean of those around its place, first down and then across, in single
//! precision. The values equal those of `image` with the same filter; working on whole rows instead
//! of single pixels takes a fraction of the time and memory.

use image::{GrayImage, RgbImage};

/// How the pixels around a place are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Linear: weights fall with distance. For pictures that are measured.
    Triangle,
    /// Catmull-Rom, which keeps edges sharp. For pictures that people view and models read.
    Sharp,
}

impl Filter {
    /// Distance, in pixels of the coarser picture, within which a pixel counts.
    fn reach(self) -> f32 {
        match self {
            Self::Triangle => 1.0,
            Self::Sharp => 2.0,
        }
    }

    /// Weight of a pixel at this distance.
    fn weight(self, away: f32) -> f32 {
        let away = away.abs();
        match self {
            Self::Triangle => (1.0 - away).max(0.0),
            Self::Sharp => {
                let nine_times = if away < 1.0 {
                    9.0 * away.powi(3) - 15.0 * away.powi(2) + 6.0
                } else if away < 2.0 {
                    -3.0 * away.powi(3) + 15.0 * away.powi(2) - 24.0 * away + 12.0
                } else {
                    0.0
                };
                nine_times / 6.0
            }
        }
    }
}

/// Sides of a `width` x `height` picture scaled so that the longer one is `longest`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a side that a picture can have"
)]
pub fn fitted((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let share = f64::from(longest) / f64::from(width.max(height).max(1));
    let side = |side: u32| ((f64::from(side) * share).round() as u32).max(1);
    (side(width), side(height))
}

/// The same for a picture that may only be made smaller; `None` where no side is longer.
pub fn within(sides: (u32, u32), longest: u32) -> Option<(u32, u32)> {
    (sides.0.max(sides.1) > longest).then(|| fitted(sides, longest))
}

/// Scales a picture in colour.
pub fn rgb(picture: &RgbImage, to: (u32, u32), filter: Filter) -> RgbImage {
    let mut other = RgbImage::new(to.0, to.1);
    scale::<3>(picture, picture.dimensions(), &mut other, to, filter);
    other
}

/// Scales a picture in shades of grey.
pub fn luma(picture: &GrayImage, to: (u32, u32), filter: Filter) -> GrayImage {
    let mut other = GrayImage::new(to.0, to.1);
    scale::<1>(picture, picture.dimensions(), &mut other, to, filter);
    other
}

/// Scales `from` into `into`, both with `CHANNELS` bytes a pixel.
fn scale<const CHANNELS: usize>(
    from: &[u8],
    (width, height): (u32, u32),
    into: &mut [u8],
    (columns, rows): (u32, u32),
    filter: Filter,
) {
    let (length, new_length) = (width as usize * CHANNELS, columns as usize * CHANNELS);
    if from.is_empty() || into.is_empty() {
        return;
    }
    let across = shares(width as usize, columns as usize, filter);
    let mut line = vec![0.0_f32; length];
    for (made, share) in into.chunks_exact_mut(new_length).zip(shares(height as usize, rows as usize, filter)) {
        line.fill(0.0);
        for (row, weight) in from.chunks_exact(length).skip(share.first).zip(&share.weights) {
            for (sum, channel) in line.iter_mut().zip(row) {
                *sum += f32::from(*channel) * weight;
            }
        }
        let pixels = line.as_chunks::<CHANNELS>().0;
        for (made, share) in made.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(&across) {
            let mut sums = [0.0_f32; CHANNELS];
            for (pixel, weight) in pixels[share.first..].iter().zip(&share.weights) {
                for (sum, channel) in sums.iter_mut().zip(pixel) {
                    *sum += channel * weight;
                }
            }
            *made = sums.map(rounded);
        }
    }
}

/// Rounds to the nearest byte.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn rounded(sum: f32) -> u8 {
    // Halves round up, and no value is negative, so no function call is needed for each byte.
    (sum.clamp(0.0, 255.0) + 0.5) as u8
}

/// The pixels that make up a place, from `first` on, with their weights.
struct Share {
    first: usize,
    weights: Vec<f32>,
}

/// The shares of each of `places` along a side of `length` pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "places in a picture"
)]
fn shares(length: usize, places: usize, filter: Filter) -> Vec<Share> {
    let ratio = length as f32 / places as f32;
    let coarse = ratio.max(1.0);
    let reach = filter.reach() * coarse;
    let share = |place: usize| {
        let middle = (place as f32 + 0.5) * ratio;
        let first = ((middle - reach).floor().max(0.0) as usize).min(length - 1);
        let end = ((middle + reach).ceil() as usize).clamp(first + 1, length);
        let middle = middle - 0.5;
        let mut weights: Vec<f32> = (first..end).map(|pixel| filter.weight((pixel as f32 - middle) / coarse)).collect();
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        for weight in &mut weights {
            *weight /= sum;
        }
        Share { first, weights }
    };
    (0..places).map(share).collect()
}

/// Converts to shades of grey by the weights of ITU-R BT.709.
pub fn grey(picture: &RgbImage) -> GrayImage {
    // Weights as parts of 2^16, rounded.
    const WEIGHTS: [u32; 3] = [13_933, 46_871, 4732];
    let mut shades = GrayImage::new(picture.width(), picture.height());
    for (shade, pixel) in shades.iter_mut().zip(picture.as_raw().as_chunks::<3>().0) {
        let sum: u32 = pixel.iter().zip(WEIGHTS).map(|(channel, weight)| u32::from(*channel) * weight).sum();
        *shade = ((sum + (1 << 15)) >> 16).to_le_bytes()[0];
    }
    shades
}

#[cfg(test)]
mod tests {
    use image::imageops::{self, FilterType};
    use image::{DynamicImage, Rgb};

    use super::*;

    /// Waves, edges and noise.
    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let [noise, wave, edge, _] = (x * 7919 + y * 104_729 + x * y / 64).to_le_bytes();
            Rgb([noise, wave.wrapping_add(edge), if (x / 9 + y / 5) % 2 == 0 { 0 } else { 255 }])
        })
    }

    #[test]
    fn scaling_equals_that_of_the_image_crate() {
        for from in [(401, 263), (128, 128), (3, 200)] {
            let picture = picture(from.0, from.1);
            let shades = grey(&picture);
            for to in [(200, 131), (150, 98), (37, 24), (401, 263), (802, 526), (128, 128)] {
                for (ours, theirs) in
                    [(Filter::Triangle, FilterType::Triangle), (Filter::Sharp, FilterType::CatmullRom)]
                {
                    let known = imageops::resize(&picture, to.0, to.1, theirs);
                    assert!(rgb(&picture, to, ours) == known, "{from:?} {to:?} {ours:?}");
                    let known = imageops::resize(&shades, to.0, to.1, theirs);
                    assert!(luma(&shades, to, ours) == known, "{from:?} {to:?} {ours:?}");
                }
            }
        }
    }

    #[test]
    fn empty_pictures_can_be_scaled() {
        assert_eq!(luma(&GrayImage::new(0, 0), (4, 4), Filter::Sharp).into_raw(), [0; 16]);
        assert!(luma(&GrayImage::new(4, 4), (0, 4), Filter::Sharp).is_empty());
    }

    #[test]
    fn shades_of_grey_equal_those_of_the_image_crate() {
        let picture = picture(401, 263);
        let known = DynamicImage::ImageRgb8(picture.clone()).into_luma8();
        let farthest = grey(&picture).iter().zip(known.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(farthest <= Some(1), "{farthest:?}");
        let ends = RgbImage::from_fn(2, 1, |x, _| Rgb([if x == 0 { 0 } else { 255 }; 3]));
        assert_eq!(grey(&ends).into_raw(), [0, 255]);
    }

    #[test]
    fn sides_keep_their_proportion() {
        assert_eq!(fitted((4000, 3000), 1600), (1600, 1200));
        assert_eq!(fitted((3000, 4000), 800), (600, 800));
        assert_eq!(fitted((10_000, 2), 200), (200, 1));
        assert_eq!(fitted((100, 50), 200), (200, 100));
        assert_eq!(within((4000, 3000), 1600), Some((1600, 1200)));
        assert_eq!((within((200, 50), 200), within((100, 50), 200)), (None, None));
    }
}
