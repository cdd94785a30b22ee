//! Fuzzes an untrusted picture through everything that is done before a provider sees it: the
//! result is a JPEG within its limits, or a reason.
#![no_main]

use identivia_verification::rules::document::image::{Limits, prepare};
use identivia_verification::rules::document::vocabulary::Side;
use libfuzzer_sys::fuzz_target;

/// Small limits, so that many pictures a second are tried.
const LIMITS: Limits = Limits { bytes: 128 << 10, pixels: 90_000, side: 1_000, sent_side: 300, sent_quality: 80 };

fuzz_target!(|bytes: &[u8]| {
    // A front is searched for faces, a back for barcodes.
    let side = if bytes.last().is_some_and(|byte| byte % 2 == 0) { Side::Front } else { Side::Back };
    match prepare(bytes, side, &LIMITS) {
        Ok(prepared) => {
            assert!(prepared.jpeg.starts_with(&[0xFF, 0xD8, 0xFF]));
            assert!(prepared.width.max(prepared.height) <= LIMITS.sent_side);
        }
        Err(reasons) => assert!(!reasons.is_empty(), "a refusal says why"),
    }
});
