//! Draws eyes, nose, mouth and beard.

use super::figure::{DARK, Figure, Pose};
use crate::specimen::paint::{Point, lit, smooth};

impl Figure<'_, '_> {
    pub fn eyes(&mut self, pose: Pose) {
        for side in [-1.0, 1.0] {
            self.brow(side);
            if pose.eyes_closed { self.closed_eye(side) } else { self.open_eye(side) }
        }
    }

    /// The four points of an eyelid from the inner corner to the outer one, curved by `bulge`.
    fn lid(&self, side: f32, bulge: f32) -> [Point; 4] {
        let (middle, half, tilt) = (self.appearance.eye_distance, self.appearance.eye_width, self.appearance.eye_tilt);
        [
            (side * (middle - half), 2.0),
            (side * (middle - half * 0.35), -bulge + 0.5),
            (side * (middle + half * 0.35), -bulge - tilt * 0.4),
            (side * (middle + half), -tilt),
        ]
    }

    fn open_eye(&mut self, side: f32) {
        let appearance = self.appearance;
        let (middle, height) = (appearance.eye_distance, appearance.eye_height);
        let (upper, lower) = (self.lid(side, height), self.lid(side, -height * 0.62));
        let mut opening = smooth(&upper, 6);
        opening.extend(smooth(&lower, 6).into_iter().rev());
        self.polygon(&opening, [232, 226, 220], 1.0);
        // Iris and pupil reach under the upper lid: clip them to the opening.
        let iris: Vec<Point> = circle((side * middle, -1.2), height * 1.02);
        let pupil: Vec<Point> = circle((side * middle, -1.2), height * 0.48);
        self.polygon(&clip_to(&iris, &opening), lit(appearance.iris, 0.8), 1.0);
        self.ellipse((side * middle, 1.0), (height * 0.6, height * 0.5), 0.0, 3.0, lit(appearance.iris, 1.5), 0.55);
        self.polygon(&clip_to(&pupil, &opening), [14, 10, 10], 1.0);
        self.ellipse((side * middle - 2.6, -3.6), (1.9, 1.9), 0.0, 1.0, [255, 255, 255], 0.95);
        let shadow: Vec<_> =
            smooth(&self.lid(side, height - 1.6), 6).into_iter().map(|(x, y)| ((x, y + 1.0), 3.2)).collect();
        self.ribbon(&shadow, DARK, 0.28);
        self.lash(&upper, 3.4, 0.92);
        self.lash(&lower, 1.2, 0.38);
        let crease: Vec<_> = smooth(&self.lid(side, height + 6.5), 6).into_iter().map(|(x, y)| ((x, y), 1.8)).collect();
        self.ribbon(&crease, lit(appearance.skin, 0.45), 0.6);
        let bag: Vec<_> = smooth(&self.lid(side, -height - 5.0), 6).into_iter().map(|(x, y)| ((x, y), 1.5)).collect();
        self.ribbon(&bag, lit(appearance.skin, 0.55), 0.28);
    }

    fn closed_eye(&mut self, side: f32) {
        let appearance = self.appearance;
        let lid = self.lid(side, -appearance.eye_height * 0.55);
        self.ellipse(
            (side * appearance.eye_distance, -1.0),
            (appearance.eye_width, appearance.eye_height),
            0.0,
            6.0,
            lit(appearance.skin, 0.92),
            0.9,
        );
        self.lash(&lid, 3.6, 0.9);
        let crease: Vec<_> =
            smooth(&self.lid(side, appearance.eye_height), 6).into_iter().map(|(x, y)| ((x, y), 1.6)).collect();
        self.ribbon(&crease, lit(appearance.skin, 0.5), 0.5);
    }

    fn lash(&mut self, lid: &[Point], weight: f32, alpha: f32) {
        let points = smooth(lid, 6);
        let last = points.len() as f32 - 1.0;
        let line: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(at, &point)| (point, weight * (0.45 + 0.75 * (at as f32 / last * 2.4).sin().max(0.0))))
            .collect();
        self.ribbon(&line, DARK, alpha);
    }

    fn brow(&mut self, side: f32) {
        let appearance = self.appearance;
        let (middle, height, weight) = (appearance.eye_distance, appearance.brow_height, appearance.brow_weight);
        let through = [
            (side * (middle - appearance.eye_width - 4.0), -height + 3.0),
            (side * (middle - 4.0), -height - 3.0),
            (side * (middle + 14.0), -height - 4.5 - appearance.eye_tilt),
            (side * (middle + appearance.eye_width + 9.0), -height + 4.0 - appearance.eye_tilt),
        ];
        let points = smooth(&through, 7);
        let last = points.len() as f32 - 1.0;
        let line: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(at, &point)| {
                let along = at as f32 / last;
                (point, weight * (1.0 - along * 0.78) * (0.55 + along * 2.5).min(1.0))
            })
            .collect();
        self.ribbon(&line, lit(appearance.hair, 0.62), 0.88);
    }

    pub fn nose(&mut self) {
        let appearance = self.appearance;
        let (tip, half) = (appearance.nose_length, appearance.nose_width);
        let (shade, light) = (lit(appearance.skin, 0.60), lit(appearance.skin, 1.12));
        // The bridge: light on it, shadow on the far side.
        self.ellipse((-1.0, tip * 0.42), (5.5, tip * 0.55), 0.0, 7.0, light, 0.55);
        self.ellipse((half * 0.72, tip * 0.5), (5.5, tip * 0.48), -0.1, 9.0, shade, 0.42);
        self.ellipse((-half * 0.78, tip * 0.56), (4.5, tip * 0.40), 0.1, 9.0, shade, 0.22);
        self.ellipse((0.0, tip - 3.0), (half * 0.62, 8.5), 0.0, 8.0, light, 0.5);
        for side in [-1.0, 1.0] {
            let wing = [
                (side * half * 0.70, tip - 15.0),
                (side * half * 1.02, tip - 5.0),
                (side * half * 0.92, tip + 4.0),
                (side * half * 0.62, tip + 5.0),
            ];
            let line: Vec<_> = smooth(&wing, 5).into_iter().map(|point| (point, 2.6)).collect();
            self.ribbon(&line, lit(appearance.skin, 0.55), 0.40);
            self.ellipse((side * half * 0.86, tip - 3.0), (5.0, 8.0), side * -0.2, 6.0, shade, 0.35);
            self.ellipse((side * half * 0.46, tip + 4.5), (5.2, 3.0), side * 0.25, 2.2, [52, 26, 24], 0.82);
        }
        self.ellipse((0.0, tip + 10.0), (half * 0.95, 5.0), 0.0, 8.0, shade, 0.5);
        self.ellipse((-1.5, tip - 6.0), (3.2, 3.4), 0.0, 4.0, [255, 250, 244], 0.5);
    }

    pub fn mouth(&mut self) {
        let appearance = self.appearance;
        let y = appearance.nose_length + (appearance.chin - appearance.nose_length) * 0.40;
        let (half, weight, smile) = (appearance.mouth_width, appearance.lip_weight, appearance.smile);
        let seam =
            [(-half, y - smile), (-half * 0.4, y + 1.5), (0.0, y + 0.5), (half * 0.4, y + 1.5), (half, y - smile)];
        let seam = smooth(&seam, 6);
        let upper = [
            (-half, y - smile),
            (-half * 0.45, y - weight * 0.72),
            (-half * 0.14, y - weight),
            (0.0, y - weight * 0.72),
            (half * 0.14, y - weight),
            (half * 0.45, y - weight * 0.72),
            (half, y - smile),
        ];
        let lower = [
            (-half, y - smile),
            (-half * 0.5, y + weight * 0.95),
            (0.0, y + weight * 1.35),
            (half * 0.5, y + weight * 0.95),
            (half, y - smile),
        ];
        for (edge, light) in [(&upper[..], 0.80), (&lower[..], 1.0)] {
            let mut lip = smooth(edge, 6);
            lip.extend(seam.iter().rev());
            self.polygon(&lip, lit(appearance.lips, light), 0.92);
        }
        self.ellipse((-3.0, y + weight * 0.7), (half * 0.4, weight * 0.26), 0.0, 4.0, [255, 236, 232], 0.35);
        let line: Vec<_> = seam.iter().map(|&point| (point, 2.4)).collect();
        self.ribbon(&line, [70, 26, 30], 0.85);
        for side in [-1.0, 1.0] {
            self.ellipse((side * (half + 1.0), y - smile), (4.0, 3.0), 0.0, 4.0, lit(appearance.skin, 0.5), 0.6);
            let fold = [
                (side * (appearance.nose_width + 3.0), appearance.nose_length - 2.0),
                (side * (half + 3.0), y - 16.0),
                (side * (half + 8.0), y - 2.0),
            ];
            let line = smooth(&fold, 3);
            for width in [9.0, 6.0, 3.0] {
                let band: Vec<_> = line.iter().map(|&point| (point, width)).collect();
                self.ribbon(&band, lit(appearance.skin, 0.62), 0.07);
            }
        }
        self.ellipse((0.0, y + weight * 1.9), (half * 0.62, 4.5), 0.0, 8.0, lit(appearance.skin, 0.55), 0.55);
        self.ellipse((0.0, y - weight - 7.0), (3.0, 7.0), 0.0, 5.0, lit(appearance.skin, 0.66), 0.4);
    }

    pub fn beard(&mut self) {
        let appearance = self.appearance;
        if appearance.beard < 0.15 {
            return;
        }
        let alpha = appearance.beard * 0.55;
        let y = appearance.nose_length + (appearance.chin - appearance.nose_length) * 0.40;
        let mut outline: Vec<Point> = appearance.outline().into_iter().filter(|&(_, height)| height > 22.0).collect();
        let inner = [
            (-appearance.half_width * 0.86, 24.0),
            (-appearance.half_width * 0.66, 62.0),
            (-appearance.mouth_width - 8.0, y - 14.0),
            (0.0, y - appearance.lip_weight - 9.0),
            (appearance.mouth_width + 8.0, y - 14.0),
            (appearance.half_width * 0.66, 62.0),
            (appearance.half_width * 0.86, 24.0),
        ];
        outline.extend(smooth(&inner, 6));
        let hair = lit(appearance.hair, 0.85);
        self.polygon(&outline, hair, alpha);
        let weight = appearance.lip_weight;
        self.ellipse((0.0, y + 1.0), (appearance.mouth_width * 0.86, weight * 1.1), 0.0, 5.0, appearance.lips, 0.75);
        let seam = [(-appearance.mouth_width * 0.9, y), (0.0, y + 1.0), (appearance.mouth_width * 0.9, y)];
        let line: Vec<_> = smooth(&seam, 6).into_iter().map(|point| (point, 2.2)).collect();
        self.ribbon(&line, [60, 24, 26], 0.8);
    }
}

fn circle(centre: Point, radius: f32) -> Vec<Point> {
    (0..24u8)
        .map(|step| {
            let (sin, cos) = (f32::from(step) / 24.0 * std::f32::consts::TAU).sin_cos();
            (centre.0 + radius * cos, centre.1 + radius * sin)
        })
        .collect()
}

/// Clips a round shape to another: moves each point outside the other's vertical extent at that x
/// onto its edge.
fn clip_to(shape: &[Point], within: &[Point]) -> Vec<Point> {
    shape
        .iter()
        .map(|&(x, y)| {
            let (low, high) = extent_at(within, x);
            (x, y.clamp(low.min(high), high.max(low)))
        })
        .collect()
}

fn extent_at(outline: &[Point], x: f32) -> (f32, f32) {
    let mut extent = (f32::MAX, f32::MIN);
    let mut before = outline[outline.len() - 1];
    for &point in outline {
        if (before.0 <= x) != (point.0 <= x) {
            let y = before.1 + (x - before.0) / (point.0 - before.0) * (point.1 - before.1);
            extent = (extent.0.min(y), extent.1.max(y));
        }
        before = point;
    }
    extent
}
