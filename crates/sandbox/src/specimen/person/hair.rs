//! Draws hair, in front of the head and behind it.

use super::appearance::Hair;
use super::figure::Figure;
use crate::specimen::paint::{Point, lit, smooth};
use crate::specimen::rng::Rng;

impl Figure<'_, '_> {
    pub fn back_hair(&mut self) {
        let appearance = self.appearance;
        let dark = lit(appearance.hair, 0.72);
        let width = appearance.half_width;
        match appearance.hair_style {
            Hair::Long => {
                let side = [
                    (0.0, -appearance.crown - 10.0),
                    (width * 0.8, -appearance.crown * 0.75),
                    (width + 18.0, -10.0),
                    (width + 22.0, 90.0),
                    (width + 26.0, 196.0),
                    (width - 14.0, 220.0),
                    (0.0, 180.0),
                ];
                self.mirrored(&side, dark);
            }
            Hair::Bob => {
                let side = [
                    (0.0, -appearance.crown - 10.0),
                    (width * 0.8, -appearance.crown * 0.75),
                    (width + 18.0, -10.0),
                    (width + 20.0, 70.0),
                    (width + 4.0, 116.0),
                    (width * 0.5, 110.0),
                    (0.0, 110.0),
                ];
                self.mirrored(&side, dark);
            }
            Hair::Bun => self.ellipse((0.0, -appearance.crown - 12.0), (38.0, 30.0), 0.0, 2.0, dark, 1.0),
            Hair::Short | Hair::SideParting | Hair::Curly | Hair::Receding => {}
        }
    }

    pub fn hair(&mut self) {
        let appearance = self.appearance;
        let (width, crown) = (appearance.half_width, appearance.crown);
        let (line, temple, volume) = match appearance.hair_style {
            Hair::Short => (-crown * 0.60, 6.0, 10.0),
            Hair::SideParting => (-crown * 0.62, 2.0, 14.0),
            Hair::Long | Hair::Bob => (-crown * 0.60, 70.0, 16.0),
            Hair::Bun => (-crown * 0.66, -6.0, 9.0),
            Hair::Curly => (-crown * 0.56, 14.0, 22.0),
            Hair::Receding => (-crown * 0.86, 0.0, 5.0),
        };
        let parting = match appearance.hair_style {
            Hair::SideParting => -0.45,
            Hair::Long | Hair::Bob => 0.0,
            Hair::Short | Hair::Bun | Hair::Curly | Hair::Receding => 0.15,
        };
        let outer = [
            (-width - 7.0, temple),
            (-width - volume * 0.75, -crown * 0.35),
            (-width * 0.78, -crown * 0.86 - volume * 0.4),
            (0.0, -crown - volume),
            (width * 0.78, -crown * 0.86 - volume * 0.4),
            (width + volume * 0.75, -crown * 0.35),
            (width + 7.0, temple),
        ];
        let inner = [
            (width - 4.0, temple),
            (width * 0.90, -crown * 0.28),
            (width * 0.62, line * 0.92),
            (width * parting, line - 14.0),
            (-width * 0.62, line * 0.92),
            (-width * 0.90, -crown * 0.28),
            (-width + 4.0, temple),
        ];
        let mut outline = smooth(&outer, 8);
        outline.extend(smooth(&inner, 8));
        let placed = self.place_all(&outline);
        let (middle, scale, hair) = (self.place((0.0, 0.0)), self.scale, appearance.hair);
        self.painter.shaded_polygon(&placed, 1.0, |x, y| {
            let (across, up) = ((x - middle.0) / scale / width + 0.25, (y - middle.1) / scale / crown + 0.85);
            lit(hair, 0.78 + 0.5 * (1.0 - across * across - up * up * 1.6).max(0.0))
        });
        if appearance.hair_style == Hair::Curly {
            self.curls(&outer);
        } else {
            self.strands(&outer, &inner);
        }
    }

    /// Draws lines of lighter and darker hair between the outer and the inner edge.
    fn strands(&mut self, outer: &[Point], inner: &[Point]) {
        let mut rng = Rng::new(self.appearance.strands);
        let (outer, inner) = (smooth(outer, 12), smooth(inner, 12));
        let count = outer.len() - 1;
        for step in 2..count - 1 {
            let (from, to) = (outer[step], inner[count - step]);
            let bend = rng.between(0.75, 1.0);
            let middle = (f32::midpoint(from.0, to.0) * 1.04, f32::midpoint(from.1, to.1) - 2.0);
            let end = (from.0 + (to.0 - from.0) * bend, from.1 + (to.1 - from.1) * bend);
            let light = if step % 2 == 0 { 1.45 } else { 0.6 };
            let line: Vec<_> = smooth(&[from, middle, end], 4).into_iter().map(|point| (point, 1.5)).collect();
            self.ribbon(&line, lit(self.appearance.hair, light), 0.3);
        }
    }

    fn curls(&mut self, outer: &[Point]) {
        let mut rng = Rng::new(self.appearance.strands);
        for point in smooth(outer, 5) {
            let inwards = rng.between(0.86, 1.0);
            let radius = rng.between(11.0, 17.0);
            let light = rng.between(0.7, 1.25);
            self.ellipse(
                (point.0 * inwards, point.1 * inwards),
                (radius, radius),
                0.0,
                3.0,
                lit(self.appearance.hair, light),
                0.9,
            );
        }
    }
}
