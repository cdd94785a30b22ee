//! The specimen maker: documents of the fictional state of Utopia (UTO), clearly marked SPECIMEN,
//! and people to hold them.
//!
//! A [`Specimen`] says what a document states and what is wrong with it; [`draw`] draws its sides;
//! [`file::encode`] writes a file. The same specimen always gives the same pixels.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "pixels: coordinates are small numbers, and rounding them is what drawing is"
)]

mod aamva;
pub mod args;
mod blank;
mod content;
pub mod date;
mod definition;
mod document;
pub mod file;
pub mod flaw;
mod guilloche;
pub mod layout;
pub mod paint;
pub mod payload;
pub mod person;
mod photo;
mod qr;
mod render;
pub mod rng;
pub mod selfie;
mod text;
pub mod value;

pub use blank::blank;
pub use definition::{ForeignText, Kind, Sex, Specimen, TextStyle};
pub use render::{draw, zone};

#[cfg(test)]
mod tests;
