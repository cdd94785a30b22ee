//! The pictures that a liveness check takes of the person in front of the camera.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;

use crate::seed::Seed;
use crate::specimen::selfie::{self, SelfieOptions};
use crate::vision::BoundingBox;

/// Number of positions in which a person is drawn; more would only cost memory.
const VARIATIONS: u8 = 4;
const QUALITY: u8 = 88;
/// Pictures that are kept, some 50 kB each.
const SELFIES_MAX: usize = 256;

/// A picture of a person, at most 200 KiB.
#[derive(Debug, Clone)]
pub struct Selfie {
    pub jpeg: Arc<[u8]>,
    pub face: BoundingBox,
}

/// Which picture of which person: the slug and the position.
pub type SelfieKey = (String, u8);

/// The key of picture `number` (0: the reference image) that a session took of a person.
///
/// The same session always gives the same picture.
pub fn key(seed: Seed, person: &str, session: &str, number: u64) -> SelfieKey {
    let [byte, ..] = seed.bytes("selfie", &[session.as_bytes(), &number.to_be_bytes()]);
    (person.to_owned(), byte % VARIATIONS)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred pixels")]
pub fn draw((person, variation): &SelfieKey) -> Selfie {
    let sideways = f32::from(*variation) * 0.012 - 0.018;
    let drawn = selfie::draw(person, SelfieOptions { sideways, room: 3, ..SelfieOptions::default() });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), QUALITY)
        .encode_image(&drawn.picture)
        .expect("an RGB picture of this size is always a JPEG, and memory takes all writes");
    let (width, height) = (drawn.picture.width() as f32, drawn.picture.height() as f32);
    let face = BoundingBox {
        left: drawn.face.x / width,
        top: drawn.face.y / height,
        width: drawn.face.w / width,
        height: drawn.face.h / height,
    };
    Selfie { jpeg: jpeg.into(), face }
}

/// The pictures that were drawn, emptied when full.
#[derive(Debug, Default)]
pub struct Selfies(HashMap<SelfieKey, Selfie>);

impl Selfies {
    pub fn get(&self, key: &SelfieKey) -> Option<&Selfie> {
        self.0.get(key)
    }

    pub fn insert(&mut self, key: SelfieKey, selfie: Selfie) {
        if self.0.len() >= SELFIES_MAX {
            self.0.clear();
        }
        self.0.insert(key, selfie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selfie_shows_its_person_and_fits_into_an_answer() {
        let selfie = draw(&("anna".to_owned(), 1));
        assert!(selfie.jpeg.len() <= 204_800, "{} bytes", selfie.jpeg.len());
        let analysis = crate::vision::analyse(&selfie.jpeg).expect("a picture");
        let persons: Vec<_> = analysis.faces.iter().map(|face| face.person.as_str()).collect();
        assert_eq!(persons, ["anna"]);
    }
}
