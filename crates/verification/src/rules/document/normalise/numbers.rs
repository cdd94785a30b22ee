//! Numbers of documents in one form, so that two spellings of one number are equal.

use crate::rules::document::normalise::comparison::Normalisation;

/// Whether two texts are spellings of one number, and what had to be allowed.
pub fn same(a: &str, b: &str) -> Option<Normalisation> {
    let (x, y) = (plain(a), plain(b));
    if x.is_empty() || y.is_empty() {
        None
    } else if a == b {
        Some(Normalisation::Exact)
    } else if x == y {
        Some(Normalisation::Spelling)
    } else if look_alike(&x) == look_alike(&y) {
        Some(Normalisation::LookAlikes)
    } else {
        None
    }
}

/// Letters and digits only, without the label before them.
pub fn plain(text: &str) -> String {
    let upper = text.to_uppercase();
    let without_label = ["NO.", "NR.", "NO ", "NR ", "Nº", "N°", "№"]
        .iter()
        .find_map(|label| upper.trim_start().strip_prefix(label))
        .unwrap_or(&upper);
    without_label.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Replaces each letter that looks like a digit by that digit.
pub fn look_alike(number: &str) -> String {
    number
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            other => other,
        })
        .collect()
}
