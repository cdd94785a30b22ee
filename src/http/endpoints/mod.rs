//! The endpoints, one file each.

pub(crate) mod document;
pub(crate) mod health;
pub(crate) mod liveness;
pub(crate) mod meta;
pub(crate) mod status;
pub(crate) mod verify;
