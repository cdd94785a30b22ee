//! The appearance of a person, which follows from the name.

use crate::specimen::paint::{Colour, Point, mix};
use crate::specimen::rng::Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hair {
    Short,
    SideParting,
    Long,
    Bob,
    Bun,
    Curly,
    Receding,
}

/// Colours and proportions of one person, in pixels of the figure's space.
#[derive(Debug, Clone)]
pub struct Appearance {
    /// Skin in full light.
    pub skin: Colour,
    pub hair: Colour,
    pub iris: Colour,
    pub lips: Colour,
    /// Colour of the coat.
    pub clothes: Colour,
    /// Colour of the shirt.
    pub collar: Colour,
    pub hair_style: Hair,
    /// Strength of the beard, 0 for none.
    pub beard: f32,
    /// Half the width of the head at the ears.
    pub half_width: f32,
    /// Distance from the eyes to the crown.
    pub crown: f32,
    /// Distance from the eyes to the chin.
    pub chin: f32,
    /// Squareness of the jaw.
    pub jaw: f32,
    /// How much the face narrows downwards.
    pub taper: f32,
    /// Distance from the middle of the face to the middle of an eye.
    pub eye_distance: f32,
    /// Half the width of the eye's opening.
    pub eye_width: f32,
    /// Half the height of the eye's opening.
    pub eye_height: f32,
    /// How far the outer corners are raised.
    pub eye_tilt: f32,
    /// Distance from the eyes to the brows.
    pub brow_height: f32,
    /// Thickness of the brows.
    pub brow_weight: f32,
    /// Distance from the eyes to the tip of the nose.
    pub nose_length: f32,
    /// Half the width of the nose.
    pub nose_width: f32,
    /// Half the width of the mouth.
    pub mouth_width: f32,
    /// Thickness of the lips.
    pub lip_weight: f32,
    /// How far the corners of the mouth are raised.
    pub smile: f32,
    /// Seed of the hair's strands.
    pub strands: u64,
}

impl Appearance {
    /// The appearance for a name; that of `anna-lookalike` is similar to that of `anna`.
    pub fn of(person: &str) -> Self {
        let Some(original) = person.strip_suffix("-lookalike") else {
            return Self::by_name(person);
        };
        let appearance = Self::by_name(original);
        Self {
            eye_distance: appearance.eye_distance + 1.5,
            mouth_width: appearance.mouth_width - 2.0,
            chin: appearance.chin + 4.0,
            ..appearance
        }
    }

    fn by_name(person: &str) -> Self {
        let mut rng = Rng::from_text(person);
        let skin = mix(
            rng.pick(&[
                [241, 208, 182],
                [229, 190, 158],
                [212, 168, 132],
                [190, 143, 106],
                [156, 111, 80],
                [124, 86, 62],
            ]),
            [225, 185, 160],
            rng.between(0.0, 0.35),
        );
        let hair = mix(
            rng.pick(&[
                [38, 28, 24],
                [62, 42, 30],
                [92, 62, 38],
                [134, 94, 54],
                [176, 134, 82],
                [120, 62, 36],
                [150, 146, 142],
            ]),
            [50, 38, 32],
            rng.between(0.0, 0.3),
        );
        let hair_style =
            rng.pick(&[Hair::Short, Hair::SideParting, Hair::Long, Hair::Bob, Hair::Bun, Hair::Curly, Hair::Receding]);
        let may_have_beard = matches!(hair_style, Hair::Short | Hair::SideParting | Hair::Receding);
        Self {
            skin,
            hair,
            iris: rng.pick(&[[72, 50, 34], [96, 70, 44], [86, 104, 80], [84, 112, 136], [58, 44, 36]]),
            lips: mix(skin, [168, 72, 76], rng.between(0.45, 0.7)),
            clothes: rng.pick(&[
                [48, 62, 92],
                [74, 44, 58],
                [44, 74, 70],
                [86, 84, 92],
                [120, 98, 70],
                [38, 40, 48],
                [104, 58, 48],
            ]),
            collar: rng.pick(&[[238, 238, 236], [214, 224, 236], [236, 222, 214], [226, 232, 220]]),
            hair_style,
            beard: if may_have_beard { (rng.between(-1.2, 1.0)).max(0.0) } else { 0.0 },
            half_width: rng.between(80.0, 92.0),
            crown: rng.between(118.0, 128.0),
            chin: rng.between(116.0, 128.0),
            jaw: rng.between(2.3, 3.4),
            taper: rng.between(0.16, 0.30),
            eye_distance: rng.between(36.0, 42.0),
            eye_width: rng.between(17.5, 20.5),
            eye_height: rng.between(7.0, 9.0),
            eye_tilt: rng.between(-1.5, 2.5),
            brow_height: rng.between(22.0, 27.0),
            brow_weight: rng.between(5.0, 9.0),
            nose_length: rng.between(46.0, 56.0),
            nose_width: rng.between(15.0, 21.0),
            mouth_width: rng.between(28.0, 36.0),
            lip_weight: rng.between(6.5, 10.5),
            smile: rng.between(-1.0, 4.5),
            strands: rng.next(),
        }
    }

    /// Half the width of the head at a height, relative to its middle.
    pub fn half_width_at(&self, y: f32) -> f32 {
        if y <= 0.0 {
            let up = (-y / self.crown).min(1.0);
            self.half_width * (1.0 - up.powf(2.3)).sqrt()
        } else {
            let down = (y / self.chin).min(1.0);
            self.half_width * (1.0 - down.powf(self.jaw)).sqrt() * (1.0 - self.taper * down)
        }
    }

    /// The outline of the head, relative to its middle.
    pub fn outline(&self) -> Vec<Point> {
        let heights = (0..=48u8).map(|step| {
            let turn = f32::from(step) / 48.0 * std::f32::consts::PI;
            let height = -turn.cos();
            if height < 0.0 { height * self.crown } else { height * self.chin }
        });
        let right: Vec<Point> = heights.map(|y| (self.half_width_at(y), y)).collect();
        let left = right.iter().rev().map(|&(x, y)| (-x, y));
        right.iter().copied().chain(left).collect()
    }

    /// Strength of the light on the skin at a point relative to the middle of the head; it comes
    /// from the front, slightly from above left.
    pub fn light(&self, x: f32, y: f32) -> f32 {
        let across = (x / (self.half_width * 1.12)).clamp(-1.0, 1.0);
        let down = (y / if y < 0.0 { self.crown * 1.25 } else { self.chin * 1.2 }).clamp(-1.0, 1.0);
        let facing = (1.0 - across * across * 0.92 - down * down * 0.55).max(0.0).sqrt();
        0.50 + 0.56 * (facing * 0.93 - across * 0.17 - down * 0.20).max(0.0)
    }
}
