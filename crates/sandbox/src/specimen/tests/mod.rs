//! Vision reads what the specimen maker draws, after the re-encoding that pictures undergo on their
//! way.

mod args;
mod content;
mod faces;
mod flaws;
mod pictures;
mod reread;

use jiff::civil::Date;

const TODAY: Date = jiff::civil::date(2026, 11, 23);
