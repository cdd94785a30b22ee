//! Draws the QR codes that state, in the picture itself, what the picture shows.

use rxing::EncodeHints;
use rxing::qrcode::common::ErrorCorrectionLevel;
use rxing::qrcode::encoder::{QRCode, qrcode_encoder};

use super::paint::{Painter, Rect};

/// Longest text of a code, in bytes: with more, the modules are too small to survive re-encoding.
pub const CODE_BYTES_MAX: usize = 330;

/// Draws a code whose modules (without quiet zone) fill `rect`, aligned to whole pixels so that no
/// seams are visible.
pub fn draw(painter: &mut Painter, text: &str, rect: Rect) {
    grid(painter, &encode(text, ErrorCorrectionLevel::M), rect);
}

/// Draws a badge: a code with weak error correction, which needs fewer modules; large modules
/// survive blur best.
pub fn draw_badge(painter: &mut Painter, text: &str, rect: Rect) {
    grid(painter, &encode(text, ErrorCorrectionLevel::L), rect);
}

/// Fills a rectangle with rows of modules.
pub fn grid(painter: &mut Painter, rows: &[Vec<bool>], rect: Rect) {
    let height = rect.h / rows.len() as f32;
    for (number, row) in rows.iter().enumerate() {
        let top = (rect.y + number as f32 * height).round();
        let bottom = (rect.y + (number + 1) as f32 * height).round();
        let width = rect.w / row.len() as f32;
        let mut from = 0;
        while from < row.len() {
            let until = (from..row.len()).find(|&at| row[at] != row[from]).unwrap_or(row.len());
            if row[from] {
                let left = (rect.x + from as f32 * width).round();
                let right = (rect.x + until as f32 * width).round();
                painter.rect(Rect::new(left, top, right - left, bottom - top), [16, 16, 20], 1.0);
            }
            from = until;
        }
    }
}

/// The modules of the smallest code, row by row, true where dark.
// Several modes in one code save space only for text outside the alphanumeric set, and the search
// for the best mixture is slow.
fn encode(text: &str, correction: ErrorCorrectionLevel) -> Vec<Vec<bool>> {
    let plain = qrcode_encoder::encode(text, correction).ok().and_then(|code| modules(&code));
    if text.bytes().all(|byte| qrcode_encoder::getAlphanumericCode(byte.into()) >= 0) {
        return plain.unwrap_or_default();
    }
    let hints = EncodeHints { QrCompact: Some("true".to_owned()), ..EncodeHints::default() };
    let mixed = qrcode_encoder::encode_with_hints(text, correction, &hints).ok().and_then(|code| modules(&code));
    [plain, mixed].into_iter().flatten().min_by_key(Vec::len).unwrap_or_default()
}

fn modules(code: &QRCode) -> Option<Vec<Vec<bool>>> {
    let matrix = code.getMatrix().as_ref()?;
    Some((0..matrix.getHeight()).map(|y| (0..matrix.getWidth()).map(|x| matrix.get(x, y) == 1).collect()).collect())
}
