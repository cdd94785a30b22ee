//! The rules of each check: the answers of providers in, a judgement out. One file for each check;
//! documents have a folder.

pub mod device;
pub mod document;
pub mod face_match;
pub mod liveness;
