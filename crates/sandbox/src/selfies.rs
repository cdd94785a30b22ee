//! The pictures that a liveness check takes of whoever took the challenge.

use std::io::Cursor;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;

use crate::eyes::Place;
use crate::specimen::selfie::{self, SelfieOptions};
use crate::state::Sandbox;

/// A person is seen in so many positions; more would only cost memory.
const VARIATIONS: u8 = 4;
const QUALITY: u8 = 88;

/// A picture of a person, at most 200 KiB.
#[derive(Debug, Clone)]
pub struct Selfie {
    /// The file.
    pub jpeg: Arc<[u8]>,
    /// Where the face is.
    pub face: Place,
}

/// The picture `number` (0: the reference image) that a session took of a person. The same session always gives the same picture.
pub fn selfie(sandbox: &Sandbox, person: &str, session: &str, number: u64) -> Selfie {
    let [byte, ..] = sandbox.seed.bytes("selfie", &[session.as_bytes(), &number.to_be_bytes()]);
    let variation = byte % VARIATIONS;
    let key = (person.to_owned(), variation);
    if let Some(known) = sandbox.state().selfies.get(&key) {
        return known.clone();
    }
    let drawn = draw(person, variation);
    sandbox.state().remember_selfie(key, drawn.clone());
    drawn
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred pixels")]
fn draw(person: &str, variation: u8) -> Selfie {
    let sideways = f32::from(variation) * 0.012 - 0.018;
    let drawn = selfie::draw(person, SelfieOptions { sideways, room: 3, ..SelfieOptions::default() });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), QUALITY)
        .encode_image(&drawn.picture)
        .expect("an RGB picture of this size is always a JPEG, and memory takes all writes");
    let (width, height) = (drawn.picture.width() as f32, drawn.picture.height() as f32);
    let face = Place {
        left: drawn.face.x / width,
        top: drawn.face.y / height,
        width: drawn.face.w / width,
        height: drawn.face.h / height,
    };
    Selfie { jpeg: jpeg.into(), face }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selfie_shows_its_person_and_fits_into_an_answer() {
        let selfie = draw("anna", 1);
        assert!(selfie.jpeg.len() <= 204_800, "{} bytes", selfie.jpeg.len());
        let seen = crate::eyes::look(&selfie.jpeg).expect("a picture");
        let persons: Vec<_> = seen.faces.iter().map(|face| face.person.as_str()).collect();
        assert_eq!(persons, ["anna"]);
    }
}
