//! Drawing one side of a document: the printed blank, then what the specimen states, then the codes that say so.

use image::RgbImage;
use std::sync::OnceLock;

use crate::eyes::Side;
use crate::eyes::fields::{Field, VisualFields};

use super::chance::Chance;
use super::content::Content;
use super::flaw::FlawKind;
use super::layout::{Design, Layout, MrzZone, PAGE_RADIUS, Slot};
use super::mark::{DocumentMark, Mark};
use super::paint::{Colour, Painter, Rect, lit, mix, rounded_outline, smooth};
use super::person::{self, Pose};
use super::text::{Face, Style};
use super::{ForeignText, Specimen, SpecimenError, TextStyle, aamva, guilloche, photo, qr};

const INK: Colour = [24, 26, 34];
/// White paper as a camera sees it: brighter would look burnt out.
const PAPER: Colour = [243, 243, 240];

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

/// The value as the document prints it.
pub fn printed(field: Field, value: &str) -> String {
    if field.is_date() {
        value.parse().map_or_else(|_| value.to_owned(), super::date::PartialDate::printed)
    } else {
        value.to_owned()
    }
}

/// How a value is set in its slot.
pub fn value_style(layout: &Layout, slot: &Slot, text: &str) -> Style {
    let face =
        if matches!(slot.field, Field::DocumentNumber | Field::PersonalNumber) { Face::Mono } else { Face::Sans };
    let size = if face == Face::Mono { layout.value_size * 0.92 } else { layout.value_size };
    Style::new(face, size, INK).bold(if face == Face::Mono { 0.0 } else { 1.1 }).fitting(text, slot.width)
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
            // The other one stands behind, so that no face and no badge hides another.
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

    /// Another photograph, a little askew and larger than the frame, with its paper's edge showing.
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
                self.printed_over(slot, style, &text);
            } else {
                style.draw(&mut self.painter, at, &text);
            }
        }
        if let Some((x, y)) = layout.state {
            let style = Style::new(Face::Sans, layout.value_size, INK).bold(1.1);
            style.draw(&mut self.painter, (x, y + layout.drop), &self.specimen.issuer);
        }
    }

    /// A patch of flat paper over the old value, and the new one in other type, a little off its line.
    fn printed_over(&mut self, slot: &Slot, style: Style, text: &str) {
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
        let mut chance = Chance::of(&format!("{}{}", self.specimen.surname, self.specimen.given_names));
        let letters = (self.specimen.surname.chars().count() + 3).min(12);
        let step = (rect.w - 90.0) / letters as f32;
        let base = rect.y + rect.h * 0.58;
        let mut through = Vec::new();
        for letter in 0..letters {
            let x = rect.x + 40.0 + letter as f32 * step;
            let tall = if letter == 0 || chance.below(4) == 0 { 48.0 } else { 18.0 };
            through.push((x + chance.between(-3.0, 3.0), base - tall * chance.between(0.7, 1.1)));
            through.push((x + step * 0.45, base + chance.between(-2.0, 9.0)));
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

    /// A square code like any other in the world: not spelled as ours are, so whoever reads such codes reads this one.
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
        let mark = Mark::Document(Box::new(DocumentMark {
            layout: self.design.letter(),
            issuing_state: self.specimen.issuer.clone(),
            fields: shown,
            suspicions: content.suspicions.clone(),
        }));
        self.code(self.layout.data_code, &mark, "SPECIMEN DATA")?;
        if let Some(rect) = self.layout.mrz_code
            && !content.mrz.is_empty()
        {
            self.code(rect, &Mark::Mrz(content.mrz.clone()), "SPECIMEN MRZ")?;
        }
        if !self.specimen.texts.is_empty() {
            let texts = self.specimen.texts.iter().map(|foreign| foreign.text.clone()).collect();
            self.code(self.layout.text_code, &Mark::Text(texts), "SPECIMEN TEXT")?;
        }
        Ok(())
    }

    fn code(&mut self, rect: Rect, mark: &Mark, caption: &str) -> Result<(), SpecimenError> {
        let text = mark.spell();
        if text.len() > qr::MAX_BYTES {
            return Err(SpecimenError::TooMuchText { bytes: text.len(), at_most: qr::MAX_BYTES });
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

/// A text in lines that fit, in smaller type if the area would overflow.
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

/// The document before anything personal is printed on it, on a desk.
pub fn blank(design: Design) -> &'static RgbImage {
    static BLANKS: [OnceLock<RgbImage>; Design::ALL.len()] = [const { OnceLock::new() }; Design::ALL.len()];
    BLANKS[design as usize].get_or_init(|| print_blank(design, true))
}

/// `genuine`: with the security printing.
fn print_blank(design: Design, genuine: bool) -> RgbImage {
    let (layout, palette) = (design.layout(), design.palette());
    let (width, height) = layout.size;
    let mut picture = RgbImage::new(width, height);
    let mut painter = Painter::new(&mut picture);
    desk(&mut painter, layout);
    let mut page = RgbImage::new(width, height);
    let mut on_page = Painter::new(&mut page);
    on_page.gradient(layout.page, palette.top, palette.bottom);
    on_page.clip(layout.page);
    if genuine {
        guilloche::weave(&mut on_page, layout.page, palette);
    }
    on_page.unclip();
    guilloche::specimen(&mut on_page, layout.page, palette, stamp(layout));
    heading(&mut on_page, design);
    labels(&mut on_page, design);
    for band in [
        Rect::new(0.0, 0.0, width as f32, layout.page.y + PAGE_RADIUS),
        Rect::new(0.0, layout.page.y + layout.page.h - PAGE_RADIUS, width as f32, height as f32),
    ] {
        painter.clip(band);
        let outline = rounded_outline(layout.page, PAGE_RADIUS);
        painter.shaded_polygon(&outline, 1.0, |x, y| page.get_pixel(x as u32, y as u32).0);
    }
    let between = Rect { y: layout.page.y + PAGE_RADIUS, h: layout.page.h - 2.0 * PAGE_RADIUS, ..layout.page };
    painter.clip(between);
    painter.picture(&page, 0, 0, 1.0);
    picture
}

/// A desk with a cup on it.
fn empty_desk(layout: &Layout) -> RgbImage {
    let (width, height) = layout.size;
    let mut picture = RgbImage::new(width, height);
    let mut painter = Painter::new(&mut picture);
    painter.gradient(Rect::new(0.0, 0.0, width as f32, height as f32), [168, 138, 108], [128, 100, 76]);
    for grain in 0..22u8 {
        let y = f32::from(grain) * height as f32 / 20.0;
        let points: Vec<_> = (0..=40u8)
            .map(|step| {
                let x = f32::from(step) * width as f32 / 40.0;
                (x, y + (x / 210.0 + f32::from(grain) * 1.7).sin() * 14.0)
            })
            .collect();
        painter.line(&points, 3.0, [96, 72, 52], 0.3);
    }
    let (x, y) = (width as f32 * 0.6, height as f32 * 0.5);
    painter.ellipse((x + 24.0, y + 30.0), (250.0, 240.0), 0.0, 60.0, [40, 30, 24], 0.5);
    painter.ellipse((x + 240.0, y + 4.0), (110.0, 78.0), 0.0, 2.0, [214, 220, 222], 1.0);
    painter.ellipse((x + 236.0, y + 4.0), (76.0, 46.0), 0.0, 2.0, [74, 56, 44], 1.0);
    painter.ellipse((x, y), (220.0, 220.0), 0.0, 2.0, [230, 234, 236], 1.0);
    painter.ellipse((x, y), (190.0, 190.0), 0.0, 4.0, [92, 58, 36], 1.0);
    painter.ellipse((x - 50.0, y - 60.0), (70.0, 40.0), -0.6, 40.0, [150, 106, 72], 0.8);
    picture
}

fn stamp(layout: &Layout) -> (f32, f32) {
    (layout.page.centre().0 + 20.0, layout.page.y + 76.0)
}

/// A dark desk and the document's shadow on it.
fn desk(painter: &mut Painter, layout: &Layout) {
    let (width, height) = (layout.size.0 as f32, layout.size.1 as f32);
    painter.gradient(Rect::new(0.0, 0.0, width, height), [96, 92, 90], [66, 62, 62]);
    let page = layout.page;
    let (right, bottom) = (page.x + page.w, page.y + page.h);
    // Only where the page leaves some of the shadow to be seen.
    let margins = [
        Rect::new(0.0, 0.0, width, page.y + PAGE_RADIUS),
        Rect::new(0.0, bottom - PAGE_RADIUS, width, height),
        Rect::new(0.0, page.y + PAGE_RADIUS, page.x, page.h - 2.0 * PAGE_RADIUS),
        Rect::new(right, page.y + PAGE_RADIUS, page.x, page.h - 2.0 * PAGE_RADIUS),
    ];
    for margin in margins {
        painter.clip(margin);
        for step in 0..5u8 {
            let by = f32::from(step) * 3.4;
            let shadow = Rect::new(page.x + 4.0, page.y + 8.0, page.w, page.h).grown(10.0 - by);
            painter.rounded(shadow, PAGE_RADIUS + 8.0 - by, [20, 18, 18], 0.15);
        }
    }
    painter.unclip();
}

fn heading(painter: &mut Painter, design: Design) {
    let (layout, palette) = (design.layout(), design.palette());
    let page = layout.page;
    let (title, translated) = match design {
        Design::Passport => ("PASSPORT", "Passeport"),
        Design::CardFront | Design::CardBack | Design::LargeCard => ("IDENTITY CARD", "Carte d'identité"),
        Design::LicenceFront | Design::LicenceBack => ("DRIVING LICENCE", "Permis de conduire"),
    };
    if matches!(design, Design::CardBack | Design::LicenceBack) {
        guilloche::emblem(painter, (page.x + 66.0, page.y + 74.0), 34.0, palette);
        let style = Style::new(Face::Sans, 30.0, palette.heading).bold(1.0).spaced(6.0);
        style.draw(painter, (page.x + 118.0, page.y + 84.0), "UTOPIA");
        return;
    }
    guilloche::emblem(painter, (page.x + 78.0, page.y + 84.0), 46.0, palette);
    let style = Style::new(Face::Sans, 44.0, palette.heading).bold(1.4).spaced(12.0);
    style.draw(painter, (page.x + 146.0, page.y + 84.0), "UTOPIA");
    let small = Style::new(Face::Sans, 19.0, palette.heading).bold(0.3);
    small.draw(painter, (page.x + 148.0, page.y + 114.0), "Republic of Utopia · République d'Utopie");
    let right = page.x + page.w - 40.0;
    match design {
        Design::Passport => {
            let width = Style::new(Face::Sans, 38.0, palette.heading).spaced(2.0).width(title);
            guilloche::biometric(painter, Rect::new(right - width - 96.0, page.y + 54.0, 62.0, 38.0), palette);
        }
        Design::CardFront => guilloche::chip(painter, Rect::new(1330.0, 478.0, 156.0, 124.0)),
        Design::CardBack | Design::LargeCard | Design::LicenceFront | Design::LicenceBack => {}
    }
    let style = Style::new(Face::Sans, 38.0, palette.heading).bold(1.2).spaced(2.0);
    style.ending(painter, (right, page.y + 84.0), title);
    small.ending(painter, (right, page.y + 114.0), translated);
}

fn labels(painter: &mut Painter, design: Design) {
    let (layout, palette) = (design.layout(), design.palette());
    let label = Style::new(Face::Sans, 17.5, lit(palette.heading, 1.25)).bold(0.25);
    for slot in layout.slots {
        label.draw(painter, (slot.x, slot.y), slot.label);
    }
    if let Some((x, y)) = layout.state {
        label.draw(painter, (x, y), "State / État");
    }
    if design == Design::Passport {
        label.draw(painter, (545.0, 186.0), "Type");
        Style::new(Face::Sans, layout.value_size, INK).bold(1.1).draw(painter, (545.0, 186.0 + layout.drop), "P");
    }
    if let Some(rect) = layout.signature {
        painter.rect(Rect::new(rect.x + 30.0, rect.y + rect.h - 26.0, rect.w - 60.0, 1.6), palette.heading, 0.6);
        let style = Style { size: 14.0, ..label };
        style.centred(painter, (rect.centre().0, rect.y + rect.h - 8.0), "Holder's signature / Signature du titulaire");
    }
    if let Some(zone) = &layout.mrz {
        painter.rect(zone.band, PAPER, 0.86);
        painter.rect(Rect::new(zone.band.x, zone.band.y, zone.band.w, 2.0), palette.first_ink, 0.7);
    }
}
