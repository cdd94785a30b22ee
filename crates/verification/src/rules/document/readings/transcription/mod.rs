//! What a model says it read on a document: a claim to be compared, never a finding.
//!
//! The text comes out of a picture that a stranger chose, through a model that may be wrong. So reading it back is
//! tolerant (an unknown word becomes `Other`, a number where text was due becomes text) and bounded (every string and
//! list is cut to a size, control and invisible characters go), and doubt goes in the safe direction: what is unknown
//! counts as unreadable, and anything but a plain `false` means that instructions were seen.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rules::document::vocabulary::{PROPERTIES, Readable, SeenType, Side, SuspicionKind};

/// Longest field value kept, in characters.
pub const FIELD_CHARS_MAX: usize = 200;
/// Longest MRZ line kept; the longest legal one has 44.
pub const MRZ_LINE_CHARS_MAX: usize = 64;
/// MRZ lines kept; the longest legal MRZ has 3.
pub const MRZ_LINES_MAX: usize = 6;
/// Longest piece of visible text kept.
pub const TEXT_CHARS_MAX: usize = 300;
/// Pieces of visible text kept.
pub const TEXTS_MAX: usize = 120;
/// Suspicions kept.
pub const SUSPICIONS_MAX: usize = 20;

/// One picture, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Transcription {
    /// What it looks like.
    pub document_type: SeenType,
    /// Issuing state as printed or as a code.
    pub issuing_state: Option<String>,
    /// Which side is shown.
    pub side: Side,
    /// Values as printed.
    pub fields: Fields,
    /// Lines of the machine readable zone, top to bottom; no blanks.
    pub mrz_lines: Vec<String>,
    /// How well it could be read.
    pub readable: Readable,
    /// What looks wrong. Can only lower an outcome.
    pub suspicions: Vec<Suspicion>,
    /// All text seen, piece by piece.
    pub visible_text: Vec<String>,
    /// Whether any text addresses the reader instead of identifying the holder.
    pub instructions_seen: bool,
}

/// The visual zone, verbatim. `None` where a field is absent or cannot be read.
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

/// Something that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Suspicion {
    /// What kind of thing.
    pub kind: SuspicionKind,
    /// Where on the picture.
    pub place: String,
    /// Why it looks wrong.
    pub reason: String,
}

/// An answer that is no transcription. Names the property, never the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATranscription {
    /// The answer is not a JSON object.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// A property that the schema requires is missing.
    #[error("the answer has no property `{0}`")]
    Missing(&'static str),
    /// `fields` is not an object, so nothing at all can be taken from it.
    #[error("`fields` is not an object")]
    FieldsNotAnObject,
}

impl Transcription {
    /// Reads a model's answer.
    ///
    /// # Errors
    /// When the answer does not have the shape that was asked for; then it says nothing about the person.
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
    /// A suspicion given as a bare word or sentence is kept, too.
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

/// The items of an array; a bare string or object stands for a list of one, anything else for none.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::String(_) | Value::Object(_) => std::slice::from_ref(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => &[],
    }
}

/// MRZ lines without blanks; a zone given as one string is cut at its line breaks.
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

/// Clean text of at most `max` characters; `None` when nothing is left of it.
fn text(value: &Value, max: usize) -> Option<String> {
    let raw = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let mut clean = String::with_capacity(raw.len().min(max * 4));
    // One blank for each run of white space, line breaks included; never one at the ends.
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

/// Not a control character and not one of the invisible ones that hide or reorder text: soft hyphen, zero-width,
/// directional marks and isolates, variation selectors, tags, byte order mark.
fn visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}
