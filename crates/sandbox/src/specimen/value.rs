//! How a field's value is printed: its text, its typeface and its size.

use super::date::PartialDate;
use super::layout::{Layout, Slot};
use super::paint::Colour;
use super::text::{Face, Style};
use crate::vocabulary::Field;

/// The colour of printed values.
pub const INK: Colour = [24, 26, 34];

/// A value as the document prints it: dates as `12 AUG 1990`, all others unchanged.
pub fn printed(field: Field, value: &str) -> String {
    if field.is_date() {
        value.parse().map_or_else(|_| value.to_owned(), PartialDate::printed)
    } else {
        value.to_owned()
    }
}

/// The style of a value that fits its slot.
pub fn value_style(layout: &Layout, slot: &Slot, text: &str) -> Style {
    let face =
        if matches!(slot.field, Field::DocumentNumber | Field::PersonalNumber) { Face::Mono } else { Face::Sans };
    let size = if face == Face::Mono { layout.value_size * 0.92 } else { layout.value_size };
    Style::new(face, size, INK).bold(if face == Face::Mono { 0.0 } else { 1.1 }).fitting(text, slot.width)
}
