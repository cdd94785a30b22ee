//! Compares names: can two spellings be the name of one person on one document?
//!
//! A visual zone prints accents, other scripts, hyphens and titles. A machine-readable zone prints
//! 26 letters and may run out of room. People type their names in their own way. The comparison
//! follows ICAO 9303 part 3 (transliteration, truncation) and returns which of these differences it
//! had to allow. It never allows another name: no edit distance, no phonetics, no nicknames.

#[cfg(test)]
mod tests;

use crate::rules::document::normalise::comparison::{Agreement, Normalisation};
use crate::rules::document::normalise::transliteration;
use crate::rules::document::normalise::transliteration::{Script, Word};

/// A name as one source states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Name<'a> {
    /// Primary identifier, or the whole name where the source does not divide it.
    pub surname: &'a str,
    /// Secondary identifier.
    pub given_names: &'a str,
    /// Whether the source divides names into the two.
    pub divided: bool,
    /// Whether the source may have cut the name for want of room.
    pub truncated: bool,
}

impl<'a> Name<'a> {
    /// A name in two parts.
    pub fn divided(surname: Option<&'a str>, given_names: Option<&'a str>) -> Self {
        Self {
            surname: surname.unwrap_or_default(),
            given_names: given_names.unwrap_or_default(),
            divided: true,
            truncated: false,
        }
    }

    /// A name as people write it. A comma divides it, surname first.
    pub fn whole(name: &'a str) -> Self {
        match name.split_once(',') {
            Some((surname, given_names)) => Self { surname, given_names, divided: true, truncated: false },
            None => Self { surname: name, ..Self::default() },
        }
    }

    /// Whether the name has no letter.
    pub fn is_empty(&self) -> bool {
        !self.surname.chars().chain(self.given_names.chars()).any(char::is_alphabetic)
    }
}

/// How much of a name one side may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Two readings of one document: given names may be missing on one of them.
    Document,
    /// A person's own statement: further surnames may also be missing, as long as one surname and
    /// one given name are there.
    Statement,
}

/// Compares two names in either order. `None` when one of them is empty.
pub fn compare(a: Name<'_>, b: Name<'_>, strictness: Strictness) -> Option<Agreement> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (left, right) = (Parsed::alternatives(a), Parsed::alternatives(b));
    let pairs = left.iter().flat_map(|x| right.iter().map(move |y| (x, y)));
    let comparable: Vec<Agreement> = pairs.filter_map(|(x, y)| x.compare(y, strictness)).collect();
    let agreed = comparable.iter().filter_map(|agreement| match agreement {
        Agreement::Agrees(normalisation) => Some(*normalisation),
        Agreement::Differs | Agreement::NotComparable => None,
    });
    Some(match agreed.min() {
        Some(normalisation) => Agreement::Agrees(normalisation),
        None if comparable.is_empty() => Agreement::NotComparable,
        None => Agreement::Differs,
    })
}

/// One way to read a name.
#[derive(Debug, Clone)]
struct Parsed {
    script: Script,
    surname: Vec<Word>,
    given: Vec<Word>,
    divided: bool,
    truncated: bool,
}

impl Parsed {
    /// Every way to read a name: as it stands, each of several scripts by itself, each side of a
    /// slash, without what follows "née".
    fn alternatives(name: Name<'_>) -> Vec<Self> {
        let surnames = transliteration::alternatives(name.surname);
        let givens = transliteration::alternatives(name.given_names);
        let empty = Vec::new();
        let mut parsed = Vec::new();
        for script in [Script::Latin, Script::Cyrillic, Script::Greek, Script::Other] {
            let of = |all: &[(Script, Vec<Word>)]| -> Vec<Vec<Word>> {
                let found: Vec<_> =
                    all.iter().filter(|(known, _)| *known == script).map(|(_, words)| words.clone()).collect();
                if found.is_empty() { vec![empty.clone()] } else { found }
            };
            for surname in of(&surnames) {
                for given in of(&givens) {
                    if !(surname.is_empty() && given.is_empty()) {
                        parsed.push(Self {
                            script,
                            surname: surname.clone(),
                            given,
                            divided: name.divided,
                            truncated: name.truncated,
                        });
                    }
                }
            }
        }
        parsed
    }

    fn words(&self) -> Vec<&Word> {
        self.surname.iter().chain(&self.given).collect()
    }

    /// Compares two readings. `None` when no rule leads from the script of one to the other's.
    fn compare(&self, other: &Self, strictness: Strictness) -> Option<Agreement> {
        let found = [
            self.part_by_part(other),
            self.whole(other),
            self.joined(other),
            self.left_out(other, strictness),
            self.cut_off(other),
            other.cut_off(self),
        ]
        .into_iter()
        .flatten()
        .min();
        match found {
            Some(normalisation) => Some(Agreement::Agrees(normalisation)),
            None if self.script == Script::Other || other.script == Script::Other => None,
            None => Some(Agreement::Differs),
        }
    }

    fn part_by_part(&self, other: &Self) -> Option<Normalisation> {
        if !(self.divided && other.divided) {
            return None;
        }
        let surname = sequence(&self.surname, &other.surname)?;
        let given = sequence(&self.given, &other.given)?;
        Some(surname.max(given))
    }

    /// The same words in any order.
    fn whole(&self, other: &Self) -> Option<Normalisation> {
        let (mine, theirs) = (self.words(), other.words());
        if mine.len() != theirs.len() {
            return None;
        }
        if let Some(normalisation) = sequence_of(&mine, &theirs) {
            // A name that is not divided says nothing about the order.
            return Some(normalisation);
        }
        let pairing = Pairing::of(&mine, &theirs);
        pairing.complete().then(|| pairing.normalisation.max(Normalisation::Order))
    }

    /// The same letters without blanks and hyphens.
    fn joined(&self, other: &Self) -> Option<Normalisation> {
        let join = |words: &[Word]| Word::joined(words);
        if self.divided && other.divided {
            let surname = join(&self.surname).same(&join(&other.surname));
            let given = join(&self.given).same(&join(&other.given));
            if let (Some(surname), Some(given)) = (surname, given) {
                return Some(surname.max(given).max(Normalisation::Joined));
            }
        }
        let both = |parsed: &Self| {
            [
                Word::joined(parsed.surname.iter().chain(&parsed.given)),
                Word::joined(parsed.given.iter().chain(&parsed.surname)),
            ]
        };
        let (mine, theirs) = (both(self), both(other));
        let joined = |i: usize, j: usize| {
            // An undivided name can be read from both ends, so only surname first is the same
            // order.
            let same_order = i == j && (i == 0 || (self.divided && other.divided));
            let turned = if same_order { Normalisation::Joined } else { Normalisation::Order };
            mine[i].same(&theirs[j]).map(|normalisation| normalisation.max(turned))
        };
        [joined(0, 0), joined(1, 1), joined(0, 1), joined(1, 0)].into_iter().flatten().min()
    }

    /// What had to be allowed where one side leaves words out and has no other word.
    fn left_out(&self, other: &Self, strictness: Strictness) -> Option<Normalisation> {
        let (short, long) = if self.words().len() <= other.words().len() { (self, other) } else { (other, self) };
        let (few, many) = (short.words(), long.words());
        let pairing = Pairing::of(&few, &many);
        let whole =
            |(mine, their): (&&Word, &Option<usize>)| mine.is_whole() && their.is_some_and(|at| many[at].is_whole());
        let whole_words = few.iter().zip(&pairing.pairs).filter(|pair| whole(*pair)).count();
        if !pairing.complete() || whole_words < 2 {
            return None;
        }
        let surnames = long.surname.len();
        let taken =
            |range: std::ops::Range<usize>| pairing.pairs.iter().flatten().filter(|at| range.contains(at)).count();
        let allowed = match strictness {
            _ if !long.divided => true,
            Strictness::Document => taken(0..surnames) == surnames && taken(surnames..many.len()) > 0,
            Strictness::Statement => {
                (surnames == 0 || taken(0..surnames) > 0) && (long.given.is_empty() || taken(surnames..many.len()) > 0)
            }
        };
        // Where the shorter side is the divided one, both of its parts must be there.
        let balanced = !short.divided || short.given.is_empty() == long.given.is_empty() || !long.divided;
        (allowed && balanced).then(|| pairing.normalisation.max(Normalisation::LeftOut))
    }

    /// What had to be allowed where this side ran out of room: each of its words begins one of the
    /// other's, and a surname is recognisable (the first may be a particle: `DE`, `DA`).
    fn cut_off(&self, other: &Self) -> Option<Normalisation> {
        if !self.truncated {
            return None;
        }
        let theirs = other.words();
        let mut taken = vec![false; theirs.len()];
        for word in self.words() {
            let free = |index: &usize| !taken[*index];
            let index = (0..theirs.len()).filter(free).find(|index| word.begins(theirs[*index]))?;
            taken[index] = true;
        }
        self.surname.iter().any(Word::is_recognisable).then_some(Normalisation::Truncated)
    }
}

fn sequence(a: &[Word], b: &[Word]) -> Option<Normalisation> {
    sequence_of(&a.iter().collect::<Vec<_>>(), &b.iter().collect::<Vec<_>>())
}

/// The same words in the same order.
fn sequence_of(a: &[&Word], b: &[&Word]) -> Option<Normalisation> {
    if a.len() != b.len() {
        return None;
    }
    a.iter().zip(b).try_fold(Normalisation::Exact, |worst, (x, y)| Some(worst.max(x.same(y)?)))
}

/// Which word of a longer list each word of a shorter list is.
struct Pairing {
    pairs: Vec<Option<usize>>,
    normalisation: Normalisation,
}

impl Pairing {
    /// Pairs whole words before initials, so that an initial takes a word that is left.
    fn of(few: &[&Word], many: &[&Word]) -> Self {
        let mut taken = vec![false; many.len()];
        let mut pairs = vec![None; few.len()];
        let mut normalisation = Normalisation::Exact;
        for initials in [false, true] {
            for (at, word) in few.iter().enumerate() {
                if pairs[at].is_some() {
                    continue;
                }
                let found = many.iter().enumerate().filter(|(index, _)| !taken[*index]).find_map(|(index, other)| {
                    let same = if initials { word.initial_of(other) } else { word.same(other) };
                    same.map(|how| (index, how))
                });
                if let Some((index, how)) = found {
                    taken[index] = true;
                    pairs[at] = Some(index);
                    normalisation = normalisation.max(how);
                }
            }
        }
        Self { pairs, normalisation }
    }

    fn complete(&self) -> bool {
        !self.pairs.is_empty() && self.pairs.iter().all(Option::is_some)
    }
}
