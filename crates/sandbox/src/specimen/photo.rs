//! The flaws of a picture: what a camera, a hand or a copier does to a document.

use identivia_pixels::scale::{self, Filter};
use image::{DynamicImage, RgbImage};

use super::definition::Specimen;
use super::flaw::{Flaw, FlawKind};
use super::layout::{Layout, PAGE_RADIUS};
use super::paint::{Colour, Painter, Point, Rect, lit, rounded_outline, smooth};
use super::person;
use super::person::FACE;
use super::rng::Rng;

/// Radius of the default blur, in pixels at full size.
const BLUR: f32 = 5.0;
/// Default share of the light that remains in a dark picture.
const DARK: f32 = 0.09;
/// Default width of a small picture.
const SMALL: f32 = 420.0;

/// Applies the flaws of the picture, as opposed to those of the document.
pub fn take(specimen: &Specimen, layout: &Layout, mut picture: RgbImage) -> RgbImage {
    if specimen.has(FlawKind::PrintedCopy) {
        print_out(&mut picture, layout);
    }
    if specimen.has(FlawKind::Screen) {
        display(&mut picture);
    }
    if specimen.has(FlawKind::Covered) {
        hand(&mut picture, layout);
    }
    if let Some(flaw) = specimen.flaw(FlawKind::Glare) {
        glare(&mut picture, layout, flaw.value.as_deref());
    }
    if specimen.has(FlawKind::BlackAndWhite) {
        picture = DynamicImage::ImageLuma8(DynamicImage::ImageRgb8(picture).to_luma8()).to_rgb8();
    }
    if let Some(flaw) = specimen.flaw(FlawKind::Dark) {
        darken(&mut picture, amount(flaw, DARK), &mut Rng::new(specimen.seed));
    }
    if let Some(flaw) = specimen.flaw(FlawKind::CutOff) {
        picture = cut(picture, flaw.value.as_deref());
    }
    if let Some(flaw) = specimen.flaw(FlawKind::Blurred) {
        picture = DynamicImage::ImageRgb8(picture).fast_blur(amount(flaw, BLUR)).into_rgb8();
    }
    if let Some(flaw) = specimen.flaw(FlawKind::Small) {
        picture = scaled(&picture, amount(flaw, SMALL) as u32);
    }
    picture
}

/// Scales a picture to another width, keeping its aspect ratio.
pub fn scaled(picture: &RgbImage, width: u32) -> RgbImage {
    let height = (picture.height() * width / picture.width().max(1)).max(1);
    scale::rgb(picture, (width, height), Filter::Triangle)
}

fn amount(flaw: &Flaw, otherwise: f32) -> f32 {
    flaw.value.as_deref().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Draws a thumb that holds the document and covers a part of its right half.
fn hand(picture: &mut RgbImage, layout: &Layout) {
    let skin: Colour = [206, 160, 130];
    let (right, bottom) = (layout.page.x + layout.page.w * 0.66, layout.size.1 as f32);
    let side = [
        (right - 150.0, bottom + 20.0),
        (right - 128.0, bottom - 300.0),
        (right - 104.0, bottom - 560.0),
        (right - 20.0, bottom - 690.0),
        (right + 76.0, bottom - 640.0),
        (right + 112.0, bottom - 470.0),
        (right + 130.0, bottom - 260.0),
        (right + 210.0, bottom + 20.0),
    ];
    let outline = smooth(&side, 8);
    let shadow: Vec<Point> = outline.iter().map(|&(x, y)| (x + 14.0, y + 16.0)).collect();
    let mut painter = Painter::new(picture);
    painter.polygon(&shadow, [20, 16, 16], 0.35);
    painter.shaded_polygon(&outline, 1.0, |x, y| {
        let across = (x - right + 10.0) / 170.0 + (bottom - y) / 9000.0;
        lit(skin, (1.08 - across * across * 0.5).max(0.45))
    });
    let nail = [
        (right - 62.0, bottom - 480.0),
        (right - 50.0, bottom - 600.0),
        (right + 8.0, bottom - 640.0),
        (right + 58.0, bottom - 590.0),
        (right + 58.0, bottom - 470.0),
        (right, bottom - 450.0),
        (right - 62.0, bottom - 480.0),
    ];
    painter.polygon(&smooth(&nail, 8), [232, 196, 180], 1.0);
    for crease in [250.0, 270.0, 296.0] {
        let line = [(right - 90.0, bottom - crease), (right, bottom - crease - 16.0), (right + 90.0, bottom - crease)];
        let band: Vec<_> = smooth(&line, 6).into_iter().map(|point| (point, 4.0)).collect();
        painter.ribbon(&band, lit(skin, 0.75), 0.6);
    }
}

/// Draws the reflection of a lamp.
fn glare(picture: &mut RgbImage, layout: &Layout, place: Option<&str>) {
    let page = layout.page;
    let (x, y) = match place {
        Some("portrait") => layout.portrait.map_or(page.centre(), |frame| {
            let scale = frame.w / person::FIGURE_WIDTH;
            (frame.x + (FACE.x + FACE.w * 0.6) * scale, frame.y + (FACE.y + FACE.h * 0.5) * scale)
        }),
        Some("mrz") => {
            layout.mrz.map_or(page.centre(), |zone| (zone.band.x + zone.band.w * 0.55, zone.band.centre().1))
        }
        _ => (page.x + page.w * 0.47, page.y + page.h * 0.42),
    };
    let mut painter = Painter::new(picture);
    painter.ellipse((x, y), (270.0, 190.0), -0.35, 190.0, [255, 255, 250], 0.75);
    painter.ellipse((x, y), (180.0, 120.0), -0.35, 60.0, [255, 255, 255], 1.0);
}

/// Reduces the light and adds the noise of a sensor at high gain.
fn darken(picture: &mut RgbImage, share: f32, rng: &mut Rng) {
    let table: Vec<u8> = (0..=255u8).map(|value| (f32::from(value) * share) as u8).collect();
    let noise: Vec<u8> = (0..4099).map(|_| (rng.next() % 5) as u8).collect();
    for (value, grain) in picture.as_mut().iter_mut().zip(noise.iter().cycle()) {
        *value = table[usize::from(*value)].saturating_add(*grain);
    }
}

fn cut(picture: RgbImage, edge: Option<&str>) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (x, y, cut_width, cut_height) = match edge {
        Some("top") => (0, height / 5, width, height - height / 5),
        Some("left") => (width / 4, 0, width - width / 4, height),
        Some("right") => (0, 0, width - width / 4, height),
        _ => (0, 0, width, height - height / 4),
    };
    DynamicImage::ImageRgb8(picture).crop_imm(x, y, cut_width, cut_height).into_rgb8()
}

/// Adds the signs of a display: moiré, a blue backlight, the edge of its bezel.
fn display(picture: &mut RgbImage) {
    let (width, height) = picture.dimensions();
    let beat = |at: u32, fine: f32, coarse: f32| {
        let at = at as f32 * std::f32::consts::TAU;
        (256.0 * (1.0 + 0.07 * (at / fine).sin() + 0.045 * (at / coarse).sin())) as u32
    };
    let columns: Vec<u32> = (0..width).map(|x| beat(x, 2.7, 61.0)).collect();
    let tint = [236u32, 250, 268];
    for (y, row) in (0u32..).zip(picture.as_mut().chunks_exact_mut(width as usize * 3)) {
        let level = beat(y + y / 9, 3.3, 83.0);
        for (pixel, column) in row.chunks_exact_mut(3).zip(&columns) {
            let light = level * column / 256;
            for (channel, tint) in pixel.iter_mut().zip(tint) {
                *channel = ((u32::from(*channel) * light * tint) >> 16).min(255) as u8;
            }
        }
    }
    let (width, height) = (width as f32, height as f32);
    let mut painter = Painter::new(picture);
    for edge in [
        Rect::new(0.0, 0.0, width, 16.0),
        Rect::new(0.0, height - 18.0, width, 18.0),
        Rect::new(0.0, 0.0, 14.0, height),
        Rect::new(width - 14.0, 0.0, 14.0, height),
    ] {
        painter.rect(edge, [12, 12, 14], 1.0);
    }
    painter.polygon(
        &[(width * 0.62, 0.0), (width * 0.80, 0.0), (width * 0.56, height), (width * 0.38, height)],
        [255, 255, 255],
        0.06,
    );
}

/// Adds the signs of a print-out: halftone dots on white paper, faded colours, a fold.
fn print_out(picture: &mut RgbImage, layout: &Layout) {
    let (width, height) = picture.dimensions();
    // Brightness offset within a cell of the halftone screen.
    let cell: Vec<i32> = (0..36).map(|at| [-9, -4, 3, 8, 3, -4][at % 6] + [-7, -3, 4, 7, 4, -3][at / 6]).collect();
    let everything = Rect::new(0.0, 0.0, width as f32, height as f32).corners().to_vec();
    let paper = [everything, rounded_outline(layout.page, PAGE_RADIUS)];
    Painter::new(picture).polygons(&paper, [236, 236, 234], 1.0);
    for (y, row) in (0usize..).zip(picture.as_mut().chunks_exact_mut(width as usize * 3)) {
        for (x, pixel) in (0usize..).zip(row.chunks_exact_mut(3)) {
            let grain = cell[(y % 6) * 6 + (x + y / 2) % 6];
            let grey = (i32::from(pixel[0]) * 77 + i32::from(pixel[1]) * 150 + i32::from(pixel[2]) * 29) >> 8;
            for channel in pixel {
                let faded = (i32::from(*channel) * 17 + grey * 3) / 20;
                *channel = (24 + faded * 218 / 255 + grain).clamp(0, 255) as u8;
            }
        }
    }
    let mut painter = Painter::new(picture);
    let (fold, height) = (width as f32 * 0.345, height as f32);
    painter.rect(Rect::new(fold, 0.0, 5.0, height), [255, 255, 255], 0.55);
    painter.rect(Rect::new(fold + 5.0, 0.0, 7.0, height), [60, 60, 60], 0.22);
}
