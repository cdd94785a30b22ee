//! What the OCR model read on one side.

use serde_json::{Value, json};

use crate::rules::document::readings::mrz::{self, Zone};
use crate::rules::document::readings::source::Source;

/// From this score on a character was seen, not guessed.
const SEEN: f32 = 0.5;

/// A line as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its characters.
    pub text: String,
    /// How sure the model was of each.
    pub sure: Vec<f32>,
}

impl Line {
    /// Mean of what it was sure of.
    pub fn mean(&self) -> f32 {
        self.sure.iter().sum::<f32>() / self.sure.len().max(1) as f32
    }

    /// Mean over what is no filler: fillers are many, and easy or hard to read whatever the names are like.
    pub fn mean_of_letters(&self) -> f32 {
        let letters: Vec<f32> =
            self.text.chars().zip(&self.sure).filter(|(c, _)| *c != '<').map(|(_, sure)| *sure).collect();
        letters.iter().sum::<f32>() / letters.len().max(1) as f32
    }

    /// Whether the character at a place was seen.
    pub fn saw(&self, at: usize) -> bool {
        self.sure.get(at).is_some_and(|sure| *sure >= SEEN)
    }
}

/// What the rows of a picture come to.
#[derive(Debug, Clone, PartialEq)]
pub struct OcrReading {
    /// The lines of the best zone, or all lines that look like a zone's where none is whole.
    pub lines: Vec<Line>,
    /// What they say.
    pub reading: mrz::Reading,
    /// What the lines with check digits say where all of them agree, whatever the line of names looks like. Its names are no one's.
    pub data: Option<Box<mrz::Zone>>,
}

impl OcrReading {
    /// Whether a zone was read, and every check digit agrees.
    pub fn holds(&self) -> Option<&Zone> {
        match &self.reading {
            mrz::Reading::Zone(zone) if zone.holds() => Some(zone),
            _ => None,
        }
    }

    /// For a reviewer.
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

    /// The rank of a zone that holds.
    pub const HOLDS: u8 = 3;

    /// 3 for a zone that holds, 2 for one that does not, 1 for lines, 0 for nothing.
    pub fn rank(&self) -> u8 {
        match &self.reading {
            mrz::Reading::Zone(zone) if zone.holds() => Self::HOLDS,
            mrz::Reading::Zone(_) => 2,
            _ if !self.lines.is_empty() => 1,
            _ => 0,
        }
    }
}

/// The side whose zone our own eyes saw better, and what they saw there.
pub fn better_side<'a>(
    front: Option<&'a OcrReading>,
    back: Option<&'a OcrReading>,
) -> (Source, Option<&'a OcrReading>) {
    let rank = |sight: Option<&OcrReading>| {
        sight.map_or(0, |sight| {
            1 + sight.lines.len() + usize::from(sight.holds().is_some() || sight.data.is_some()) * 10
        })
    };
    if rank(back) > rank(front) { (Source::Back, back) } else { (Source::Front, front) }
}
