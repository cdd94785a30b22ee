//! Pictures of people in front of a camera, as a liveness session stores them.

use image::RgbImage;

use super::paint::{Painter, Rect, lit, mix};
use super::person::{self, FACE, FIGURE_HEIGHT, FIGURE_WIDTH, Pose};
use super::rng::Rng;

/// How a selfie is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfieOptions {
    /// Pixels across and down.
    pub size: (u32, u32),
    pub pose: Pose,
    /// Distance of the person from the middle to the right, as a share of the picture's width;
    /// audit pictures differ in it.
    pub sideways: f32,
    /// Seed of the background.
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
    pub picture: RgbImage,
    pub face: Rect,
}

/// Draws a head and shoulders in a room.
pub fn draw(person: &str, options: SelfieOptions) -> Selfie {
    let mut picture = RgbImage::new(options.size.0, options.size.1);
    let (width, height) = (options.size.0 as f32, options.size.1 as f32);
    let mut painter = Painter::new(&mut picture);
    room(&mut painter, (width, height), &mut Rng::new(options.room ^ 0x5e1f));
    let scale = (height * 0.80 / FIGURE_HEIGHT).min(width * 0.98 / FIGURE_WIDTH);
    let left = width * (0.5 + options.sideways) - FIGURE_WIDTH * scale / 2.0;
    let top = height - FIGURE_HEIGHT * scale;
    person::draw(&mut painter, person, options.pose, (left, top), scale);
    let face = Rect::new(left + FACE.x * scale, top + FACE.y * scale, FACE.w * scale, FACE.h * scale);
    Selfie { picture, face }
}

/// Draws a wall, a window on the left and bookshelves on the right, out of focus.
fn room(painter: &mut Painter, (width, height): (f32, f32), rng: &mut Rng) {
    let wall = rng.pick(&[[206, 200, 190], [190, 202, 206], [214, 206, 196], [196, 204, 190]]);
    painter.gradient(Rect::new(0.0, 0.0, width, height), lit(wall, 1.06), lit(wall, 0.80));
    let window = (width * rng.between(0.10, 0.18), height * 0.28);
    painter.ellipse(window, (width * 0.20, height * 0.24), 0.0, width * 0.18, [252, 252, 246], 0.85);
    for shelf in 0..3u8 {
        let y = height * (0.16 + 0.20 * f32::from(shelf));
        painter.ellipse((width * 0.92, y + 4.0), (width * 0.16, 5.0), 0.0, 8.0, lit(wall, 0.55), 0.8);
        for book in 0..5u8 {
            let x = width * (0.80 + 0.045 * f32::from(book));
            let tall = height * rng.between(0.07, 0.12);
            let colour = mix(rng.pick(&[[120, 70, 60], [70, 96, 110], [120, 110, 70], [90, 80, 104]]), wall, 0.4);
            painter.ellipse((x, y - tall / 2.0), (width * 0.020, tall / 2.0), 0.0, width * 0.02, colour, 0.9);
        }
    }
}
