//! Measures of shape: sharpness and burnt-out spots.

use image::{GrayImage, RgbImage};

const TILE: usize = 32;
/// Contrast from which a tile counts as structure.
const CONTRAST_MIN: u8 = 60;
/// Share of the structured tiles that may be softer than the reported number: faces and shadows are
/// soft by nature.
const SOFT_SHARE: f32 = 0.85;

/// Measures the width of edges in pixels, and the share of tiles with structure.
///
/// In a tile, the steepest step between neighbours relative to the contrast tells how many pixels
/// an edge takes. Blur widens it whatever the contrast. Motion does so in one direction only, so
/// both are measured and the worse one counts.
#[expect(clippy::cast_precision_loss, reason = "tiles are counted in thousands")]
pub fn sharpness(luma: &GrayImage) -> (f32, f32) {
    let (width, height) = (luma.width() as usize, luma.height() as usize);
    let (mut across, mut down, mut tiles) = (Vec::new(), Vec::new(), 0_usize);
    for top in (0..height.saturating_sub(TILE)).step_by(TILE) {
        for left in (0..width.saturating_sub(TILE)).step_by(TILE) {
            tiles += 1;
            let steps = steepest(luma.as_raw(), width, left, top);
            if steps.contrast >= CONTRAST_MIN {
                across.push(f32::from(steps.across) / f32::from(steps.contrast));
                down.push(f32::from(steps.down) / f32::from(steps.contrast));
            }
        }
    }
    let structure = if tiles == 0 { 0.0 } else { across.len() as f32 / tiles as f32 };
    let slope = upper(&mut across).min(upper(&mut down));
    let edge_width = if slope > 0.0 { 1.0 / slope } else { TILE as f32 };
    (edge_width, structure)
}

struct Steps {
    across: u8,
    down: u8,
    contrast: u8,
}

fn steepest(luma: &[u8], width: usize, left: usize, top: usize) -> Steps {
    let (mut across, mut down, mut low, mut high) = (0, 0, u8::MAX, 0);
    for y in top..top + TILE {
        let row = &luma[y * width + left..=y * width + left + TILE];
        let below = &luma[(y + 1) * width + left..(y + 1) * width + left + TILE];
        for (x, under) in below.iter().enumerate() {
            let here = row[x];
            low = here.min(low);
            high = here.max(high);
            across = here.abs_diff(row[x + 1]).max(across);
            down = here.abs_diff(*under).max(down);
        }
    }
    Steps { across, down, contrast: high - low }
}

fn upper(slopes: &mut [f32]) -> f32 {
    slopes.sort_by(f32::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below a few thousand"
    )]
    let at = (slopes.len() as f32 * SOFT_SHARE) as usize;
    slopes.get(at).copied().unwrap_or_default()
}

/// Cells along the longer side of the grid in which burnt-out spots are searched for.
const GRID: u32 = 160;
/// Mean of the darkest channel from which a cell was clipped; white paper under any light is
/// darker.
const BURNT: u32 = 254;

/// Cells around its middle in which a spot is solid. White print is not: lines, letters or bars run
/// through it.
const SOLID: usize = 3;

/// Measures the share of the picture that burnt-out spots cover where they are solid. A spot that
/// reaches the edge of the picture is a white table, not glare.
#[expect(clippy::cast_precision_loss, reason = "cells are counted in ten thousands")]
pub fn glare(picture: &RgbImage) -> f32 {
    let side_pixels = picture.width().max(picture.height()).div_ceil(GRID).max(1);
    let (side, area) = (side_pixels as usize, side_pixels * side_pixels);
    let (width, pixels) = (picture.width() as usize, picture.as_raw().as_chunks::<3>().0);
    let columns = width / side;
    if columns == 0 || picture.height() < side_pixels {
        return 0.0;
    }
    let mut burnt = Vec::with_capacity(columns * pixels.len() / (width * side));
    for rows in pixels.chunks_exact(width * side) {
        let mut sums = vec![0; columns];
        for row in rows.chunks_exact(width) {
            for (sum, cell) in sums.iter_mut().zip(row.chunks_exact(side)) {
                *sum += cell.iter().copied().map(darkest).sum::<u32>();
            }
        }
        burnt.extend(sums.into_iter().map(|sum| sum / area >= BURNT));
    }
    let solid = solid(&burnt, columns);
    let mut covered = 0;
    for start in 0..burnt.len() {
        if burnt[start] {
            let spot = flood(&mut burnt, columns, start);
            if !spot.at_edge {
                covered += spot.cells.iter().filter(|cell| solid[**cell]).count();
            }
        }
    }
    covered as f32 / burnt.len() as f32
}

/// Marks the cells around which every cell is set.
fn solid(cells: &[bool], columns: usize) -> Vec<bool> {
    let rows = cells.len() / columns;
    let within = |at: usize, end: usize| (at >= SOLID && at + SOLID < end).then(|| at - SOLID..=at + SOLID);
    (0..cells.len())
        .map(|cell| match (within(cell % columns, columns), within(cell / columns, rows)) {
            (Some(across), Some(mut down)) => down.all(|y| across.clone().all(|x| cells[y * columns + x])),
            _ => false,
        })
        .collect()
}

fn darkest([red, green, blue]: [u8; 3]) -> u32 {
    red.min(green).min(blue).into()
}

struct Spot {
    cells: Vec<usize>,
    at_edge: bool,
}

/// Clears the spot around `start` and returns it.
fn flood(cells: &mut [bool], columns: usize, start: usize) -> Spot {
    let rows = cells.len() / columns;
    let mut spot = Spot { cells: Vec::new(), at_edge: false };
    let mut open = vec![start];
    cells[start] = false;
    while let Some(cell) = open.pop() {
        spot.cells.push(cell);
        let (x, y) = (cell % columns, cell / columns);
        spot.at_edge |= x == 0 || y == 0 || x + 1 == columns || y + 1 == rows;
        let around = [
            (x > 0).then(|| cell - 1),
            (x + 1 < columns).then_some(cell + 1),
            (y > 0).then(|| cell - columns),
            (y + 1 < rows).then_some(cell + columns),
        ];
        for next in around.into_iter().flatten() {
            if cells[next] {
                cells[next] = false;
                open.push(next);
            }
        }
    }
    spot
}
