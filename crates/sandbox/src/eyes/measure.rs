//! What the pixels of a region are like.

use image::GrayImage;

use crate::specimen::paint::Rect;

/// Least difference between ink and paper that can be read, of 255.
const LEAST_CONTRAST: f32 = 30.0;
/// Least difference relative to the paper's light.
const LEAST_SHARE: f32 = 0.40;
/// Least height of a capital letter that can be read, in pixels.
const LEAST_HEIGHT: f32 = 8.0;
/// Columns of the raster on which a face's sharpness is measured.
const RASTER: usize = 96;
/// Share of a change over a few squares of that raster that happens within one: on a smeared and on a crisp face.
const SMEARED: f32 = 0.27;
const CRISP: f32 = 0.58;
/// Squares that make a "few".
const FAR: usize = 4;

/// The share of a region that lies inside the picture.
pub fn inside(picture: &GrayImage, region: Rect) -> f32 {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let across = (region.x + region.w).min(width) - region.x.max(0.0);
    let down = (region.y + region.h).min(height) - region.y.max(0.0);
    (across.max(0.0) * down.max(0.0)) / (region.w * region.h).max(1e-3)
}

/// A line of print in that region can be read from end to end: it lies in the picture, it is large enough, and nowhere along
/// it are ink and paper alike.
pub fn legible(picture: &GrayImage, line: Rect) -> bool {
    // The long side is the direction of writing, whichever way the picture is turned.
    let (along, across) = (line.w.max(line.h), line.w.min(line.h));
    if across < LEAST_HEIGHT || inside(picture, line) < 0.98 {
        return false;
    }
    let pieces = (along / (across * 2.2)).floor().max(1.0) as usize;
    (0..pieces).all(|piece| {
        let (from, step) = (piece as f32 / pieces as f32, 1.0 / pieces as f32);
        let part = if line.w >= line.h {
            Rect::new(line.x + line.w * from, line.y, line.w * step, line.h)
        } else {
            Rect::new(line.x, line.y + line.h * from, line.w, line.h * step)
        };
        readable(picture, part)
    })
}

fn readable(picture: &GrayImage, region: Rect) -> bool {
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
    paper - ink >= LEAST_CONTRAST && (paper - ink) / paper >= LEAST_SHARE
}

/// What a face's pixels are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceQuality {
    /// 0 to 100.
    pub sharpness: f32,
    /// 0 to 100.
    pub brightness: f32,
    /// Share of the pixels that are burnt out.
    pub burnt: f32,
}

/// Measures a face.
pub fn face(picture: &GrayImage, region: Rect) -> FaceQuality {
    let (mut sum, mut burnt, mut count) = (0u64, 0u64, 0u64);
    for row in rows(picture, region) {
        sum += row.iter().map(|&value| u64::from(value)).sum::<u64>();
        burnt += row.iter().filter(|&&value| value >= 250).count() as u64;
        count += row.len() as u64;
    }
    let count = count.max(1) as f32;
    let brightness = sum as f32 / count / 2.55;
    FaceQuality { sharpness: sharpness(&raster(picture, region)), brightness, burnt: burnt as f32 / count }
}

/// The region in squares, `RASTER` across.
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

/// How much of the strongest changes over a few squares happens from one square to the next: nearly all at a crisp edge, little
/// across a smeared one. Light, contrast and looks cancel out.
fn sharpness(raster: &[Vec<f32>]) -> f32 {
    let (near, far) = (strongest(raster, 1), strongest(raster, FAR));
    if far < 4.0 {
        return 0.0;
    }
    ((near / far - SMEARED) / (CRISP - SMEARED) * 100.0).clamp(0.0, 100.0)
}

/// The change over so many squares that few others exceed. Few: on a dark face the soft shades outnumber the hard edges.
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

/// The rows of a region, cut to the picture.
fn rows(picture: &GrayImage, region: Rect) -> impl Iterator<Item = &[u8]> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let clamp = |value: f32, limit: usize| (value.round().max(0.0) as usize).min(limit);
    let (left, right) = (clamp(region.x, width), clamp(region.x + region.w, width));
    let (top, bottom) = (clamp(region.y, height), clamp(region.y + region.h, height));
    let data = picture.as_raw();
    (top..bottom.max(top)).map(move |y| &data[y * width + left..y * width + right.max(left)])
}
