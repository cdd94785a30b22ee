//! Printed words in a form that can be looked up: in their own script, and in Latin letters.

/// A word in its own script: upper case, letters only, without marks that are left out at will.
pub fn own(text: &str) -> String {
    text.chars()
        .filter(|c| !is_optional_mark(*c))
        .map(same_letter)
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_uppercase)
        .collect()
}

/// A word in Latin letters without accents, upper case.
pub fn latin(text: &str) -> String {
    let plain = deunicode::deunicode(text);
    plain.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect()
}

/// Whether a word is written in Latin letters.
pub fn is_latin(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphabetic()).all(|c| c < '\u{0250}' || ('\u{1E00}'..'\u{1F00}').contains(&c))
}

/// Whether a character belongs to a word: a letter, or a mark that is written with one.
pub fn is_part_of_word(c: char) -> bool {
    c.is_alphabetic() || is_optional_mark(c) || is_mark_of_asia(c)
}

/// Combining accents, vowels of Arabic and Hebrew, and the Arabic sign that stretches a word.
fn is_optional_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}' | '\u{0640}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}')
}

/// Marks of the scripts of South and South-East Asia that are no letters by themselves. Punctuation
/// and digits of these blocks are no marks.
fn is_mark_of_asia(c: char) -> bool {
    !c.is_numeric()
        && matches!(c, '\u{0900}'..='\u{0963}' | '\u{0981}'..='\u{0DF3}' | '\u{0E31}'..='\u{0E4E}' | '\u{0EB1}'..='\u{0ECE}'
            | '\u{0F71}'..='\u{0FBC}' | '\u{102B}'..='\u{103E}' | '\u{17B4}'..='\u{17D3}')
        && c != '\u{0E3F}'
        && c != '\u{0E46}'
}

/// Letters that are typed for each other in Arabic script.
fn same_letter(c: char) -> char {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' | 'ۀ' | 'ہ' => 'ه',
        'ؤ' => 'و',
        other => other,
    }
}

/// Decimal digits of other scripts as ASCII.
pub fn western_digit(c: char) -> char {
    const ZEROS: [u32; 18] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0x0ED0,
        0x0F20, 0x1040, 0x17E0, 0xFF10,
    ];
    ZEROS
        .iter()
        .find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10))
        .and_then(|value| char::from_digit(value, 10))
        .unwrap_or(c)
}

/// The rows of a table in `data/`, without its comments; fields are divided by tabs.
pub fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| line.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_with_and_without_its_marks() {
        assert_eq!(own("فِبْرايِر"), own("فبراير"));
        assert_eq!(own("أغسطس"), own("اغسطس"));
        assert_eq!(own("تیر"), own("تير"));
        assert_eq!(own("ก.พ."), own("กพ"));
        assert_ne!(own("ม.ค."), own("มี.ค."), "vowels of Thai are letters");
        assert_ne!(own("जन"), own("जून"));
        assert_eq!(latin("FÉV"), "FEV");
        assert_eq!(latin("août"), "AOUT");
    }
}
