//! Finds the lines of a machine-readable zone in a picture.
//!
//! A zone's lines are the longest lines of a document: 30 to 44 characters of one width, dark on a
//! light ground, without gaps. So ink is what is darker than its surroundings, the picture's skew
//! is the angle at which ink falls into rows, and a row is a long, low run of ink with small gaps.
//! A found row is a candidate: the recognition and the check digits judge it.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels: coordinates are small numbers"
)]

use image::GrayImage;

use super::scale::{self, Filter};

/// A line of text whose middle runs from `from` to `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Left end of the line's middle, in pixels of the picture.
    pub from: (f32, f32),
    /// Right end of the line's middle, in pixels of the picture.
    pub to: (f32, f32),
    /// Height of its letters in pixels.
    pub height: f32,
}

impl Row {
    /// Length in pixels.
    pub fn length(&self) -> f32 {
        (self.to.0 - self.from.0).hypot(self.to.1 - self.from.1)
    }

    /// The same row in a picture that is upside down.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { from: self.to, to: self.from, ..self }
    }
}

/// Longest side of the picture in which rows are searched for: a letter of a zone is some 8 pixels
/// wide at this size.
const WORK_SIDE: u32 = 900;
/// Half the side of the square with whose mean a pixel is compared.
const SURROUNDINGS: usize = 12;
/// Greatest brightness of ink, relative to its surroundings.
const INK_SHARE: f32 = 0.84;
/// Least difference between ink and its surroundings.
const INK_STEP: f32 = 12.0;
/// Longest horizontal run of ink that is a stroke of a letter.
const STROKE_MAX: usize = 16;
/// Greatest skew in degrees to either side. A picture that is turned further is taken again, or
/// turned by quarters.
const SKEW_MAX: f32 = 12.0;
/// Widest gap inside a line: an `I` next to a filler, on a card of 30 letters a line.
const GAP_MAX: usize = 30;
/// Widest gap inside a line in heights of its letters: what is further away is the edge of the
/// page, or other print.
const GAP_HEIGHTS: f32 = 1.15;
/// Smallest share of the picture's width that a line takes.
const LENGTH_MIN: f32 = 0.3;
/// Smallest length of a line in heights of its letters. A line of 30 letters has about 25; print
/// wears off.
const ASPECT_MIN: f32 = 11.0;
/// Smallest height of letters at the examined size.
const HEIGHT_MIN: usize = 5;
/// Greatest height of letters at the examined size.
const HEIGHT_MAX: usize = 60;

/// Finds the rows that may be lines of a zone, the lowest first.
pub fn find(luma: &GrayImage) -> Vec<Row> {
    let longest = luma.width().max(luma.height());
    if longest == 0 {
        return Vec::new();
    }
    let small = if longest > WORK_SIDE {
        let side = |side: u32| (side * WORK_SIDE / longest).max(1);
        scale::luma(luma, (side(luma.width()), side(luma.height())), Filter::Triangle)
    } else {
        luma.clone()
    };
    let scale = luma.width() as f32 / small.width() as f32;
    let ink = Ink::of(&small);
    let slope = ink.skew().to_radians().tan();
    let level = ink.sheared(slope);
    let rows: Vec<Row> = level
        .lines()
        .into_iter()
        .map(|line| {
            // From the sheared picture back to the original, at full size.
            let at = |x: f32, y: f32| (x * scale, (y + x * slope - level.lift) * scale);
            Row {
                from: at(line.left, line.middle_left),
                to: at(line.right, line.middle_right),
                height: line.height * scale,
            }
        })
        .collect();
    let companions = |row: &Row| rows.iter().filter(|other| *other != row && belong(row, other)).count();
    let mut ranked: Vec<(usize, Row)> = rows.iter().map(|row| (companions(row), *row)).collect();
    ranked.retain(|(companions, _)| *companions > 0);
    // A zone is the lowest print on its side.
    ranked.sort_by(|(_, a), (_, b)| b.from.1.total_cmp(&a.from.1));
    ranked.into_iter().map(|(_, row)| row).collect()
}

/// Whether two rows can be lines of one zone: alike in height and length, and close together.
fn belong(a: &Row, b: &Row) -> bool {
    let alike = |x: f32, y: f32, tolerance: f32| (x - y).abs() <= x.max(y) * tolerance;
    let apart = (a.from.1 - b.from.1).abs();
    let height = a.height.max(b.height);
    alike(a.height, b.height, 0.45) && alike(a.length(), b.length(), 0.35) && apart > height && apart < height * 6.0
}

/// Which pixels are ink.
struct Ink {
    width: usize,
    height: usize,
    /// Pixels by which the picture was moved down so that nothing lies above its edge.
    lift: f32,
    dark: Vec<bool>,
}

/// A run of text in a level picture.
struct Line {
    left: f32,
    right: f32,
    middle_left: f32,
    middle_right: f32,
    height: f32,
}

impl Ink {
    fn of(picture: &GrayImage) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let sums = integral(picture, width, height);
        let mut dark = vec![false; width * height];
        for y in 0..height {
            let (top, bottom) = (y.saturating_sub(SURROUNDINGS), (y + SURROUNDINGS + 1).min(height));
            for x in 0..width {
                let (left, right) = (x.saturating_sub(SURROUNDINGS), (x + SURROUNDINGS + 1).min(width));
                let sum = sums[bottom * (width + 1) + right] + sums[top * (width + 1) + left]
                    - sums[top * (width + 1) + right]
                    - sums[bottom * (width + 1) + left];
                let mean = sum as f32 / ((bottom - top) * (right - left)) as f32;
                let here = f32::from(picture.as_raw()[y * width + x]);
                dark[y * width + x] = here < mean * INK_SHARE && here + INK_STEP < mean;
            }
        }
        let mut ink = Self { width, height, lift: 0.0, dark };
        ink.keep_strokes();
        ink
    }

    /// Removes runs that are too long for letters: bars, hair, frames.
    fn keep_strokes(&mut self) {
        for row in self.dark.chunks_mut(self.width.max(1)) {
            let mut start = None;
            for x in 0..=row.len() {
                match (start, x < row.len() && row[x]) {
                    (None, true) => start = Some(x),
                    (Some(from), false) => {
                        if x - from > STROKE_MAX {
                            row[from..x].fill(false);
                        }
                        start = None;
                    }
                    _ => {}
                }
            }
        }
    }

    /// The angle, in degrees, at which ink falls into rows best.
    fn skew(&self) -> f32 {
        let points: Vec<(f32, f32)> = self
            .dark
            .iter()
            .enumerate()
            .filter(|(_, dark)| **dark)
            .map(|(at, _)| ((at % self.width) as f32, (at / self.width) as f32))
            .collect();
        let sharpness = |degrees: f32| {
            let slope = degrees.to_radians().tan();
            let lift = if slope > 0.0 { self.width as f32 * slope } else { 0.0 };
            let mut rows = vec![0_u32; self.height + (self.width as f32 * slope.abs()) as usize + 2];
            for (x, y) in &points {
                rows[(y - x * slope + lift) as usize] += 1;
            }
            rows.iter().map(|count| u64::from(*count) * u64::from(*count)).sum::<u64>()
        };
        let best = |around: f32, reach: f32, step: f32| {
            let steps = (reach / step) as i32;
            (-steps..=steps)
                .map(|index| around + index as f32 * step)
                .map(|degrees| (sharpness(degrees), degrees))
                .max_by(|a, b| a.0.cmp(&b.0).then(b.1.abs().total_cmp(&a.1.abs())))
                .map_or(around, |(_, degrees)| degrees)
        };
        best(best(0.0, SKEW_MAX, 0.5), 0.5, 0.1)
    }

    /// Shifts the picture's columns until lines of that slope are level.
    fn sheared(&self, slope: f32) -> Self {
        let lift = if slope > 0.0 { self.width as f32 * slope } else { 0.0 };
        let height = self.height + (self.width as f32 * slope.abs()) as usize + 2;
        let mut dark = vec![false; self.width * height];
        for (at, _) in self.dark.iter().enumerate().filter(|(_, dark)| **dark) {
            let (x, y) = (at % self.width, at / self.width);
            let down = (y as f32 - x as f32 * slope + lift) as usize;
            dark[down * self.width + x] = true;
        }
        Self { width: self.width, height, lift, dark }
    }

    /// Finds long, low runs of ink.
    fn lines(&self) -> Vec<Line> {
        let spans = self.spans();
        let mut lines = Vec::new();
        let mut y = 0;
        while y < self.height {
            let Some(first) = spans[y] else {
                y += 1;
                continue;
            };
            let mut together = first;
            let top = y;
            while let Some(span) = spans.get(y).copied().flatten().filter(|span| overlap(*span, together)) {
                together = (together.0.min(span.0), together.1.max(span.1));
                y += 1;
            }
            lines.extend(self.line(top, y, together));
            y = y.max(top + 1);
        }
        lines
    }

    /// For each row of pixels, the longest run of ink with small gaps, if it is long enough.
    fn spans(&self) -> Vec<Option<(usize, usize)>> {
        let length_min = (self.width as f32 * LENGTH_MIN) as usize;
        let rows = self.dark.chunks(self.width.max(1));
        rows.map(|row| {
            let mut best: Option<(usize, usize)> = None;
            let mut run: Option<(usize, usize)> = None;
            for x in row.iter().enumerate().filter(|(_, dark)| **dark).map(|(x, _)| x) {
                run = match run {
                    Some((from, to)) if x - to <= GAP_MAX => Some((from, x)),
                    _ => Some((x, x)),
                };
                let longer = |(from, to): (usize, usize)| best.is_none_or(|(a, b)| to - from > b - a);
                if run.is_some_and(longer) {
                    best = run;
                }
            }
            best.filter(|(from, to)| to - from >= length_min)
        })
        .collect()
    }

    /// The line of text whose middle rows of pixels are `top..bottom`, and that covers `span`.
    fn line(&self, top: usize, bottom: usize, span: (usize, usize)) -> Option<Line> {
        let counts =
            |y: usize| self.dark[y * self.width + span.0..=y * self.width + span.1].iter().filter(|d| **d).count();
        let densest = (top..bottom).map(counts).max()?;
        // The rows above and below, where letters end but fillers do not reach, still hold some
        // ink.
        let enough = densest / 6;
        let reach = (bottom - top).max(HEIGHT_MIN) * 2;
        let first = (top.saturating_sub(reach)..top).rev().take_while(|y| counts(*y) > enough).last().unwrap_or(top);
        let last = (bottom..(bottom + reach).min(self.height))
            .take_while(|y| counts(*y) > enough)
            .last()
            .map_or(bottom, |y| y + 1);
        let height = last - first;
        let span = self.extent(first, last, span);
        let length = span.1 - span.0;
        if !(HEIGHT_MIN..=HEIGHT_MAX).contains(&height) || (length as f32) < height as f32 * ASPECT_MIN {
            return None;
        }
        let (middle_left, middle_right) = self.middle(first, last, span)?;
        Some(Line { left: span.0 as f32, right: span.1 as f32, middle_left, middle_right, height: height as f32 })
    }

    /// Extends from the middle of `span` to both sides, as far as letters follow each other.
    fn extent(&self, first: usize, last: usize, span: (usize, usize)) -> (usize, usize) {
        // The highest and lowest rows of pixels may hold a frame.
        let inside = (first + 1).min(last)..last.saturating_sub(1).max(first + 1);
        let inked = |x: usize| inside.clone().any(|y| self.dark[y * self.width + x]);
        let gap = ((last - first) as f32 * GAP_HEIGHTS) as usize;
        let centre = usize::midpoint(span.0, span.1);
        let walk = |columns: &mut dyn Iterator<Item = usize>| {
            let mut end = centre;
            for x in columns {
                if inked(x) {
                    end = x;
                } else if x.abs_diff(end) > gap {
                    break;
                }
            }
            end
        };
        (walk(&mut (0..centre).rev()), walk(&mut (centre..self.width)))
    }

    /// The middle of the ink at both ends, from a straight line fitted through all of it. The line
    /// includes the remaining skew.
    fn middle(&self, first: usize, last: usize, span: (usize, usize)) -> Option<(f32, f32)> {
        let (mut n, mut sx, mut sy, mut sxx, mut sxy) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        for y in first..last {
            for x in (span.0..=span.1).filter(|x| self.dark[y * self.width + x]) {
                let (x, y) = (x as f64, y as f64);
                n += 1.0;
                sx += x;
                sy += y;
                sxx += x * x;
                sxy += x * y;
            }
        }
        let spread = n * sxx - sx * sx;
        if n < 2.0 || spread <= 0.0 {
            return None;
        }
        // A line that is clipped at `first` and `last` looks flatter than it is, never steeper.
        let slope = (n * sxy - sx * sy) / spread;
        let base = (sy - slope * sx) / n;
        let at = |x: usize| (base + slope * x as f64 + 0.5) as f32;
        Some((at(span.0), at(span.1)))
    }
}

fn overlap(a: (usize, usize), b: (usize, usize)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

/// Sums over the rectangles from the upper left corner; one row and one column more than the
/// picture.
fn integral(picture: &GrayImage, width: usize, height: usize) -> Vec<u64> {
    let mut sums = vec![0_u64; (width + 1) * (height + 1)];
    for y in 0..height {
        let mut row = 0;
        for x in 0..width {
            row += u64::from(picture.as_raw()[y * width + x]);
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
        }
    }
    sums
}
