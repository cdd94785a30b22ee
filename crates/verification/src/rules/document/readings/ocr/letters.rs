//! Turns the OCR model's scores into letters of a machine-readable zone.
//!
//! For each step along a strip the model scores some thousand characters and the space between two
//! of them (connectionist temporal classification). A zone has 37 characters of one width. So all
//! others are ignored, look-alikes count as one of the 37, and the even spacing shows where a
//! character was dropped or read twice.

/// The characters of a machine-readable zone.
pub const SYMBOLS: &[u8; 37] = b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Characters that models output for the filler.
const FILLERS: &[char] = &['<', '＜', '〈', '‹', '«', '《', '≪', 'く', 'ㄑ', '〱'];
/// Characters that models output for a zero with a stroke.
const ZEROS: &[char] = &['Ø', 'ø', 'θ'];

/// Scores of one step for each symbol of [`SYMBOLS`] and for the space between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Score of the space between two symbols.
    pub blank: f32,
    /// Scores in the order of [`SYMBOLS`].
    pub symbols: [f32; SYMBOLS.len()],
}

/// Maps the classes of a model to symbols.
#[derive(Debug, Clone)]
pub struct Alphabet {
    symbols: Vec<Option<usize>>,
}

impl Alphabet {
    /// Builds the map from a model's dictionary, one character a line. Class 0 is the space between
    /// two symbols; classes after the last are blanks. `None` when the dictionary lacks a symbol.
    pub fn new(dictionary: &str) -> Option<Self> {
        let symbols: Vec<Option<usize>> = dictionary.lines().map(symbol).collect();
        let complete = (0..SYMBOLS.len()).all(|wanted| symbols.contains(&Some(wanted)));
        complete.then_some(Self { symbols })
    }

    /// Fewest classes of a model with this dictionary.
    pub fn classes(&self) -> usize {
        self.symbols.len() + 1
    }

    /// Reduces one step of the model's output to symbols.
    pub fn step(&self, scores: &[f32]) -> Step {
        let mut step = Step { blank: scores.first().copied().unwrap_or_default(), symbols: [0.0; SYMBOLS.len()] };
        for (score, symbol) in scores.iter().skip(1).zip(&self.symbols) {
            if let Some(symbol) = symbol {
                step.symbols[*symbol] += score;
            }
        }
        step
    }
}

fn symbol(entry: &str) -> Option<usize> {
    let mut characters = entry.chars();
    let (character, None) = (characters.next()?, characters.next()) else { return None };
    let character = match character {
        filler if FILLERS.contains(&filler) => '<',
        zero if ZEROS.contains(&zero) => '0',
        other => other.to_ascii_uppercase(),
    };
    SYMBOLS.iter().position(|symbol| char::from(*symbol) == character)
}

/// A recognised character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letter {
    /// Step at which its score is highest, between steps where it spans several.
    at: f32,
    /// Score for each symbol.
    symbols: [f32; SYMBOLS.len()],
}

impl Letter {
    /// The best symbol among `allowed`, and its score.
    pub fn best(&self, allowed: impl Fn(u8) -> bool) -> (u8, f32) {
        let among = SYMBOLS.iter().zip(self.symbols).filter(|(symbol, _)| allowed(**symbol));
        among.fold((b'<', 0.0), |best, (symbol, score)| if score > best.1 { (*symbol, score) } else { best })
    }
}

/// Share of the usual distance from which a letter is missing between two letters.
const DROPPED: f32 = 1.55;
/// Share of the usual distance below which two letters are one that was read twice.
const DOUBLED: f32 = 0.45;
/// Most letters that can be missing in one gap; a wider gap is the end of the line.
const GAP_MAX: usize = 8;

/// Reads the characters of a strip, left to right, evenly spaced.
pub fn read(steps: &[Step]) -> Vec<Letter> {
    even(peaks(steps), steps)
}

/// Merges runs of steps with the same best symbol into letters.
fn peaks(steps: &[Step]) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::new();
    let mut last = None;
    let mut weight = 0.0;
    for (at, step) in steps.iter().enumerate() {
        let all = Letter { at: at as f32, symbols: step.symbols };
        let (symbol, score) = all.best(|_| true);
        let current = (score > step.blank).then_some(symbol);
        match (current, last, letters.last_mut()) {
            (None, _, _) => {}
            (Some(now), Some(before), Some(letter)) if now == before => {
                letter.at = (letter.at * weight + at as f32 * score) / (weight + score);
                weight += score;
                for (sum, more) in letter.symbols.iter_mut().zip(step.symbols) {
                    *sum = sum.max(more);
                }
            }
            _ => {
                letters.push(all);
                weight = score;
            }
        }
        last = current;
    }
    letters
}

/// Adds dropped letters and removes doubled ones, by the distances between letters.
fn even(letters: Vec<Letter>, steps: &[Step]) -> Vec<Letter> {
    let mut distances: Vec<f32> = letters.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    distances.sort_by(f32::total_cmp);
    let Some(pitch) = distances.get(distances.len() / 2).copied().filter(|pitch| *pitch > 0.0) else { return letters };
    let mut spaced: Vec<Letter> = Vec::with_capacity(letters.len());
    for letter in letters {
        let Some(before) = spaced.last_mut() else {
            spaced.push(letter);
            continue;
        };
        let distance = letter.at - before.at;
        if distance < pitch * DOUBLED {
            if letter.best(|_| true).1 > before.best(|_| true).1 {
                *before = letter;
            }
            continue;
        }
        let dropped = if distance > pitch * DROPPED { (distance / pitch).round() as usize - 1 } else { 0 };
        if dropped <= GAP_MAX {
            let before = *before;
            let filler = before.best(|_| true).0 == b'<' && letter.best(|_| true).0 == b'<';
            for place in 1..=dropped {
                let at = before.at + distance * place as f32 / (dropped + 1) as f32;
                spaced.push(Letter { at, symbols: hinted(steps, at, pitch, filler) });
            }
        }
        spaced.push(letter);
    }
    spaced
}

/// Scores for a character that the model passed over, from the steps around its place. Between two
/// fillers it is a filler: models lose count in a run of them.
fn hinted(steps: &[Step], at: f32, pitch: f32, filler: bool) -> [f32; SYMBOLS.len()] {
    const LIKELY: f32 = 0.5;
    let reach = pitch * DOUBLED;
    let around = (at - reach).max(0.0).round() as usize..=(at + reach).round() as usize;
    let mut symbols = [0.0_f32; SYMBOLS.len()];
    for step in around.filter_map(|at| steps.get(at)) {
        for (most, score) in symbols.iter_mut().zip(step.symbols) {
            *most = most.max(score);
        }
    }
    if filler {
        symbols[0] = symbols[0].max(LIKELY);
    }
    symbols
}
