//! Cuts a line of text out of a picture and levels it, at the size of the OCR model's input.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels: coordinates are small numbers"
)]

use image::GrayImage;

use super::rows::Row;

/// Height of a strip in pixels: that of the model's input.
pub const STRIP_HEIGHT: usize = 48;
/// Widest strip. A zone's line is some 1500 pixels wide at this height; a wider row is not a line
/// of a zone.
pub const STRIP_WIDTH_MAX: usize = 2600;
/// Narrowest strip that the model reads.
pub const STRIP_WIDTH_MIN: usize = 160;
/// Margin to the left and right, in heights of the letters.
const AIR_SIDES: f32 = 0.5;

/// A level strip of text.
#[derive(Clone, PartialEq)]
pub struct Strip {
    /// Width in pixels.
    pub width: usize,
    /// Brightness from 0 to 1, row by row; [`STRIP_HEIGHT`] rows.
    pub pixels: Vec<f32>,
}

/// Cuts `row` out of a picture. `air` is the strip's height in heights of its letters: the model
/// was trained on lines with a little margin. `None` where the strip has no shape that the model
/// could read.
pub fn cut(picture: &GrayImage, row: &Row, air: f32) -> Option<Strip> {
    let length = row.length();
    if !(length.is_finite() && row.height.is_finite()) || length < 1.0 || row.height < 1.0 {
        return None;
    }
    let along = ((row.to.0 - row.from.0) / length, (row.to.1 - row.from.1) / length);
    let step = row.height * air / STRIP_HEIGHT as f32;
    let margin = row.height * AIR_SIDES;
    let width = ((length + 2.0 * margin) / step).round() as usize;
    if !(STRIP_WIDTH_MIN..=STRIP_WIDTH_MAX).contains(&width) {
        return None;
    }
    // Where a step is wider than a pixel, pixels between the steps are also sampled.
    let samples = (step.ceil() as usize).clamp(1, 4);
    let mut pixels = Vec::with_capacity(width * STRIP_HEIGHT);
    for y in 0..STRIP_HEIGHT {
        for x in 0..width {
            let mut sum = 0.0;
            for sample_y in 0..samples {
                for sample_x in 0..samples {
                    let inside = |sample: usize| (sample as f32 + 0.5) / samples as f32;
                    let right = (x as f32 + inside(sample_x)) * step - margin;
                    let down = (y as f32 + inside(sample_y)) * step - row.height * air / 2.0;
                    let at =
                        (row.from.0 + along.0 * right - along.1 * down, row.from.1 + along.1 * right + along.0 * down);
                    sum += brightness(picture, at);
                }
            }
            pixels.push(sum / (samples * samples) as f32);
        }
    }
    Some(Strip { width, pixels })
}

/// Brightness between pixels, from 0 to 1; beyond an edge the picture continues with the edge's
/// value.
fn brightness(picture: &GrayImage, (x, y): (f32, f32)) -> f32 {
    let (right, bottom) = (picture.width() as f32 - 1.0, picture.height() as f32 - 1.0);
    let (x, y) = ((x - 0.5).clamp(0.0, right), (y - 0.5).clamp(0.0, bottom));
    let (left, top) = (x.floor(), y.floor());
    let (part_x, part_y) = (x - left, y - top);
    let pixel = |x: f32, y: f32| f32::from(picture.get_pixel(x.min(right) as u32, y.min(bottom) as u32).0[0]);
    let upper = pixel(left, top) * (1.0 - part_x) + pixel(left + 1.0, top) * part_x;
    let lower = pixel(left, top + 1.0) * (1.0 - part_x) + pixel(left + 1.0, top + 1.0) * part_x;
    (upper * (1.0 - part_y) + lower * part_y) / 255.0
}
