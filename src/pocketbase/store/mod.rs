//! The operations on stored records, as methods of [`Client`](super::Client).

pub(super) mod batch;
mod cases;
mod checks;
mod commit;
pub mod duplicates;
mod files;
mod heartbeats;
mod intake;
mod policies;
mod sweep;
mod tokens;
#[cfg(feature = "crash-points")]
mod unfenced_commit;
pub mod users;
mod verifications;
mod webhooks;
