//! Compares the local OCR model's reading of the zone with the vision model's.
//!
//! OCR only adds doubt, where it certainly read another zone than the model reports. It never
//! confirms and never declines. An unsure result is shown to the reviewer and changes nothing.
//!
//! The OCR model misreads a letter now and then, so lines are compared with an allowance, and a
//! character that it did not recognise matches any. Where its zone holds, what the check digits
//! protect must be equal to the letter.

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Value, json};

use crate::reason::Code;
use crate::rules::document::judge::observations::Observations;
use crate::rules::document::normalise::edit_distance::edits;
use crate::rules::document::normalise::partial_date::PartialDate;
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::mrz::{self, Zone};
use crate::rules::document::readings::ocr::{Line, OcrReading};
use crate::rules::document::readings::source::Source;

/// Compares the OCR reading with the model's lines of the same side.
fn compared(readings: &Readings<'_>) -> Compared {
    let (side, Some(reading)) = readings.ocr else {
        return Compared {
            verdict: Verdict::Unavailable,
            why: "there was no local OCR: no recognition model is loaded",
        };
    };
    let reported = if side == Source::Back { readings.back } else { readings.front };
    let Some(reported) = reported else {
        return Compared { verdict: Verdict::Unsure, why: "the model read nothing that could be compared" };
    };
    compare(reading, &reported.mrz_lines, readings.zone_on(side).as_deref())
}

/// Records a clear difference, which a person must review.
pub fn observe(readings: &Readings<'_>, observations: &mut Observations) {
    let compared = compared(readings);
    if compared.verdict == Verdict::Differs {
        let basis = observations.basis(Source::Ocr);
        observations.record(Code::DocumentExtractionDisagreement, basis, compared.why);
    }
}

/// For a reviewer: what the OCR model read, on which side, and how it compares.
pub fn shown(readings: &Readings<'_>) -> Value {
    let compared = compared(readings);
    let (side, reading) = readings.ocr;
    json!({
        "side": reading.map(|_| side),
        "verdict": compared.verdict,
        "why": compared.why,
        "seen": reading.map(OcrReading::shown),
    })
}

/// The result of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Both read the same zone.
    Agrees,
    /// They read different zones, by more than a misread letter.
    Differs,
    /// The OCR model recognised too little to decide.
    Unsure,
    /// Neither read a zone, or the OCR model read none.
    NothingSeen,
    /// There is no OCR reading.
    Unavailable,
}

/// A verdict and its explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// The result.
    pub verdict: Verdict,
    /// One sentence for a reviewer; never contains printed text.
    pub why: &'static str,
}

/// Characters of a line for each one that may be misread.
const MISREAD: usize = 15;
/// Characters of a line for each one that may differ. A line that differs in more is another line,
/// even where the OCR zone does not hold.
const OTHER: usize = 5;
/// Recognised letters of a legible line for each one that may differ. A line that differs in more
/// is another line, where the OCR zone holds.
const OTHER_LETTERS: usize = 3;
/// Mean score from which the letters of a line are legible.
const LEGIBLE: f32 = 0.5;
/// Mean score from which the OCR model can say that a line is another one. On specimens a line with
/// such a mean had at most 4 of 44 characters wrong.
const SURE: f32 = 0.9;
/// Fewest lines of a zone.
const LINES_MIN: usize = 2;

/// Compares the OCR reading with the lines that the model reports for the same side, and with the
/// zone that they make.
pub fn compare(ocr: &OcrReading, reported: &[String], zone: Option<&Zone>) -> Compared {
    let result = |verdict, why| Compared { verdict, why };
    let reported: Vec<String> = reported.iter().map(|line| mrz::clean(line)).filter(|line| !line.is_empty()).collect();
    if ocr.lines.len() < LINES_MIN && ocr.data.is_none() {
        return result(Verdict::NothingSeen, "local OCR found no zone");
    }
    let ours = ocr.holds().or(ocr.data.as_deref());
    if reported.is_empty() {
        return match ours {
            Some(_) => result(Verdict::Differs, "local OCR read a zone where the model reports none"),
            None => result(Verdict::Unsure, "local OCR read some lines where the model reports no zone"),
        };
    }
    // A zone whose check digits do not agree is not a consistent lie; `presence` records it.
    let theirs = zone.filter(|zone| zone.holds());
    if let (Some(ours), Some(theirs)) = (ours, theirs)
        && protected(ours) != protected(theirs)
    {
        return result(
            Verdict::Differs,
            "local OCR read a number or dates that are not those the model reports; its check digits agree",
        );
    }
    if ocr.holds().is_some() {
        // Against a zone that does not hold only the line of names is judged: it is the one without
        // a check digit.
        let names = if ocr.lines.len() == LINES_MIN { 0 } else { ocr.lines.len() - 1 };
        let judged: Vec<&Line> = if theirs.is_some() { ocr.lines.iter().collect() } else { vec![&ocr.lines[names]] };
        if judged.iter().any(|line| reported.iter().any(|other| contradicts(line, other))) {
            return result(
                Verdict::Differs,
                "local OCR is sure of a letter that is not the one the model reports; its check digits agree",
            );
        }
        if judged.iter().any(|line| is_another(line, &reported)) {
            return result(
                Verdict::Differs,
                "local OCR read a line that the model does not report; its check digits agree",
            );
        }
    } else if ocr.data.is_none() && ocr.lines.iter().any(|line| is_surely_another(line, &reported)) {
        return result(Verdict::Differs, "local OCR read other lines than the model reports");
    }
    let is_seen = |other: &String| ocr.lines.iter().any(|line| distance(line, other) <= misread(line));
    if ocr.lines.iter().all(|line| nearest(line, &reported) <= misread(line)) && reported.iter().all(is_seen) {
        result(Verdict::Agrees, "local OCR read the lines that the model reports")
    } else {
        result(Verdict::Unsure, "local OCR did not read well enough to compare")
    }
}

/// Number of letters of a line that may be misread.
fn misread(line: &Line) -> usize {
    line.text.len() / MISREAD
}

/// Whether a line of a zone that holds is none of the reported ones. Where its letters have high
/// scores, more differs than can be misread; where they have lower scores, more than a share of its
/// letters differs.
fn is_another(line: &Line, reported: &[String]) -> bool {
    let distance = nearest(line, reported);
    let seen = line.text.chars().enumerate().filter(|(at, c)| *c != '<' && line.saw(*at)).count();
    let sure = line.mean_of_letters();
    distance > misread(line) && (sure >= SURE || (sure >= LEGIBLE && distance * OTHER_LETTERS > seen))
}

/// The same for a line of a zone that does not hold: it may not be a zone, and it may be wrong in
/// more places.
fn is_surely_another(line: &Line, reported: &[String]) -> bool {
    line.text.contains("<<")
        && line.mean() >= SURE
        && line.mean_of_letters() >= SURE
        && nearest(line, reported) > line.text.len() / OTHER
}

/// Whether two readings of one line differ in a letter with a very high score. On specimens no
/// misread letter in a zone that holds had such a score, fillers apart.
fn contradicts(line: &Line, other: &str) -> bool {
    const CERTAIN: f32 = 0.95;
    let other = format!("{other:<<width$}", width = line.text.len());
    let changed = distance(line, &other);
    if line.text.len() != other.len() || changed * OTHER_LETTERS > line.text.len() {
        return false;
    }
    let places = line.text.chars().zip(other.chars()).zip(&line.sure).enumerate();
    let differing: Vec<_> = places
        .filter(|(at, ((ours, theirs), _))| line.saw(*at) && look_alike(*ours) != look_alike(*theirs))
        .map(|(_, place)| place)
        .collect();
    // A letter that was read twice shifts all that follow: then more places differ than letters
    // have to be changed, and no place counts.
    differing.len() <= changed
        && differing.iter().any(|((ours, theirs), sure)| **sure >= CERTAIN && *ours != '<' && *theirs != '<')
}

/// The fields that check digits protect in every format. Look-alikes are equal: two of them can
/// leave a check digit unchanged.
fn protected(zone: &Zone) -> (String, Option<PartialDate>, Option<PartialDate>) {
    (zone.document_number.chars().map(look_alike).collect(), zone.date_of_birth, zone.date_of_expiry)
}

/// Edit distance to the reported line that is most similar.
fn nearest(line: &Line, reported: &[String]) -> usize {
    reported.iter().map(|other| distance(line, other)).min().unwrap_or(line.text.len())
}

/// Edit distance in which an unrecognised letter matches any, look-alikes are equal, and runs of
/// fillers may differ in length.
fn distance(line: &Line, other: &str) -> usize {
    let ours: Vec<Option<char>> =
        line.text.chars().enumerate().map(|(at, c)| line.saw(at).then(|| look_alike(c))).collect();
    let ours = without_runs(&ours, |c| *c == Some('<'));
    let theirs = without_runs(&other.chars().map(look_alike).collect::<Vec<_>>(), |c| *c == '<');
    edits(&ours, &theirs, |ours: Option<char>, theirs| ours.is_none_or(|ours| ours == theirs))
}

/// Shortens runs of fillers to two.
fn without_runs<T: Copy>(characters: &[T], filler: impl Fn(&T) -> bool) -> Vec<T> {
    let run = |at: usize| at >= 2 && characters[at - 2..=at].iter().all(&filler);
    (0..characters.len()).filter(|at| !run(*at)).map(|at| characters[at]).collect()
}

/// Maps characters that readers confuse to one of them.
fn look_alike(character: char) -> char {
    match character {
        'O' | 'Q' | 'D' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    }
}
