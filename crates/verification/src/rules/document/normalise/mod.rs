//! Printed words in one form: names, dates, numbers and states as they can be compared.

pub mod calendars;
pub mod comparison;
pub mod countries;
pub mod dates;
pub mod edit_distance;
mod months;
pub mod names;
mod never;
pub mod numbers;
pub mod partial_date;
pub mod sex;
pub mod transliteration;
pub mod words;
