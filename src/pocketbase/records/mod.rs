//! The stored records as types: one file for each collection, for reading and writing it.
//!
//! Nothing outside this folder spells the name of a collection or of a field. `docs/records.md` is
//! the contract.

mod action;
mod case;
mod check;
mod collection;
mod columns;
mod device_signal;
mod document;
mod document_hashes;
mod heartbeat;
mod hint;
mod journal;
mod known_document;
mod liveness_session;
mod policy;
mod user;
mod verification;
mod webhook_delivery;
mod webhook_endpoint;

pub use action::NewAction;
pub use check::CheckDetail;
pub use collection::Collection;
pub use device_signal::NewDeviceSignal;
pub use document::NewDocument;
pub use document_hashes::StoredHashes;
pub use heartbeat::{Heartbeat, NewHeartbeat};
pub use known_document::KnownDocument;
pub use liveness_session::{NewLivenessSession, StoredSession};
pub use policy::DEFAULT_POLICY;
pub use verification::{NewVerification, RecordPatch, StoredVerification};
pub use webhook_delivery::Delivery;

pub(super) use action::unhandled;
pub(super) use case::CaseRow;
pub(super) use check::{CheckFields, DecisionFields, WrittenRow, pictures_of};
pub(super) use columns::{
    NEWEST_FIRST, OLDEST_FIRST, OLDEST_FIRST_THEN_ID, OfVerification, RecordId, VERIFICATION, created_since,
    of_verification,
};
pub(super) use document::DocumentFields;
pub(super) use document_hashes::{HashFields, HashRow, sharing_a_band, with_number};
pub(super) use heartbeat::{BeatRow, LATEST_FIRST, id_of_instance};
pub(super) use hint::{HintRow, hint_fields};
#[cfg(feature = "crash-points")]
pub(super) use journal::SEQ;
pub(super) use journal::{EntryFields, FenceRow, row_of};
pub(super) use known_document::with_any_hash;
pub(super) use liveness_session::SessionFields;
pub(super) use policy::{HIGHEST_VERSION_FIRST, PolicyName, named, parse_policy};
pub(super) use user::{
    EXPAND_LIMIT, PasswordFields, PasswordLogin, UserFields, UserReference, UserRow, VERIFICATIONS_OF_USER,
    with_reference,
};
pub(super) use verification::{IDEMPOTENCY_KEY, due, id_of_idempotency_key, open, open_of};
pub(super) use webhook_delivery::DeliveryFields;
pub(super) use webhook_endpoint::Endpoint;
