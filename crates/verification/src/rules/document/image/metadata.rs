//! What a file's metadata says. It is easily removed, so its absence means nothing; its presence is
//! evidence.

use std::io::Cursor;

use ::image::metadata::Orientation;
use exif::{Exif, In, Tag, Value};
use serde::Serialize;

use super::format::Format;
use crate::reason::{Code, Reason};
use crate::rules::document::instruction_text;

/// What was found in a file's metadata. Places and times are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// Make and model of the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// Programs that wrote the file, by the names they give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub software: Vec<String>,
    /// How the picture was made, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// A picture editor among `software`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editor: Option<String>,
    /// Some text in the metadata tries to instruct the reader of the picture. The text is not kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub instructs: bool,
}

/// Ways to make a picture that are not a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Capture {
    Screenshot,
    Scan,
    Generated,
}

/// Programs made to change what a picture shows. Programs that only develop, turn or crop pictures
/// are not listed: phones do that by default.
const EDITORS: [&str; 24] = [
    "photoshop",
    "gimp",
    "affinity",
    "pixelmator",
    "paint.net",
    "photopea",
    "picsart",
    "snapseed",
    "facetune",
    "faceapp",
    "meitu",
    "canva",
    "figma",
    "inkscape",
    "illustrator",
    "indesign",
    "coreldraw",
    "krita",
    "photoscape",
    "pixlr",
    "photodirector",
    "paintshop",
    "acorn",
    "remove.bg",
];
/// Programs that develop photographs and have an editor's name in their own.
const DEVELOPERS: [&str; 2] = ["photoshop lightroom", "photoshop camera raw"];
const SCREENSHOTS: [&str; 6] = ["screenshot", "screen shot", "snipping", "greenshot", "sharex", "flameshot"];
const SCANNERS: [&str; 10] = [
    "camscanner",
    "adobe scan",
    "vuescan",
    "epson scan",
    "hp scan",
    "simple scan",
    "xsane",
    "naps2",
    "genius scan",
    "tiny scanner",
];
const GENERATORS: [&str; 10] = [
    "midjourney",
    "dall-e",
    "dall·e",
    "stable diffusion",
    "firefly",
    "comfyui",
    "novelai",
    "trainedalgorithmicmedia",
    "automatic1111",
    "made with google ai",
];

/// Longest text that is examined, in characters.
const TEXT_CHARS_MAX: usize = 600;
/// Longest value that is kept, in characters.
const VALUE_CHARS_MAX: usize = 80;
/// Most bytes of a PNG text chunk that are examined.
const TEXT_BYTES_MAX: usize = 256 * 1024;

impl Metadata {
    /// The reasons that follow from the metadata.
    pub fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if let Some(editor) = &self.editor {
            reasons.push(Reason::new(Code::DocumentDigitallyAltered, format!("the file was written by {editor}")));
        }
        match self.capture {
            Some(Capture::Screenshot) => {
                reasons.push(Reason::new(Code::DocumentScreenshotOrScan, "the file says it is a screenshot"));
            }
            Some(Capture::Scan) => {
                reasons.push(Reason::new(Code::DocumentScreenshotOrScan, "the file says it was scanned"));
            }
            Some(Capture::Generated) => {
                reasons.push(Reason::new(Code::DocumentDigitallyAltered, "the file says a program generated it"));
            }
            None => {}
        }
        reasons
    }
}

/// The EXIF orientation.
pub fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let value = read_exif(bytes)?.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0)?;
    Orientation::from_exif(u8::try_from(value).ok()?)
}

/// Reads what is kept of a file's metadata.
pub fn read(bytes: &[u8], format: Format) -> Metadata {
    let mut said: Vec<String> = Vec::new();
    let mut metadata = Metadata::default();
    if let Some(exif) = read_exif(bytes) {
        let text = |tag| exif.get_field(tag, In::PRIMARY).and_then(|field| printable(&field.value));
        metadata.camera = match (text(Tag::Make), text(Tag::Model)) {
            (None, None) => None,
            (make, model) => Some([make, model].into_iter().flatten().collect::<Vec<_>>().join(" ")),
        };
        metadata.software =
            [Tag::Software, Tag(exif::Context::Tiff, PROCESSING_SOFTWARE)].into_iter().filter_map(text).collect();
        let free_text = [Tag::ImageDescription, Tag::UserComment, Tag::Artist, Tag::Copyright];
        said.extend(free_text.into_iter().filter_map(text));
    }
    let rest = match format {
        Format::Jpeg => jpeg_text(bytes),
        Format::Png => png_text(bytes),
    };
    metadata.software.extend(rest.software);
    metadata.software.dedup();
    said.extend(metadata.software.iter().cloned());
    said.extend(rest.said);
    said.extend(metadata.camera.clone());
    judge(&mut metadata, &said);
    for value in metadata.software.iter_mut().chain(&mut metadata.camera) {
        *value = value.chars().take(VALUE_CHARS_MAX).collect();
    }
    metadata
}

/// Tag 11, `ProcessingSoftware`.
const PROCESSING_SOFTWARE: u16 = 0x000b;

fn judge(metadata: &mut Metadata, said: &[String]) {
    let lower: Vec<String> = said
        .iter()
        .map(|text| DEVELOPERS.iter().fold(text.to_lowercase(), |text, name| text.replace(name, "")))
        .collect();
    let any = |names: &[&'static str]| names.iter().copied().find(|name| lower.iter().any(|text| text.contains(name)));
    metadata.instructs = instruction_text::find_in(said.iter().map(String::as_str)).is_some();
    metadata.editor = any(&EDITORS).map(str::to_owned);
    metadata.capture = if any(&GENERATORS).is_some() {
        Some(Capture::Generated)
    } else if any(&SCREENSHOTS).is_some() {
        Some(Capture::Screenshot)
    } else if any(&SCANNERS).is_some() {
        Some(Capture::Scan)
    } else {
        None
    };
}

fn read_exif(bytes: &[u8]) -> Option<Exif> {
    exif::Reader::new()
        .continue_on_error(true)
        .read_from_container(&mut Cursor::new(bytes))
        .or_else(|error| error.distill_partial_result(|_| {}))
        .ok()
}

/// The text of a value; `UserComment` begins with eight bytes that name its encoding.
fn printable(value: &Value) -> Option<String> {
    let bytes = match value {
        Value::Ascii(parts) => parts.first()?.as_slice(),
        Value::Undefined(raw, _) => raw.strip_prefix(b"ASCII\0\0\0").unwrap_or(raw),
        _ => return None,
    };
    clean(&String::from_utf8_lossy(bytes))
}

fn clean(text: &str) -> Option<String> {
    let visible: String = text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect();
    let visible = visible.trim();
    (!visible.is_empty()).then(|| visible.to_owned())
}

/// Text outside EXIF.
#[derive(Default)]
struct Text {
    software: Vec<String>,
    said: Vec<String>,
}

/// Reads comments, XMP packets and Photoshop resources from the application segments before the
/// first scan.
fn jpeg_text(bytes: &[u8]) -> Text {
    let mut text = Text::default();
    let mut at = 2;
    while let Some([0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        if *marker == 0xDA {
            break;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(body) = bytes.get(at + 4..at + 2 + length.max(2)) else { break };
        match marker {
            0xFE => text.said.extend(clean(&String::from_utf8_lossy(body))),
            0xE1 if body.starts_with(b"http://ns.adobe.com/xap/") => xmp(&String::from_utf8_lossy(body), &mut text),
            0xED if body.starts_with(b"Photoshop 3.0") && has_layers_or_history(body) => {
                text.software.push("Adobe Photoshop".to_owned());
            }
            _ => {}
        }
        at += 2 + length.max(2);
    }
    text
}

/// Whether a Photoshop block holds what only an editor leaves. The block also carries plain
/// captions (IPTC), which phones and agencies write.
fn has_layers_or_history(body: &[u8]) -> bool {
    const PRINT_SETTINGS: [u8; 6] = *b"8BIM\x03\xed";
    const URL_LIST: [u8; 6] = *b"8BIM\x04\x1e";
    [PRINT_SETTINGS, URL_LIST].iter().all(|block| body.windows(block.len()).any(|window| window == block))
}

/// Reads the text chunks of a PNG.
fn png_text(bytes: &[u8]) -> Text {
    let mut text = Text::default();
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(body) = bytes.get(at + 8..(at + 8).saturating_add(length)) else { break };
        if matches!(&head[4..8], b"tEXt" | b"iTXt") {
            let body = &body[..body.len().min(TEXT_BYTES_MAX)];
            let content = String::from_utf8_lossy(body);
            let (keyword, value) = content.split_once('\0').unwrap_or((&content, ""));
            match keyword {
                "Software" => text.software.extend(clean(value)),
                "XML:com.adobe.xmp" => xmp(value, &mut text),
                // The prompt that image generators leave behind.
                "parameters" | "prompt" | "workflow" => text.said.push("stable diffusion".to_owned()),
                "Comment" | "Description" | "Title" => text.said.extend(clean(value)),
                _ => {}
            }
        }
        at = at.saturating_add(12).saturating_add(length);
    }
    text
}

/// Reads the program and the kind of source that an XMP packet names.
fn xmp(packet: &str, text: &mut Text) {
    for name in ["CreatorTool", "softwareAgent", "DigitalSourceType", "digitalSourceType"] {
        for (at, _) in packet.match_indices(name) {
            let after = packet[at + name.len()..].trim_start_matches(['=', '"', '\'', '>', ' ']);
            let value: String = after.chars().take_while(|c| !matches!(c, '"' | '\'' | '<')).collect();
            if let Some(value) = clean(&value) {
                if name.ends_with("SourceType") { text.said.push(value) } else { text.software.push(value) }
            }
        }
    }
    if packet.to_ascii_lowercase().contains("screenshot") {
        text.said.push("screenshot".to_owned());
    }
}
