//! Simulated vision: what a provider's model would find in a picture, from its pixels alone.
//!
//! Specimens carry small QR codes that state what they print and whom they show (see
//! `specimen::payload`). Vision decodes those codes, computes where in the picture each printed
//! field and each face lies, and then measures the pixels there. A code that is too blurred, too
//! small or cut off states nothing, and a field under glare or outside the picture is not read: the
//! answer degrades as a reader's would. File names, metadata and the request around the picture
//! play no part.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "pixels: coordinates are small numbers, and nothing is lost that a pixel could show"
)]

mod affine;
mod codes;
mod detected;
mod measure;
mod template_match;

use image::{DynamicImage, GrayImage, ImageDecoder as _, ImageReader};
use std::io::Cursor;

use crate::specimen::layout::{Design, Layout, MrzZone};
use crate::specimen::paint::{Point, Rect};
use crate::specimen::payload::{DocumentPayload, FacePayload, Payload};
use crate::specimen::person::{BADGE, FACE};
use crate::specimen::value::{printed, value_style};
use crate::vocabulary::{SuspicionKind, VisualFields};
use affine::AffineMap;
use codes::FoundCode;
pub use detected::{Analysis, BoundingBox, DetectedDocument, DetectedFace, Suspicion, VisionError};

/// Least share of a face that must lie in the picture.
const FACE_VISIBLE_MIN: f32 = 0.7;
/// Share of overexposed pixels above which a face is not detected.
const FACE_OVEREXPOSED_MAX: f32 = 0.35;
/// Share of the page above which it counts as complete; the map is not exact to the pixel.
const PAGE_VISIBLE_MIN: f32 = 0.97;
/// Height of capital letters, as a share of an em.
const CAPITALS: f32 = 0.70;

/// Analyses a JPEG or PNG.
pub fn analyse(bytes: &[u8]) -> Result<Analysis, VisionError> {
    let picture = open(bytes)?;
    let light = picture.to_luma8();
    let found = codes::find(&light);
    let mut faces: Vec<DetectedFace> = found.iter().filter_map(|found| face(&light, found)).collect();
    faces.sort_by(|a, b| (b.bounds.width * b.bounds.height).total_cmp(&(a.bounds.width * a.bounds.height)));
    let document = document(&light, &found).or_else(|| template_match::best_match(&picture).map(unreadable));
    Ok(Analysis { width: light.width(), height: light.height(), faces, document })
}

fn open(bytes: &[u8]) -> Result<DynamicImage, VisionError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| VisionError::UnknownFormat)?;
    if reader.format().is_none() {
        return Err(VisionError::UnknownFormat);
    }
    let mut decoder = reader.into_decoder().map_err(VisionError::Undecodable)?;
    let orientation = decoder.orientation().map_err(VisionError::Undecodable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(VisionError::Undecodable)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The face above a badge, unless it lies outside the picture or under glare.
fn face(light: &GrayImage, found: &FoundCode) -> Option<DetectedFace> {
    let Payload::Face(FacePayload { person, occluded, eyes_closed, sunglasses }) = &found.payload else {
        return None;
    };
    let map = AffineMap::fit(&pairs(BADGE, found))?;
    let region = map.bounds(FACE);
    if measure::inside(light, region) < FACE_VISIBLE_MIN {
        return None;
    }
    let quality = measure::face(light, region);
    if quality.overexposed > FACE_OVEREXPOSED_MAX {
        return None;
    }
    Some(DetectedFace {
        person: person.clone(),
        bounds: bounding_box(light, region),
        sharpness: quality.sharpness,
        brightness: quality.brightness,
        occluded: *occluded,
        eyes_open: !eyes_closed,
        sunglasses: *sunglasses,
    })
}

/// A rectangle of pixels as ratios, clamped to the picture.
fn bounding_box(light: &GrayImage, region: Rect) -> BoundingBox {
    let (width, height) = (light.width() as f32, light.height() as f32);
    let (left, top) = ((region.x / width).clamp(0.0, 1.0), (region.y / height).clamp(0.0, 1.0));
    let right = ((region.x + region.w) / width).clamp(left, 1.0);
    let bottom = ((region.y + region.h) / height).clamp(top, 1.0);
    BoundingBox { left, top, width: right - left, height: bottom - top }
}

/// The document whose visual zone one of the codes states.
fn document(light: &GrayImage, found: &[FoundCode]) -> Option<DetectedDocument> {
    let (payload, design) = found.iter().find_map(|found| match &found.payload {
        Payload::Document(payload) => Some((payload, Design::of_letter(payload.layout)?)),
        _ => None,
    })?;
    let layout = design.layout();
    let map = AffineMap::fit(&known_places(layout, found))?;
    let (mut mrz_lines, mut extra_text) = (Vec::new(), Vec::new());
    for found in found {
        match &found.payload {
            Payload::Mrz(lines) => mrz_lines.clone_from(lines),
            Payload::Text(lines) => extra_text.extend(lines.iter().cloned()),
            Payload::Document(_) | Payload::Face(_) => {}
        }
    }
    if !layout.mrz.is_some_and(|zone| mrz_legible(light, &map, &zone, &mrz_lines)) {
        mrz_lines.clear();
    }
    Some(DetectedDocument {
        document_type: design.document_type(),
        side: design.side(),
        issuing_state: Some(payload.issuing_state.clone()).filter(|state| !state.is_empty()),
        fields: legible_fields(light, &map, layout, payload),
        mrz_lines,
        extra_text,
        wholly_visible: measure::inside(light, map.bounds(layout.page)) > PAGE_VISIBLE_MIN,
        suspicions: payload.suspicions.iter().map(|(kind, place)| suspicion(*kind, place)).collect(),
    })
}

/// The corners of the codes that have a fixed place in a design: in the design and in the picture.
fn known_places(layout: &Layout, found: &[FoundCode]) -> Vec<(Point, Point)> {
    let mut places = Vec::new();
    for found in found {
        match (&found.payload, layout.mrz_code) {
            (Payload::Document(_), _) => places.extend(pairs(layout.data_code, found)),
            (Payload::Mrz(_), Some(code)) => places.extend(pairs(code, found)),
            (Payload::Text(_), _) => places.extend(pairs(layout.text_code, found)),
            (Payload::Mrz(_), None) | (Payload::Face(_), _) => {}
        }
    }
    places
}

fn pairs(code: Rect, found: &FoundCode) -> [(Point, Point); 4] {
    let corners = code.corners();
    [0, 1, 2, 3].map(|corner| (corners[corner], found.corners[corner]))
}

/// The stated fields, without those that are not legible in this picture.
fn legible_fields(light: &GrayImage, map: &AffineMap, layout: &Layout, payload: &DocumentPayload) -> VisualFields {
    let mut fields = VisualFields::default();
    for slot in layout.slots {
        let Some(value) = payload.fields.get(slot.field) else { continue };
        let text = printed(slot.field, value);
        let style = value_style(layout, slot, &text);
        let height = style.size * CAPITALS;
        let line = Rect::new(slot.x, slot.y + layout.drop - height, style.width(&text), height);
        if measure::legible(light, map.bounds(line)) {
            fields.set(slot.field, Some(value));
        }
    }
    fields
}

fn mrz_legible(light: &GrayImage, map: &AffineMap, zone: &MrzZone, lines: &[String]) -> bool {
    let height = zone.size * CAPITALS;
    (0u8..).zip(lines).all(|(row, line)| {
        let y = zone.y + f32::from(row) * zone.leading - height;
        measure::legible(light, map.bounds(Rect::new(zone.x, y, zone.pitch * line.len() as f32, height)))
    })
}

/// A document of which only the design is recognised.
fn unreadable(design: Design) -> DetectedDocument {
    DetectedDocument {
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
