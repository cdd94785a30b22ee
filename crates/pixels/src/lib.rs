//! Operations on every pixel of a picture that know nothing of documents: scaling, encoding,
//! measuring, hashing, finding rows of print.
//!
//! Pure, like the rules that use them, and written over whole rows of bytes: generic code of
//! `image` would be compiled where it is used. They are a package of their own so that debug builds
//! optimise this code and no other: a drill processes hundreds of pictures.

pub mod barcode;
pub mod edges;
pub mod extent;
pub mod jpeg;
pub mod perceptual_hash;
pub mod rows;
pub mod scale;
pub mod strip;
pub mod tones;
pub mod turn;
