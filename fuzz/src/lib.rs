//! The product's pure core, compiled by itself: no network stack, no SDK, so a fuzz build takes a minute and not ten.

pub use identivia_pixels as pixels;

#[path = "../../src/verification/mod.rs"]
pub mod verification;

use jiff::civil::Date;

/// The day of every check.
pub const TODAY: Date = jiff::civil::date(2026, 11, 25);
