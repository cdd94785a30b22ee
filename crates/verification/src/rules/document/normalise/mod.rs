//! Printed words in one form: names, dates, months and states as they can be compared.

pub mod countries;
pub mod dates;
pub(crate) mod months;
pub mod names;
pub(crate) mod transliteration;
