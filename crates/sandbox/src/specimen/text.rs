//! Draws text in the two typefaces of the crate `epaint_default_fonts`.

use ab_glyph::{Font as _, FontRef, Glyph, OutlineCurve, PxScale};
use std::sync::LazyLock;

use super::paint::{Colour, Painter, Point};

static SANS: LazyLock<FontRef<'static>> = LazyLock::new(|| load(epaint_default_fonts::UBUNTU_LIGHT));
static MONO: LazyLock<FontRef<'static>> = LazyLock::new(|| load(epaint_default_fonts::HACK_REGULAR));

/// A style of text.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub face: Face,
    /// Pixels per em.
    pub size: f32,
    /// Additional thickness of the strokes in pixels.
    pub bold: f32,
    /// Additional space between letters in pixels.
    pub spacing: f32,
    pub colour: Colour,
    /// Opacity, 0..1.
    pub alpha: f32,
}

/// The two typefaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// For names, labels, headings.
    Sans,
    /// For machine-readable zones and numbers.
    Mono,
}

impl Style {
    /// Regular text of a size.
    pub const fn new(face: Face, size: f32, colour: Colour) -> Self {
        Self { face, size, bold: 0.0, spacing: 0.0, colour, alpha: 1.0 }
    }

    /// With strokes thicker by that number of pixels.
    #[must_use]
    pub const fn bold(self, bold: f32) -> Self {
        Self { bold, ..self }
    }

    /// With letters spaced by that number of pixels.
    #[must_use]
    pub const fn spaced(self, spacing: f32) -> Self {
        Self { spacing, ..self }
    }

    /// With that opacity.
    #[must_use]
    pub const fn faint(self, alpha: f32) -> Self {
        Self { alpha, ..self }
    }

    /// Reduced in size, if necessary, so that the text is no wider than `width`.
    #[must_use]
    pub fn fitting(self, text: &str, width: f32) -> Self {
        let wide = self.width(text);
        if wide <= width {
            return self;
        }
        let share = width / wide;
        Self { size: self.size * share, spacing: self.spacing * share, ..self }
    }

    /// The width of a text in pixels.
    pub fn width(self, text: &str) -> f32 {
        text.chars().map(|letter| self.advance(letter)).sum()
    }

    /// Draws text from `at` (its left end, on the baseline) and returns the x at which it ends.
    pub fn draw(self, painter: &mut Painter, at: Point, text: &str) -> f32 {
        let mut x = at.0;
        for letter in text.chars() {
            self.letter(painter, (x, at.1), letter);
            x += self.advance(letter);
        }
        x
    }

    /// Draws text with its middle at `at`.
    pub fn centred(self, painter: &mut Painter, at: Point, text: &str) {
        self.draw(painter, (at.0 - self.width(text) / 2.0, at.1), text);
    }

    /// Draws text that ends at `at`.
    pub fn ending(self, painter: &mut Painter, at: Point, text: &str) {
        self.draw(painter, (at.0 - self.width(text), at.1), text);
    }

    /// Draws one letter with its origin at `at`.
    pub fn letter(self, painter: &mut Painter, at: Point, letter: char) {
        let font = self.font(letter);
        let strikes: &[f32] = if self.bold > 0.0 { &[-0.5, 0.5] } else { &[0.0] };
        for &strike in strikes {
            let glyph = Glyph {
                id: font.glyph_id(letter),
                scale: PxScale::from(self.size * font.height_unscaled() / em(font)),
                position: ab_glyph::point(at.0 + strike * self.bold, at.1),
            };
            let Some(outlined) = font.outline_glyph(glyph) else { continue };
            let bounds = outlined.px_bounds();
            let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
            outlined.draw(|x, y, covered| {
                if covered > 0.0 {
                    painter.dot(left + x as i32, top + y as i32, self.colour, covered.min(1.0) * self.alpha);
                }
            });
        }
    }

    /// Draws text along a line that is rotated by `angle`, with its middle at `at`.
    pub fn slanted(self, painter: &mut Painter, at: Point, angle: f32, text: &str) {
        let (sin, cos) = angle.sin_cos();
        let mut x = -self.width(text) / 2.0;
        for letter in text.chars() {
            let font = self.font(letter);
            let scale = self.size / em(font);
            let place = |point: ab_glyph::Point| {
                let (along, up) = (x + point.x * scale, point.y * scale);
                (at.0 + along * cos + up * sin, at.1 + along * sin - up * cos)
            };
            if let Some(outline) = font.outline(font.glyph_id(letter)) {
                painter.polygons(&contours(&outline.curves, place), self.colour, self.alpha);
            }
            x += self.advance(letter);
        }
    }

    fn advance(self, letter: char) -> f32 {
        let font = self.font(letter);
        font.h_advance_unscaled(font.glyph_id(letter)) * self.size / em(font) + self.spacing
    }

    /// The typeface, or the other typeface for a letter that it lacks.
    fn font(self, letter: char) -> &'static FontRef<'static> {
        let (font, other): (&'static FontRef, &'static FontRef) = match self.face {
            Face::Sans => (&SANS, &MONO),
            Face::Mono => (&MONO, &SANS),
        };
        if font.glyph_id(letter).0 == 0 && other.glyph_id(letter).0 != 0 { other } else { font }
    }
}

fn load(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("a typeface that is compiled in is whole")
}

fn em(font: &FontRef) -> f32 {
    font.units_per_em().unwrap_or(1000.0)
}

/// The outlines of a glyph.
fn contours(curves: &[OutlineCurve], place: impl Fn(ab_glyph::Point) -> Point) -> Vec<Vec<Point>> {
    let mut contours: Vec<Vec<Point>> = Vec::new();
    let mut end = None;
    for curve in curves {
        let (start, stop) = match curve {
            OutlineCurve::Line(a, b) | OutlineCurve::Quad(a, _, b) | OutlineCurve::Cubic(a, _, _, b) => (*a, *b),
        };
        if end != Some(start) {
            contours.push(Vec::new());
        }
        end = Some(stop);
        let Some(contour) = contours.last_mut() else { continue };
        match curve {
            OutlineCurve::Line(a, _) => contour.push(place(*a)),
            OutlineCurve::Quad(a, b, c) => {
                let (a, b, c) = (place(*a), place(*b), place(*c));
                contour.extend((0..5u8).map(|step| quadratic(a, b, c, f32::from(step) / 5.0)));
            }
            OutlineCurve::Cubic(a, b, c, d) => {
                let (a, b, c, d) = (place(*a), place(*b), place(*c), place(*d));
                contour.extend((0..6u8).map(|step| {
                    let t = f32::from(step) / 6.0;
                    let (left, right) = (quadratic(a, b, c, t), quadratic(b, c, d, t));
                    (left.0 + (right.0 - left.0) * t, left.1 + (right.1 - left.1) * t)
                }));
            }
        }
    }
    contours
}

fn quadratic(a: Point, b: Point, c: Point, t: f32) -> Point {
    let (x, y, z) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
    (x * a.0 + y * b.0 + z * c.0, x * a.1 + y * b.1 + z * c.1)
}
