//! Fuzzes untrusted bytes up to decoded pixels: type, dimensions, frames, limits, metadata. No file
//! makes it panic, and none that claims more pixels than allowed is decoded.
#![no_main]

use identivia_verification::rules::document::image::{Format, Limits, metadata, open};
use libfuzzer_sys::fuzz_target;

/// Small limits, so that many files a second are tried.
const LIMITS: Limits = Limits { bytes: 256 << 10, pixels: 250_000, side: 2_000, sent_side: 400, sent_quality: 80 };

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Jpeg, Format::Png] {
        let said = metadata::read(bytes, format);
        assert!(said.software.iter().all(|text| text.chars().count() <= 80));
    }
    metadata::orientation(bytes);
    if let Ok(opened) = open::open(bytes, &LIMITS) {
        assert!(u64::from(opened.width) * u64::from(opened.height) <= LIMITS.pixels);
        assert!(opened.width <= LIMITS.side && opened.height <= LIMITS.side);
    }
});
