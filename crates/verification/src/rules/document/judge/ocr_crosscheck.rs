//! What our own eyes add: doubt, where they surely saw another zone than the model reports. They confirm nothing and decline nobody; that
//! they were not sure is told to the reviewer and changes nothing.

use serde_json::{Value, json};

use crate::reason::Code;
use crate::rules::document::agreement::comparison::Source;
use crate::rules::document::judge::observations::Claims;
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::ocr::OcrReading;
use crate::rules::document::readings::ocr::compare::{Compared, Verdict, compare};

/// The side whose zone our own eyes saw better, and what they saw there.
pub fn choose<'a>(front: Option<&'a OcrReading>, back: Option<&'a OcrReading>) -> (Source, Option<&'a OcrReading>) {
    let rank = |sight: Option<&OcrReading>| {
        sight.map_or(0, |sight| {
            1 + sight.lines.len() + usize::from(sight.holds().is_some() || sight.data.is_some()) * 10
        })
    };
    if rank(back) > rank(front) { (Source::Back, back) } else { (Source::Front, front) }
}

/// What the comparison with the model's lines comes to.
fn compared(readings: &Readings<'_>) -> Compared {
    let (side, Some(sight)) = readings.ocr else {
        return Compared {
            verdict: Verdict::Unavailable,
            why: "there was no own reading: no recognition model is loaded",
        };
    };
    let reported = if side == Source::Back { readings.back } else { readings.front };
    let Some(reported) = reported else {
        return Compared { verdict: Verdict::Unsure, why: "the model read nothing that could be compared" };
    };
    compare(sight, &reported.mrz_lines, readings.zone_on(side).as_deref())
}

/// A clear difference is for a person to look at.
pub fn claims(readings: &Readings<'_>, claims: &mut Claims) {
    let compared = compared(readings);
    if compared.verdict == Verdict::Differs {
        let basis = claims.basis(Source::Ocr);
        claims.say(Code::DocumentExtractionDisagreement, basis, compared.why);
    }
}

/// For a reviewer: what was seen, on which side, and how it compares.
pub fn shown(readings: &Readings<'_>) -> Value {
    let compared = compared(readings);
    let (side, sight) = readings.ocr;
    json!({
        "side": sight.map(|_| side),
        "verdict": compared.verdict,
        "why": compared.why,
        "seen": sight.map(OcrReading::shown),
    })
}
