//! A small anti-aliased painter: soft ellipses, polygons, ribbons, fine lines. All coordinates are
//! pixels, y downwards.

use image::RgbImage;

/// Red, green, blue.
pub type Colour = [u8; 3];
/// A point in pixels.
pub type Point = (f32, f32);

/// Sub-scanlines per pixel in the coverage of a polygon.
const SUBLINES: u16 = 4;

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Rect {
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// Grown by `by` on every side.
    pub fn grown(self, by: f32) -> Self {
        Self::new(self.x - by, self.y - by, self.w + 2.0 * by, self.h + 2.0 * by)
    }

    /// Top left, top right, bottom right, bottom left.
    pub fn corners(self) -> [Point; 4] {
        [(self.x, self.y), (self.x + self.w, self.y), (self.x + self.w, self.y + self.h), (self.x, self.y + self.h)]
    }

    pub fn centre(self) -> Point {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }
}

/// Mixes two colours; `share` is that of the second.
pub fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    let blend = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round().clamp(0.0, 255.0) as u8;
    [blend(from[0], to[0]), blend(from[1], to[1]), blend(from[2], to[2])]
}

/// A colour with its brightness multiplied.
pub fn lit(colour: Colour, light: f32) -> Colour {
    colour.map(|channel| (f32::from(channel) * light).clamp(0.0, 255.0) as u8)
}

/// Draws into a picture, confined to a clip rectangle.
pub struct Painter<'a> {
    data: &'a mut [u8],
    width: i32,
    height: i32,
    clip: (i32, i32, i32, i32),
}

impl<'a> Painter<'a> {
    /// A painter for the whole picture.
    pub fn new(picture: &'a mut RgbImage) -> Self {
        let (width, height) = (picture.width() as i32, picture.height() as i32);
        Self { data: picture.as_mut(), width, height, clip: (0, 0, width, height) }
    }

    /// Confines the following drawing to a rectangle.
    pub fn clip(&mut self, to: Rect) {
        self.clip = (
            (to.x.round() as i32).clamp(0, self.width),
            (to.y.round() as i32).clamp(0, self.height),
            ((to.x + to.w).round() as i32).clamp(0, self.width),
            ((to.y + to.h).round() as i32).clamp(0, self.height),
        );
    }

    /// Lifts the confinement.
    pub fn unclip(&mut self) {
        self.clip = (0, 0, self.width, self.height);
    }

    /// Draws one pixel with an opacity of `alpha` (0..1).
    #[inline]
    pub fn dot(&mut self, x: i32, y: i32, colour: Colour, alpha: f32) {
        let (left, top, right, bottom) = self.clip;
        if x >= left && x < right && y >= top && y < bottom {
            let at = ((y * self.width + x) * 3) as usize;
            cover(&mut self.data[at..at + 3], colour, (alpha * 256.0) as i32);
        }
    }

    /// Draws an axis-aligned rectangle; edges between pixels are anti-aliased.
    pub fn rect(&mut self, rect: Rect, colour: Colour, alpha: f32) {
        let (left, top, right, bottom) = self.clip;
        let (x1, y1) = (rect.x + rect.w, rect.y + rect.h);
        for y in (rect.y.floor() as i32).max(top)..(y1.ceil() as i32).min(bottom) {
            let vertical = overlap(y, rect.y, y1) * alpha * 256.0;
            let (from, to) = ((rect.x.floor() as i32).max(left), (x1.ceil() as i32).min(right));
            if from >= to {
                continue;
            }
            let row = &mut self.data[((y * self.width + from) * 3) as usize..((y * self.width + to) * 3) as usize];
            if vertical >= 256.0 && from as f32 >= rect.x && to as f32 <= x1 {
                fill_row(row, colour);
                continue;
            }
            for (x, pixel) in (from..to).zip(row.chunks_exact_mut(3)) {
                let covered = if x as f32 >= rect.x && (x + 1) as f32 <= x1 {
                    vertical
                } else {
                    vertical * overlap(x, rect.x, x1)
                };
                cover(pixel, colour, covered as i32);
            }
        }
    }

    /// Draws a rectangle with a vertical gradient.
    pub fn gradient(&mut self, rect: Rect, top: Colour, bottom: Colour) {
        let mut y = rect.y;
        while y < rect.y + rect.h {
            self.rect(Rect::new(rect.x, y, rect.w, 1.0), mix(top, bottom, (y - rect.y) / rect.h), 1.0);
            y += 1.0;
        }
    }

    /// Draws a rectangle with rounded corners.
    pub fn rounded(&mut self, rect: Rect, radius: f32, colour: Colour, alpha: f32) {
        self.polygon(&rounded_outline(rect, radius), colour, alpha);
    }

    /// Draws an ellipse, rotated by `angle`, whose edge fades over `soft` pixels.
    pub fn ellipse(&mut self, centre: Point, radii: Point, angle: f32, soft: f32, colour: Colour, alpha: f32) {
        let (left, top, right, bottom) = self.clip;
        let (sin, cos) = angle.sin_cos();
        let reach = radii.0.max(radii.1) + soft;
        let thin = radii.0.min(radii.1);
        let scale = thin / soft.max(0.7);
        let (inverse_x, inverse_y) = (1.0 / radii.0, 1.0 / radii.1);
        let (from, to) = (((centre.0 - reach) as i32).max(left), ((centre.0 + reach) as i32 + 1).min(right));
        for y in ((centre.1 - reach) as i32).max(top)..((centre.1 + reach) as i32 + 1).min(bottom) {
            let dy = y as f32 + 0.5 - centre.1;
            for x in from..to {
                let dx = x as f32 + 0.5 - centre.0;
                let (u, v) = ((dx * cos + dy * sin) * inverse_x, (dy * cos - dx * sin) * inverse_y);
                let square = u * u + v * v;
                let covered = (1.0 - square.sqrt()) * scale + 0.5;
                if covered > 0.0 {
                    let covered = covered.min(1.0);
                    let smooth = covered * covered * (3.0 - 2.0 * covered);
                    let at = ((y * self.width + x) * 3) as usize;
                    cover(&mut self.data[at..at + 3], colour, (smooth * alpha * 256.0) as i32);
                }
            }
        }
    }

    /// Fills a polygon (even-odd).
    pub fn polygon(&mut self, outline: &[Point], colour: Colour, alpha: f32) {
        self.shaded_polygon(outline, alpha, |_, _| colour);
    }

    /// Fills several outlines as one shape (even-odd), such as a letter with its holes.
    pub fn polygons(&mut self, outlines: &[Vec<Point>], colour: Colour, alpha: f32) {
        let outlines: Vec<&[Point]> = outlines.iter().map(Vec::as_slice).collect();
        self.fill(&outlines, alpha, |_, _| colour);
    }

    /// Fills a polygon with the colour that `shade` gives for each pixel.
    pub fn shaded_polygon(&mut self, outline: &[Point], alpha: f32, shade: impl Fn(f32, f32) -> Colour) {
        self.fill(&[outline], alpha, shade);
    }

    fn fill(&mut self, outlines: &[&[Point]], alpha: f32, shade: impl Fn(f32, f32) -> Colour) {
        let (left, top, right, bottom) = self.clip;
        let heights = || outlines.iter().copied().flatten().map(|point| point.1);
        let (low, high) = (heights().fold(f32::MAX, f32::min), heights().fold(f32::MIN, f32::max));
        let mut crossings = Vec::new();
        let mut coverage = vec![0f32; (right - left).max(0) as usize + 1];
        for y in (low.floor() as i32).max(top)..(high.ceil() as i32).min(bottom) {
            let mut touched = (i32::MAX, i32::MIN);
            for subline in 0..SUBLINES {
                let at = y as f32 + (f32::from(subline) + 0.5) / f32::from(SUBLINES);
                crossings_at(outlines, at, &mut crossings);
                for span in crossings.chunks_exact(2) {
                    let (from, to) = (span[0].max(left as f32), span[1].min(right as f32));
                    if from < to {
                        touched = (touched.0.min(from as i32), touched.1.max((to.ceil() as i32).min(right)));
                        add_span(&mut coverage, from - left as f32, to - left as f32);
                    }
                }
            }
            for x in touched.0..touched.1 {
                let covered = std::mem::take(&mut coverage[(x - left) as usize]);
                if covered > 0.0 {
                    let at = ((y * self.width + x) * 3) as usize;
                    cover(
                        &mut self.data[at..at + 3],
                        shade(x as f32 + 0.5, y as f32 + 0.5),
                        (covered * alpha * 256.0) as i32,
                    );
                }
            }
        }
    }

    /// Draws a band along a line with the width given at each point; an end of width 0 is pointed.
    pub fn ribbon(&mut self, line: &[(Point, f32)], colour: Colour, alpha: f32) {
        let mut outline = Vec::with_capacity(line.len() * 2);
        let mut back = Vec::with_capacity(line.len());
        for (at, &((x, y), width)) in line.iter().enumerate() {
            let (before, after) = (line[at.saturating_sub(1)].0, line[(at + 1).min(line.len() - 1)].0);
            let (dx, dy) = (after.0 - before.0, after.1 - before.1);
            let length = dx.hypot(dy).max(1e-6);
            let (across_x, across_y) = (-dy / length * width / 2.0, dx / length * width / 2.0);
            outline.push((x + across_x, y + across_y));
            back.push((x - across_x, y - across_y));
        }
        outline.extend(back.into_iter().rev());
        self.polygon(&outline, colour, alpha);
    }

    /// Draws a fine line through the points, about `width` pixels wide, for guilloches.
    pub fn line(&mut self, points: &[Point], width: f32, colour: Colour, alpha: f32) {
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            if (x1 - x0).abs() >= (y1 - y0).abs() {
                self.segment(pair[0], pair[1], width, colour, alpha, false);
            } else {
                self.segment((y0, x0), (y1, x1), width, colour, alpha, true);
            }
        }
    }

    /// Draws a segment that runs mostly along its first axis; with `swapped`, that axis is y.
    fn segment(&mut self, from: Point, to: Point, width: f32, colour: Colour, alpha: f32, swapped: bool) {
        let (from, to) = if from.0 <= to.0 { (from, to) } else { (to, from) };
        let slope = (to.1 - from.1) / (to.0 - from.0).max(1e-6);
        let half = width * (1.0 + slope * slope).sqrt() / 2.0;
        let mut along = from.0.round();
        while along < to.0.round().max(from.0.round()) {
            let middle = from.1 + (along + 0.5 - from.0) * slope;
            for across in (middle - half).floor() as i32..(middle + half).ceil() as i32 {
                let covered = overlap(across, middle - half, middle + half);
                let (x, y) = if swapped { (across, along as i32) } else { (along as i32, across) };
                self.dot(x, y, colour, alpha * covered);
            }
            along += 1.0;
        }
    }

    /// Draws another picture with its top left corner at a whole pixel.
    pub fn picture(&mut self, picture: &RgbImage, x: i32, y: i32, alpha: f32) {
        let (left, top, right, bottom) = self.clip;
        let covered = (alpha * 256.0) as i32;
        let (from, to) = (x.max(left), (x + picture.width() as i32).min(right));
        if from >= to {
            return;
        }
        for row in y.max(top)..(y + picture.height() as i32).min(bottom) {
            let source = ((row - y) * picture.width() as i32 + from - x) as usize * 3;
            let source = &picture.as_raw()[source..source + (to - from) as usize * 3];
            let at = ((row * self.width + from) * 3) as usize;
            let target = &mut self.data[at..at + source.len()];
            if covered >= 256 {
                target.copy_from_slice(source);
            } else {
                for (pixel, colour) in target.chunks_exact_mut(3).zip(source.chunks_exact(3)) {
                    cover(pixel, [colour[0], colour[1], colour[2]], covered);
                }
            }
        }
    }
}

/// The outline of a rectangle with round corners.
pub fn rounded_outline(rect: Rect, radius: f32) -> Vec<Point> {
    let mut outline = Vec::with_capacity(36);
    let centres = [
        (rect.x + rect.w - radius, rect.y + radius, -0.25f32),
        (rect.x + rect.w - radius, rect.y + rect.h - radius, 0.0),
        (rect.x + radius, rect.y + rect.h - radius, 0.25),
        (rect.x + radius, rect.y + radius, 0.5),
    ];
    for (x, y, start) in centres {
        for step in 0..=8u8 {
            let (sin, cos) = ((start + f32::from(step) / 32.0) * std::f32::consts::TAU).sin_cos();
            outline.push((x + radius * cos, y + radius * sin));
        }
    }
    outline
}

/// Points on a smooth curve (Catmull-Rom) through the given points, including both ends.
pub fn smooth(through: &[Point], steps: u8) -> Vec<Point> {
    let mut points = Vec::with_capacity(through.len() * usize::from(steps) + 1);
    let at = |index: isize| through[index.clamp(0, through.len() as isize - 1) as usize];
    for index in 0..through.len() as isize - 1 {
        let (a, b, c, d) = (at(index - 1), at(index), at(index + 1), at(index + 2));
        for step in 0..steps {
            let t = f32::from(step) / f32::from(steps);
            points.push((spline(a.0, b.0, c.0, d.0, t), spline(a.1, b.1, c.1, d.1, t)));
        }
    }
    points.push(at(isize::MAX));
    points
}

fn spline(a: f32, b: f32, c: f32, d: f32, t: f32) -> f32 {
    let (square, cube) = (t * t, t * t * t);
    0.5 * (2.0 * b + (c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * square + (3.0 * b - a - 3.0 * c + d) * cube)
}

/// Fills a row by repeatedly doubling the filled part, which is faster than pixel by pixel.
fn fill_row(row: &mut [u8], colour: Colour) {
    row[..3].copy_from_slice(&colour);
    let mut filled = 3;
    while filled < row.len() {
        let step = filled.min(row.len() - filled);
        row.copy_within(..step, filled);
        filled += step;
    }
}

/// The share of the pixel `at` that lies between two edges.
fn overlap(at: i32, from: f32, to: f32) -> f32 {
    ((at + 1) as f32).min(to) - (at as f32).max(from)
}

fn crossings_at(outlines: &[&[Point]], y: f32, crossings: &mut Vec<f32>) {
    crossings.clear();
    for outline in outlines {
        let Some(&(mut before)) = outline.last() else { continue };
        for &point in *outline {
            if (before.1 <= y) != (point.1 <= y) {
                crossings.push(before.0 + (y - before.1) / (point.1 - before.1) * (point.0 - before.0));
            }
            before = point;
        }
    }
    crossings.sort_by(f32::total_cmp);
}

/// Adds the span of one sub-scanline to the coverage of a row.
fn add_span(coverage: &mut [f32], from: f32, to: f32) {
    let share = 1.0 / f32::from(SUBLINES);
    let (first, last) = (from as usize, to as usize);
    if first == last {
        coverage[first] += (to - from) * share;
        return;
    }
    coverage[first] += ((first + 1) as f32 - from) * share;
    for pixel in &mut coverage[first + 1..last] {
        *pixel += share;
    }
    coverage[last] += (to - last as f32) * share;
}

#[inline]
fn cover(pixel: &mut [u8], colour: Colour, alpha: i32) {
    let alpha = alpha.clamp(0, 256);
    for (channel, &ink) in pixel.iter_mut().zip(&colour) {
        let old = i32::from(*channel);
        *channel = (old + (((i32::from(ink) - old) * alpha) >> 8)) as u8;
    }
}
