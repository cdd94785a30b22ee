//! Measures legibility, sharpness and brightness on the pixels of a region.

use image::GrayImage;

use crate::specimen::paint::Rect;

/// Least difference between ink and paper at which print is legible, of 255.
const CONTRAST_MIN: f32 = 30.0;
/// Least difference between ink and paper, relative to the paper's luminance.
const RELATIVE_CONTRAST_MIN: f32 = 0.40;
/// Least height of a legible capital letter, in pixels.
const HEIGHT_MIN: f32 = 8.0;
/// Columns of the raster on which a face's sharpness is measured.
const RASTER: usize = 96;
/// Share of the change over [`FAR`] squares of that raster that happens within one square: on a
/// smeared and on a crisp face.
const SMEARED: f32 = 0.27;
const CRISP: f32 = 0.58;
/// Distance in squares over which the whole of an edge is measured.
const FAR: usize = 4;

/// The share of a region that lies inside the picture.
pub fn inside(picture: &GrayImage, region: Rect) -> f32 {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let across = (region.x + region.w).min(width) - region.x.max(0.0);
    let down = (region.y + region.h).min(height) - region.y.max(0.0);
    (across.max(0.0) * down.max(0.0)) / (region.w * region.h).max(1e-3)
}

/// Whether a line of print in that region is legible from end to end: it lies in the picture, it is
/// large enough, and ink and paper differ everywhere along it.
pub fn legible(picture: &GrayImage, line: Rect) -> bool {
    // The long side is the direction of writing, also in a rotated picture.
    let (along, across) = (line.w.max(line.h), line.w.min(line.h));
    if across < HEIGHT_MIN || inside(picture, line) < 0.98 {
        return false;
    }
    let parts = (along / (across * 2.2)).floor().max(1.0) as usize;
    (0..parts).all(|part| {
        let (from, step) = (part as f32 / parts as f32, 1.0 / parts as f32);
        let region = if line.w >= line.h {
            Rect::new(line.x + line.w * from, line.y, line.w * step, line.h)
        } else {
            Rect::new(line.x, line.y + line.h * from, line.w, line.h * step)
        };
        has_contrast(picture, region)
    })
}

fn has_contrast(picture: &GrayImage, region: Rect) -> bool {
    let mut histogram = [0u32; 256];
    let mut count = 0u32;
    for row in rows(picture, region) {
        for &value in row {
            histogram[usize::from(value)] += 1;
        }
        count += row.len() as u32;
    }
    let level = |share: f32| {
        let wanted = (count as f32 * share) as u32;
        let mut seen = 0;
        histogram
            .iter()
            .position(|&number| {
                seen += number;
                seen > wanted
            })
            .unwrap_or(255) as f32
    };
    let (ink, paper) = (level(0.04), level(0.85));
    paper - ink >= CONTRAST_MIN && (paper - ink) / paper >= RELATIVE_CONTRAST_MIN
}

/// Measurements of a face's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceQuality {
    /// 0 to 100.
    pub sharpness: f32,
    /// 0 to 100.
    pub brightness: f32,
    /// Share of the pixels that are overexposed.
    pub overexposed: f32,
}

/// Measures a face.
pub fn face(picture: &GrayImage, region: Rect) -> FaceQuality {
    let (mut sum, mut overexposed, mut count) = (0u64, 0u64, 0u64);
    for row in rows(picture, region) {
        sum += row.iter().map(|&value| u64::from(value)).sum::<u64>();
        overexposed += row.iter().filter(|&&value| value >= 250).count() as u64;
        count += row.len() as u64;
    }
    let count = count.max(1) as f32;
    let brightness = sum as f32 / count / 2.55;
    FaceQuality { sharpness: sharpness(&raster(picture, region)), brightness, overexposed: overexposed as f32 / count }
}

/// The mean luminance of the region in squares, [`RASTER`] across.
fn raster(picture: &GrayImage, region: Rect) -> Vec<Vec<f32>> {
    let size = region.w / RASTER as f32;
    let rows_down = (region.h / size.max(1e-3)) as usize;
    (0..rows_down.min(2 * RASTER))
        .map(|row| {
            (0..RASTER)
                .map(|column| {
                    let (x, y) = (region.x + column as f32 * size, region.y + row as f32 * size);
                    mean(picture, x, y, size)
                })
                .collect()
        })
        .collect()
}

fn mean(picture: &GrayImage, x: f32, y: f32, size: f32) -> f32 {
    let (mut sum, mut count) = (0u32, 0u32);
    for row in rows(picture, Rect::new(x, y, size.max(1.0), size.max(1.0))) {
        sum += row.iter().map(|&value| u32::from(value)).sum::<u32>();
        count += row.len() as u32;
    }
    sum as f32 / count.max(1) as f32
}

/// How much of the strongest changes over [`FAR`] squares happens within one square: nearly all at
/// a crisp edge, little across a smeared one. Brightness, contrast and the face's appearance cancel
/// out.
fn sharpness(raster: &[Vec<f32>]) -> f32 {
    let (near, far) = (strongest(raster, 1), strongest(raster, FAR));
    if far < 4.0 {
        return 0.0;
    }
    ((near / far - SMEARED) / (CRISP - SMEARED) * 100.0).clamp(0.0, 100.0)
}

/// The 99.5th percentile of the changes over `lag` squares. So high because on a dark face soft
/// shades outnumber hard edges.
fn strongest(raster: &[Vec<f32>], lag: usize) -> f32 {
    let across = raster.iter().flat_map(|row| row.iter().zip(row.iter().skip(lag)));
    let down = raster.iter().zip(raster.iter().skip(lag)).flat_map(|(above, below)| above.iter().zip(below));
    let mut changes: Vec<f32> = across.chain(down).map(|(a, b)| (a - b).abs()).collect();
    if changes.is_empty() {
        return 0.0;
    }
    let at = changes.len() * 995 / 1000;
    *changes.select_nth_unstable_by(at, f32::total_cmp).1
}

/// The rows of a region, clamped to the picture.
fn rows(picture: &GrayImage, region: Rect) -> impl Iterator<Item = &[u8]> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let clamp = |value: f32, limit: usize| (value.round().max(0.0) as usize).min(limit);
    let (left, right) = (clamp(region.x, width), clamp(region.x + region.w, width));
    let (top, bottom) = (clamp(region.y, height), clamp(region.y + region.h, height));
    let data = picture.as_raw();
    (top..bottom.max(top)).map(move |y| &data[y * width + left..y * width + right.max(left)])
}
