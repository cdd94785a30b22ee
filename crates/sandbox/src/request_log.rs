//! The request log: what the sandbox was asked and how it answered. Images appear by their hash
//! only.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use crate::faults::FaultKind;
use crate::operations::SimulatedProvider;

/// Most entries. The oldest is dropped for a new one beyond this number.
const CAPACITY: usize = 20_000;

#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// 1, 2, 3 and so on.
    pub seq: u64,
    /// When the request arrived, on the sandbox's clock.
    pub at: String,
    pub provider: SimulatedProvider,
    pub operation: String,
    pub outcome: Outcome,
    /// The fault that was applied, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// The status of the answer, also where a fault withheld it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Milliseconds until the answer was ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    #[serde(flatten)]
    pub notes: Notes,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pending,
    /// With an answer, true or changed by a fault.
    Answered,
    /// The answer was withheld or cut, for most faults after the work was done.
    AnswerLost,
    /// The client closed the connection first.
    ClientGone,
}

/// What the request and its handler say about it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Notes {
    /// `ClientRequestToken` or `Idempotency-Key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_token: Option<String>,
    /// `X-Client-Request-Id` or `amz-sdk-invocation-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// `amz-sdk-request`: which attempt the client says this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The request id that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The error code that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Liveness session, model or event that the request is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Region that the request was signed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Images in the order in which they were sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageNote>,
    /// Tokens that were charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
}

/// An image that was sent.
#[derive(Debug, Clone, Serialize)]
pub struct ImageNote {
    pub sha256: String,
    pub bytes: usize,
}

impl ImageNote {
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: crate::seed::sha256_hex(bytes), bytes: bytes.len() }
    }
}

/// The newest [`CAPACITY`] entries.
#[derive(Debug, Default)]
pub struct RequestLog {
    entries: VecDeque<Entry>,
    last: u64,
}

impl RequestLog {
    /// Starts an entry and numbers it.
    pub fn open(
        &mut self,
        at: String,
        provider: SimulatedProvider,
        operation: &str,
        fault: Option<FaultKind>,
        notes: Notes,
    ) -> u64 {
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.last += 1;
        self.entries.push_back(Entry {
            seq: self.last,
            at,
            provider,
            operation: operation.to_owned(),
            outcome: Outcome::Pending,
            fault,
            status: None,
            duration_ms: None,
            notes,
        });
        self.last
    }

    /// An entry that is still kept.
    pub fn entry(&mut self, seq: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.seq;
        self.entries.get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// Entries after `since`, oldest first, at most `limit`.
    pub fn after(&self, since: u64, limit: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.seq > since).take(limit)
    }

    /// The number of the newest entry.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Removes all entries; the numbering continues.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_numbered() {
        let mut log = RequestLog::default();
        for _ in 0..CAPACITY + 5 {
            log.open(String::new(), SimulatedProvider::Sts, "AssumeRole", None, Notes::default());
        }
        assert_eq!(log.after(0, usize::MAX).count(), CAPACITY);
        assert_eq!(log.after(0, 1).next().map(|entry| entry.seq), Some(6));
        assert!(log.entry(5).is_none());
        assert_eq!(log.entry(6).map(|entry| entry.seq), Some(6));
        assert_eq!(log.last(), CAPACITY as u64 + 5);
    }
}
