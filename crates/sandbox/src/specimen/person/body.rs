//! Shoulders, head, and what a person wears over the face.

use super::appearance::Hair;
use super::figure::{Figure, Pose, mirror};
use crate::specimen::paint::{Point, lit, mix, smooth};

impl Figure<'_, '_> {
    pub fn body(&mut self) {
        let appearance = self.appearance;
        let neck = appearance.half_width * 0.56;
        let chin = appearance.chin;
        let neck_side = [(neck, 60.0), (neck, chin + 16.0), (neck + 12.0, chin + 40.0), (0.0, chin + 84.0)];
        let outline = self.place_all(&mirror(&smooth(&neck_side, 6)));
        let (top, scale) = (self.place((0.0, chin)).1, self.scale);
        self.painter.shaded_polygon(&outline, 1.0, |_, y| {
            lit(appearance.skin, 0.52 + ((y - top) / scale / 110.0).clamp(0.0, 0.26))
        });
        let shoulder = [
            (neck + 5.0, chin + 20.0),
            (neck + 48.0, chin + 44.0),
            (160.0, chin + 66.0),
            (190.0, chin + 92.0),
            (208.0, chin + 150.0),
            (216.0, chin + 420.0),
        ];
        let mut side = vec![(0.0, chin + 86.0)];
        side.extend(smooth(&shoulder, 8));
        side.push((0.0, chin + 420.0));
        let outline = self.place_all(&mirror(&side));
        let (cloth, middle, scale) = (appearance.clothes, self.place((0.0, 0.0)), self.scale);
        self.painter.shaded_polygon(&outline, 1.0, |x, y| {
            let across = (x - middle.0) / (230.0 * scale);
            let down = (y - middle.1) / scale - 130.0;
            lit(cloth, (1.16 - across * across * 0.75 - across * 0.12 - down * 0.0012).max(0.3))
        });
        let lapel = [(neck + 4.0, chin + 15.0), (neck + 18.0, chin + 40.0), (34.0, chin + 92.0), (0.0, chin + 78.0)];
        for mirrored in [1.0, -1.0] {
            let points: Vec<Point> = lapel.iter().map(|&(x, y)| (x * mirrored, y)).collect();
            self.polygon(&points, lit(appearance.collar, if mirrored > 0.0 { 0.86 } else { 0.97 }), 1.0);
            let edge: Vec<_> = points[1..].iter().map(|&point| (point, 2.0)).collect();
            self.ribbon(&edge, lit(appearance.clothes, 0.6), 0.6);
        }
    }

    pub fn head(&mut self) {
        let appearance = self.appearance;
        let sides: &[f32] = if matches!(appearance.hair_style, Hair::Long | Hair::Bob) { &[] } else { &[-1.0, 1.0] };
        for &side in sides {
            let light = if side < 0.0 { 0.86 } else { 0.7 };
            self.ellipse(
                (side * (appearance.half_width + 3.0), 12.0),
                (11.0, 27.0),
                side * 0.16,
                2.0,
                lit(appearance.skin, light),
                1.0,
            );
            self.ellipse(
                (side * (appearance.half_width + 4.0), 12.0),
                (5.0, 17.0),
                side * 0.16,
                6.0,
                lit(appearance.skin, 0.55),
                0.7,
            );
        }
        let outline = self.place_all(&appearance.outline());
        let (middle, scale) = (self.place((0.0, 0.0)), self.scale);
        self.painter.shaded_polygon(&outline, 1.0, |x, y| {
            lit(appearance.skin, appearance.light((x - middle.0) / scale, (y - middle.1) / scale))
        });
        let blush = mix(appearance.skin, [206, 96, 88], 0.5);
        let shade = lit(appearance.skin, 0.62);
        for side in [-1.0, 1.0] {
            self.ellipse((side * 52.0, 42.0), (26.0, 22.0), 0.0, 24.0, blush, 0.22);
            // The shadow around the eye, darkest at the nose.
            self.ellipse((side * appearance.eye_distance, -6.0), (30.0, 19.0), side * 0.1, 20.0, shade, 0.50);
            self.ellipse((side * 20.0, -4.0), (9.0, 20.0), side * -0.2, 12.0, shade, 0.45);
            self.ellipse((side * 47.0, 62.0), (13.0, 30.0), side * 0.5, 22.0, shade, 0.24);
        }
        self.ellipse((-6.0, -66.0), (42.0, 26.0), 0.0, 40.0, [255, 246, 236], 0.16);
        self.ellipse((0.0, appearance.chin - 22.0), (18.0, 11.0), 0.0, 14.0, [255, 240, 228], 0.14);
    }

    pub fn accessories(&mut self, pose: Pose) {
        let appearance = self.appearance;
        if pose.occluded {
            let mask = [
                (-appearance.half_width * 0.96, 18.0),
                (-24.0, 22.0),
                (0.0, 14.0),
                (24.0, 22.0),
                (appearance.half_width * 0.96, 18.0),
                (appearance.half_width * 0.72, 92.0),
                (0.0, appearance.chin + 6.0),
                (-appearance.half_width * 0.72, 92.0),
                (-appearance.half_width * 0.96, 18.0),
            ];
            let outline = smooth(&mask, 6);
            self.polygon(&outline, [168, 196, 212], 1.0);
            for fold in [44.0, 64.0, 84.0] {
                let line: Vec<_> = smooth(&[(-58.0, fold), (0.0, fold + 7.0), (58.0, fold)], 6)
                    .into_iter()
                    .map(|point| (point, 2.5))
                    .collect();
                self.ribbon(&line, [128, 158, 176], 0.8);
            }
        }
        if pose.sunglasses {
            for side in [-1.0, 1.0] {
                let middle = side * (appearance.eye_distance + 1.0);
                self.ellipse((middle, 3.0), (32.0, 25.0), 0.0, 1.5, [18, 18, 22], 1.0);
                self.ellipse((middle - 9.0, -6.0), (10.0, 5.0), -0.5, 6.0, [120, 124, 134], 0.6);
                self.ribbon(
                    &[((side * 68.0, -4.0), 5.0), ((side * appearance.half_width, 0.0), 5.0)],
                    [18, 18, 22],
                    1.0,
                );
            }
            self.ribbon(&[((-12.0, -4.0), 5.0), ((0.0, -8.0), 5.0), ((12.0, -4.0), 5.0)], [18, 18, 22], 1.0);
        }
    }
}
