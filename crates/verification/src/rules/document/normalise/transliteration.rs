//! Words of names, and their spellings in 26 letters.

use mrz::{CyrillicLanguage, TransliterationStyle};

use crate::rules::document::normalise::comparison::Normalisation;

/// Scripts from which rules of transliteration lead to the 26 letters of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    Latin,
    Cyrillic,
    Greek,
    /// Any other script. A common romanisation is tried; that it does not match says nothing.
    Other,
}

/// A word of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word as read, in upper case.
    raw: String,
    /// Spellings in the letters A to Z.
    spellings: Vec<String>,
    /// The spellings after digraphs for an accented letter were folded into one letter.
    folded: Vec<String>,
    /// Whether a digit was replaced by the letter that it looks like.
    look_alike: bool,
}

/// Most words of a name; no zone has room for more.
const WORDS_MAX: usize = 16;

impl Word {
    fn new(text: &str, script: Script) -> Option<Self> {
        let raw: String = text.chars().flat_map(char::to_uppercase).filter(|c| !is_joined(*c)).collect();
        let lettered: String = raw.chars().map(letter_like).collect();
        let mut spellings = Vec::new();
        for spelled in transliterations(&lettered, script) {
            let spelled: String = spelled.chars().filter(char::is_ascii_uppercase).collect();
            if !spelled.is_empty() && !spellings.contains(&spelled) {
                spellings.push(spelled);
            }
        }
        let folded = fold_all(&spellings);
        let look_alike = lettered != raw;
        // A letter that no table knows still equals itself.
        (!spellings.is_empty() || script == Script::Other).then_some(Self { raw, spellings, folded, look_alike })
    }

    /// Joins several words into one.
    pub fn joined<'a>(words: impl IntoIterator<Item = &'a Word>) -> Self {
        let words: Vec<&Word> = words.into_iter().collect();
        let raw = words.iter().map(|word| word.raw.as_str()).collect();
        let most = words.iter().map(|word| word.spellings.len()).max().unwrap_or(0);
        // The spellings of one style belong together: an issuer does not change its rules within a
        // name.
        let in_style = |style: usize| -> String {
            words
                .iter()
                .filter_map(|word| word.spellings.get(style).or(word.spellings.first()))
                .map(String::as_str)
                .collect()
        };
        let spellings: Vec<String> = (0..most).map(in_style).collect();
        let folded = fold_all(&spellings);
        let look_alike = words.iter().any(|word| word.look_alike);
        Self { raw, spellings, folded, look_alike }
    }

    /// Whether both are spellings of one word, and what had to be allowed.
    pub fn same(&self, other: &Self) -> Option<Normalisation> {
        let how = if self.raw == other.raw {
            Normalisation::Exact
        } else if meet(&self.spellings, &other.spellings) || meet(&self.folded, &other.folded) {
            Normalisation::Transliteration
        } else {
            return None;
        };
        let look_alike = self.look_alike || other.look_alike;
        Some(if look_alike && self.raw != other.raw { how.max(Normalisation::LookAlikes) } else { how })
    }

    /// Whether one is the initial of the other.
    pub fn initial_of(&self, other: &Self) -> Option<Normalisation> {
        let initial = |short: &Self, long: &Self| {
            !short.is_whole()
                && short.spellings.iter().any(|letter| long.spellings.iter().any(|word| word.starts_with(letter)))
        };
        (initial(self, other) || initial(other, self)).then_some(Normalisation::Initial)
    }

    /// Whether this word begins `other` or equals it.
    pub fn begins(&self, other: &Self) -> bool {
        let begins = |mine: &[String], theirs: &[String]| {
            mine.iter().any(|short| theirs.iter().any(|long| long.starts_with(short)))
        };
        self.same(other).is_some() || begins(&self.spellings, &other.spellings) || begins(&self.folded, &other.folded)
    }

    /// Whether the word is long enough to tell one name from another.
    pub fn is_recognisable(&self) -> bool {
        self.spellings.iter().any(|spelling| spelling.len() > 2)
    }

    /// Whether it is more than an initial. One Chinese character is a word but is spelled with more
    /// letters.
    pub fn is_whole(&self) -> bool {
        self.spellings.iter().any(|spelling| spelling.len() > 1)
    }
}

fn meet(a: &[String], b: &[String]) -> bool {
    a.iter().any(|spelling| b.contains(spelling))
}

/// Every way to read a text as words of one script.
pub fn alternatives(text: &str) -> Vec<(Script, Vec<Word>)> {
    // The Dutch sign for "married to", whose slash does not divide alternatives.
    let text = &text.replace("e/v", " ev ").replace("E/V", " EV ");
    let mut texts = vec![text.as_str()];
    if text.contains('/') {
        texts.extend(text.split('/'));
    }
    let mut alternatives = Vec::new();
    for text in texts {
        for script in [Script::Latin, Script::Cyrillic, Script::Greek, Script::Other] {
            let words = words(text, script);
            for words in without_former_name(words) {
                if !words.is_empty() && !alternatives.contains(&(script, words.clone())) {
                    alternatives.push((script, words));
                }
            }
        }
    }
    alternatives
}

/// The words of one script in a text, without titles and placeholders.
fn words(text: &str, script: Script) -> Vec<Word> {
    let of_script = |c: char| !c.is_alphabetic() || script_of(c) == script;
    // Letters of another script also divide words; combining accents belong to the letter before.
    let cleaned: String = text.chars().map(|c| if of_script(c) { c } else { ' ' }).collect();
    let words: Vec<Word> = cleaned
        .split(|c: char| !(c.is_alphanumeric() || is_combining(c) || is_joined(c)))
        .filter(|word| word.chars().any(|c| c.is_alphabetic() || letter_like(c) != c))
        .filter_map(|word| Word::new(word, script))
        .take(WORDS_MAX)
        .collect();
    let is_name = |word: &Word| !is_title(&word.raw) && !is_placeholder(&word.raw);
    let names: Vec<Word> = words.iter().filter(|word| is_name(word)).cloned().collect();
    if names.is_empty() { words.into_iter().filter(|word| !is_placeholder(&word.raw)).collect() } else { names }
}

/// The words, and the words before "née" where it is among them.
fn without_former_name(words: Vec<Word>) -> Vec<Vec<Word>> {
    const MARKS: [&str; 20] = [
        "NÉE", "NEE", "NÉ", "GEB", "GEBOREN", "GEBORENE", "EP", "ÉP", "EPOUSE", "ÉPOUSE", "VVE", "VEUVE", "ROZ",
        "ROZENA", "FÖDD", "EV", "RODZ", "BORN", "SYNT", "ÉPSE",
    ];
    match words.iter().position(|word| MARKS.contains(&word.raw.as_str())) {
        Some(at) if at > 0 => vec![words[..at].to_vec(), words],
        _ => vec![words],
    }
}

fn is_title(word: &str) -> bool {
    const TITLES: [&str; 26] = [
        "DR", "MR", "MRS", "MS", "MISS", "PROF", "HERR", "FRAU", "JR", "SR", "II", "III", "IV", "DIPL", "PHD", "MD",
        "ESQ", "DOTT", "MME", "MLLE", "SIGG", "DHR", "MEVR", "BSC", "MSC", "MAG",
    ];
    TITLES.contains(&word)
}

/// Whether it is what issuers print for a missing name.
fn is_placeholder(word: &str) -> bool {
    matches!(word, "FNU" | "LNU" | "NFN" | "NLN" | "XXX" | "XXXX" | "XXXXX")
}

/// Whether it is an apostrophe of any form: printed inside a word and left out of a zone.
fn is_joined(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ' | '′' | 'ʹ' | '׳')
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}')
}

fn script_of(c: char) -> Script {
    match c {
        'A'..='Z'
        | 'a'..='z'
        | '\u{00AA}'..='\u{024F}'
        | '\u{1E00}'..='\u{1EFF}'
        | '\u{0250}'..='\u{02AF}'
        | 'Ａ'..='Ｚ'
        | 'ａ'..='ｚ' => Script::Latin,
        '\u{0400}'..='\u{052F}' => Script::Cyrillic,
        '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}' => Script::Greek,
        _ => Script::Other,
    }
}

/// The letter that a digit looks like: readers confuse them.
fn letter_like(c: char) -> char {
    match c {
        '0' => 'O',
        '1' => 'I',
        '5' => 'S',
        '8' => 'B',
        other => other,
    }
}

/// Spellings of an upper-case word, one for each style of transliteration.
fn transliterations(word: &str, script: Script) -> Vec<String> {
    let ascii = |text: String| deunicode::deunicode(&text).to_ascii_uppercase();
    match script {
        Script::Latin => {
            let composed = compose(word);
            let styles = [TransliterationStyle::Expanded, TransliterationStyle::Simple, TransliterationStyle::XxSuffix];
            let tabled = styles.into_iter().map(|style| ascii(mrz::transliterate(&composed, style)));
            tabled.chain([ascii(composed.clone())]).collect()
        }
        Script::Cyrillic => {
            use CyrillicLanguage::{Belarusian, Macedonian, Russian, Serbian, Ukrainian};
            // The one Serbian letter that ICAO's table lacks.
            let word = &word.replace('Ћ', "C");
            let languages = [Russian, Ukrainian, Belarusian, Serbian, Macedonian];
            let tabled = languages.into_iter().map(|language| ascii(mrz::transliterate_cyrillic(word, language)));
            tabled.chain([ascii(word.clone()), bulgarian(word)]).collect()
        }
        Script::Greek => vec![greek(word), ascii(word.to_owned())],
        Script::Other => vec![ascii(word.to_owned())],
    }
}

/// Composes a letter and its combining accent into the letter of ICAO's table; other accents are
/// dropped later.
fn compose(word: &str) -> String {
    let mut composed = String::with_capacity(word.len());
    for c in word.chars() {
        let pair = (composed.chars().next_back(), c);
        let whole = match pair {
            (Some('A'), '\u{0308}') => 'Ä',
            (Some('O'), '\u{0308}') => 'Ö',
            (Some('U'), '\u{0308}') => 'Ü',
            (Some('A'), '\u{030A}') => 'Å',
            (Some('N'), '\u{0303}') => 'Ñ',
            _ if is_combining(c) => continue,
            _ => {
                composed.push(c);
                continue;
            }
        };
        composed.pop();
        composed.push(whole);
    }
    composed
}

/// Spelling by the Bulgarian law of 2009, which differs from ICAO's table in a few letters.
fn bulgarian(word: &str) -> String {
    let mut latin = String::with_capacity(word.len());
    for c in word.chars() {
        latin.push_str(match c {
            'Ъ' | 'А' => "A",
            'Б' => "B",
            'В' => "V",
            'Г' => "G",
            'Д' => "D",
            'Е' | 'Э' => "E",
            'Ж' => "ZH",
            'З' => "Z",
            'И' | 'Ы' => "I",
            'Й' | 'Ь' => "Y",
            'К' => "K",
            'Л' => "L",
            'М' => "M",
            'Н' => "N",
            'О' => "O",
            'П' => "P",
            'Р' => "R",
            'С' => "S",
            'Т' => "T",
            'У' => "U",
            'Ф' => "F",
            'Х' => "H",
            'Ц' => "TS",
            'Ч' => "CH",
            'Ш' => "SH",
            'Щ' => "SHT",
            'Ю' => "YU",
            'Я' => "YA",
            _ => "",
        });
    }
    latin
}

/// Spelling by ELOT 743, which Greek and Cypriot passports follow.
fn greek(word: &str) -> String {
    let plain: Vec<char> = word.chars().filter_map(greek_base).collect();
    let mut latin = String::with_capacity(plain.len() * 2);
    let mut at = 0;
    while at < plain.len() {
        let here = plain[at];
        let next = plain.get(at + 1).copied();
        let pair = match (here, next) {
            ('Ο', Some('Υ')) => "OU",
            ('Μ', Some('Π')) if at == 0 => "B",
            ('Μ', Some('Π')) => "MP",
            ('Γ', Some('Γ')) => "NG",
            ('Γ', Some('Ξ')) => "NX",
            ('Γ', Some('Χ')) => "NCH",
            ('Α', Some('Υ')) => after_vowel(plain.get(at + 2), "AV", "AF"),
            ('Ε', Some('Υ')) => after_vowel(plain.get(at + 2), "EV", "EF"),
            ('Η', Some('Υ')) => after_vowel(plain.get(at + 2), "IV", "IF"),
            _ => "",
        };
        if pair.is_empty() {
            latin.push_str(greek_letter(here));
            at += 1;
        } else {
            latin.push_str(pair);
            at += 2;
        }
    }
    latin
}

/// Spelling of upsilon after a vowel, which is voiced before vowels and voiced consonants.
fn after_vowel(next: Option<&char>, voiced: &'static str, voiceless: &'static str) -> &'static str {
    match next {
        Some('Θ' | 'Κ' | 'Ξ' | 'Π' | 'Σ' | 'Τ' | 'Φ' | 'Χ' | 'Ψ') | None => voiceless,
        Some(_) => voiced,
    }
}

fn greek_base(c: char) -> Option<char> {
    match c {
        'Ά' => Some('Α'),
        'Έ' => Some('Ε'),
        'Ή' => Some('Η'),
        'Ί' | 'Ϊ' => Some('Ι'),
        'Ό' => Some('Ο'),
        'Ύ' | 'Ϋ' => Some('Υ'),
        'Ώ' => Some('Ω'),
        'Α'..='Ω' => Some(c),
        _ => None,
    }
}

fn greek_letter(c: char) -> &'static str {
    match c {
        'Α' => "A",
        'Β' => "V",
        'Γ' => "G",
        'Δ' => "D",
        'Ε' => "E",
        'Ζ' => "Z",
        'Η' | 'Ι' => "I",
        'Θ' => "TH",
        'Κ' => "K",
        'Λ' => "L",
        'Μ' => "M",
        'Ν' => "N",
        'Ξ' => "X",
        'Ο' | 'Ω' => "O",
        'Π' => "P",
        'Ρ' => "R",
        'Σ' => "S",
        'Τ' => "T",
        'Υ' => "Y",
        'Φ' => "F",
        'Χ' => "CH",
        'Ψ' => "PS",
        _ => "",
    }
}

fn fold_all(spellings: &[String]) -> Vec<String> {
    let mut folded = Vec::new();
    for spelling in spellings {
        let fold = fold(spelling);
        if !folded.contains(&fold) {
            folded.push(fold);
        }
    }
    folded
}

/// Folds the ways to write an accented letter in 26 letters into one: Müller, Mueller, Muller and
/// MUXXLLER become equal.
fn fold(spelling: &str) -> String {
    const DIGRAPHS: [(&str, &str); 6] =
        [("NXX", "N"), ("UXX", "U"), ("AE", "A"), ("OE", "O"), ("UE", "U"), ("DJ", "D")];
    DIGRAPHS.iter().fold(spelling.to_owned(), |text, (pair, one)| text.replace(pair, one))
}
