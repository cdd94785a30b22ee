//! Whether the readings of a document agree.

pub mod comparison;
pub mod matrix;
