//! Parsers that several sections use. A text is trimmed before it is parsed.

use std::net::SocketAddr;

use secrecy::SecretString;
use url::Url;

use super::setting::Parsed;

/// Returns an error with one problem.
pub fn wrong<T>(problem: impl Into<String>) -> Parsed<T> {
    Err(vec![problem.into()])
}

/// `None` for an empty text, otherwise what `parse` makes of it.
pub fn unless_empty<T>(text: &str, parse: fn(&str) -> Parsed<T>) -> Parsed<Option<T>> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

#[expect(clippy::unnecessary_wraps, reason = "every parser has this form")]
pub fn text(text: &str) -> Parsed<String> {
    Ok(text.to_owned())
}

pub fn opt_text(text: &str) -> Parsed<Option<String>> {
    unless_empty(text, self::text)
}

/// A secret that fits into a header or a password field.
pub fn secret(text: &str) -> Parsed<SecretString> {
    if text.chars().any(char::is_control) {
        return wrong("contains a line break or another control character");
    }
    Ok(SecretString::from(text))
}

pub fn url(text: &str) -> Parsed<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => wrong("is not an http:// or https:// URL"),
    }
}

pub fn opt_url(text: &str) -> Parsed<Option<Url>> {
    unless_empty(text, url)
}

pub fn address(text: &str) -> Parsed<SocketAddr> {
    text.parse().or_else(|_| wrong("is not an address like 0.0.0.0:8000"))
}

/// A whole number from `LOW` to `HIGH`.
pub fn number<const LOW: u32, const HIGH: u32>(text: &str) -> Parsed<u32> {
    match text.parse() {
        Ok(number) if (LOW..=HIGH).contains(&number) => Ok(number),
        _ => wrong(format!("is not a whole number from {LOW} to {HIGH}")),
    }
}

/// One of `choices`, in any case.
pub fn one_of(text: &str, choices: &[&str]) -> Parsed<String> {
    let value = text.to_lowercase();
    if choices.contains(&value.as_str()) {
        return Ok(value);
    }
    wrong(format!("is not one of {}", choices.join(", ")))
}

/// The parts of a comma-separated list; empty parts are skipped.
pub fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}
