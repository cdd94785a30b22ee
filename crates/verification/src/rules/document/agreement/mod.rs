//! Whether the readings of a document agree.

mod compare;
pub mod matrix;
