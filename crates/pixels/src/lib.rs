//! What is done with every pixel of a picture, and knows nothing of documents: scaling, encoding, measuring, finding rows of print.
//!
//! Pure, like what uses it, and written over whole rows of bytes: what is generic in `image` is compiled where it is used. A package of its
//! own, so that debug builds optimise it and nothing else: a drill goes through hundreds of pictures.

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
