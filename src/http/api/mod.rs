//! What requests and answers are made of: bodies, validation, views, problems, and messages for
//! people.

pub(crate) mod body;
pub(crate) mod fields;
pub mod messages;
pub(crate) mod multipart;
pub(crate) mod problem;
pub(crate) mod reply;
pub(crate) mod responses;
pub(crate) mod validation;
pub(crate) mod view;
