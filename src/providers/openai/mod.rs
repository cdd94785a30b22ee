//! `OpenAI`, or a server that speaks its protocol: one picture in, one transcription out.
//!
//! The crate `async-openai` builds the calls; how they travel is decided in `transport`. The model
//! is never given what the person declared, so it cannot repeat it as its reading.

mod client;
mod dialect;
mod errors;
mod image;
mod prompt;
mod reply;
mod settings;
mod transport;

pub use self::client::OpenAi;
pub use self::dialect::Dialect;
pub use self::image::{Image, MediaType};
pub use self::reply::{ModelStatus, Reading};
pub use self::settings::{OUTPUT_TOKENS_MAX, REASONING_EFFORT, Settings, TIMEOUTS};
