//! Turns rows of letters into the lines of a zone, and parses them.
//!
//! The place decides between `0` and `O`: ICAO 9303 defines where only letters and where only
//! digits stand. That is reading, not repair. Where any character may stand, the recognised one
//! stays, and the check digits judge it.

use jiff::civil::Date;

use super::letters::Letter;
use super::reading::{Line, OcrReading};
use crate::rules::document::readings::mrz;
use crate::rules::document::readings::mrz::layout::{self, Layout};

/// The formats of documents; visas have the layouts of two of them.
const LAYOUTS: [&Layout; 3] = [&layout::TD3, &layout::TD2, &layout::TD1];

/// Characters that a line may be too short or too long: fillers at its end wear off.
const SLACK: usize = 4;
/// Mean score from which a row counts as text of a zone.
const LEGIBLE: f32 = 0.55;

/// Finds the zone among rows of letters, top to bottom. Rows of other print may stand between those
/// of the zone.
pub fn find(rows: &[Vec<Letter>], today: Date) -> OcrReading {
    let rows: Vec<&Vec<Letter>> = rows.iter().filter(|row| may_be_a_line(row)).collect();
    let mut best = OcrReading { lines: Vec::new(), reading: mrz::Reading::Absent, data: None };
    for layout in LAYOUTS {
        for chosen in choices(rows.len(), layout.lines) {
            let chosen: Vec<&Vec<Letter>> = chosen.into_iter().map(|at| rows[at]).collect();
            let Some(found) = read_as(layout, &chosen, today) else { continue };
            let better = |found: &OcrReading| (found.rank(), mean(&found.lines)) > (best.rank(), mean(&best.lines));
            if better(&found) {
                best = found;
            }
        }
    }
    if best.rank() == 0 {
        best.lines = rows.iter().map(|row| free(row)).filter(|line| line.text.contains("<<")).collect();
    }
    best.data = data(&rows, today);
    best
}

/// Parses the lines that carry check digits with a placeholder for the line of names, which goes
/// into no check digit.
fn data(rows: &[&Vec<Letter>], today: Date) -> Option<Box<mrz::Zone>> {
    LAYOUTS.iter().find_map(|layout| {
        let name = layout.line_of_names();
        let kept: Vec<usize> = (0..layout.lines).filter(|line| *line != name).collect();
        choices(rows.len(), kept.len()).into_iter().find_map(|chosen| {
            let mut texts: Vec<String> = Vec::new();
            for (line, at) in kept.iter().zip(chosen) {
                let fitted = line_of(layout, *line, rows[at]);
                if fitted.text.len() != layout.length || fitted.mean() < LEGIBLE {
                    return None;
                }
                texts.push(fitted.text);
            }
            let head = if layout.lines == 2 { "P<UTO" } else { "" };
            texts.insert(name, format!("{:<<width$}", format!("{head}X<<X"), width = layout.length));
            match mrz::read(&texts, today) {
                mrz::Reading::Zone(zone) if zone.holds() => Some(zone),
                _ => None,
            }
        })
    })
}

/// Every way to choose `of` rows out of `rows`, in order. There are few: at most eight rows come
/// here.
fn choices(rows: usize, of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    (of - 1..rows)
        .flat_map(|last| {
            choices(last, of - 1).into_iter().map(move |mut before| {
                before.push(last);
                before
            })
        })
        .collect()
}

fn mean(lines: &[Line]) -> f32 {
    lines.iter().map(Line::mean).sum::<f32>() / lines.len().max(1) as f32
}

/// Reads a row without knowledge of places.
fn free(row: &[Letter]) -> Line {
    line(row.iter().map(|letter| letter.best(|_| true)))
}

fn line(characters: impl Iterator<Item = (u8, f32)>) -> Line {
    let (text, sure) = characters.map(|(symbol, score)| (char::from(symbol), score)).unzip();
    Line { text, sure }
}

/// Whether a row is as long as a line of a zone, and legible.
fn may_be_a_line(row: &[Letter]) -> bool {
    let range = layout::TD1.length - SLACK..=layout::TD3.length + SLACK;
    range.contains(&row.len()) && free(row).mean() >= LEGIBLE
}

/// Whether a line has the form of a line of names: surname and given names stand apart, and in a
/// zone of two lines it begins with the document's code.
fn may_be_names(line: &str, lines: usize) -> bool {
    let begins = lines == 3 || line.starts_with(['P', 'I', 'A', 'C', 'V']);
    begins && line.find("<<").is_some_and(|end| line[..end].ends_with(|c: char| c.is_ascii_uppercase()))
}

/// The zone that these rows make in a format; `None` where they do not fit it.
fn read_as(layout: &Layout, rows: &[&Vec<Letter>], today: Date) -> Option<OcrReading> {
    if !rows.iter().all(|row| row.len().abs_diff(layout.length) <= SLACK) {
        return None;
    }
    let lines: Vec<Line> = rows.iter().enumerate().map(|(index, row)| line_of(layout, index, row)).collect();
    if lines.iter().any(|line| line.mean() < LEGIBLE) {
        return None;
    }
    // No check digit protects the line of names, so any other row of print could be taken for it.
    if !may_be_names(&lines[layout.line_of_names()].text, layout.lines) {
        return None;
    }
    let texts: Vec<String> = lines.iter().map(|line| line.text.clone()).collect();
    let reading = mrz::read(&texts, today);
    Some(OcrReading { lines, reading, data: None })
}

/// The row at the length of its format's lines, each place read by what can stand there.
fn line_of(layout: &Layout, index: usize, row: &[Letter]) -> Line {
    let row = fit(row, layout.length);
    line(row.iter().enumerate().map(|(at, letter)| {
        if layout.takes_digits(index, at) {
            letter.best(|symbol| symbol.is_ascii_digit() || symbol == b'<')
        } else if layout.takes_letters(index, at) {
            letter.best(|symbol| !symbol.is_ascii_digit())
        } else {
            letter.best(|_| true)
        }
    }))
}

/// The row cut or filled to `length` in its longest run of fillers, where it has one.
fn fit(row: &[Letter], length: usize) -> Vec<Letter> {
    let mut row = row.to_vec();
    let is_filler = |letter: &Letter| letter.best(|_| true).0 == b'<';
    let mut longest = (0, 0);
    let mut run = 0;
    for (at, letter) in row.iter().enumerate() {
        run = if is_filler(letter) { run + 1 } else { 0 };
        if run >= longest.1 {
            longest = (at + 1 - run, run);
        }
    }
    if longest.1 < 2 {
        return row;
    }
    while row.len() < length {
        row.insert(longest.0, row[longest.0]);
    }
    let excess = (row.len() - length).min(longest.1 - 1);
    row.drain(longest.0..longest.0 + excess);
    row
}
