//! Maps points of a design to points in the picture.

use crate::specimen::paint::{Point, Rect};

/// An affine map, fitted to points that are known on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffineMap {
    x: [f32; 3],
    y: [f32; 3],
}

impl AffineMap {
    /// The least-squares fit. `None` if the points lie on one line.
    pub fn fit(pairs: &[(Point, Point)]) -> Option<Self> {
        // Normal equations of u = a*x + b*y + c, about the mean so that they stay well conditioned.
        let count = pairs.len() as f64;
        let mean =
            |value: fn(&(Point, Point)) -> f32| pairs.iter().map(|pair| f64::from(value(pair))).sum::<f64>() / count;
        let (x, y, u, v) = (mean(|p| p.0.0), mean(|p| p.0.1), mean(|p| p.1.0), mean(|p| p.1.1));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        let (mut xu, mut yu, mut xv, mut yv) = (0.0, 0.0, 0.0, 0.0);
        for &(from, to) in pairs {
            let (dx, dy) = (f64::from(from.0) - x, f64::from(from.1) - y);
            let (du, dv) = (f64::from(to.0) - u, f64::from(to.1) - v);
            (xx, xy, yy) = (xx + dx * dx, xy + dx * dy, yy + dy * dy);
            (xu, yu, xv, yv) = (xu + dx * du, yu + dy * du, xv + dx * dv, yv + dy * dv);
        }
        let determinant = xx * yy - xy * xy;
        if determinant < 1e-3 {
            return None;
        }
        let solve = |px: f64, py: f64, mean: f64| {
            let (a, b) = ((px * yy - py * xy) / determinant, (py * xx - px * xy) / determinant);
            [a as f32, b as f32, (mean - a * x - b * y) as f32]
        };
        Some(Self { x: solve(xu, yu, u), y: solve(xv, yv, v) })
    }

    /// The point in the picture for a point of the design.
    pub fn apply(&self, (x, y): Point) -> Point {
        (self.x[0] * x + self.x[1] * y + self.x[2], self.y[0] * x + self.y[1] * y + self.y[2])
    }

    /// The axis-aligned box, in the picture, around a rectangle of the design.
    pub fn bounds(&self, rect: Rect) -> Rect {
        let corners = rect.corners().map(|corner| self.apply(corner));
        let fold =
            |pick: fn(&Point) -> f32, start: f32, by: fn(f32, f32) -> f32| corners.iter().map(pick).fold(start, by);
        let (left, right) = (fold(|p| p.0, f32::MAX, f32::min), fold(|p| p.0, f32::MIN, f32::max));
        let (top, bottom) = (fold(|p| p.1, f32::MAX, f32::min), fold(|p| p.1, f32::MIN, f32::max));
        Rect::new(left, top, right - left, bottom - top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_and_scaled_map_is_recovered() {
        let turn = |(x, y): Point| (900.0 - y * 0.5, 20.0 + x * 0.5);
        let pairs = Rect::new(1300.0, 200.0, 200.0, 200.0).corners().map(|corner| (corner, turn(corner)));
        let map = AffineMap::fit(&pairs).expect("four corners span a plane");
        let (x, y) = map.apply((100.0, 900.0));
        assert!((x - 450.0).abs() < 0.1 && (y - 70.0).abs() < 0.1, "{x} {y}");
    }

    #[test]
    fn points_on_a_line_give_no_map() {
        assert_eq!(AffineMap::fit(&[((0.0, 0.0), (1.0, 1.0)), ((2.0, 2.0), (3.0, 3.0))]), None);
    }
}
