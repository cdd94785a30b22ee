//! Whether a picture can be read at all, in numbers, and what the person can do better.
//!
//! Every measure looks at the picture as it is sent. The thresholds let through what a model and a person can still read; they were
//! set on specimens, clean ones at 1600 and 1024 pixels on the one side, each flaw on the other.

use ::image::{DynamicImage, RgbImage};
use serde::Serialize;

use super::edges;
use super::extent::{self, Edge};
use crate::verification::reason::{Code, Reason};

/// What was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Width in pixels of the sharper edges; 1 is a hard step.
    pub edge_width: f32,
    /// Share of the picture, 0..1, that shows structure of high contrast.
    pub structure: f32,
    /// Luma, 0..255, that a tenth of the pixels exceed: how bright the light parts are.
    pub light: f32,
    /// Luma that a tenth of the pixels stay below.
    pub dark: f32,
    /// Share of the picture, 0..1, that burnt-out spots cover.
    pub glare: f32,
    /// Difference between colour channels, 0..255, that one pixel in fifty exceeds.
    pub colour: f32,
    /// Edges across which the document runs out of the picture, where that can be told.
    pub cut_off: Vec<Edge>,
}

/// Below these sides a document's small print is lost, whatever the sharpness.
const LONG_SIDE_MIN: u32 = 800;
const SHORT_SIDE_MIN: u32 = 480;
/// Edges wider than this: letters of the small print run together.
const EDGE_WIDTH_MAX: f32 = 4.5;
/// Less structure than this: an empty or plain surface.
const STRUCTURE_MIN: f32 = 0.02;
/// Light parts darker than this.
const LIGHT_MIN: f32 = 85.0;
/// Burnt-out spots larger than this.
const GLARE_MAX: f32 = 0.004;
/// Less colour than this: a black-and-white picture. The palest document under a lamp shows more.
const COLOUR_MIN: f32 = 7.0;

/// Measures a picture.
pub fn measure(picture: &RgbImage) -> Quality {
    let luma = DynamicImage::ImageRgb8(picture.clone()).into_luma8();
    let (edge_width, structure) = edges::sharpness(&luma);
    let histogram = histogram(luma.as_raw().iter().copied());
    Quality {
        edge_width,
        structure,
        light: percentile(&histogram, 0.9),
        dark: percentile(&histogram, 0.1),
        glare: edges::glare(picture),
        colour: colour(picture),
        cut_off: extent::cut_off(picture),
    }
}

impl Quality {
    /// What it gives reason to say, for a picture uploaded with these sides.
    pub fn reasons(&self, width: u32, height: u32) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut say = |bad: bool, code: Code, detail: String| {
            if bad {
                reasons.push(Reason::new(code, detail));
            }
        };
        let too_small = width.max(height) < LONG_SIDE_MIN || width.min(height) < SHORT_SIDE_MIN;
        say(
            too_small,
            Code::DocumentImageTooSmall,
            format!("{width} x {height}; at least {LONG_SIDE_MIN} x {SHORT_SIDE_MIN} are needed"),
        );
        let too_dark = self.light < LIGHT_MIN;
        say(too_dark, Code::DocumentTooDark, format!("light parts reach {:.0} of 255", self.light));
        let empty = self.structure < STRUCTURE_MIN;
        say(
            empty && !too_dark,
            Code::DocumentNotADocument,
            format!("{:.1} % of the picture shows any structure", self.structure * 100.0),
        );
        say(
            self.edge_width > EDGE_WIDTH_MAX && !empty && !too_dark,
            Code::DocumentBlurred,
            format!("edges are {:.1} pixels wide", self.edge_width),
        );
        say(
            self.glare > GLARE_MAX,
            Code::DocumentGlare,
            format!("burnt-out spots cover {:.1} % of the picture", self.glare * 100.0),
        );
        say(
            self.colour < COLOUR_MIN && !too_dark && !empty,
            Code::DocumentBlackAndWhite,
            format!("colour channels differ by {:.0} of 255", self.colour),
        );
        say(
            !self.cut_off.is_empty(),
            Code::DocumentCutOff,
            format!("the document runs out of the picture at {:?}", self.cut_off),
        );
        reasons
    }
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

/// Means of blocks: JPEG's coarse colour and the noise of a sensor would pass for colour pixel by pixel.
fn colour(picture: &RgbImage) -> f32 {
    const BLOCK: u32 = 8;
    let mut spread = Vec::new();
    for top in (0..picture.height().saturating_sub(BLOCK - 1)).step_by(BLOCK as usize) {
        for left in (0..picture.width().saturating_sub(BLOCK - 1)).step_by(BLOCK as usize) {
            let mut sums = [0_u32; 3];
            // A quarter of the block's pixels is enough for its mean.
            for y in (top..top + BLOCK).step_by(2) {
                for x in (left..left + BLOCK).step_by(2) {
                    let pixel = picture.get_pixel(x, y).0;
                    for (sum, channel) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(channel);
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
