//! Draws one side of a document: the blank, then what the specimen states, then the codes that
//! state the same.

use image::RgbImage;

use super::blank::{PAPER, blank, empty_desk, print_blank};
use super::content::Content;
use super::definition::{ForeignText, Specimen, TextStyle};
use super::flaw::FlawKind;
use super::layout::{Design, Layout, MrzZone, Slot};
use super::paint::{Painter, Rect, lit, mix, smooth};
use super::payload::{DocumentPayload, Payload};
use super::person::{self, Pose};
use super::rng::Rng;
use super::text::{Face, Style};
use super::value::{INK, printed, value_style};
use super::{aamva, photo, qr};
use crate::vocabulary::{Side, VisualFields};

/// Why a specimen cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum SpecimenError {
    #[error(
        "the texts of one code have {bytes} bytes and more than {at_most} cannot be decoded after re-encoding: shorten them"
    )]
    TooMuchText {
        /// Length of the text.
        bytes: usize,
        at_most: usize,
    },
}

/// Draws one side.
pub fn draw(specimen: &Specimen, content: &Content, design: Design) -> Result<RgbImage, SpecimenError> {
    let layout = design.layout();
    if specimen.has(FlawKind::NotADocument) {
        return Ok(photo::take(specimen, layout, empty_desk(layout)));
    }
    let fields = match design.side() {
        Side::Front => &content.front,
        Side::Back => &content.back,
    };
    let mut picture = if specimen.has(FlawKind::Template) { print_blank(design, false) } else { blank(design).clone() };
    let mut sheet = Sheet { painter: Painter::new(&mut picture), specimen, layout, design };
    sheet.portrait();
    sheet.values(fields);
    sheet.signature();
    if let Some(zone) = &layout.mrz {
        sheet.mrz(zone, &content.mrz);
    }
    if let (Some(rect), Some(text)) = (layout.barcode, &content.barcode) {
        sheet.barcode(rect, text);
    }
    sheet.texts();
    sheet.codes(fields, content)?;
    Ok(photo::take(specimen, layout, picture))
}

struct Sheet<'a> {
    painter: Painter<'a>,
    specimen: &'a Specimen,
    layout: &'static Layout,
    design: Design,
}

impl Sheet<'_> {
    fn portrait(&mut self) {
        let Some(frame) = self.layout.portrait else { return };
        let specimen = self.specimen;
        if specimen.has(FlawKind::NoPortrait) {
            return;
        }
        let pose = Pose {
            occluded: specimen.has(FlawKind::Masked),
            eyes_closed: specimen.has(FlawKind::EyesClosed),
            sunglasses: specimen.has(FlawKind::Sunglasses),
        };
        let named =
            |kind, otherwise: &str| specimen.flaw(kind).map(|flaw| flaw.value.clone().unwrap_or(otherwise.to_owned()));
        let person = named(FlawKind::OtherPortrait, "bob").unwrap_or_else(|| specimen.person.clone());
        self.backdrop(frame);
        self.painter.clip(frame);
        if let Some(other) = named(FlawKind::TwoFaces, "bob") {
            // The other person stands behind, so that neither face and neither badge hides the
            // other.
            let scale = frame.w * 0.70 / person::FIGURE_WIDTH;
            let y = frame.y + frame.h - person::FIGURE_HEIGHT * scale;
            let both = [
                (&other, Pose::default(), (frame.x, y - frame.h * 0.31)),
                (&person, pose, (frame.x + frame.w * 0.30, y)),
            ];
            for (person, pose, origin) in both {
                person::draw_figure(&mut self.painter, person, pose, origin, scale);
            }
            for (person, pose, origin) in both {
                person::draw_badge(&mut self.painter, person, pose, origin, scale);
            }
        } else {
            let scale = frame.w / person::FIGURE_WIDTH;
            person::draw(&mut self.painter, &person, pose, (frame.x, frame.y), scale);
        }
        self.painter.unclip();
        if let Some(other) = named(FlawKind::AlteredPortrait, "bob") {
            self.pasted_portrait(frame, &other, pose);
        }
    }

    fn backdrop(&mut self, frame: Rect) {
        let palette = self.design.palette();
        self.painter.rect(frame.grown(3.0), lit(palette.heading, 1.3), 0.55);
        self.painter.gradient(frame, [214, 223, 231], [190, 200, 212]);
    }

    /// Draws another photograph over the portrait: displaced, larger than the frame, with the edge
    /// of its paper visible.
    fn pasted_portrait(&mut self, frame: Rect, person: &str, pose: Pose) {
        let paper = Rect::new(frame.x - 9.0, frame.y + 7.0, frame.w + 6.0, frame.h + 10.0);
        self.painter.rect(Rect::new(paper.x + 5.0, paper.y + 6.0, paper.w, paper.h), [30, 30, 36], 0.35);
        self.painter.rect(paper, [250, 249, 244], 1.0);
        let inner = paper.grown(-6.0);
        self.painter.gradient(inner, [236, 222, 204], [214, 196, 176]);
        self.painter.clip(inner);
        person::draw(&mut self.painter, person, pose, (inner.x, inner.y), inner.w / person::FIGURE_WIDTH);
        self.painter.unclip();
    }

    fn values(&mut self, fields: &VisualFields) {
        let layout = self.layout;
        let altered = self.specimen.has(FlawKind::AlteredText).then(|| self.specimen.altered_field());
        for slot in layout.slots {
            let Some(value) = fields.get(slot.field) else { continue };
            let text = printed(slot.field, value);
            let at = (slot.x, slot.y + layout.drop);
            let mut style = value_style(layout, slot, &text);
            if self.specimen.has(FlawKind::Template) {
                style = Style { face: Face::Mono, ..style }.fitting(&text, slot.width);
            }
            if altered == Some(slot.field) {
                self.alter_value(slot, style, &text);
            } else {
                style.draw(&mut self.painter, at, &text);
            }
        }
        if let Some((x, y)) = layout.state {
            let style = Style::new(Face::Sans, layout.value_size, INK).bold(1.1);
            style.draw(&mut self.painter, (x, y + layout.drop), &self.specimen.issuer);
        }
    }

    /// Draws a patch of plain paper over the old value, and the new value in another typeface, off
    /// its line.
    fn alter_value(&mut self, slot: &Slot, style: Style, text: &str) {
        let layout = self.layout;
        let style = Style { face: Face::Mono, bold: 0.0, colour: [8, 8, 10], ..style }.fitting(text, slot.width);
        let baseline = slot.y + layout.drop;
        let patch =
            Rect::new(slot.x - 8.0, baseline - layout.value_size, style.width(text) + 22.0, layout.value_size * 1.36);
        self.painter.rect(patch, [249, 248, 244], 0.96);
        style.draw(&mut self.painter, (slot.x + 3.0, baseline + 3.0), text);
    }

    fn signature(&mut self) {
        let Some(rect) = self.layout.signature else { return };
        let mut rng = Rng::from_text(&format!("{}{}", self.specimen.surname, self.specimen.given_names));
        let letters = (self.specimen.surname.chars().count() + 3).min(12);
        let step = (rect.w - 90.0) / letters as f32;
        let base = rect.y + rect.h * 0.58;
        let mut through = Vec::new();
        for letter in 0..letters {
            let x = rect.x + 40.0 + letter as f32 * step;
            let tall = if letter == 0 || rng.below(4) == 0 { 48.0 } else { 18.0 };
            through.push((x + rng.between(-3.0, 3.0), base - tall * rng.between(0.7, 1.1)));
            through.push((x + step * 0.45, base + rng.between(-2.0, 9.0)));
        }
        let points = smooth(&through, 7);
        let last = points.len() as f32;
        let line: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(at, &point)| (point, 2.6 + (at as f32 / last * 40.0).sin() * 1.0))
            .collect();
        for stroke in line.windows(3) {
            self.painter.ribbon(stroke, [30, 38, 92], 0.85);
        }
    }

    fn mrz(&mut self, zone: &MrzZone, lines: &[String]) {
        let style = Style::new(Face::Mono, zone.size, [12, 12, 14]);
        let advance = style.width("<");
        for (row, line) in lines.iter().enumerate() {
            for (column, letter) in line.chars().enumerate() {
                let x = zone.x + column as f32 * zone.pitch + (zone.pitch - advance) / 2.0;
                style.letter(&mut self.painter, (x, zone.y + row as f32 * zone.leading), letter);
            }
        }
    }

    fn barcode(&mut self, rect: Rect, text: &str) {
        aamva::draw(&mut self.painter, text, rect);
        if self.specimen.has(FlawKind::BrokenBarcode) {
            let (top, bottom) = (rect.y - 20.0, rect.y + rect.h + 20.0);
            let (left, right) = (rect.x - 46.0, rect.x + rect.w * 0.42);
            let torn = [
                (left, top),
                (right + 60.0, top),
                (right - 20.0, rect.centre().1),
                (right + 40.0, bottom),
                (left, bottom),
            ];
            self.painter.polygon(&torn, [246, 244, 240], 1.0);
        }
    }

    fn texts(&mut self) {
        let coded = self.specimen.texts.iter().any(|foreign| foreign.style == TextStyle::Code);
        let whole = self.layout.text_area;
        let area = if coded { Rect { w: whole.w - whole.h - 20.0, ..whole } } else { whole };
        let mut top = area.y;
        for ForeignText { text, style } in &self.specimen.texts {
            let style = match style {
                TextStyle::Large => Style::new(Face::Sans, 40.0, [150, 16, 24]).bold(2.0),
                TextStyle::Tiny => Style::new(Face::Sans, 12.0, [60, 60, 70]),
                TextStyle::Code => {
                    self.foreign_code(text);
                    continue;
                }
                TextStyle::LowContrast => Style::new(Face::Sans, 26.0, mix(PAPER, [0, 0, 0], 0.10)),
            };
            for line in wrapped(text, style, area, top) {
                top += line.1.size * 1.15;
                line.1.draw(&mut self.painter, (area.x, top), &line.0);
            }
            top += 8.0;
        }
    }

    /// Draws an ordinary QR code with plain text, which every QR reader can decode, unlike the
    /// specimen's own codes.
    fn foreign_code(&mut self, text: &str) {
        let area = self.layout.text_area;
        let card = Rect::new(area.x + area.w - area.h, area.y, area.h, area.h);
        self.painter.rect(card, PAPER, 1.0);
        qr::draw_badge(&mut self.painter, text, card.grown(-5.0));
    }

    fn codes(&mut self, fields: &VisualFields, content: &Content) -> Result<(), SpecimenError> {
        let mut shown = VisualFields::default();
        for slot in self.layout.slots {
            shown.set(slot.field, fields.get(slot.field));
        }
        let mark = Payload::Document(Box::new(DocumentPayload {
            layout: self.design.letter(),
            issuing_state: self.specimen.issuer.clone(),
            fields: shown,
            suspicions: content.suspicions.clone(),
        }));
        self.code(self.layout.data_code, &mark, "SPECIMEN DATA")?;
        if let Some(rect) = self.layout.mrz_code
            && !content.mrz.is_empty()
        {
            self.code(rect, &Payload::Mrz(content.mrz.clone()), "SPECIMEN MRZ")?;
        }
        if !self.specimen.texts.is_empty() {
            let texts = self.specimen.texts.iter().map(|foreign| foreign.text.clone()).collect();
            self.code(self.layout.text_code, &Payload::Text(texts), "SPECIMEN TEXT")?;
        }
        Ok(())
    }

    fn code(&mut self, rect: Rect, mark: &Payload, caption: &str) -> Result<(), SpecimenError> {
        let text = mark.encode();
        if text.len() > qr::CODE_BYTES_MAX {
            return Err(SpecimenError::TooMuchText { bytes: text.len(), at_most: qr::CODE_BYTES_MAX });
        }
        let quiet = rect.w * 0.075;
        let card = Rect::new(rect.x - quiet, rect.y - quiet, rect.w + 2.0 * quiet, rect.h + 2.0 * quiet + 14.0);
        self.painter.rounded(card.grown(1.5), 13.0, self.design.palette().heading, 0.5);
        self.painter.rounded(card, 12.0, PAPER, 1.0);
        qr::draw(&mut self.painter, &text, rect);
        let style = Style::new(Face::Sans, 13.0, self.design.palette().heading).bold(0.4).spaced(2.0);
        style.centred(&mut self.painter, (rect.x + rect.w / 2.0, rect.y + rect.h + quiet + 8.0), caption);
        Ok(())
    }
}

/// Breaks a text into lines that fit the area, in smaller type if there are too many.
fn wrapped(text: &str, style: Style, area: Rect, top: f32) -> Vec<(String, Style)> {
    let mut style = style;
    loop {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let line = lines.last().map_or_else(String::new, |line| format!("{line} {word}").trim().to_owned());
            if style.width(&line) <= area.w || lines.last().is_some_and(String::is_empty) {
                lines.pop();
                lines.push(line);
            } else {
                lines.push(word.to_owned());
            }
        }
        let fits = top + lines.len() as f32 * style.size * 1.15 <= area.y + area.h;
        if fits || style.size < 9.0 {
            return lines.into_iter().map(|line| (line, style)).collect();
        }
        style.size *= 0.9;
    }
}
