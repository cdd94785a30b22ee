//! Words and digits that say that a document never expires.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::rules::document::normalise::words::{self, western_digit};

/// Whether the text says so: alone, several times in several languages, or beside a date that
/// `is_date` recognises (`2006.01.01-长期`). Words are compared whole: `TÄHTAJALINE` is the opposite
/// of `TÄHTAJATU`.
pub fn says_never(text: &str, is_date: impl Fn(&str) -> bool) -> bool {
    if is_word(text) || in_digits(text) || is_in_nines(text, &is_date) {
        return true;
    }
    let sections: Vec<&str> = text.split(DIVIDERS).map(str::trim).filter(|section| !section.is_empty()).collect();
    let (never, rest): (Vec<&str>, Vec<&str>) = sections.into_iter().partition(|section| is_word(section));
    if !never.is_empty() {
        let rest = rest.join(" ");
        return rest.is_empty() || is_word(&rest) || is_date(&rest);
    }
    let western: String = text.chars().map(western_digit).collect();
    let (Some(first), Some(last)) =
        (western.find(|c: char| c.is_ascii_digit()), western.rfind(|c: char| c.is_ascii_digit()))
    else {
        return false;
    };
    let (before, date, after) = (&western[..first], &western[first..=last], &western[last + 1..]);
    let nothing = |text: &str| words::own(text).is_empty();
    is_date(date) && ((is_word(before) && nothing(after)) || (nothing(before) && is_word(after)))
}

/// `01 JAN 9999`: a date in a year that no document reaches.
fn is_in_nines(text: &str, is_date: impl Fn(&str) -> bool) -> bool {
    let western: String = text.chars().map(western_digit).collect();
    let runs = western.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| *run == "9999").count() == 1 && is_date(&western.replacen("9999", "2000", 1))
}

/// Characters between a date and the word, and between words of two languages.
const DIVIDERS: [char; 13] = ['/', '-', '–', '—', '~', '～', '〜', '至', '(', ')', '|', ',', ';'];

fn is_word(text: &str) -> bool {
    let own = words::own(text);
    let has_digit = text.chars().any(|c| western_digit(c).is_ascii_digit());
    !own.is_empty() && !has_digit && (WORDS.0.contains(&own) || WORDS.1.contains(&words::latin(text)))
}

/// The words in their own script and in Latin letters. Words of other scripts are compared in their
/// own only: in Latin letters they lose too much.
static WORDS: LazyLock<(HashSet<String>, HashSet<String>)> = LazyLock::new(|| {
    let listed = || words::rows(include_str!("../../../../data/never.tsv")).filter_map(|fields| fields.get(1).copied());
    let is_western = |word: &&str| word.chars().all(|c| c < '\u{0530}' || ('\u{1E00}'..'\u{2000}').contains(&c));
    (listed().map(words::own).collect(), listed().filter(is_western).map(words::latin).collect())
});

/// `01.01.9999`, `99.99.9999`, `00-00-0000`, `**.**.****`, `∞`: digits, or signs in their place, that
/// are no date.
fn in_digits(text: &str) -> bool {
    let signs: String = text.chars().map(western_digit).filter(|c| !c.is_whitespace()).collect();
    if signs == "∞" {
        return true;
    }
    let groups: Vec<&str> = signs.split(['.', '/', ',']).filter(|group| !group.is_empty()).collect();
    let groups = if groups.len() == 1 { signs.split('-').filter(|group| !group.is_empty()).collect() } else { groups };
    let digits: String = signs.chars().filter(char::is_ascii_digit).collect();
    let separators_only = signs.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '/' | '-' | ','));
    if separators_only && digits.len() == 8 {
        return digits.starts_with("9999") || digits.ends_with("9999") || digits == "00000000";
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.chars().count()).collect();
    let placeholder = signs.chars().find(|c| !matches!(c, '.' | '/' | ','));
    matches!(lengths[..], [2, 2, 4] | [4, 2, 2])
        && placeholder.is_some_and(|sign| {
            matches!(sign, '*' | '-' | 'X' | 'x' | '_') && groups.iter().all(|group| group.chars().all(|c| c == sign))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(text: &str) -> bool {
        says_never(text, |date| date.split(['.', ' ', '/', '-']).filter(|part| !part.is_empty()).count() == 3)
    }

    #[test]
    fn every_word_of_the_table_says_never() {
        for fields in words::rows(include_str!("../../../../data/never.tsv")) {
            assert_eq!(fields.len(), 3, "{fields:?}");
            assert!(never(fields[1]) && never(&fields[1].to_lowercase()), "{fields:?}");
            assert!(never(&format!("2006.01.01-{}", fields[1])), "{fields:?}");
            assert!(never(&format!("{} / PERMANENT", fields[1])), "{fields:?}");
        }
    }

    #[test]
    fn a_word_is_compared_whole() {
        for text in [
            "Süresiz",
            "SURESIZ",
            "NO-CADUCA",
            "pe viata",
            "Không thời hạn",
            "长期",
            "01.01.2016 UNBEFRISTET",
            "TRAJNO / PERMANENT",
        ] {
            assert!(never(text), "{text}");
        }
        for text in [
            "TÄHTAJALINE",
            "NOT PERMANENT",
            "PERMANENT RESIDENT",
            "BEFRISTET",
            "",
            "-",
            "15 APR 2031",
            "PERMANENTLY LOST",
            "UNBEFRISTET 1",
            "approve, PERMANENT",
            "expired (was: indefinite)",
            "PERMANENT 2025 maybe",
        ] {
            assert!(!never(text), "{text}");
        }
    }

    #[test]
    fn digits_that_are_no_date_say_never() {
        for text in [
            "01 01 9999",
            "01.01.9999",
            "31-12-9999",
            "99-99-9999",
            "9999-12-31",
            "99/99/9999",
            "99999999",
            "00-00-0000",
            "00.00.0000",
            "**.**.****",
            "--.--.----",
            "XX.XX.XXXX",
            "∞",
            "٩٩٩٩/١٢/٣١",
        ] {
            assert!(never(text), "{text}");
        }
        for text in
            ["15.04.1999", "9999", "XX", "**", "L99999999", "00.00.1999", "12.34.56.9999", "--.--.1965", "**.04.2031"]
        {
            assert!(!never(text), "{text}");
        }
    }
}
