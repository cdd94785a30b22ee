//! What the local OCR model read on one side.

use serde_json::{Value, json};

use crate::rules::document::readings::mrz::{self, Zone};
use crate::rules::document::readings::source::Source;

/// Score from which a character was recognised, not guessed.
const SEEN: f32 = 0.5;

/// A line as the OCR model read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The characters.
    pub text: String,
    /// The model's score for each character, 0 to 1.
    pub sure: Vec<f32>,
}

impl Line {
    /// Mean score of all characters.
    pub fn mean(&self) -> f32 {
        self.sure.iter().sum::<f32>() / self.sure.len().max(1) as f32
    }

    /// Mean score without fillers: they are many, and easy or hard to read whatever the names are
    /// like.
    pub fn mean_of_letters(&self) -> f32 {
        let letters: Vec<f32> =
            self.text.chars().zip(&self.sure).filter(|(c, _)| *c != '<').map(|(_, sure)| *sure).collect();
        letters.iter().sum::<f32>() / letters.len().max(1) as f32
    }

    /// Whether the character at a place was recognised.
    pub fn saw(&self, at: usize) -> bool {
        self.sure.get(at).is_some_and(|sure| *sure >= SEEN)
    }
}

/// The OCR model's reading of one side.
#[derive(Debug, Clone, PartialEq)]
pub struct OcrReading {
    /// The lines of the best zone, or all lines that look like those of a zone where none is whole.
    pub lines: Vec<Line>,
    /// What the lines say.
    pub reading: mrz::Reading,
    /// The zone that the lines with check digits make where all of them agree, whatever the line of
    /// names looks like. Its names are placeholders.
    pub data: Option<Box<mrz::Zone>>,
}

impl OcrReading {
    /// The zone, if one was read and every check digit agrees.
    pub fn holds(&self) -> Option<&Zone> {
        match &self.reading {
            mrz::Reading::Zone(zone) if zone.holds() => Some(zone),
            _ => None,
        }
    }

    /// The reading as a reviewer sees it.
    pub fn shown(&self) -> Value {
        let (state, zone) = match &self.reading {
            mrz::Reading::Zone(zone) if zone.repaired => ("repaired", Some(zone)),
            mrz::Reading::Zone(zone) if zone.holds() => ("holds", Some(zone)),
            mrz::Reading::Zone(zone) => ("check_digits_differ", Some(zone)),
            _ if self.lines.is_empty() => ("nothing_seen", None),
            _ => ("incomplete", None),
        };
        json!({
            "state": state,
            "lines": self.lines.iter().map(|line| &line.text).collect::<Vec<_>>(),
            "sure": self.lines.iter().map(|line| (line.mean() * 100.0).round()).collect::<Vec<_>>(),
            "check_digits": zone.map(|zone| &zone.check_digits),
            "normalised": zone.map(|zone| &zone.normalised),
        })
    }

    /// Rank of a zone that holds.
    pub const HOLDS: u8 = 3;

    /// Ranks readings: 3 for a zone that holds, 2 for one that does not, 1 for lines, 0 for
    /// nothing.
    pub fn rank(&self) -> u8 {
        match &self.reading {
            mrz::Reading::Zone(zone) if zone.holds() => Self::HOLDS,
            mrz::Reading::Zone(_) => 2,
            _ if !self.lines.is_empty() => 1,
            _ => 0,
        }
    }
}

/// Chooses the side whose zone the OCR model read better.
pub fn better_side<'a>(
    front: Option<&'a OcrReading>,
    back: Option<&'a OcrReading>,
) -> (Source, Option<&'a OcrReading>) {
    let rank = |reading: Option<&OcrReading>| {
        reading.map_or(0, |reading| {
            1 + reading.lines.len() + usize::from(reading.holds().is_some() || reading.data.is_some()) * 10
        })
    };
    if rank(back) > rank(front) { (Source::Back, back) } else { (Source::Front, front) }
}
