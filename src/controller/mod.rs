//! The life of a verification's id: watch, queue, reconcile, run its work, commit.

pub mod admission;
pub mod leases;
pub mod queue;
pub mod reconciler;
pub mod watcher;
pub mod workers;
