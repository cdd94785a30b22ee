//! The sandbox's eyes: what a provider's model would see in a picture, read from its pixels alone.
//!
//! Specimens state in small square codes what they print and whom they show (see `specimen::mark`); the eyes read those codes, find out
//! where in the picture each printed field and each face lies, and then look at the pixels there. A code that is too blurred, too
//! small or cut off says nothing, and a field that lies under glare or outside the picture is not read: the answer degrades
//! as a reader's would. File names, metadata and the request around the picture play no part.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "pixels: coordinates are small numbers, and nothing is lost that a pixel could show"
)]

mod codes;
pub mod fields;
mod frame;
mod looks;
mod measure;

use image::{DynamicImage, GrayImage, ImageDecoder as _, ImageReader};
use serde::Serialize;
use std::io::Cursor;

use crate::specimen::document::{printed, value_style};
use crate::specimen::layout::{Design, Layout, MrzZone};
use crate::specimen::mark::{DocumentMark, FaceMark, Mark};
use crate::specimen::paint::{Point, Rect};
use crate::specimen::person::{BADGE, FACE};
use codes::FoundMark;
use fields::VisualFields;
use frame::Frame;

/// Least share of a face that must lie in the picture.
const MOST_OF_A_FACE: f32 = 0.7;
/// Share of burnt-out pixels from which nobody sees a face any more.
const BURNT_FACE: f32 = 0.35;
/// Share of the page from which it counts as complete; the frame is not exact to the pixel.
const WHOLLY_VISIBLE: f32 = 0.97;
/// Height of capital letters, of an em.
const CAPITALS: f32 = 0.70;

/// Everything seen in one picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// Pixels across, after the file's own orientation was applied.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Faces, the largest first.
    pub faces: Vec<SeenFace>,
    /// The document, if the picture shows one that can be recognised.
    pub document: Option<SeenDocument>,
}

/// A rectangle as ratios of the picture's width and height, each 0..1 and inside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Place {
    /// Distance of the left edge.
    pub left: f32,
    /// Distance of the top edge.
    pub top: f32,
    /// Extent to the right.
    pub width: f32,
    /// Extent downwards.
    pub height: f32,
}

/// One face.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenFace {
    /// Who it is: a slug such as `anna`. Two faces are alike exactly if these are equal.
    pub person: String,
    /// Where.
    pub place: Place,
    /// 0 (smeared) to 100 (crisp), measured on the face's pixels.
    pub sharpness: f32,
    /// 0 (black) to 100 (white), measured on the face's pixels.
    pub brightness: f32,
    /// Something covers a part of it.
    pub occluded: bool,
    /// Both eyes are open (true behind sunglasses, where nobody can tell).
    pub eyes_open: bool,
    /// Wears dark glasses.
    pub sunglasses: bool,
}

/// A document and what is printed on the side that is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenDocument {
    /// What it is.
    pub document_type: DocumentType,
    /// Which side of it.
    pub side: Side,
    /// Three-letter code of the issuing state, if readable.
    pub issuing_state: Option<String>,
    /// The visual zone.
    pub fields: VisualFields,
    /// The machine-readable zone line by line, exactly as printed; empty if there is none or it cannot be read.
    pub mrz_lines: Vec<String>,
    /// Any other text that is printed on it.
    pub extra_text: Vec<String>,
    /// Nothing of it lies outside the picture.
    pub wholly_visible: bool,
    /// What looks wrong.
    pub suspicions: Vec<Suspicion>,
}

/// Kinds of document that people are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// The data page of a passport.
    Passport,
    /// An identity card.
    IdentityCard,
    /// A driving licence.
    DrivingLicence,
}

/// Side of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The side with the portrait.
    Front,
    /// The other one.
    Back,
}

/// One thing that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspicion {
    /// What it suggests.
    pub kind: SuspicionKind,
    /// Where on the document, in words.
    pub place: String,
    /// Why, in words.
    pub reason: String,
}

/// What a suspicion suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspicionKind {
    /// A photograph of a display.
    Screen,
    /// A photograph of a print-out.
    PrintedCopy,
    /// A field was printed over.
    AlteredText,
    /// The portrait was exchanged.
    AlteredPortrait,
    /// The layout is not that of a genuine document.
    Template,
}

/// Why a picture was not looked at.
#[derive(Debug, thiserror::Error)]
pub enum EyesError {
    /// The bytes are neither a JPEG nor a PNG.
    #[error("the bytes are neither a JPEG nor a PNG picture")]
    UnknownFormat,
    /// The picture has no pixels that could be decoded.
    #[error("the picture cannot be decoded")]
    Undecodable(#[source] image::ImageError),
}

/// Looks at a JPEG or PNG.
pub fn look(bytes: &[u8]) -> Result<Seen, EyesError> {
    let picture = open(bytes)?;
    let light = picture.to_luma8();
    let found = codes::find(&light);
    let mut faces: Vec<SeenFace> = found.iter().filter_map(|found| face(&light, found)).collect();
    faces.sort_by(|a, b| (b.place.width * b.place.height).total_cmp(&(a.place.width * a.place.height)));
    let document = document(&light, &found).or_else(|| looks::recognise(&picture).map(unreadable));
    Ok(Seen { width: light.width(), height: light.height(), faces, document })
}

fn open(bytes: &[u8]) -> Result<DynamicImage, EyesError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| EyesError::UnknownFormat)?;
    if reader.format().is_none() {
        return Err(EyesError::UnknownFormat);
    }
    let mut decoder = reader.into_decoder().map_err(EyesError::Undecodable)?;
    let orientation = decoder.orientation().map_err(EyesError::Undecodable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(EyesError::Undecodable)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The face above a badge, unless it lies outside the picture or under a glare.
fn face(light: &GrayImage, found: &FoundMark) -> Option<SeenFace> {
    let Mark::Face(FaceMark { person, occluded, eyes_closed, sunglasses }) = &found.mark else {
        return None;
    };
    let frame = Frame::fitting(&pairs(BADGE, found))?;
    let region = frame.bounds(FACE);
    if measure::inside(light, region) < MOST_OF_A_FACE {
        return None;
    }
    let quality = measure::face(light, region);
    if quality.burnt > BURNT_FACE {
        return None;
    }
    Some(SeenFace {
        person: person.clone(),
        place: place(light, region),
        sharpness: quality.sharpness,
        brightness: quality.brightness,
        occluded: *occluded,
        eyes_open: !eyes_closed,
        sunglasses: *sunglasses,
    })
}

/// A rectangle of pixels as ratios, cut to the picture.
fn place(light: &GrayImage, region: Rect) -> Place {
    let (width, height) = (light.width() as f32, light.height() as f32);
    let (left, top) = ((region.x / width).clamp(0.0, 1.0), (region.y / height).clamp(0.0, 1.0));
    let right = ((region.x + region.w) / width).clamp(left, 1.0);
    let bottom = ((region.y + region.h) / height).clamp(top, 1.0);
    Place { left, top, width: right - left, height: bottom - top }
}

/// The document whose visual zone one of the codes states.
fn document(light: &GrayImage, found: &[FoundMark]) -> Option<SeenDocument> {
    let (mark, design) = found.iter().find_map(|found| match &found.mark {
        Mark::Document(mark) => Some((mark, Design::of_letter(mark.layout)?)),
        _ => None,
    })?;
    let layout = design.layout();
    let frame = Frame::fitting(&known_places(layout, found))?;
    let (mut mrz_lines, mut extra_text) = (Vec::new(), Vec::new());
    for found in found {
        match &found.mark {
            Mark::Mrz(lines) => mrz_lines.clone_from(lines),
            Mark::Text(lines) => extra_text.extend(lines.iter().cloned()),
            Mark::Document(_) | Mark::Face(_) => {}
        }
    }
    if !layout.mrz.is_some_and(|zone| mrz_legible(light, &frame, &zone, &mrz_lines)) {
        mrz_lines.clear();
    }
    Some(SeenDocument {
        document_type: design.document_type(),
        side: design.side(),
        issuing_state: Some(mark.issuing_state.clone()).filter(|state| !state.is_empty()),
        fields: legible_fields(light, &frame, layout, mark),
        mrz_lines,
        extra_text,
        wholly_visible: measure::inside(light, frame.bounds(layout.page)) > WHOLLY_VISIBLE,
        suspicions: mark.suspicions.iter().map(|(kind, place)| suspicion(*kind, place)).collect(),
    })
}

/// Corners of the codes that stand at fixed places of a design.
fn known_places(layout: &Layout, found: &[FoundMark]) -> Vec<(Point, Point)> {
    let mut places = Vec::new();
    for found in found {
        match (&found.mark, layout.mrz_code) {
            (Mark::Document(_), _) => places.extend(pairs(layout.data_code, found)),
            (Mark::Mrz(_), Some(code)) => places.extend(pairs(code, found)),
            (Mark::Text(_), _) => places.extend(pairs(layout.text_code, found)),
            (Mark::Mrz(_), None) | (Mark::Face(_), _) => {}
        }
    }
    places
}

fn pairs(code: Rect, found: &FoundMark) -> [(Point, Point); 4] {
    let corners = code.corners();
    [0, 1, 2, 3].map(|corner| (corners[corner], found.corners[corner]))
}

/// The stated fields, without those that cannot be read in this picture.
fn legible_fields(light: &GrayImage, frame: &Frame, layout: &Layout, mark: &DocumentMark) -> VisualFields {
    let mut fields = VisualFields::default();
    for slot in layout.slots {
        let Some(value) = mark.fields.get(slot.field) else { continue };
        let text = printed(slot.field, value);
        let style = value_style(layout, slot, &text);
        let height = style.size * CAPITALS;
        let line = Rect::new(slot.x, slot.y + layout.drop - height, style.width(&text), height);
        if measure::legible(light, frame.bounds(line)) {
            fields.set(slot.field, Some(value));
        }
    }
    fields
}

fn mrz_legible(light: &GrayImage, frame: &Frame, zone: &MrzZone, lines: &[String]) -> bool {
    let height = zone.size * CAPITALS;
    (0u8..).zip(lines).all(|(row, line)| {
        let y = zone.y + f32::from(row) * zone.leading - height;
        measure::legible(light, frame.bounds(Rect::new(zone.x, y, zone.pitch * line.len() as f32, height)))
    })
}

/// A document of which nothing but its kind can be told.
fn unreadable(design: Design) -> SeenDocument {
    SeenDocument {
        document_type: design.document_type(),
        side: design.side(),
        issuing_state: None,
        fields: VisualFields::default(),
        mrz_lines: Vec::new(),
        extra_text: Vec::new(),
        wholly_visible: true,
        suspicions: Vec::new(),
    }
}

fn suspicion(kind: SuspicionKind, place: &str) -> Suspicion {
    let (everywhere, reason) = match kind {
        SuspicionKind::Screen => ("whole picture", "moiré pattern, pixel grid and the frame of a display"),
        SuspicionKind::PrintedCopy => ("whole picture", "halftone dots, faded colours and a fold in plain paper"),
        SuspicionKind::AlteredText => {
            ("a field", "type and baseline differ from the other fields, on a patch of flat paper")
        }
        SuspicionKind::AlteredPortrait => {
            ("portrait", "the photograph's paper has an edge and a shadow and overlaps its frame")
        }
        SuspicionKind::Template => {
            ("whole document", "no security printing, and type that the genuine document does not use")
        }
    };
    let place = if place.is_empty() { everywhere } else { place };
    Suspicion { kind, place: place.to_owned(), reason: reason.to_owned() }
}
