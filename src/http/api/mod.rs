//! What requests and answers are made of: types, validation, problems, texts.

pub(crate) mod body;
pub mod messages;
pub(crate) mod multipart;
pub(crate) mod problem;
pub(crate) mod reply;
pub(crate) mod validation;
pub(crate) mod view;
