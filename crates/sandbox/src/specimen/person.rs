//! People who do not exist: a frontal head and shoulders for every name, always the same for the same name.

use super::mark::{FaceMark, Mark};
use super::paint::{Colour, Painter, Point, Rect, lit, mix, smooth};
use super::qr;

mod features;
mod hair;
mod looks;

use looks::{Hair, Looks};

/// Width of the space in which a figure is designed.
pub const FIGURE_WIDTH: f32 = 340.0;
/// Height of that space.
pub const FIGURE_HEIGHT: f32 = 438.0;
/// The badge's code, without its quiet zone, in that space.
pub const BADGE: Rect = Rect::new(27.0, 258.0, 80.0, 80.0);
/// The face (forehead to chin, ear to ear) in that space.
pub const FACE: Rect = Rect::new(80.0, 82.0, 180.0, 214.0);

/// Light margin of the badge around its code.
const QUIET: f32 = 5.5;
/// The middle of the head.
const CENTRE: Point = (170.0, 172.0);
const DARK: Colour = [28, 22, 22];

/// What a person wears or does in a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pose {
    /// A mask covers mouth and nose.
    pub occluded: bool,
    /// The eyes are shut.
    pub eyes_closed: bool,
    /// Dark glasses.
    pub sunglasses: bool,
}

/// Draws a person so that the figure's space is scaled by `scale` and its origin lies at `origin`, with the badge that says who it is.
pub fn draw(painter: &mut Painter, person: &str, pose: Pose, origin: Point, scale: f32) {
    draw_figure(painter, person, pose, origin, scale);
    draw_badge(painter, person, pose, origin, scale);
}

/// The person without the badge.
pub fn draw_figure(painter: &mut Painter, person: &str, pose: Pose, origin: Point, scale: f32) {
    let looks = Looks::of(person);
    let mut figure = Figure { painter, looks: &looks, origin, scale };
    figure.back_hair();
    figure.body();
    figure.head();
    figure.eyes(pose);
    figure.nose();
    figure.mouth();
    figure.beard();
    figure.hair();
    figure.accessories(pose);
}

/// The badge alone.
pub fn draw_badge(painter: &mut Painter, person: &str, pose: Pose, origin: Point, scale: f32) {
    let mark = Mark::Face(FaceMark {
        person: person.to_owned(),
        occluded: pose.occluded,
        eyes_closed: pose.eyes_closed,
        sunglasses: pose.sunglasses,
    });
    let code = Rect::new(origin.0 + BADGE.x * scale, origin.1 + BADGE.y * scale, BADGE.w * scale, BADGE.h * scale);
    let card = code.grown(QUIET * scale);
    painter.rounded(card.grown(1.2 * scale), 7.0 * scale, DARK, 0.6);
    painter.rounded(card, 6.0 * scale, [244, 244, 242], 1.0);
    qr::draw_badge(painter, &mark.spell(), code);
}

struct Figure<'p, 'a> {
    painter: &'p mut Painter<'a>,
    looks: &'p Looks,
    origin: Point,
    scale: f32,
}

impl Figure<'_, '_> {
    fn body(&mut self) {
        let looks = self.looks;
        let neck = looks.half_width * 0.56;
        let chin = looks.chin;
        let neck_side = [(neck, 60.0), (neck, chin + 16.0), (neck + 12.0, chin + 40.0), (0.0, chin + 84.0)];
        let outline = self.place_all(&mirror(&smooth(&neck_side, 6)));
        let (top, scale) = (self.place((0.0, chin)).1, self.scale);
        self.painter
            .shaded_polygon(&outline, 1.0, |_, y| lit(looks.skin, 0.52 + ((y - top) / scale / 110.0).clamp(0.0, 0.26)));
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
        let (cloth, middle, scale) = (looks.clothes, self.place((0.0, 0.0)), self.scale);
        self.painter.shaded_polygon(&outline, 1.0, |x, y| {
            let across = (x - middle.0) / (230.0 * scale);
            let down = (y - middle.1) / scale - 130.0;
            lit(cloth, (1.16 - across * across * 0.75 - across * 0.12 - down * 0.0012).max(0.3))
        });
        let lapel = [(neck + 4.0, chin + 15.0), (neck + 18.0, chin + 40.0), (34.0, chin + 92.0), (0.0, chin + 78.0)];
        for mirrored in [1.0, -1.0] {
            let points: Vec<Point> = lapel.iter().map(|&(x, y)| (x * mirrored, y)).collect();
            self.polygon(&points, lit(looks.collar, if mirrored > 0.0 { 0.86 } else { 0.97 }), 1.0);
            let edge: Vec<_> = points[1..].iter().map(|&point| (point, 2.0)).collect();
            self.ribbon(&edge, lit(looks.clothes, 0.6), 0.6);
        }
    }

    fn head(&mut self) {
        let looks = self.looks;
        let sides: &[f32] = if matches!(looks.hair_style, Hair::Long | Hair::Bob) { &[] } else { &[-1.0, 1.0] };
        for &side in sides {
            let light = if side < 0.0 { 0.86 } else { 0.7 };
            self.ellipse(
                (side * (looks.half_width + 3.0), 12.0),
                (11.0, 27.0),
                side * 0.16,
                2.0,
                lit(looks.skin, light),
                1.0,
            );
            self.ellipse(
                (side * (looks.half_width + 4.0), 12.0),
                (5.0, 17.0),
                side * 0.16,
                6.0,
                lit(looks.skin, 0.55),
                0.7,
            );
        }
        let outline = self.place_all(&looks.outline());
        let (middle, scale) = (self.place((0.0, 0.0)), self.scale);
        self.painter.shaded_polygon(&outline, 1.0, |x, y| {
            lit(looks.skin, looks.light((x - middle.0) / scale, (y - middle.1) / scale))
        });
        let blush = mix(looks.skin, [206, 96, 88], 0.5);
        let shade = lit(looks.skin, 0.62);
        for side in [-1.0, 1.0] {
            self.ellipse((side * 52.0, 42.0), (26.0, 22.0), 0.0, 24.0, blush, 0.22);
            // The hollow around the eye, darkest at the nose.
            self.ellipse((side * looks.eye_distance, -6.0), (30.0, 19.0), side * 0.1, 20.0, shade, 0.50);
            self.ellipse((side * 20.0, -4.0), (9.0, 20.0), side * -0.2, 12.0, shade, 0.45);
            self.ellipse((side * 47.0, 62.0), (13.0, 30.0), side * 0.5, 22.0, shade, 0.24);
        }
        self.ellipse((-6.0, -66.0), (42.0, 26.0), 0.0, 40.0, [255, 246, 236], 0.16);
        self.ellipse((0.0, looks.chin - 22.0), (18.0, 11.0), 0.0, 14.0, [255, 240, 228], 0.14);
    }

    fn accessories(&mut self, pose: Pose) {
        let looks = self.looks;
        if pose.occluded {
            let mask = [
                (-looks.half_width * 0.96, 18.0),
                (-24.0, 22.0),
                (0.0, 14.0),
                (24.0, 22.0),
                (looks.half_width * 0.96, 18.0),
                (looks.half_width * 0.72, 92.0),
                (0.0, looks.chin + 6.0),
                (-looks.half_width * 0.72, 92.0),
                (-looks.half_width * 0.96, 18.0),
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
                let middle = side * (looks.eye_distance + 1.0);
                self.ellipse((middle, 3.0), (32.0, 25.0), 0.0, 1.5, [18, 18, 22], 1.0);
                self.ellipse((middle - 9.0, -6.0), (10.0, 5.0), -0.5, 6.0, [120, 124, 134], 0.6);
                self.ribbon(&[((side * 68.0, -4.0), 5.0), ((side * looks.half_width, 0.0), 5.0)], [18, 18, 22], 1.0);
            }
            self.ribbon(&[((-12.0, -4.0), 5.0), ((0.0, -8.0), 5.0), ((12.0, -4.0), 5.0)], [18, 18, 22], 1.0);
        }
    }

    /// A place relative to the head's middle, in pixels of the picture.
    fn place(&self, (x, y): Point) -> Point {
        (self.origin.0 + (CENTRE.0 + x) * self.scale, self.origin.1 + (CENTRE.1 + y) * self.scale)
    }

    fn place_all(&self, points: &[Point]) -> Vec<Point> {
        points.iter().map(|&point| self.place(point)).collect()
    }

    fn polygon(&mut self, points: &[Point], colour: Colour, alpha: f32) {
        let placed = self.place_all(points);
        self.painter.polygon(&placed, colour, alpha);
    }

    /// A shape given by its right half from top to bottom.
    fn mirrored(&mut self, right: &[Point], colour: Colour) {
        self.polygon(&mirror(&smooth(right, 6)), colour, 1.0);
    }

    fn ribbon(&mut self, line: &[(Point, f32)], colour: Colour, alpha: f32) {
        let placed: Vec<_> = line.iter().map(|&(point, width)| (self.place(point), width * self.scale)).collect();
        self.painter.ribbon(&placed, colour, alpha);
    }

    fn ellipse(&mut self, centre: Point, radii: Point, angle: f32, soft: f32, colour: Colour, alpha: f32) {
        let (placed, scale) = (self.place(centre), self.scale);
        self.painter.ellipse(placed, (radii.0 * scale, radii.1 * scale), angle, soft * scale, colour, alpha);
    }
}

fn mirror(right: &[Point]) -> Vec<Point> {
    right.iter().copied().chain(right.iter().rev().map(|&(x, y)| (-x, y))).collect()
}
