//! No log of a sidecar contains personal data or a secret.

use crate::harness::pocketbase::SERVICE;
use crate::system::sidecar::{API_KEY, AWS_SECRET, FINGERPRINT_KEY, HASH_KEY, OPENAI_KEY};
use crate::system::specimen::{BIRTH, NAME, NUMBER};

/// Fewest letters of a word of the specimen person that occurs nowhere else.
const LONG_WORD: usize = 5;
/// What else occurs only in data and secrets: parts of the birth date, of passwords, of the phone
/// number, of tokens, of an MRZ.
const TRACES: [&str; 5] = ["900812", "canary", "+15550100200", "eyjhbgci", "<<<"];

/// The first canary in `text`, and the line that contains it.
pub fn found_in(text: &str) -> Option<(String, String)> {
    let text = text.to_lowercase();
    let names = NAME.split(' ').filter(|name| name.len() >= LONG_WORD);
    let secrets = [API_KEY, AWS_SECRET, OPENAI_KEY, FINGERPRINT_KEY, HASH_KEY, SERVICE.1, SERVICE.0, NUMBER, BIRTH];
    let mut canaries = names.chain(secrets).chain(TRACES).map(str::to_lowercase);
    canaries.find(|canary| text.contains(canary.as_str())).map(|canary| {
        let line = text.lines().find(|line| line.contains(&canary)).unwrap_or_default().to_owned();
        (canary, line)
    })
}

/// The canaries in each log.
pub fn is_nowhere(observed: &super::Observed) -> Vec<String> {
    let found = observed.logs.iter().filter_map(|(name, text)| Some((name, found_in(text)?)));
    found.map(|(name, (canary, line))| format!("{canary} is in {name}: {line}")).collect()
}
