//! Finds and decodes the QR codes of specimens in a picture.

use image::GrayImage;
use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8LuminanceSource};

use crate::specimen::payload::Payload;

/// A specimen's code and where it lies.
#[derive(Debug, Clone)]
pub struct FoundCode {
    pub payload: Payload,
    /// Its corners in pixels: top left, top right, bottom right, bottom left in the code's own
    /// orientation.
    pub corners: [(f32, f32); 4],
}

/// All specimen codes in the picture; other QR codes are ignored.
pub fn find(picture: &GrayImage) -> Vec<FoundCode> {
    let (width, height) = picture.dimensions();
    let Ok(source) = Luma8LuminanceSource::new(picture.as_raw().clone(), width, height) else {
        return Vec::new();
    };
    let hints = DecodeHints {
        PossibleFormats: Some([BarcodeFormat::QR_CODE].into()),
        TryHarder: Some(true),
        ..DecodeHints::default()
    };
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    let found = QrReader.decode_multiple_with_hints(&mut bitmap, &hints).unwrap_or_default();
    found
        .iter()
        .filter_map(|code| {
            let payload = Payload::decode(code.getText())?;
            // The decoder lists the corners row by row.
            let corner = |at: usize| code.getPoints().get(at).map(|point| (point.x, point.y));
            let corners = [corner(0)?, corner(1)?, corner(3)?, corner(2)?];
            Some(FoundCode { payload, corners })
        })
        .collect()
}
