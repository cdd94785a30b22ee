//! What the targets share.

use jiff::civil::Date;

/// The day of every check.
pub const TODAY: Date = jiff::civil::date(2026, 11, 25);
