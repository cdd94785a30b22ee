//! Finds edges of the picture across which the document continues, where that can be recognised.
//!
//! On a plain background the sides of the picture look alike. If one or two of them show something
//! else along most of their length, and what is seen does not have the shape of a whole document,
//! the document runs out of the picture there. On a patterned background, in a hand, or cropped to
//! its edges, nothing can be said, and nothing is reported.

use image::{Rgb, RgbImage};
use serde::Serialize;

use super::scale::{self, Filter};

/// A side of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Edge {
    Top,
    Right,
    Bottom,
    Left,
}

/// Longest side of the picture that is examined.
const SIDE: u32 = 200;
/// Share of an edge that must look like the background to count as background.
const PLAIN_MIN: f32 = 0.92;
/// Greatest sum of the channels' differences at which a pixel looks like the background.
const PLAIN_DISTANCE: u32 = 75;
/// Share of an edge that must differ to count as crossed by a document; a hand takes less.
const CROSSED_MIN: f32 = 0.7;
/// Smallest sum of the channels' differences at which a pixel is something else.
const OTHER_DISTANCE: u32 = 120;
/// Long side to short side of ID-1 cards (ISO/IEC 7810), and of ID-2 and ID-3.
const SHAPES: [f32; 2] = [1.586, 1.42];
/// Share by which perspective changes a shape.
const SHAPE_TOLERANCE: f32 = 0.06;

/// Returns the edges across which the document runs out of the picture.
pub fn cut_off(picture: &RgbImage) -> Vec<Edge> {
    use Edge::{Bottom, Left, Right, Top};
    let small = scale::rgb(picture, scale::fitted(picture.dimensions(), SIDE), Filter::Triangle);
    if small.width() < 20 || small.height() < 20 {
        return Vec::new();
    }
    let suspects: [&[Edge]; 8] =
        [&[Top], &[Right], &[Bottom], &[Left], &[Top, Left], &[Top, Right], &[Bottom, Left], &[Bottom, Right]];
    suspects.into_iter().find(|crossed| runs_out(&small, crossed)).map(<[Edge]>::to_vec).unwrap_or_default()
}

fn runs_out(picture: &RgbImage, crossed: &[Edge]) -> bool {
    let others: Vec<Vec<Rgb<u8>>> = [Edge::Top, Edge::Right, Edge::Bottom, Edge::Left]
        .into_iter()
        .filter(|edge| !crossed.contains(edge))
        .map(|edge| along(picture, edge))
        .collect();
    let background = median(&others.concat());
    let plain =
        |pixels: &Vec<Rgb<u8>>| share(pixels, |pixel| distance(*pixel, background) <= PLAIN_DISTANCE) >= PLAIN_MIN;
    let other = |edge: &Edge| crossed_share(&along(picture, *edge), background) >= CROSSED_MIN;
    others.iter().all(plain) && crossed.iter().all(other) && !whole_shape(picture, background)
}

/// Share of an edge that shows something else. Print is as dark as a table here and there, so a
/// pixel counts with its neighbours.
fn crossed_share(edge: &[Rgb<u8>], background: Rgb<u8>) -> f32 {
    const NEIGHBOURS: usize = 3;
    let other: Vec<bool> = edge.iter().map(|pixel| distance(*pixel, background) >= OTHER_DISTANCE).collect();
    let near = |at: usize| other[at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS + 1).min(other.len())].contains(&true);
    #[expect(clippy::cast_precision_loss, reason = "at most 200 pixels")]
    let share = (0..other.len()).filter(|at| near(*at)).count() as f32 / other.len().max(1) as f32;
    share
}

/// Whether what differs from the background has the shape of a whole document.
#[expect(clippy::cast_precision_loss, reason = "sides of at most 200 pixels")]
fn whole_shape(picture: &RgbImage, background: Rgb<u8>) -> bool {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        if distance(*pixel, background) >= OTHER_DISTANCE {
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
        }
    }
    if right <= left || bottom <= top {
        return false;
    }
    let (width, height) = ((right - left + 1) as f32, (bottom - top + 1) as f32);
    let shape = width.max(height) / width.min(height);
    SHAPES.iter().any(|known| (shape / known - 1.0).abs() <= SHAPE_TOLERANCE)
}

fn along(picture: &RgbImage, edge: Edge) -> Vec<Rgb<u8>> {
    let (right, bottom) = (picture.width() - 1, picture.height() - 1);
    match edge {
        Edge::Top => (0..=right).map(|x| *picture.get_pixel(x, 0)).collect(),
        Edge::Bottom => (0..=right).map(|x| *picture.get_pixel(x, bottom)).collect(),
        Edge::Left => (0..=bottom).map(|y| *picture.get_pixel(0, y)).collect(),
        Edge::Right => (0..=bottom).map(|y| *picture.get_pixel(right, y)).collect(),
    }
}

fn median(pixels: &[Rgb<u8>]) -> Rgb<u8> {
    let channel = |index: usize| {
        let mut values: Vec<u8> = pixels.iter().map(|pixel| pixel.0[index]).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Rgb([channel(0), channel(1), channel(2)])
}

fn distance(a: Rgb<u8>, b: Rgb<u8>) -> u32 {
    a.0.iter().zip(b.0).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

#[expect(clippy::cast_precision_loss, reason = "at most 200 pixels")]
fn share(pixels: &[Rgb<u8>], holds: impl Fn(&Rgb<u8>) -> bool) -> f32 {
    pixels.iter().filter(|pixel| holds(pixel)).count() as f32 / pixels.len().max(1) as f32
}
