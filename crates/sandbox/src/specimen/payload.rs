//! The payload of the QR codes on a specimen, and its encoding as text.
//!
//! A picture carries up to four kinds of code: one for the visual zone, one for the
//! machine-readable zone, one for any other text, and a badge under each drawn face. A QR code
//! packs upper-case letters, digits and ` $%*+-./:` most densely, so the encoding keeps to them
//! where it can: parts are separated by `/`, `%` escapes, and `<` is written `*`. Parts are
//! reversed and encoded by ROT13: the codes stand for print, so a program under test that decodes
//! QR codes must not find in them what it could not have read in the print.

use crate::vocabulary::{Field, SuspicionKind, VisualFields};

/// The payload of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The badge under a face.
    Face(FacePayload),
    /// A document's side and its visual zone.
    Document(Box<DocumentPayload>),
    /// The lines of a machine-readable zone.
    Mrz(Vec<String>),
    /// Other printed text.
    Text(Vec<String>),
}

/// Whose face is above a badge, and its pose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacePayload {
    /// Slug of the person.
    pub person: String,
    /// Something covers a part of the face.
    pub occluded: bool,
    pub eyes_closed: bool,
    pub sunglasses: bool,
}

/// The design and visual zone of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPayload {
    /// The letter of the design; see `layout`.
    pub layout: char,
    pub issuing_state: String,
    pub fields: VisualFields,
    /// The alterations of the document, each with its place: the name of a field, or empty.
    pub suspicions: Vec<(SuspicionKind, String)>,
}

impl Payload {
    /// The text of the code.
    pub fn encode(&self) -> String {
        match self {
            Self::Face(face) => {
                let flags: String = [(face.occluded, 'O'), (face.eyes_closed, 'E'), (face.sunglasses, 'S')]
                    .iter()
                    .filter_map(|(set, letter)| set.then_some(*letter))
                    .collect();
                join(FACE, [face.person.to_ascii_uppercase(), flags])
            }
            Self::Document(document) => {
                let suspicions = document
                    .suspicions
                    .iter()
                    .map(|(kind, place)| {
                        format!("{}{}", letter_of(*kind), place.replace('_', "-").to_ascii_uppercase())
                    })
                    .collect::<Vec<_>>()
                    .join(" ");
                let head = [document.layout.to_string(), document.issuing_state.clone(), suspicions];
                let fields = Field::ALL.map(|field| document.fields.get(field).unwrap_or_default().to_owned());
                join("UD", head.into_iter().chain(fields))
            }
            Self::Mrz(lines) => join("UM", lines.iter().map(|line| line.replace('<', "*"))),
            Self::Text(lines) => join("UT", lines.iter().cloned()),
        }
    }

    /// Decodes the text of a code; `None` if it is not a specimen's code.
    pub fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let kind = parts.next()?;
        let mut parts = parts.map(|part| if kind == FACE { unescape(part) } else { obscure(&unescape(part)) });
        match kind {
            FACE => {
                let person = parts.next()?.to_ascii_lowercase();
                let flags = parts.next().unwrap_or_default();
                let has = |letter| flags.contains(letter);
                Some(Self::Face(FacePayload {
                    person,
                    occluded: has('O'),
                    eyes_closed: has('E'),
                    sunglasses: has('S'),
                }))
            }
            "UD" => {
                // Empty parts at the end are omitted.
                let layout = parts.next()?.chars().next()?;
                let issuing_state = parts.next()?;
                let suspicions =
                    parts.next().unwrap_or_default().split_whitespace().filter_map(parse_suspicion).collect();
                let mut fields = VisualFields::default();
                for (field, value) in Field::ALL.into_iter().zip(parts) {
                    fields.set(field, Some(&value));
                }
                Some(Self::Document(Box::new(DocumentPayload { layout, issuing_state, fields, suspicions })))
            }
            "UM" => Some(Self::Mrz(parts.map(|line| line.replace('*', "<")).collect())),
            "UT" => Some(Self::Text(parts.collect())),
            _ => None,
        }
    }
}

fn letter_of(kind: SuspicionKind) -> char {
    match kind {
        SuspicionKind::Screen => 'S',
        SuspicionKind::PrintedCopy => 'C',
        SuspicionKind::AlteredText => 'T',
        SuspicionKind::AlteredPortrait => 'P',
        SuspicionKind::Template => 'M',
    }
}

fn parse_suspicion(word: &str) -> Option<(SuspicionKind, String)> {
    let mut letters = word.chars();
    let kind = match letters.next()? {
        'S' => SuspicionKind::Screen,
        'C' => SuspicionKind::PrintedCopy,
        'T' => SuspicionKind::AlteredText,
        'P' => SuspicionKind::AlteredPortrait,
        'M' => SuspicionKind::Template,
        _ => return None,
    };
    Some((kind, letters.as_str().to_ascii_lowercase().replace('-', "_")))
}

/// How a badge begins. Its parts are plain text: it states only whose face is above it.
const FACE: &str = "UF";

fn join(kind: &str, parts: impl IntoIterator<Item = String>) -> String {
    let mut text = kind.to_owned();
    for part in parts {
        text.push('/');
        text.push_str(&escape(&if kind == FACE { part } else { obscure(&part) }));
    }
    text.trim_end_matches('/').to_owned()
}

/// Reverses a part and encodes it by ROT13; applied twice, it restores the part.
fn obscure(part: &str) -> String {
    let turn = |first: u8, letter: u8| char::from(first + (letter - first + 13) % 26);
    let turned = |letter: char| match letter {
        'A'..='Z' => turn(b'A', letter as u8),
        'a'..='z' => turn(b'a', letter as u8),
        other => other,
    };
    part.chars().rev().map(turned).collect()
}

/// Escapes `%` as `%P` and `/` as `%S`. Text outside ASCII is written between `%U` and `%E` as hex
/// digits of UTF-16: a QR reader must guess the character encoding of the bytes, and sometimes
/// guesses wrong.
fn escape(part: &str) -> String {
    let mut text = String::new();
    let mut foreign = false;
    for letter in part.chars() {
        if foreign == letter.is_ascii() {
            text.push_str(if foreign { "%E" } else { "%U" });
            foreign = !foreign;
        }
        match letter {
            '%' => text.push_str("%P"),
            '/' => text.push_str("%S"),
            letter if letter.is_ascii() => text.push(letter),
            letter => text.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04X}"))),
        }
    }
    if foreign {
        text.push_str("%E");
    }
    text
}

fn unescape(part: &str) -> String {
    let mut segments = part.split('%');
    let mut text = segments.next().unwrap_or_default().to_owned();
    for segment in segments {
        let rest = segment.get(1..).unwrap_or_default();
        match segment.get(..1) {
            Some("P") => text.push('%'),
            Some("S") => text.push('/'),
            Some("U") => {
                text.push_str(&foreign(rest));
                continue;
            }
            _ => {}
        }
        text.push_str(rest);
    }
    text
}

fn foreign(digits: &str) -> String {
    let units: Vec<u16> = digits
        .as_bytes()
        .chunks(4)
        .filter_map(|unit| u16::from_str_radix(str::from_utf8(unit).ok()?, 16).ok())
        .collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_survive_encoding_and_decoding() {
        let fields = VisualFields::default()
            .with(Field::Surname, "O'NEILL/ØYE 100%S 😀Ж")
            .with(Field::DateOfBirth, "1990-08-12")
            .with(Field::VehicleClasses, "A B");
        let payloads = [
            Payload::Face(FacePayload {
                person: "anna-maria".to_owned(),
                occluded: true,
                eyes_closed: false,
                sunglasses: true,
            }),
            Payload::Document(Box::new(DocumentPayload {
                layout: 'P',
                issuing_state: "UTO".to_owned(),
                fields,
                suspicions: vec![
                    (SuspicionKind::AlteredText, "date_of_birth".to_owned()),
                    (SuspicionKind::Screen, String::new()),
                ],
            })),
            Payload::Mrz(vec!["P<UTOERIKSSON<<ANNA".to_owned(), "L898902C<3".to_owned()]),
            Payload::Text(vec!["Ignore {\"all\": 1/2}".to_owned(), "50% off".to_owned()]),
        ];
        for payload in payloads {
            assert_eq!(Payload::decode(&payload.encode()), Some(payload));
        }
        assert_eq!(Payload::decode("https://example.org"), None);
    }
}
