//! Reads PDF417 barcodes of licences and QR codes from pixels.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::GrayImage;
use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::pdf417::PDF417Reader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8LuminanceSource};

use super::scale::{self, Filter};

/// Most barcodes of one picture that are kept.
const BARCODES_MAX: usize = 4;
/// Most square codes of one picture that are kept.
const SQUARE_CODES_MAX: usize = 16;
/// Longest payload that is kept; the standard's largest symbol holds 1850 characters.
const PAYLOAD_CHARS_MAX: usize = 4096;
/// Longest side of a larger picture in the second attempt: noise that hides bars at full size
/// averages out.
const SECOND_ATTEMPT_SIDE: u32 = 1300;
/// Factor by which a smaller picture is enlarged in the second attempt: bars of two or three pixels
/// get an edge that the binariser keeps.
const ENLARGED: u32 = 2;

/// Reads the text of every PDF417 barcode in a picture, in any rotation.
pub fn read(luma: &GrayImage) -> Vec<String> {
    let texts = at_this_size(luma);
    if !texts.is_empty() || luma.width() == 0 || luma.height() == 0 {
        return texts;
    }
    let longest = luma.width().max(luma.height());
    let scaled = |side: u32| {
        if longest > SECOND_ATTEMPT_SIDE { (side * SECOND_ATTEMPT_SIDE / longest).max(1) } else { side * ENLARGED }
    };
    at_this_size(&scale::luma(luma, (scaled(luma.width()), scaled(luma.height())), Filter::Triangle))
}

fn at_this_size(luma: &GrayImage) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for text in symbols(luma, BarcodeFormat::PDF_417, PDF417Reader::new()) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.truncate(BARCODES_MAX);
    texts
}

/// Reads the text of every QR code in a picture. It identifies no person. A model may also read it
/// and follow it.
pub fn read_square(luma: &GrayImage) -> Vec<String> {
    let mut texts = symbols(luma, BarcodeFormat::QR_CODE, QrReader);
    texts.truncate(SQUARE_CODES_MAX);
    texts
}

/// The text of every symbol of `format` that `reader` finds.
fn symbols(luma: &GrayImage, format: BarcodeFormat, mut reader: impl MultipleBarcodeReader) -> Vec<String> {
    let hints =
        DecodeHints { TryHarder: Some(true), PossibleFormats: Some(HashSet::from([format])), ..DecodeHints::default() };
    let decode = || {
        let (width, height) = luma.dimensions();
        let source = Luma8LuminanceSource::new(luma.as_raw().clone(), width, height).ok()?;
        let mut picture = BinaryBitmap::new(HybridBinarizer::new(source));
        reader.decode_multiple_with_hints(&mut picture, &hints).ok()
    };
    // Decoders index by what the picture says, so a crafted symbol may make one panic. Such a
    // symbol counts as unreadable.
    let found = catch_unwind(AssertUnwindSafe(decode)).ok().flatten().unwrap_or_default();
    found.iter().map(|symbol| symbol.getText().chars().take(PAYLOAD_CHARS_MAX).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_without_a_barcode_has_none() {
        assert!(read(&GrayImage::from_pixel(640, 400, image::Luma([200]))).is_empty());
        let noise = GrayImage::from_fn(1500, 900, |x, y| {
            image::Luma([u8::try_from((x * 7919 + y * 104_729) % 251).expect("below 251")])
        });
        assert!(read(&noise).is_empty());
    }
}
