//! Everything that is said to `PocketBase`, in layers: transport < session < client < store.
//!
//! - `transport` sends one HTTP request and learns the server's time from the answer.
//! - `session` holds the service's token, renews it, and proves that it is still accepted.
//! - `client` sends requests as the service and never mistakes a lost session for an empty
//!   answer.
//! - [`store`] has the operations: read a case, commit a batch, create what a person submits, list
//!   the ids for a sweep.
//! - [`realtime`] is the stream of events, and `schema_check` the check of the schema at the
//!   start.
//!
//! [`records`] has the stored records as types, and is the only place that spells the names of
//! collections and fields. `caches` has what a client remembers, and [`cache_lease`] says for how
//! long that may be used.
//!
//! Three facts about `PocketBase` shape all of this:
//!
//! - A lost session gets an empty list or "not found", not an error. So an empty answer counts only
//!   after a proof.
//! - A request that timed out may have been carried out. So a write without an answer is read back.
//! - Only `/api/batch` is atomic. So every write of the service is one batch that begins with the
//!   next journal row.

pub mod cache_lease;
mod caches;
mod client;
mod clock;
mod error;
pub mod filter;
pub mod realtime;
mod record_id;
pub mod records;
mod request;
mod schema_check;
mod session;
pub mod store;
mod transport;

pub use client::Client;
pub use error::{PocketbaseError, Refused, Remedy, Result};
pub use session::Identity;
pub use store::batch::Commit;
pub use transport::Settings;
