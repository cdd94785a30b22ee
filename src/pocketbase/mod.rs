//! Talking to `PocketBase`: one client, the realtime stream, the fenced batch.
//!
//! Three facts shape everything here. A lost login looks like an empty answer, never like an error, so nothing empty is
//! believed without proof. A timeout is not a "no", so writes are read back. And the only atomic thing is `/api/batch`, so
//! every write of the service is one batch that begins with the next journal row.

pub mod store;

pub mod cache_lease;
pub mod client;
mod clock;
pub mod error;
pub mod filter;
pub mod realtime;
pub mod records;
mod request;
pub mod schema_check;
pub(crate) mod session;

pub use crate::pocketbase::store::commit::Commit;
pub use client::{Client, Identity, Settings};
pub use error::{PocketbaseError, Refused, Remedy, Result};
