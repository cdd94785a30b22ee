//! Words for months, in the languages of documents and in the calendars that they use.
//!
//! One word can be two months: `lipanj` is June and `lipiec` July, and both are printed `LIP`. So a
//! word is looked up in the languages of the issuing state, then in English, French and Spanish,
//! then in all. A word that stays ambiguous names no month by itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::rules::document::normalise::calendars::{Calendar, Habits};
use crate::rules::document::normalise::words;

/// A month of a calendar; the first is 1.
pub type Month = (Calendar, i8);

/// What a word says about the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The month in the language that comes first; `None` where it could be two.
    pub month: Option<Month>,
    /// The month by its English name, with which documents repeat a word of another language.
    pub english: Option<Month>,
    /// Every month that it may be, in any language.
    pub possible: Vec<Month>,
}

/// The month that several words for it name together, as `BEA/MAY` or `LIP/JUL`. `None` where they
/// contradict each other or stay ambiguous.
pub fn agreed(meanings: &[Meaning]) -> Option<Month> {
    let may_be = |month: &Month| meanings.iter().all(|meaning| meaning.possible.contains(month));
    if let Some(english) = meanings.iter().rev().find_map(|meaning| meaning.english) {
        return Some(english).filter(may_be);
    }
    let mut stated = meanings.iter().filter_map(|meaning| meaning.month);
    if let Some(month) = stated.next() {
        return Some(month).filter(|month| stated.all(|other| other == *month)).filter(may_be);
    }
    let first = meanings.first()?;
    let mut common = first.possible.iter().filter(|month| may_be(month));
    let only = common.next()?;
    common.next().is_none().then_some(*only)
}

/// Shortest beginning of a name that counts as its abbreviation, in letters.
const ABBREVIATION_MIN: usize = 3;
/// The languages of which ICAO 9303 asks one for the words of a passport.
const COMMON: [&str; 3] = ["en", "fr", "es"];
const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// Whether a word is a Roman numeral of a month.
pub fn is_roman(word: &str) -> bool {
    ROMAN.iter().any(|numeral| numeral.eq_ignore_ascii_case(word))
}

/// What `word` says; `None` where it names no month in a calendar that the state uses.
pub fn meaning(word: &str, habits: &Habits) -> Option<Meaning> {
    if let Some(at) = ROMAN.iter().position(|numeral| *numeral == word) {
        let month = (Calendar::Gregorian, i8::try_from(at + 1).ok()?);
        return Some(Meaning { month: Some(month), english: None, possible: vec![month] });
    }
    let (own, latin) = (words::own(word), words::latin(word));
    let whole = Names::of(&own, &latin);
    let begun = Names::beginning_with(&own, &latin);
    let used = |name: &&Name| habits.uses(name.calendar);
    let of_state = |name: &&Name| name.calendar != Calendar::Gregorian || habits.speaks(name.language);
    let common = |name: &&Name| COMMON.contains(&name.language);
    // `de` is December in Jola, and a preposition in most documents.
    let is_short = own.is_ascii() && own.len() < ABBREVIATION_MIN;
    // Transliterated words count in their own states only: a word in Latin letters is not Burmese.
    let is_latin = words::is_latin(word);
    let any = |name: &&Name| !is_short && (name.is_latin || !is_latin);
    let levels: [Option<Vec<Month>>; 6] = [
        whole.months(used, of_state),
        whole.months(used, common),
        begun.months(used, of_state),
        begun.months(used, common),
        whole.months(used, any),
        begun.months(used, any),
    ];
    let possible: Vec<Month> = levels.iter().flatten().flatten().copied().collect();
    let english = whole.months(used, |name: &&Name| name.language == "en").filter(|months| months.len() == 1);
    let first = levels.into_iter().flatten().next()?;
    // `JAN` is January in English and June in Sesotho, and South Africa prints English words.
    let month = if first.len() == 1 { Some(first[0]) } else { english.as_ref().map(|months| months[0]) };
    Some(Meaning { month, english: english.map(|months| months[0]), possible })
}

/// A name of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    calendar: Calendar,
    language: &'static str,
    month: i8,
    /// Whether it is written in Latin letters.
    is_latin: bool,
}

/// Names found in their own script, and those found in Latin letters. The second count only where
/// there is none of the first: Latin letters merge words of other scripts.
struct Names {
    own: Vec<Name>,
    latin: Vec<Name>,
}

impl Names {
    fn of(own: &str, latin: &str) -> Self {
        let found = |names: &BTreeMap<String, Vec<Name>>, word: &str| names.get(word).cloned().unwrap_or_default();
        Self { own: found(&TABLE.own, own), latin: found(&TABLE.latin, latin) }
    }

    fn beginning_with(own: &str, latin: &str) -> Self {
        let found = |names: &BTreeMap<String, Vec<Name>>, word: &str| {
            if word.chars().count() < ABBREVIATION_MIN {
                return Vec::new();
            }
            let from = names.range(word.to_owned()..).take_while(|(name, _)| name.starts_with(word));
            from.flat_map(|(_, names)| names.iter().copied()).collect()
        };
        Self { own: found(&TABLE.own, own), latin: found(&TABLE.latin, latin) }
    }

    /// The months of the names that both conditions hold for; `None` without any.
    fn months(&self, used: impl Fn(&&Name) -> bool, of: impl Fn(&&Name) -> bool) -> Option<Vec<Month>> {
        let months = |names: &[Name]| {
            let mut months: Vec<Month> = Vec::new();
            for name in names.iter().filter(&used).filter(&of) {
                if !months.contains(&(name.calendar, name.month)) {
                    months.push((name.calendar, name.month));
                }
            }
            (!months.is_empty()).then_some(months)
        };
        months(&self.own).or_else(|| months(&self.latin))
    }
}

struct Table {
    own: BTreeMap<String, Vec<Name>>,
    latin: BTreeMap<String, Vec<Name>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { own: BTreeMap::new(), latin: BTreeMap::new() };
    for fields in words::rows(include_str!("../../../../data/months.tsv")) {
        let (calendar, language) = (Calendar::named(fields[0]), fields[1]);
        for (month, names) in (1..).zip(&fields[2..]) {
            for word in names.split('|') {
                let name = Name { calendar, language, month, is_latin: words::is_latin(word) };
                for (key, names) in [(words::own(word), &mut table.own), (words::latin(word), &mut table.latin)] {
                    let names = names.entry(key).or_default();
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
    }
    // A word without letters of the alphabet, or without any, is no key.
    table.own.remove("");
    table.latin.remove("");
    table
});

#[cfg(test)]
mod tests {
    use super::*;

    fn month(word: &str, state: &str) -> Option<i8> {
        meaning(word, &Habits::of(state)).and_then(|meaning| meaning.month).map(|(_, month)| month)
    }

    fn together(words: &[&str], state: &str) -> Option<i8> {
        let meanings: Vec<Meaning> = words.iter().filter_map(|word| meaning(word, &Habits::of(state))).collect();
        agreed(&meanings).map(|(_, month)| month)
    }

    #[test]
    fn a_word_for_two_months_names_none_without_its_state() {
        for word in ["LISTOPAD", "LISTOPADA", "LIS", "LIP", "SRP", "JUI", "MA", "J"] {
            assert_eq!(month(word, "ATL"), None, "{word}");
        }
        for (word, state, expected) in [
            ("LIP", "HRV", 6),
            ("LIP", "POL", 7),
            ("SRP", "HRV", 7),
            ("SRP", "CZE", 8),
            ("LIS", "HRV", 10),
            ("LIS", "POL", 11),
            ("ЛИС", "UKR", 11),
            ("MAR", "FIN", 3),
            ("MARRAS", "FIN", 11),
            ("MAC", "MYS", 3),
            ("MEI", "IRL", 6),
            ("MEI", "NLD", 5),
            ("SIE", "POL", 8),
            ("ARA", "TUR", 12),
            ("JAN", "ZAF", 1),
            ("JAN", "LSO", 1),
            ("SET", "PER", 9),
            ("JUU", "FIN", 0),
            ("SRPNJA", "ATL", 7),
            ("SRPNA", "ATL", 8),
            ("IV", "ATL", 4),
        ] {
            assert_eq!(month(word, state), (expected > 0).then_some(expected), "{word} {state}");
        }
    }

    #[test]
    fn the_english_word_decides_beside_another() {
        assert_eq!(together(&["LIP", "JUL"], "ATL"), Some(7));
        assert_eq!(together(&["LIP", "JUN"], "ATL"), Some(6));
        assert_eq!(together(&["LIS", "OCT"], "POL"), Some(10), "the state was misread");
        assert_eq!(together(&["BEA", "MAY"], "IRL"), Some(5));
        assert_eq!(together(&["FEB", "FÉV"], "GBR"), Some(2));
        assert_eq!(together(&["AUG", "SEP"], "ATL"), None);
        assert_eq!(together(&["SIE", "SEP"], "POL"), None);
    }

    #[test]
    fn months_of_other_calendars_are_those_of_states_that_use_them() {
        let named = |word: &str, state: &str| meaning(word, &Habits::of(state)).and_then(|meaning| meaning.month);
        assert_eq!(named("مرداد", "IRN"), Some((Calendar::Persian, 5)));
        assert_eq!(named("Asad", "AFG"), Some((Calendar::Persian, 5)));
        assert_eq!(named("محرم", "SAU"), Some((Calendar::Islamic, 1)));
        assert_eq!(named("साउन", "NPL"), Some((Calendar::BikramSambat, 4)));
        assert_eq!(named("ነሐሴ", "ETH"), Some((Calendar::Ethiopic, 12)));
        assert_eq!(named("ኦገስት", "ETH"), Some((Calendar::Gregorian, 8)));
        assert_eq!(named("محرم", "EGY"), None);
    }

    #[test]
    fn no_word_is_two_months_in_one_language() {
        for (word, names) in &TABLE.own {
            for name in names {
                let alike = |other: &&Name| (other.calendar, other.language) == (name.calendar, name.language);
                assert!(names.iter().filter(alike).all(|other| other.month == name.month), "{word}: {names:?}");
            }
        }
    }

    #[test]
    fn every_language_of_the_table_has_twelve_months_or_thirteen() {
        for fields in words::rows(include_str!("../../../../data/months.tsv")) {
            let months = if fields[0] == "ethiopic" { 13 } else { 12 };
            assert_eq!(fields.len(), months + 2, "{} {}", fields[0], fields[1]);
            assert_ne!(Calendar::named(fields[0]), Calendar::Hebrew);
        }
    }
}
