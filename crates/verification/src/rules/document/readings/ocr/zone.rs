//! From rows of letters to the lines of a zone, and to what they say.
//!
//! Which of `0` and `O` stands in a place follows from the place: ICAO 9303 says where only letters and where only digits stand.
//! That is reading, not repair. Where any character may stand, what was seen stands, and the check digits judge it.

use jiff::civil::Date;

use super::letters::Letter;
use crate::rules::document::readings::mrz;

/// A format's lines: how long, how many, and where only digits or only letters stand.
struct Grid {
    lines: usize,
    length: usize,
    digits: &'static [(usize, usize, usize)],
    letters: &'static [(usize, usize, usize)],
}

const GRIDS: [Grid; 3] = [
    Grid {
        lines: 2,
        length: 44,
        digits: &[(1, 9, 10), (1, 13, 20), (1, 21, 28)],
        letters: &[(0, 0, 44), (1, 10, 13), (1, 20, 21)],
    },
    Grid {
        lines: 2,
        length: 36,
        digits: &[(1, 9, 10), (1, 13, 20), (1, 21, 28)],
        letters: &[(0, 0, 36), (1, 10, 13), (1, 20, 21)],
    },
    Grid {
        lines: 3,
        length: 30,
        digits: &[(1, 0, 7), (1, 8, 15), (1, 29, 30)],
        letters: &[(0, 0, 5), (1, 7, 8), (1, 15, 18), (2, 0, 30)],
    },
];

/// A line may be read this much too short or too long: fillers at its end wear off.
const SLACK: usize = 4;
/// Mean score from which a row counts as text of a zone.
const LEGIBLE: f32 = 0.55;
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
pub struct Found {
    /// The lines of the best zone, or all lines that look like a zone's where none is whole.
    pub lines: Vec<Line>,
    /// What they say.
    pub reading: mrz::Reading,
    /// What the lines with check digits say where all of them agree, whatever the line of names looks like. Its names are no one's.
    pub data: Option<Box<mrz::Zone>>,
}

impl Found {
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

/// The zone among rows of letters, top to bottom. Rows of other print may stand between those of the zone.
pub fn find(rows: &[Vec<Letter>], today: Date) -> Found {
    let rows: Vec<&Vec<Letter>> = rows.iter().filter(|row| may_be_a_line(row)).collect();
    let mut best = Found { lines: Vec::new(), reading: mrz::Reading::Absent, data: None };
    for grid in &GRIDS {
        for chosen in choices(rows.len(), grid.lines) {
            let chosen: Vec<&Vec<Letter>> = chosen.into_iter().map(|at| rows[at]).collect();
            let Some(found) = grid.read(&chosen, today) else { continue };
            let better = |found: &Found| (found.rank(), mean(&found.lines)) > (best.rank(), mean(&best.lines));
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

/// The lines that carry check digits, read beside a line of names that is none: nothing of it goes into any check digit.
fn data(rows: &[&Vec<Letter>], today: Date) -> Option<Box<mrz::Zone>> {
    GRIDS.iter().find_map(|grid| {
        let name = grid.names();
        let kept: Vec<usize> = (0..grid.lines).filter(|line| *line != name).collect();
        choices(rows.len(), kept.len()).into_iter().find_map(|chosen| {
            let mut texts: Vec<String> = Vec::new();
            for (line, at) in kept.iter().zip(chosen) {
                let fitted = grid.line(*line, rows[at]);
                if fitted.text.len() != grid.length || fitted.mean() < LEGIBLE {
                    return None;
                }
                texts.push(fitted.text);
            }
            let head = if grid.lines == 2 { "P<UTO" } else { "" };
            texts.insert(name, format!("{:<<width$}", format!("{head}X<<X"), width = grid.length));
            match mrz::read(&texts, today) {
                mrz::Reading::Zone(zone) if zone.holds() => Some(zone),
                _ => None,
            }
        })
    })
}

/// Every way to choose `of` rows out of `rows`, in order. Few: at most eight rows come here.
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

/// Read without any knowledge of places.
fn free(row: &[Letter]) -> Line {
    line(row.iter().map(|letter| letter.best(|_| true)))
}

fn line(characters: impl Iterator<Item = (u8, f32)>) -> Line {
    let (text, sure) = characters.map(|(symbol, score)| (char::from(symbol), score)).unzip();
    Line { text, sure }
}

/// As long as a zone's line, and legible.
fn may_be_a_line(row: &[Letter]) -> bool {
    let range = GRIDS[2].length - SLACK..=GRIDS[0].length + SLACK;
    range.contains(&row.len()) && free(row).mean() >= LEGIBLE
}

/// Whether a line has the form of a line of names: surname and given names stand apart, and of two lines it begins with the document's
/// code.
fn may_be_names(line: &str, lines: usize) -> bool {
    let begins = lines == 3 || line.starts_with(['P', 'I', 'A', 'C', 'V']);
    begins && line.find("<<").is_some_and(|end| line[..end].ends_with(|c: char| c.is_ascii_uppercase()))
}

impl Grid {
    fn read(&self, rows: &[&Vec<Letter>], today: Date) -> Option<Found> {
        let fits = |row: &&Vec<Letter>| row.len().abs_diff(self.length) <= SLACK;
        if !rows.iter().all(fits) {
            return None;
        }
        let lines: Vec<Line> = rows.iter().enumerate().map(|(index, row)| self.line(index, row)).collect();
        if lines.iter().any(|line| line.mean() < LEGIBLE) {
            return None;
        }
        // No check digit protects the line of names, so any other row of print could stand for it.
        if !may_be_names(&lines[self.names()].text, self.lines) {
            return None;
        }
        let texts: Vec<String> = lines.iter().map(|line| line.text.clone()).collect();
        let reading = mrz::read(&texts, today);
        Some(Found { lines, reading, data: None })
    }

    /// The line of names: the first of two, the last of three.
    fn names(&self) -> usize {
        if self.lines == 2 { 0 } else { self.lines - 1 }
    }

    /// The row at its length, each place by what can stand there.
    fn line(&self, index: usize, row: &[Letter]) -> Line {
        let row = self.fit(row);
        let placed = |places: &[(usize, usize, usize)], at: usize| {
            places.iter().any(|(line, from, to)| *line == index && (*from..*to).contains(&at))
        };
        line(row.iter().enumerate().map(|(at, letter)| {
            if placed(self.digits, at) {
                letter.best(|symbol| symbol.is_ascii_digit() || symbol == b'<')
            } else if placed(self.letters, at) {
                letter.best(|symbol| !symbol.is_ascii_digit())
            } else {
                letter.best(|_| true)
            }
        }))
    }

    /// Cut or filled to the format's length in its longest run of fillers, where one is.
    fn fit(&self, row: &[Letter]) -> Vec<Letter> {
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
        while row.len() < self.length {
            row.insert(longest.0, row[longest.0]);
        }
        let excess = (row.len() - self.length).min(longest.1 - 1);
        row.drain(longest.0..longest.0 + excess);
        row
    }
}
