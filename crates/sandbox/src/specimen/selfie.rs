//! Pictures of people in front of their cameras: what a liveness session keeps.

use image::RgbImage;

use super::chance::Chance;
use super::paint::{Painter, Rect, lit, mix};
use super::person::{self, FACE, FIGURE_HEIGHT, FIGURE_WIDTH, Pose};

/// How a selfie is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfieOptions {
    /// Pixels across and down.
    pub size: (u32, u32),
    /// What the person wears or does.
    pub pose: Pose,
    /// Distance to the right of the frame's middle, as a share of its width: audit pictures differ a little.
    pub sideways: f32,
    /// Seed of the room behind.
    pub room: u64,
}

impl Default for SelfieOptions {
    fn default() -> Self {
        Self { size: (480, 640), pose: Pose::default(), sideways: 0.0, room: 0 }
    }
}

/// A selfie, and where on it the face is, in pixels.
#[derive(Debug, Clone)]
pub struct Selfie {
    /// The picture.
    pub picture: RgbImage,
    /// The face.
    pub face: Rect,
}

/// A head and shoulders in a room.
pub fn draw(person: &str, options: SelfieOptions) -> Selfie {
    let mut picture = RgbImage::new(options.size.0, options.size.1);
    let (width, height) = (options.size.0 as f32, options.size.1 as f32);
    let mut painter = Painter::new(&mut picture);
    room(&mut painter, (width, height), &mut Chance::new(options.room ^ 0x5e1f));
    let scale = (height * 0.80 / FIGURE_HEIGHT).min(width * 0.98 / FIGURE_WIDTH);
    let left = width * (0.5 + options.sideways) - FIGURE_WIDTH * scale / 2.0;
    let top = height - FIGURE_HEIGHT * scale;
    person::draw(&mut painter, person, options.pose, (left, top), scale);
    let face = Rect::new(left + FACE.x * scale, top + FACE.y * scale, FACE.w * scale, FACE.h * scale);
    Selfie { picture, face }
}

/// A wall, a window on the left and a shelf of books on the right, out of focus.
fn room(painter: &mut Painter, (width, height): (f32, f32), chance: &mut Chance) {
    let wall = chance.pick(&[[206, 200, 190], [190, 202, 206], [214, 206, 196], [196, 204, 190]]);
    painter.gradient(Rect::new(0.0, 0.0, width, height), lit(wall, 1.06), lit(wall, 0.80));
    let window = (width * chance.between(0.10, 0.18), height * 0.28);
    painter.ellipse(window, (width * 0.20, height * 0.24), 0.0, width * 0.18, [252, 252, 246], 0.85);
    for shelf in 0..3u8 {
        let y = height * (0.16 + 0.20 * f32::from(shelf));
        painter.ellipse((width * 0.92, y + 4.0), (width * 0.16, 5.0), 0.0, 8.0, lit(wall, 0.55), 0.8);
        for book in 0..5u8 {
            let x = width * (0.80 + 0.045 * f32::from(book));
            let tall = height * chance.between(0.07, 0.12);
            let colour = mix(chance.pick(&[[120, 70, 60], [70, 96, 110], [120, 110, 70], [90, 80, 104]]), wall, 0.4);
            painter.ellipse((x, y - tall / 2.0), (width * 0.020, tall / 2.0), 0.0, width * 0.02, colour, 0.9);
        }
    }
}
