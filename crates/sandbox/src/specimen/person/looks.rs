//! What distinguishes one person from another: everything follows from the name.

use crate::specimen::chance::Chance;
use crate::specimen::paint::{Colour, Point, mix};

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

/// What distinguishes one person from another.
#[derive(Debug, Clone)]
pub struct Looks {
    /// Skin in full light.
    pub skin: Colour,
    /// Hair.
    pub hair: Colour,
    /// Eyes.
    pub iris: Colour,
    /// Lips.
    pub lips: Colour,
    /// Coat.
    pub clothes: Colour,
    /// Shirt.
    pub collar: Colour,
    /// Cut of the hair.
    pub hair_style: Hair,
    /// Strength of the beard, 0 for none.
    pub beard: f32,
    /// Half the head across at the ears.
    pub half_width: f32,
    /// From the eyes up.
    pub crown: f32,
    /// From the eyes down.
    pub chin: f32,
    /// Squareness of the jaw.
    pub jaw: f32,
    /// How much the face narrows downwards.
    pub taper: f32,
    /// From the face's middle to an eye's.
    pub eye_distance: f32,
    /// Half the opening across.
    pub eye_width: f32,
    /// Half the opening down.
    pub eye_height: f32,
    /// How far the outer corners are raised.
    pub eye_tilt: f32,
    /// From the eyes to the brows.
    pub brow_height: f32,
    /// Thickness of the brows.
    pub brow_weight: f32,
    /// From the eyes to the nose's tip.
    pub nose_length: f32,
    /// Half the nose across.
    pub nose_width: f32,
    /// Half the mouth across.
    pub mouth_width: f32,
    /// Thickness of the lips.
    pub lip_weight: f32,
    /// How far the corners of the mouth are raised.
    pub smile: f32,
    /// Seed of the single hairs.
    pub strands: u64,
}

impl Looks {
    /// `anna-lookalike` looks much like `anna`.
    pub fn of(person: &str) -> Self {
        let Some(original) = person.strip_suffix("-lookalike") else {
            return Self::by_name(person);
        };
        let looks = Self::by_name(original);
        Self {
            eye_distance: looks.eye_distance + 1.5,
            mouth_width: looks.mouth_width - 2.0,
            chin: looks.chin + 4.0,
            ..looks
        }
    }

    fn by_name(person: &str) -> Self {
        let mut chance = Chance::of(person);
        let skin = mix(
            chance.pick(&[
                [241, 208, 182],
                [229, 190, 158],
                [212, 168, 132],
                [190, 143, 106],
                [156, 111, 80],
                [124, 86, 62],
            ]),
            [225, 185, 160],
            chance.between(0.0, 0.35),
        );
        let hair = mix(
            chance.pick(&[
                [38, 28, 24],
                [62, 42, 30],
                [92, 62, 38],
                [134, 94, 54],
                [176, 134, 82],
                [120, 62, 36],
                [150, 146, 142],
            ]),
            [50, 38, 32],
            chance.between(0.0, 0.3),
        );
        let hair_style = chance.pick(&[
            Hair::Short,
            Hair::SideParting,
            Hair::Long,
            Hair::Bob,
            Hair::Bun,
            Hair::Curly,
            Hair::Receding,
        ]);
        let may_have_beard = matches!(hair_style, Hair::Short | Hair::SideParting | Hair::Receding);
        Self {
            skin,
            hair,
            iris: chance.pick(&[[72, 50, 34], [96, 70, 44], [86, 104, 80], [84, 112, 136], [58, 44, 36]]),
            lips: mix(skin, [168, 72, 76], chance.between(0.45, 0.7)),
            clothes: chance.pick(&[
                [48, 62, 92],
                [74, 44, 58],
                [44, 74, 70],
                [86, 84, 92],
                [120, 98, 70],
                [38, 40, 48],
                [104, 58, 48],
            ]),
            collar: chance.pick(&[[238, 238, 236], [214, 224, 236], [236, 222, 214], [226, 232, 220]]),
            hair_style,
            beard: if may_have_beard { (chance.between(-1.2, 1.0)).max(0.0) } else { 0.0 },
            half_width: chance.between(80.0, 92.0),
            crown: chance.between(118.0, 128.0),
            chin: chance.between(116.0, 128.0),
            jaw: chance.between(2.3, 3.4),
            taper: chance.between(0.16, 0.30),
            eye_distance: chance.between(36.0, 42.0),
            eye_width: chance.between(17.5, 20.5),
            eye_height: chance.between(7.0, 9.0),
            eye_tilt: chance.between(-1.5, 2.5),
            brow_height: chance.between(22.0, 27.0),
            brow_weight: chance.between(5.0, 9.0),
            nose_length: chance.between(46.0, 56.0),
            nose_width: chance.between(15.0, 21.0),
            mouth_width: chance.between(28.0, 36.0),
            lip_weight: chance.between(6.5, 10.5),
            smile: chance.between(-1.0, 4.5),
            strands: chance.next(),
        }
    }

    /// Half the head's width at a height, relative to its middle.
    pub fn half_width_at(&self, y: f32) -> f32 {
        if y <= 0.0 {
            let up = (-y / self.crown).min(1.0);
            self.half_width * (1.0 - up.powf(2.3)).sqrt()
        } else {
            let down = (y / self.chin).min(1.0);
            self.half_width * (1.0 - down.powf(self.jaw)).sqrt() * (1.0 - self.taper * down)
        }
    }

    /// The head's outline relative to its middle.
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

    /// Strength of the light that falls on the skin at a place relative to the head's middle: from the front, a little from above left.
    pub fn light(&self, x: f32, y: f32) -> f32 {
        let across = (x / (self.half_width * 1.12)).clamp(-1.0, 1.0);
        let down = (y / if y < 0.0 { self.crown * 1.25 } else { self.chin * 1.2 }).clamp(-1.0, 1.0);
        let facing = (1.0 - across * across * 0.92 - down * down * 0.55).max(0.0).sqrt();
        0.50 + 0.56 * (facing * 0.93 - across * 0.17 - down * 0.20).max(0.0)
    }
}
