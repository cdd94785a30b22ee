//! Measures whether a picture is legible, and names what the person can do better.
//!
//! Every measure is taken on the re-encoded picture. The thresholds accept what a model and a
//! person can still read. They were set between two groups of specimens: flawless ones at 1600
//! and 1024 pixels, and one with each flaw.

use ::image::{GrayImage, RgbImage};
use serde::Serialize;

use crate::reason::{Code, Reason};
use identivia_pixels::extent::{self, Edge};
use identivia_pixels::{edges, tones};

/// Measures of a picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Width in pixels of the sharper edges; 1 is a hard step.
    pub edge_width: f32,
    /// Share of the picture, 0..1, that shows structure of high contrast.
    pub structure: f32,
    /// Luma, 0..255, that a tenth of the pixels exceed: the brightness of the light parts.
    pub light: f32,
    /// Luma that a tenth of the pixels stay below.
    pub dark: f32,
    /// Share of the picture, 0..1, that burnt-out spots cover.
    pub glare: f32,
    /// Difference between colour channels, 0..255, that one pixel in fifty exceeds.
    pub colour: f32,
    /// Edges across which the document runs out of the picture, where that can be recognised.
    pub cut_off: Vec<Edge>,
}

/// Least sides in pixels: the small print of a smaller picture is lost, whatever the sharpness.
const LONG_SIDE_MIN: u32 = 800;
const SHORT_SIDE_MIN: u32 = 480;
/// Widest edges in pixels: with wider ones the letters of the small print run together.
const EDGE_WIDTH_MAX: f32 = 4.5;
/// Least share of structure: an empty or plain surface has less.
const STRUCTURE_MIN: f32 = 0.02;
/// Least luma of the light parts: a picture with darker ones is too dark.
const LIGHT_MIN: f32 = 85.0;
/// Largest share of burnt-out spots: more is glare.
const GLARE_MAX: f32 = 0.004;
/// Least difference between colour channels: a black-and-white picture has less. The palest
/// document under a lamp has more.
const COLOUR_MIN: f32 = 7.0;

/// Measures `picture`; `luma` holds its shades of grey.
pub fn measure(picture: &RgbImage, luma: &GrayImage) -> Quality {
    let (edge_width, structure) = edges::sharpness(luma);
    let [dark, light] = tones::exceeded(luma, [0.1, 0.9]);
    Quality {
        edge_width,
        structure,
        light,
        dark,
        glare: edges::glare(picture),
        colour: tones::colour(picture),
        cut_off: extent::cut_off(picture),
    }
}

impl Quality {
    /// The reasons that follow, for a picture uploaded with these sides.
    pub fn reasons(&self, width: u32, height: u32) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut record = |bad: bool, code: Code, detail: String| {
            if bad {
                reasons.push(Reason::new(code, detail));
            }
        };
        let too_small = width.max(height) < LONG_SIDE_MIN || width.min(height) < SHORT_SIDE_MIN;
        record(
            too_small,
            Code::DocumentImageTooSmall,
            format!("{width} x {height}; at least {LONG_SIDE_MIN} x {SHORT_SIDE_MIN} are needed"),
        );
        let too_dark = self.light < LIGHT_MIN;
        record(too_dark, Code::DocumentTooDark, format!("light parts reach {:.0} of 255", self.light));
        let empty = self.structure < STRUCTURE_MIN;
        record(
            empty && !too_dark,
            Code::DocumentNotADocument,
            format!("{:.1} % of the picture shows any structure", self.structure * 100.0),
        );
        record(
            self.edge_width > EDGE_WIDTH_MAX && !empty && !too_dark,
            Code::DocumentBlurred,
            format!("edges are {:.1} pixels wide", self.edge_width),
        );
        record(
            self.glare > GLARE_MAX,
            Code::DocumentGlare,
            format!("burnt-out spots cover {:.1} % of the picture", self.glare * 100.0),
        );
        record(
            self.colour < COLOUR_MIN && !too_dark && !empty,
            Code::DocumentBlackAndWhite,
            format!("colour channels differ by {:.0} of 255", self.colour),
        );
        record(
            !self.cut_off.is_empty(),
            Code::DocumentCutOff,
            format!("the document runs out of the picture at {:?}", self.cut_off),
        );
        reasons
    }
}
