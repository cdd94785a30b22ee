//! Local OCR: the machine-readable zone read from pixels on this machine, without any provider.
//!
//! A vision model that was deceived, or that obeys a text in the picture, can report any zone. Here
//! the zone is read a second time by a small open recognition model that knows letters and nothing
//! else: [`rows`] finds lines of text, [`strip`] levels each, the caller runs the model on it,
//! [`letters`] turns its scores into characters, and `zone` turns characters into a zone.
//! `judge::ocr_crosscheck` compares the two readings. That the OCR fails says nothing about a
//! person.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels: coordinates are small numbers"
)]

pub mod letters;
pub mod reading;
mod zone;

use std::collections::VecDeque;

use ::image::GrayImage;
use jiff::civil::Date;

use self::letters::Step;
pub use self::reading::{Line, OcrReading};
use self::rows::Row;
use self::strip::Strip;
pub use identivia_pixels::{rows, strip};

/// Reads the zone of an upright picture. `recognise` runs the model on a strip and returns `None`
/// where it cannot.
///
/// Rows are read from the bottom until a zone holds, because each costs time. A picture whose rows
/// make no zone is read again upside down: backs are uploaded either way round.
pub fn read(picture: &GrayImage, today: Date, mut recognise: impl FnMut(&Strip) -> Option<Vec<Step>>) -> OcrReading {
    let mut left = STRIPS_MAX;
    let mut recognise = |strip: &Strip| {
        left = left.checked_sub(1)?;
        recognise(strip)
    };
    let mut rows = rows::find(picture);
    let mut found = read_rows(picture, &rows, today, &mut recognise);
    if found.rank() == 0 {
        rows.reverse();
        let rows: Vec<Row> = rows.into_iter().map(Row::turned).collect();
        let turned = read_rows(picture, &rows, today, &mut recognise);
        if turned.rank() > found.rank() {
            found = turned;
        }
    }
    found
}

/// Rows that are recognised, from the bottom; a zone has three at most.
const ROWS_MAX: usize = 8;
/// Most strips that are recognised in one picture: a legible zone has been read after fewer.
const STRIPS_MAX: usize = 9;
/// Heights of the strip to try, relative to the height of the row's letters: a worn line, or one
/// with a tail, looks lower or higher than it is.
const AIRS: [f32; 3] = [1.5, 1.85, 1.25];

fn read_rows(
    picture: &GrayImage,
    places: &[Row],
    today: Date,
    recognise: &mut impl FnMut(&Strip) -> Option<Vec<Step>>,
) -> OcrReading {
    let mut best = zone::find(&[], today);
    for air in AIRS {
        let mut rows = VecDeque::new();
        for row in places.iter().take(ROWS_MAX) {
            let Some(steps) = strip::cut(picture, row, air).and_then(|strip| recognise(&strip)) else { continue };
            rows.push_front(letters::read(&steps));
            let mut found = zone::find(rows.make_contiguous(), today);
            found.data = found.data.or_else(|| best.data.take());
            if found.rank() >= best.rank() {
                best = found;
            } else {
                best.data = found.data;
            }
            if best.rank() == OcrReading::HOLDS {
                return best;
            }
        }
        // Where the first height shows nothing like a zone, the others do not either.
        if best.rank() == 0 {
            break;
        }
    }
    best
}
