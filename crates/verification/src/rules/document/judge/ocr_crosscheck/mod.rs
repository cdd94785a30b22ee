//! What our own eyes add: doubt, where they surely saw another zone than the model reports. They confirm nothing and decline nobody; that
//! they were not sure is told to the reviewer and changes nothing.
//!
//! Our eyes misread a letter now and then, so lines are compared with an allowance, and what they did not make out counts as
//! anything. Where their zone holds, what its check digits protect must be the same to the letter. Doubt about our own reading never
//! speaks against a person: only a clear difference does.

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
pub fn observe(readings: &Readings<'_>, observations: &mut Observations) {
    let compared = compared(readings);
    if compared.verdict == Verdict::Differs {
        let basis = observations.basis(Source::Ocr);
        observations.record(Code::DocumentExtractionDisagreement, basis, compared.why);
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

/// What the comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Both saw the same.
    Agrees,
    /// They saw different zones, by more than a misread letter.
    Differs,
    /// Our eyes made out too little to say.
    Unsure,
    /// Neither saw a zone, or ours saw none.
    NothingSeen,
    /// There was no own reading.
    Unavailable,
}

/// A verdict, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// What it comes to.
    pub verdict: Verdict,
    /// One sentence for a reviewer; never what is printed.
    pub why: &'static str,
}

/// Characters of a line that may be misread, as one in this many.
const MISREAD: usize = 15;
/// A line that differs in more than one character of this many is another line, even where our zone does not hold.
const OTHER: usize = 5;
/// Where our zone holds, a legible line that differs in more than one of so many letters that were seen is another line.
const OTHER_LETTERS: usize = 3;
/// Mean score from which the letters of a line are legible.
const LEGIBLE: f32 = 0.5;
/// Our eyes must be as sure of a line's letters to say that it is another one. On specimens a line with such a mean had at most 4 of
/// 44 characters wrong.
const SURE: f32 = 0.9;
/// Fewer lines are no zone.
const LINES_MIN: usize = 2;

/// Compares what was seen with the lines that the model reports of the same side, and with the zone that they make.
pub fn compare(own: &OcrReading, reported: &[String], zone: Option<&Zone>) -> Compared {
    let say = |verdict, why| Compared { verdict, why };
    let reported: Vec<String> = reported.iter().map(|line| mrz::clean(line)).filter(|line| !line.is_empty()).collect();
    if own.lines.len() < LINES_MIN && own.data.is_none() {
        return say(Verdict::NothingSeen, "our own reading made out no zone");
    }
    let ours = own.holds().or(own.data.as_deref());
    if reported.is_empty() {
        return match ours {
            Some(_) => say(Verdict::Differs, "our own reading made out a zone where the model reports none"),
            None => say(Verdict::Unsure, "our own reading made out something where the model reports no zone"),
        };
    }
    // A zone whose check digits do not agree is no lie that holds together; that is said elsewhere.
    let theirs = zone.filter(|zone| zone.holds());
    if let (Some(ours), Some(theirs)) = (ours, theirs)
        && protected(ours) != protected(theirs)
    {
        return say(
            Verdict::Differs,
            "in our own reading the check digits agree, and its number or dates are not those the model reports",
        );
    }
    if own.holds().is_some() {
        // Beside a zone that does not hold only the line of names is judged: it is the one without a check digit.
        let names = if own.lines.len() == LINES_MIN { 0 } else { own.lines.len() - 1 };
        let judged: Vec<&Line> = if theirs.is_some() { own.lines.iter().collect() } else { vec![&own.lines[names]] };
        if judged.iter().any(|line| reported.iter().any(|other| contradicts(line, other))) {
            return say(
                Verdict::Differs,
                "our own reading holds and is sure of a letter that is not the one the model reports",
            );
        }
        if judged.iter().any(|line| is_another(line, &reported)) {
            return say(Verdict::Differs, "our own reading holds, and a line of it is not one the model reports");
        }
    } else if own.data.is_none() && own.lines.iter().any(|line| is_surely_another(line, &reported)) {
        return say(Verdict::Differs, "our own reading shows other lines than the model reports");
    }
    let is_seen = |other: &String| own.lines.iter().any(|line| distance(line, other) <= misread(line));
    if own.lines.iter().all(|line| nearest(line, &reported) <= misread(line)) && reported.iter().all(is_seen) {
        say(Verdict::Agrees, "our own reading shows the lines that the model reports")
    } else {
        say(Verdict::Unsure, "our own reading is not good enough to say")
    }
}

/// Letters of a line that may be misread.
fn misread(line: &Line) -> usize {
    line.text.len() / MISREAD
}

/// Whether a line of a zone that holds is none of the reported ones: more is different than can be misread where our eyes are sure of
/// its letters, and more than a share of its letters where they are not.
fn is_another(line: &Line, reported: &[String]) -> bool {
    let distance = nearest(line, reported);
    let seen = line.text.chars().enumerate().filter(|(at, c)| *c != '<' && line.saw(*at)).count();
    let sure = line.mean_of_letters();
    distance > misread(line) && (sure >= SURE || (sure >= LEGIBLE && distance * OTHER_LETTERS > seen))
}

/// The same of a line of a zone that does not hold: it may be no zone, and wrong in more places.
fn is_surely_another(line: &Line, reported: &[String]) -> bool {
    line.text.contains("<<")
        && line.mean() >= SURE
        && line.mean_of_letters() >= SURE
        && nearest(line, reported) > line.text.len() / OTHER
}

/// Whether lines that are the same line differ in a letter of which our eyes are sure. On specimens no letter that was read wrong in a
/// zone that holds had such a score, fillers apart.
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
    // A letter read twice moves all that follow: then more places differ than letters have to be changed, and none says anything.
    differing.len() <= changed
        && differing.iter().any(|((ours, theirs), sure)| **sure >= CERTAIN && *ours != '<' && *theirs != '<')
}

/// What check digits protect in every format. PerceptualHash-alikes are the same: two of them can leave a check digit as it is.
fn protected(zone: &Zone) -> (String, Option<PartialDate>, Option<PartialDate>) {
    (zone.document_number.chars().map(look_alike).collect(), zone.date_of_birth, zone.date_of_expiry)
}

/// How many letters have to be changed to get from a line to the reported one that is most like it.
fn nearest(line: &Line, reported: &[String]) -> usize {
    reported.iter().map(|other| distance(line, other)).min().unwrap_or(line.text.len())
}

/// Edit distance, where a letter that was not made out is anything, look-alikes are the same and a run of fillers is as long as it likes.
fn distance(line: &Line, other: &str) -> usize {
    let ours: Vec<Option<char>> =
        line.text.chars().enumerate().map(|(at, c)| line.saw(at).then(|| look_alike(c))).collect();
    let ours = without_runs(&ours, |c| *c == Some('<'));
    let theirs = without_runs(&other.chars().map(look_alike).collect::<Vec<_>>(), |c| *c == '<');
    edits(&ours, &theirs, |ours: Option<char>, theirs| ours.is_none_or(|ours| ours == theirs))
}

/// Runs of fillers cut to two.
fn without_runs<T: Copy>(characters: &[T], filler: impl Fn(&T) -> bool) -> Vec<T> {
    let run = |at: usize| at >= 2 && characters[at - 2..=at].iter().all(&filler);
    (0..characters.len()).filter(|at| !run(*at)).map(|at| characters[at]).collect()
}

/// Characters that readers mistake for each other, as one of them.
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
