//! The operations on stored records: what the service reads and writes, each in one place.

pub(crate) mod commit;
pub mod duplicates;
pub mod files;
pub mod heartbeat;
pub mod intake;
pub mod read;
pub mod users;
pub(crate) mod webhooks;
