//! Constants that the fuzz targets share.

use jiff::civil::Date;

/// The day on which every check runs.
pub const TODAY: Date = jiff::civil::date(2026, 11, 25);
