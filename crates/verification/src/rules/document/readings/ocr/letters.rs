//! From the recognition model's scores to letters of a machine-readable zone.
//!
//! The model tells for each step along a strip how much it looks like each of some thousand characters, or like the space between two
//! (connectionist temporal classification). A zone has 37 characters of one width. So the others are put aside, what looks like one of
//! the 37 counts as it, and the even spacing says where a character was dropped or read twice.

/// What a zone is written in.
pub const SYMBOLS: &[u8; 37] = b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Characters that models put for the filler.
const FILLERS: &[char] = &['<', '＜', '〈', '‹', '«', '《', '≪', 'く', 'ㄑ', '〱'];
/// Characters that models put for a zero with a stroke.
const ZEROS: &[char] = &['Ø', 'ø', 'θ'];

/// How much one step looks like each symbol of [`SYMBOLS`], and like the space between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The space between two symbols.
    pub blank: f32,
    /// In the order of [`SYMBOLS`].
    pub symbols: [f32; SYMBOLS.len()],
}

/// Which of a model's classes is which symbol.
#[derive(Debug, Clone)]
pub struct Alphabet {
    symbols: Vec<Option<usize>>,
}

impl Alphabet {
    /// From a model's dictionary, one character a line. Class 0 is the space between two; the classes after the last are blanks.
    /// `None` when it lacks a symbol of the zone.
    pub fn new(dictionary: &str) -> Option<Self> {
        let symbols: Vec<Option<usize>> = dictionary.lines().map(symbol).collect();
        let complete = (0..SYMBOLS.len()).all(|wanted| symbols.contains(&Some(wanted)));
        complete.then_some(Self { symbols })
    }

    /// How many classes a model with this dictionary has at least.
    pub fn classes(&self) -> usize {
        self.symbols.len() + 1
    }

    /// A step of the model's output.
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

/// One character, read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letter {
    /// Step at which it looks most like itself, between steps where it spans several.
    at: f32,
    /// How much it looks like each symbol.
    symbols: [f32; SYMBOLS.len()],
}

impl Letter {
    /// The symbol among `allowed` that it looks most like, and how much.
    pub fn best(&self, allowed: impl Fn(u8) -> bool) -> (u8, f32) {
        let among = SYMBOLS.iter().zip(self.symbols).filter(|(symbol, _)| allowed(**symbol));
        among.fold((b'<', 0.0), |best, (symbol, score)| if score > best.1 { (*symbol, score) } else { best })
    }
}

/// A place between two letters counts as empty from this share of the usual distance on.
const DROPPED: f32 = 1.55;
/// Two letters closer than this share of the usual distance are one, read twice.
const DOUBLED: f32 = 0.45;
/// More characters than this in one gap are no dropped letters but the end of the line.
const GAP_MAX: usize = 8;

/// The characters of a strip, left to right, evenly spaced.
pub fn read(steps: &[Step]) -> Vec<Letter> {
    even(peaks(steps), steps)
}

/// Runs of steps that look most like one symbol.
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

/// Adds what was dropped and takes away what was doubled, by the distances between letters.
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

/// A character that the model passed over: what the steps around its place hint at. Between two fillers it is one: in a run of them
/// models lose count.
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
