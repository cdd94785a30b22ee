//! The rules of each check: a provider's answer in, a judgement out. One file a check; documents have a folder.

pub mod device;
pub mod document;
pub mod face_match;
pub mod liveness;
