//! A model's transcription of one picture: a claim to be compared, never a finding.
//!
//! The text comes from an untrusted picture, through a model that may be wrong. So parsing is
//! tolerant (an unknown word becomes `Other`, a number where text was expected becomes text) and
//! bounded (every string and list is cut to a size; control and invisible characters are removed).
//! Doubt goes in the safe direction: an unknown word for legibility means unreadable, and anything
//! but a plain `false` means that instructions were seen.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rules::document::vocabulary::{PROPERTIES, Readable, SeenType, Side, SuspicionKind};

/// Longest kept value of a field, in characters.
pub const FIELD_CHARS_MAX: usize = 200;
/// Longest kept line of a machine-readable zone, in characters; the longest legal one has 44.
pub const MRZ_LINE_CHARS_MAX: usize = 64;
/// Most lines of a machine-readable zone that are kept; the longest legal zone has 3.
pub const MRZ_LINES_MAX: usize = 6;
/// Longest kept item of visible text, in characters.
pub const TEXT_CHARS_MAX: usize = 300;
/// Most items of visible text that are kept.
pub const TEXTS_MAX: usize = 120;
/// Most suspicions that are kept.
pub const SUSPICIONS_MAX: usize = 20;

/// A model's answer about one picture, parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Transcription {
    /// The kind of document that the picture shows.
    pub document_type: SeenType,
    /// Issuing state, as printed or as a code.
    pub issuing_state: Option<String>,
    /// The side that the picture shows.
    pub side: Side,
    /// Values of the visual zone, as printed.
    pub fields: Fields,
    /// Lines of the machine-readable zone, top to bottom, without blanks.
    pub mrz_lines: Vec<String>,
    /// How well the picture could be read.
    pub readable: Readable,
    /// What looks wrong. It can only lower an outcome.
    pub suspicions: Vec<Suspicion>,
    /// All visible text, item by item.
    pub visible_text: Vec<String>,
    /// Whether any text addresses the reader instead of identifying the holder.
    pub instructions_seen: bool,
}

/// The visual zone, verbatim. `None` where a field is absent or illegible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
#[expect(missing_docs, reason = "the names say it")]
pub struct Fields {
    pub surname: Option<String>,
    pub given_names: Option<String>,
    pub document_number: Option<String>,
    pub date_of_birth: Option<String>,
    pub date_of_expiry: Option<String>,
    pub date_of_issue: Option<String>,
    pub nationality: Option<String>,
    pub sex: Option<String>,
    pub place_of_birth: Option<String>,
    pub personal_number: Option<String>,
    pub address: Option<String>,
    pub issuing_authority: Option<String>,
}

/// A flaw that the model reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Suspicion {
    /// The kind of flaw.
    pub kind: SuspicionKind,
    /// Where it is in the picture.
    pub place: String,
    /// Why it looks wrong.
    pub reason: String,
}

/// Why an answer is not a transcription. Names the property, never the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATranscription {
    /// The answer is not a JSON object.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// A property that the schema requires is missing.
    #[error("the answer has no property `{0}`")]
    Missing(&'static str),
    /// `fields` is not an object, so no value can be taken from it.
    #[error("`fields` is not an object")]
    FieldsNotAnObject,
}

impl Transcription {
    /// Parses a model's answer.
    ///
    /// # Errors
    /// When the answer does not have the requested shape. Such an answer says nothing about the
    /// person.
    pub fn read(answer: &Value) -> Result<Self, NotATranscription> {
        let answer = answer.as_object().ok_or(NotATranscription::NotAnObject)?;
        if let Some(missing) = PROPERTIES.iter().find(|name| !answer.contains_key(**name)) {
            return Err(NotATranscription::Missing(missing));
        }
        let fields = answer["fields"].as_object().ok_or(NotATranscription::FieldsNotAnObject)?;
        Ok(Self {
            document_type: answer["document_type"].clone().into(),
            issuing_state: text(&answer["issuing_state"], FIELD_CHARS_MAX),
            side: answer["side"].clone().into(),
            fields: Fields::read(fields),
            mrz_lines: mrz_lines(&answer["mrz_lines"]),
            readable: answer["readable"].clone().into(),
            suspicions: list(&answer["suspicions"]).iter().take(SUSPICIONS_MAX).map(Suspicion::read).collect(),
            visible_text: list(&answer["visible_text"])
                .iter()
                .filter_map(|piece| text(piece, TEXT_CHARS_MAX))
                .take(TEXTS_MAX)
                .collect(),
            instructions_seen: answer["instructions_seen"] != Value::Bool(false),
        })
    }
}

impl TryFrom<Value> for Transcription {
    type Error = NotATranscription;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        Self::read(&value)
    }
}

impl Fields {
    fn read(fields: &Map<String, Value>) -> Self {
        let field = |name: &str| fields.get(name).and_then(|value| text(value, FIELD_CHARS_MAX));
        Self {
            surname: field("surname"),
            given_names: field("given_names"),
            document_number: field("document_number"),
            date_of_birth: field("date_of_birth"),
            date_of_expiry: field("date_of_expiry"),
            date_of_issue: field("date_of_issue"),
            nationality: field("nationality"),
            sex: field("sex"),
            place_of_birth: field("place_of_birth"),
            personal_number: field("personal_number"),
            address: field("address"),
            issuing_authority: field("issuing_authority"),
        }
    }
}

impl From<Value> for Fields {
    fn from(value: Value) -> Self {
        value.as_object().map(Self::read).unwrap_or_default()
    }
}

impl Suspicion {
    /// Parses a suspicion; one given as a bare word or sentence is kept.
    fn read(value: &Value) -> Self {
        if let Some(word) = value.as_str() {
            let reason = text(value, TEXT_CHARS_MAX).unwrap_or_default();
            return Self { kind: SuspicionKind::read(word), place: String::new(), reason };
        }
        Self {
            kind: value["kind"].clone().into(),
            place: text(&value["place"], FIELD_CHARS_MAX).unwrap_or_default(),
            reason: text(&value["reason"], TEXT_CHARS_MAX).unwrap_or_default(),
        }
    }
}

impl From<Value> for Suspicion {
    fn from(value: Value) -> Self {
        Self::read(&value)
    }
}

/// The items of an array. A bare string or object is a list of one, anything else an empty list.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::String(_) | Value::Object(_) => std::slice::from_ref(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => &[],
    }
}

/// Lines of the zone without blanks. A zone given as one string is cut at its line breaks.
fn mrz_lines(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .filter_map(Value::as_str)
        .flat_map(str::lines)
        .map(|line| line.chars().filter(|c| visible(*c) && !c.is_whitespace()).take(MRZ_LINE_CHARS_MAX).collect())
        .filter(|line: &String| !line.is_empty())
        .take(MRZ_LINES_MAX)
        .collect()
}

/// Text of at most `max` visible characters; `None` when nothing is left of it.
fn text(value: &Value, max: usize) -> Option<String> {
    let raw = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let mut clean = String::with_capacity(raw.len().min(max * 4));
    // One blank for each run of white space, line breaks included; none at the ends.
    for word in raw.split_whitespace() {
        let word: String = word.chars().filter(|c| visible(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(&word);
    }
    let cut = clean.char_indices().nth(max).map_or(clean.len(), |(at, _)| at);
    clean.truncate(cut);
    let clean = clean.trim_end().to_owned();
    (!clean.is_empty()).then_some(clean)
}

/// Whether it is neither a control character nor an invisible one that hides or reorders text: soft
/// hyphen, zero-width, directional marks and isolates, variation selectors, tags, byte order mark.
fn visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}
