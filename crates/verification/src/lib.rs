//! The pure core: a verification's records in, what is due out.
//!
//! Nothing here does I/O, reads a clock, rolls dice or waits. `now` is an argument, on `PocketBase`'s clock. Status is
//! *derived* from evidence, checks, actions and the pinned policy through the journal; it is never read back as memory.

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
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
pub mod status;
pub mod summary;
pub mod transition;

pub use crate::next_step::{Runner, Step, next_step};
pub use case::Case;
pub use check::{Check, Finding, Judgement};
pub use decision::{Decision, decide};
pub use journal::{Entry, Event, Source, Work};
pub use kind::{ActionKind, DocumentType, Kind, Outcome, Provider, SessionStatus};
pub use policy::Policy;
pub use reason::{Code, Reason};
pub use records::{Action, Actor, DeviceSignal, Document, LivenessSession, Verification};
pub use status::Status;
pub use summary::{Summary, summary};
pub use transition::{SessionPatch, Transition};

#[cfg(test)]
mod tests;
