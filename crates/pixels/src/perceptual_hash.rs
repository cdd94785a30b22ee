//! A perceptual hash of 1024 bits: nearly equal for the same picture at another size, quality or
//! brightness, and far apart for the pictures of two people's documents, even of one kind.
//!
//! The bits are the signs of low spatial frequencies, as in other perceptual hashes. It is
//! implemented here and not by a dependency because it is stored: a new version that counted one
//! bit differently would orphan every stored hash. It is not a biometric: thirty-two waves across a
//! whole document leave a few blotches of a face, by which people cannot be recognised.
//!
//! Measured on the specimen maker's documents (16 people, 4 kinds): the hashes of two people differ
//! in 98 bits or more, and in 72 where the square codes that only specimens carry are painted over.
//! A copy re-encoded at 640 to 1600 pixels and a JPEG quality of 30 to 85, or 5 % brighter or
//! darker, differs in 14 or fewer. One person's card with only its number changed differs in 8 or
//! more, so it counts as a copy: an altered one.

use std::f64::consts::PI;
use std::fmt;

use image::{DynamicImage, RgbImage};

use super::scale::{self, Filter};

/// Waves across the picture, and down. Waves of a layout's rows and columns, without any wave in
/// the other direction, are left out.
const WAVES: usize = 32;
/// Pixels a side of the picture on which the waves are computed.
const GRID: usize = 128;
/// Waves across and down that the bands are made of: the slowest ones, which hardly change in a
/// copy.
const BAND_WAVES: usize = 24;
/// Bands of a hash that are looked up one by one: a copy in which fewer bits than this changed has
/// one unchanged band.
pub const BANDS: usize = 8;
const BYTES: usize = WAVES * WAVES / 8;
const BAND_BYTES: usize = BAND_WAVES * BAND_WAVES / BANDS / 8;
/// Most bits that may differ between copies of one picture: well above what copying changes, well
/// below the difference of two people's documents.
const ALIKE: u32 = 32;

/// The perceptual hash of a picture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PerceptualHash([u8; BYTES]);

impl PerceptualHash {
    /// Computes the hash of an upright picture.
    pub fn of(picture: &RgbImage) -> Self {
        let side = u32::try_from(GRID).unwrap_or(u32::MAX);
        // Uses the shades of grey of `image`: stored hashes were made of them.
        let small = DynamicImage::ImageRgb8(scale::rgb(picture, (side, side), Filter::Triangle)).into_luma8();
        let light: Vec<f64> = small.into_raw().into_iter().map(f64::from).collect();
        let strengths = strengths(&light);
        let middle = median(&strengths);
        let mut bits = [0; BYTES];
        for (wave, strength) in strengths.iter().enumerate() {
            if *strength > middle {
                bits[wave / 8] |= 1 << (wave % 8);
            }
        }
        Self(bits)
    }

    /// Parses the hash written as `hex`.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut bits = [0; BYTES];
        hex::decode_to_slice(hex, &mut bits).ok()?;
        Some(Self(bits))
    }

    /// Number of bits that differ.
    pub fn distance(self, other: Self) -> u32 {
        self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Whether one picture is a copy of the other.
    pub fn is_copy_of(self, other: Self) -> bool {
        self.distance(other) <= ALIKE
    }

    /// The bands to hash up, in hex. Neighbouring waves go to different bands, so that each band
    /// covers the whole picture and not one corner of its spectrum, where a layout alone would
    /// decide.
    pub fn bands(self) -> [String; BANDS] {
        let mut bands = [[0; BAND_BYTES]; BANDS];
        let slow = (0..BAND_WAVES).flat_map(|down| (0..BAND_WAVES).map(move |across| down * WAVES + across));
        for (at, wave) in slow.enumerate() {
            let bit = (self.0[wave / 8] >> (wave % 8)) & 1;
            bands[at % BANDS][at / BANDS / 8] |= bit << (at / BANDS % 8);
        }
        bands.map(hex::encode)
    }
}

impl fmt::Display for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PerceptualHash({self})")
    }
}

/// Computes the strength of each wave: the discrete cosine transform, of which only the slow waves
/// are computed.
fn strengths(light: &[f64]) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    let height = |wave: usize, at: usize| ((2 * at + 1) as f64 * wave as f64 * PI / (2 * GRID) as f64).cos();
    let waves: Vec<Vec<f64>> = (1..=WAVES).map(|wave| (0..GRID).map(|at| height(wave, at)).collect()).collect();
    let along =
        |line: &[f64], wave: &[f64]| -> f64 { line.iter().zip(wave).map(|(value, height)| value * height).sum() };
    // One line for each wave across, with a value for each row of pixels.
    let across: Vec<Vec<f64>> =
        waves.iter().map(|wave| light.chunks_exact(GRID).map(|row| along(row, wave)).collect()).collect();
    waves.iter().flat_map(|down| across.iter().map(move |line| along(line, down))).collect()
}

fn median(strengths: &[f64]) -> f64 {
    let mut sorted = strengths.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(seed: u32) -> RgbImage {
        let blot = |x: u32, y: u32| ((x * (seed + 7) / 40) ^ (y * (seed + 3) / 30)).to_le_bytes()[0];
        RgbImage::from_fn(320, 200, |x, y| image::Rgb([blot(x, y), blot(y, x), 90]))
    }

    #[test]
    fn a_hash_is_written_and_parsed_without_loss() {
        let hash = PerceptualHash::of(&picture(1));
        assert_eq!(PerceptualHash::parse(&hash.to_string()), Some(hash));
        assert_eq!((hash.to_string().len(), hash.bands()[0].len()), (256, 18));
        for broken in ["", "00", &hash.to_string()[1..], "zz"] {
            assert_eq!(PerceptualHash::parse(broken), None);
        }
    }

    #[test]
    fn fewer_changed_bits_than_bands_leave_a_band_unchanged() {
        let hash = PerceptualHash::of(&picture(1));
        let mut changed = hash;
        for bit in 0..BANDS - 1 {
            changed.0[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(hash.distance(changed), 7);
        assert_eq!(hash.bands().iter().zip(changed.bands()).filter(|(a, b)| **a == *b).count(), 1);
    }

    #[test]
    fn other_pictures_differ_and_a_blank_one_has_a_hash() {
        assert!(!PerceptualHash::of(&picture(1)).is_copy_of(PerceptualHash::of(&picture(2))));
        let blank = PerceptualHash::of(&RgbImage::new(64, 64));
        assert!(blank.is_copy_of(blank) && !blank.is_copy_of(PerceptualHash::of(&picture(1))));
    }
}
