//! The open entry of one request in the request log, from its arrival to its end.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;

use crate::faults::Fault;
use crate::operations::SimulatedProvider;
use crate::request_log::{Notes, Outcome};
use crate::state::Sandbox;

/// An entry of the request log that is not finished. Dropping it records that the client closed the
/// connection.
pub struct RequestRecord {
    sandbox: Arc<Sandbox>,
    seq: u64,
    started: Instant,
    closed: bool,
}

impl RequestRecord {
    /// Adds an entry with the outcome `pending`.
    pub fn open(
        sandbox: &Arc<Sandbox>,
        provider: SimulatedProvider,
        operation: &str,
        fault: Option<&Fault>,
        notes: Notes,
    ) -> Self {
        let at = format!("{:.3}", sandbox.now());
        let seq = sandbox.state().request_log.open(at, provider, operation, fault.map(|fault| fault.kind), notes);
        Self { sandbox: Arc::clone(sandbox), seq, started: Instant::now(), closed: false }
    }

    /// Replaces the notes of the entry by those of the handler.
    pub fn note(&self, notes: Notes) {
        if let Some(entry) = self.sandbox.state().request_log.entry(self.seq) {
            entry.notes = notes;
        }
    }

    /// Finishes the entry with how the request ended.
    pub fn close(mut self, outcome: Outcome, status: Option<StatusCode>) {
        self.finish(outcome, status);
    }

    fn finish(&mut self, outcome: Outcome, status: Option<StatusCode>) {
        self.closed = true;
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.sandbox.close_entry(self.seq, outcome, status.map(|status| status.as_u16()), elapsed);
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        if !self.closed {
            self.finish(Outcome::ClientGone, None);
        }
    }
}
