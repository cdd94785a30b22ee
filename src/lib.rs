//! Identivia: identity verification on top of `PocketBase`.
//!
//! Imports point downwards only:
//!
//! - [`app`] has the commands; it builds the parts, starts and stops them.
//! - [`http`] is the facade that partners' servers and browsers call.
//! - [`controller`] watches `PocketBase`, decides what is due for each verification, has it done
//!   and stores the result.
//! - [`checks`] runs one work item, such as the check of a document.
//! - [`providers`] has the clients of AWS Rekognition, `OpenAI` and Fingerprint, and their limits.
//! - [`pocketbase`] is the client of the database.
//! - [`config`] reads the variables.
//! - [`base`] has what any room uses: backoff, locks, crash points, telemetry.
//! - [`verification`] is the pure core: stored records in, the next step out.
//! - [`pixels`] reads and compares pictures.

pub mod app;
pub mod base;
pub mod checks;
pub mod config;
pub mod controller;
pub mod http;
pub mod pocketbase;
pub mod providers;

pub use identivia_pixels as pixels;
pub use identivia_verification as verification;
