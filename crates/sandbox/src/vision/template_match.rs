//! Recognises the design of a document by template matching, where its codes are too blurred, too
//! dark or too small to read.

use image::{DynamicImage, imageops::FilterType};
use std::sync::OnceLock;

use crate::specimen::blank;
use crate::specimen::layout::Design;
use crate::specimen::paint::{Painter, Rect};

const COLUMNS: u32 = 36;
const ROWS: u32 = 24;
/// Least correlation with a template at which a document is recognised.
const CORRELATION_MIN: f32 = 0.72;

/// The design that correlates best with the picture, if one correlates well enough.
pub fn best_match(picture: &DynamicImage) -> Option<Design> {
    let thumbnail = thumbnail(picture);
    let aspect = picture.width() as f32 / picture.height().max(1) as f32;
    Design::ALL
        .into_iter()
        .filter(|design| {
            let (width, height) = design.layout().size;
            (aspect / (width as f32 / height as f32) - 1.0).abs() < 0.03
        })
        .map(|design| (design, correlation(&thumbnail, template(design))))
        .filter(|(_, correlation)| *correlation >= CORRELATION_MIN)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(design, _)| design)
}

fn template(design: Design) -> &'static [f32] {
    static TEMPLATES: [OnceLock<Vec<f32>>; Design::ALL.len()] = [const { OnceLock::new() }; Design::ALL.len()];
    TEMPLATES[design as usize].get_or_init(|| thumbnail(&DynamicImage::ImageRgb8(typical(design))))
}

/// The blank with a grey shape for everything that each specimen of it carries.
fn typical(design: Design) -> image::RgbImage {
    let layout = design.layout();
    let mut picture = blank(design).clone();
    let mut painter = Painter::new(&mut picture);
    if let Some(frame) = layout.portrait {
        painter.gradient(frame, [176, 170, 168], [92, 86, 86]);
    }
    for code in [Some(layout.data_code), layout.mrz_code, layout.barcode].into_iter().flatten() {
        painter.rect(code, [130, 130, 130], 1.0);
    }
    if let Some(zone) = layout.mrz {
        painter.rect(zone.band.grown(-40.0), [186, 186, 186], 1.0);
    }
    for slot in layout.slots {
        let text = Rect::new(
            slot.x,
            slot.y + layout.drop - layout.value_size * 0.7,
            slot.width * 0.5,
            layout.value_size * 0.7,
        );
        painter.rect(text, [150, 150, 156], 0.6);
    }
    picture
}

/// Luminance and colour of a coarse raster, about their means and scaled to unit length together.
fn thumbnail(picture: &DynamicImage) -> Vec<f32> {
    let small = picture.resize_exact(COLUMNS, ROWS, FilterType::Triangle).to_rgb8();
    let light: Vec<f32> =
        small.pixels().map(|pixel| pixel.0.iter().map(|&value| f32::from(value)).sum::<f32>()).collect();
    let colour = |a: usize, b: usize| small.pixels().map(move |pixel| f32::from(pixel.0[a]) - f32::from(pixel.0[b]));
    let mean = light.iter().sum::<f32>() / light.len() as f32;
    let bright = mean.max(1.0);
    let mut values: Vec<f32> = light.iter().map(|value| (value - mean) / bright).collect();
    // Colour has a small weight: it distinguishes designs of the same layout.
    values.extend(colour(0, 2).chain(colour(1, 2)).map(|value| value / bright * 1.5));
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
    values.iter().map(|value| value / length).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
