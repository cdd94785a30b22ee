//! A figure that is being drawn: the person's appearance and where in the picture it stands.

use super::appearance::Appearance;
use crate::specimen::paint::{Colour, Painter, Point, smooth};

/// The middle of the head.
const CENTRE: Point = (170.0, 172.0);
pub const DARK: Colour = [28, 22, 22];

/// What a person wears or does in a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pose {
    /// A mask covers mouth and nose.
    pub occluded: bool,
    pub eyes_closed: bool,
    pub sunglasses: bool,
}

pub struct Figure<'p, 'a> {
    pub painter: &'p mut Painter<'a>,
    pub appearance: &'p Appearance,
    pub origin: Point,
    pub scale: f32,
}

impl Figure<'_, '_> {
    /// Maps a point relative to the middle of the head to a point in the picture.
    pub fn place(&self, (x, y): Point) -> Point {
        (self.origin.0 + (CENTRE.0 + x) * self.scale, self.origin.1 + (CENTRE.1 + y) * self.scale)
    }

    pub fn place_all(&self, points: &[Point]) -> Vec<Point> {
        points.iter().map(|&point| self.place(point)).collect()
    }

    pub fn polygon(&mut self, points: &[Point], colour: Colour, alpha: f32) {
        let placed = self.place_all(points);
        self.painter.polygon(&placed, colour, alpha);
    }

    /// Draws a symmetric shape, given by its right half from top to bottom.
    pub fn mirrored(&mut self, right: &[Point], colour: Colour) {
        self.polygon(&mirror(&smooth(right, 6)), colour, 1.0);
    }

    pub fn ribbon(&mut self, line: &[(Point, f32)], colour: Colour, alpha: f32) {
        let placed: Vec<_> = line.iter().map(|&(point, width)| (self.place(point), width * self.scale)).collect();
        self.painter.ribbon(&placed, colour, alpha);
    }

    pub fn ellipse(&mut self, centre: Point, radii: Point, angle: f32, soft: f32, colour: Colour, alpha: f32) {
        let (placed, scale) = (self.place(centre), self.scale);
        self.painter.ellipse(placed, (radii.0 * scale, radii.1 * scale), angle, soft * scale, colour, alpha);
    }
}

pub fn mirror(right: &[Point]) -> Vec<Point> {
    right.iter().copied().chain(right.iter().rev().map(|&(x, y)| (-x, y))).collect()
}
