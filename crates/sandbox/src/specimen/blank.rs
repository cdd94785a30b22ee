//! The pictures before anything personal is printed: a blank of each design on a desk, and the desk
//! without a document.

use image::RgbImage;
use std::sync::OnceLock;

use super::guilloche;
use super::layout::{Design, Layout, PAGE_RADIUS};
use super::paint::{Colour, Painter, Rect, lit, rounded_outline};
use super::text::{Face, Style};
use super::value::INK;

/// White paper as a camera sees it: brighter would look overexposed.
pub const PAPER: Colour = [243, 243, 240];

/// The document before anything personal is printed on it, on a desk; drawn once per design.
pub fn blank(design: Design) -> &'static RgbImage {
    static BLANKS: [OnceLock<RgbImage>; Design::ALL.len()] = [const { OnceLock::new() }; Design::ALL.len()];
    BLANKS[design as usize].get_or_init(|| print_blank(design, true))
}

/// Prints a blank; with security printing if `genuine`.
pub fn print_blank(design: Design, genuine: bool) -> RgbImage {
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

/// A desk with a cup on it, without a document.
pub fn empty_desk(layout: &Layout) -> RgbImage {
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

/// Draws a dark desk and the document's shadow on it.
fn desk(painter: &mut Painter, layout: &Layout) {
    let (width, height) = (layout.size.0 as f32, layout.size.1 as f32);
    painter.gradient(Rect::new(0.0, 0.0, width, height), [96, 92, 90], [66, 62, 62]);
    let page = layout.page;
    let (right, bottom) = (page.x + page.w, page.y + page.h);
    // The shadow is drawn only where the page does not hide it.
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
