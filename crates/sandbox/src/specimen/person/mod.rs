//! People who do not exist: head and shoulders from the front for every name, always the same for
//! the same name.

mod appearance;
mod body;
mod features;
mod figure;
mod hair;

use super::paint::{Painter, Point, Rect};
use super::payload::{FacePayload, Payload};
use super::qr;
use appearance::Appearance;
pub use figure::Pose;
use figure::{DARK, Figure};

/// Width of the coordinate space in which a figure is designed.
pub const FIGURE_WIDTH: f32 = 340.0;
/// Height of that space.
pub const FIGURE_HEIGHT: f32 = 438.0;
/// The badge's code, without its quiet zone, in that space.
pub const BADGE: Rect = Rect::new(27.0, 258.0, 80.0, 80.0);
/// The face (forehead to chin, ear to ear) in that space.
pub const FACE: Rect = Rect::new(80.0, 82.0, 180.0, 214.0);

/// Light margin of the badge around its code.
const QUIET: f32 = 5.5;

/// Draws a person with the badge that identifies them. The figure's space is scaled by `scale`, and
/// its origin lies at `origin`.
pub fn draw(painter: &mut Painter, person: &str, pose: Pose, origin: Point, scale: f32) {
    draw_figure(painter, person, pose, origin, scale);
    draw_badge(painter, person, pose, origin, scale);
}

/// Draws the person without the badge.
pub fn draw_figure(painter: &mut Painter, person: &str, pose: Pose, origin: Point, scale: f32) {
    let appearance = Appearance::of(person);
    let mut figure = Figure { painter, appearance: &appearance, origin, scale };
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

/// Draws the badge alone: the QR code that states whose face this is.
pub fn draw_badge(painter: &mut Painter, person: &str, pose: Pose, origin: Point, scale: f32) {
    let payload = Payload::Face(FacePayload {
        person: person.to_owned(),
        occluded: pose.occluded,
        eyes_closed: pose.eyes_closed,
        sunglasses: pose.sunglasses,
    });
    let code = Rect::new(origin.0 + BADGE.x * scale, origin.1 + BADGE.y * scale, BADGE.w * scale, BADGE.h * scale);
    let card = code.grown(QUIET * scale);
    painter.rounded(card.grown(1.2 * scale), 7.0 * scale, DARK, 0.6);
    painter.rounded(card, 6.0 * scale, [244, 244, 242], 1.0);
    qr::draw_badge(painter, &payload.encode(), code);
}
