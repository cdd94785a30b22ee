//! The pure core: the records of a verification in, what is due for it out.
//!
//! Nothing here does I/O, reads a clock, uses randomness or waits: `now` is an argument, on
//! `PocketBase`'s clock. The status is *derived* from evidence, checks, actions and the pinned
//! policy through the journal, and never read back.
//!
//! From the bottom up: [`kind`], [`reason`], [`status`] and [`faces`] are words; [`policy`],
//! [`records`], [`journal`] and [`check`] are what is stored; [`case`] is all of it about one
//! verification, with its questions; [`decision`], [`summary`], [`transition`] and [`next_step()`]
//! are what follows; [`replay`] proves it. [`rules`] judge the answers of providers.

pub mod case;
pub mod check;
pub mod decision;
pub mod faces;
pub mod journal;
pub mod kind;
pub mod next_step;
pub mod policy;
pub mod reason;
pub mod records;
pub mod replay;
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
pub mod status;
pub mod summary;
pub mod transition;

pub use case::Case;
pub use check::{Check, Finding, Judgement};
pub use decision::{Decision, decide};
pub use journal::{Entry, Event, Source, Work};
pub use kind::{ActionKind, DocumentType, Kind, Outcome, PerProvider, Provider, SessionStatus};
pub use next_step::{Runner, Step, next_step};
pub use policy::Policy;
pub use reason::{Code, Reason};
pub use records::{Action, Actor, DeviceSignal, Document, LivenessSession, Verification};
pub use status::Status;
pub use summary::{Summary, summary};
pub use transition::{SessionPatch, Transition};

#[cfg(test)]
mod tests;
