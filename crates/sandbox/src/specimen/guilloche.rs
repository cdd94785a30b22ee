//! Security printing: guilloches, the state's emblem, and the word SPECIMEN across the page.

use super::layout::Palette;
use super::paint::{Painter, Point, Rect, lit};
use super::text::{Face, Style};

/// Opacity of the fine lines; low enough to keep the print legible.
const LINE: f32 = 0.34;

/// Draws waves of lines and two rosettes over the page.
pub fn weave(painter: &mut Painter, page: Rect, palette: Palette) {
    for family in 0..2u8 {
        let ink = if family == 0 { palette.first_ink } else { palette.second_ink };
        let (frequency, drift) = if family == 0 { (2.0, 0.105) } else { (3.0, -0.135) };
        for number in 0..46u8 {
            let (height, phase) = (f32::from(number), f32::from(number) * drift);
            let base = page.y + (height - 2.0) * page.h / 42.0;
            let points: Vec<Point> = (0..=150u8)
                .map(|step| {
                    let along = f32::from(step) / 150.0;
                    let turn = along * frequency * std::f32::consts::TAU;
                    let swing = (turn + phase).sin() * 30.0 + (turn * 2.5 - phase * 3.0).sin() * 11.0;
                    (page.x + along * page.w, base + swing)
                })
                .collect();
            painter.line(&points, 1.3, ink, LINE * 0.62);
        }
    }
    let middle = page.centre();
    rosette(painter, (page.x + page.w * 0.60, middle.1 - 20.0), page.h * 0.34, 12.0, palette);
    rosette(painter, (page.x + page.w * 0.17, page.y + page.h * 0.50), page.h * 0.25, 9.0, palette);
}

/// Draws a rosette of closed lines, each ring rotated a little against the one inside it.
fn rosette(painter: &mut Painter, centre: Point, radius: f32, petals: f32, palette: Palette) {
    for ring in 0..18u8 {
        let share = f32::from(ring) / 18.0;
        let ink = if ring % 2 == 0 { palette.second_ink } else { palette.first_ink };
        let points: Vec<Point> = (0..=240u8)
            .map(|step| {
                let turn = f32::from(step) / 240.0 * std::f32::consts::TAU;
                let swing = 0.86 + 0.14 * (turn * petals + share * 11.0).cos();
                let distance = radius * swing * (0.26 + 0.74 * share);
                (centre.0 + distance * turn.cos(), centre.1 + distance * turn.sin())
            })
            .collect();
        painter.line(&points, 1.3, ink, LINE * 0.85);
    }
}

/// Draws the gold contacts of a card's chip.
pub fn chip(painter: &mut Painter, rect: Rect) {
    let (gold, groove) = ([214, 178, 96], [146, 112, 44]);
    painter.rounded(rect.grown(2.0), 20.0, groove, 0.9);
    painter.rounded(rect, 18.0, gold, 1.0);
    painter.ellipse(
        (rect.x + rect.w * 0.3, rect.y + rect.h * 0.25),
        (rect.w * 0.3, rect.h * 0.2),
        0.0,
        30.0,
        [244, 222, 160],
        0.7,
    );
    let (x, y) = rect.centre();
    let core = Rect::new(x - rect.w * 0.17, y - rect.h * 0.24, rect.w * 0.34, rect.h * 0.48);
    for third in [-1.0, 1.0] {
        let level = y + third * rect.h / 6.0;
        painter.rect(Rect::new(rect.x, level - 1.5, rect.w, 3.0), groove, 0.8);
    }
    painter.rect(Rect::new(x - 1.5, rect.y, 3.0, rect.h), groove, 0.8);
    painter.rounded(core.grown(3.0), 14.0, groove, 0.8);
    painter.rounded(core, 12.0, gold, 1.0);
}

/// Draws the symbol of a document with a chip: a disc between two bars.
pub fn biometric(painter: &mut Painter, rect: Rect, palette: Palette) {
    painter.rounded(rect, 7.0, palette.heading, 1.0);
    painter.rounded(rect.grown(-4.0), 4.0, [248, 246, 242], 1.0);
    let (x, y) = rect.centre();
    painter.rect(Rect::new(rect.x, y - 2.0, rect.w, 4.0), palette.heading, 1.0);
    painter.ellipse((x, y), (rect.h * 0.30, rect.h * 0.30), 0.0, 1.0, [248, 246, 242], 1.0);
    painter.ellipse((x, y), (rect.h * 0.23, rect.h * 0.23), 0.0, 1.0, palette.heading, 1.0);
    painter.ellipse((x, y), (rect.h * 0.13, rect.h * 0.13), 0.0, 1.0, [248, 246, 242], 1.0);
}

/// Draws the emblem of Utopia: waves under a rising sun, in a ring.
pub fn emblem(painter: &mut Painter, centre: Point, radius: f32, palette: Palette) {
    let (x, y) = centre;
    let gold = [206, 162, 70];
    painter.ellipse(centre, (radius, radius), 0.0, 1.0, palette.heading, 1.0);
    painter.ellipse(centre, (radius * 0.90, radius * 0.90), 0.0, 1.0, [250, 248, 242], 1.0);
    painter.ellipse(centre, (radius * 0.82, radius * 0.82), 0.0, 1.0, palette.heading, 1.0);
    for ray in 0..13u8 {
        let turn = std::f32::consts::PI * (1.0 + f32::from(ray) / 12.0);
        let (sin, cos) = turn.sin_cos();
        let tip = (x + cos * radius * 0.74, y + radius * 0.16 + sin * radius * 0.74);
        let (wide_x, wide_y) = (-sin * radius * 0.05, cos * radius * 0.05);
        let foot = (x + cos * radius * 0.36, y + radius * 0.16 + sin * radius * 0.36);
        painter.polygon(&[tip, (foot.0 + wide_x, foot.1 + wide_y), (foot.0 - wide_x, foot.1 - wide_y)], gold, 1.0);
    }
    let sun: Vec<Point> = (0..=16u8)
        .map(|step| {
            let (sin, cos) = (std::f32::consts::PI * (1.0 + f32::from(step) / 16.0)).sin_cos();
            (x + cos * radius * 0.30, y + radius * 0.16 + sin * radius * 0.30)
        })
        .collect();
    painter.polygon(&sun, gold, 1.0);
    for wave in 0..3u8 {
        let level = y + radius * (0.24 + 0.16 * f32::from(wave));
        let half = radius * (0.70 - 0.12 * f32::from(wave));
        let line: Vec<(Point, f32)> = (0..=24u8)
            .map(|step| {
                let along = f32::from(step) / 12.0 - 1.0;
                ((x + along * half, level + (along * 9.0).sin() * radius * 0.035), radius * 0.065)
            })
            .collect();
        painter.ribbon(&line, [250, 248, 242], 1.0);
    }
}

/// Prints SPECIMEN as a pale word across the page and as a stamp at its head.
pub fn specimen(painter: &mut Painter, page: Rect, palette: Palette, stamp: Point) {
    painter.clip(page);
    let middle = page.centre();
    let word = Style::new(Face::Sans, 232.0, palette.heading).spaced(14.0).faint(0.06);
    word.slanted(painter, (middle.0, middle.1 + 70.0), -0.30, "SPECIMEN");
    let small = Style::new(Face::Sans, 11.0, lit(palette.first_ink, 0.8)).spaced(1.5).faint(0.75);
    let line = "SPECIMEN · NOT A VALID DOCUMENT · UTOPIA DOES NOT EXIST · ".repeat(5);
    small.draw(painter, (page.x + 24.0, page.y + 16.0), &line);
    painter.unclip();
    let red = [190, 34, 44];
    let style = Style::new(Face::Sans, 38.0, red).bold(1.6).spaced(9.0);
    let width = style.width("SPECIMEN");
    let frame = Rect::new(stamp.0 - width / 2.0 - 24.0, stamp.1 - 30.0, width + 40.0, 60.0);
    painter.rounded(frame, 12.0, red, 0.95);
    painter.rounded(frame.grown(-3.0), 10.0, [246, 240, 238], 0.96);
    style.draw(painter, (stamp.0 - width / 2.0, stamp.1 + 14.0), "SPECIMEN");
}
