//! The journal: one row for each thing that happened, numbered and chained by hashes.

pub mod chain;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::{Kind, Outcome};
use super::status::Status;

/// Seconds that a claim on opening a liveness challenge lasts.
const OPEN_SESSION_SECONDS: u32 = 30;

/// A work item: what a sidecar claims and then does outside the core.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Fetch a device event from Fingerprint and judge it.
    Device {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `device_signals` record.
        evidence: String,
    },
    /// Read a document and judge it.
    Document {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `documents` record.
        evidence: String,
    },
    /// Fetch the result of a liveness challenge and judge it.
    Liveness {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `liveness_sessions` record.
        evidence: String,
    },
    /// Compare the liveness reference image with the document's portrait.
    FaceMatch {
        /// The attempt it belongs to.
        attempt: u32,
        /// Ids of the liveness and document `checks` records, in this order, joined by `+`.
        evidence: String,
    },
    /// Open a liveness challenge at the provider.
    OpenSession {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `liveness_sessions` record; also the provider's idempotency token.
        evidence: String,
    },
}

impl Work {
    /// The work that leads to a check of `kind`.
    pub fn for_check(kind: Kind, attempt: u32, evidence: String) -> Self {
        match kind {
            Kind::Device => Work::Device { attempt, evidence },
            Kind::Document => Work::Document { attempt, evidence },
            Kind::Liveness => Work::Liveness { attempt, evidence },
            Kind::FaceMatch => Work::FaceMatch { attempt, evidence },
        }
    }

    /// The kind of check it leads to; opening a challenge leads to none.
    pub fn check(&self) -> Option<Kind> {
        match self {
            Work::Device { .. } => Some(Kind::Device),
            Work::Document { .. } => Some(Kind::Document),
            Work::Liveness { .. } => Some(Kind::Liveness),
            Work::FaceMatch { .. } => Some(Kind::FaceMatch),
            Work::OpenSession { .. } => None,
        }
    }

    /// The attempt it belongs to.
    pub fn attempt(&self) -> u32 {
        self.parts().0
    }

    /// Id of the record it is about.
    pub fn evidence(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (u32, &str) {
        match self {
            Work::Device { attempt, evidence }
            | Work::Document { attempt, evidence }
            | Work::Liveness { attempt, evidence }
            | Work::FaceMatch { attempt, evidence }
            | Work::OpenSession { attempt, evidence } => (*attempt, evidence),
        }
    }

    /// Seconds that this item may take.
    pub fn seconds(&self) -> u32 {
        self.check().map_or(OPEN_SESSION_SECONDS, |kind| kind.spec().claim_seconds)
    }

    /// Seconds that a claim on all of `work` lasts: those of its longest item. Shorter items of it
    /// end earlier.
    pub fn seconds_of(work: &[Work]) -> u32 {
        work.iter().map(Work::seconds).max().unwrap_or(0)
    }

    /// Whether both are tries at the same task. Each challenge is a task of its own. For other
    /// checks each attempt is one task: a newer upload starts no second check in parallel and does
    /// not reset the failures of the first.
    pub fn is_same_task(&self, other: &Work) -> bool {
        match self {
            Work::OpenSession { .. } | Work::Liveness { .. } => self == other,
            _ => self.check() == other.check() && self.attempt() == other.attempt(),
        }
    }
}

/// Who made a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The pinned policy.
    Automatic,
    /// A reviewer or operator, through an action.
    Reviewer,
}

impl Source {
    /// The stored spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Automatic => "automatic",
            Source::Reviewer => "reviewer",
        }
    }
}

/// What a journal row says. The verified person may read it: no scores, no fraud codes, no fields
/// of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The first pass pinned the policy.
    Started {
        /// Id of the policy record.
        policy: String,
        /// Name of the policy.
        policy_name: String,
        /// Version of the policy.
        policy_version: u32,
        /// Liveness threshold in force, in hundredths. A journal carries no fractions: the hash
        /// chain is over the text, and JSON readers do not all keep a fraction as it was.
        liveness_threshold_hundredths: u32,
        /// Number of attempts that the person has.
        attempts_max: u32,
        /// When the verification expires if the person submits nothing.
        expires_at: Timestamp,
    },
    /// A sidecar claimed work, before it spends anything on it. The claim ends `seconds` after the
    /// row's `created`.
    WorkClaimed {
        /// The items that were claimed.
        work: Vec<Work>,
        /// How long the claim lasts, in seconds; never renewed.
        seconds: u32,
    },
    /// Claimed work ended without an answer. This says nothing about the person.
    WorkFailed {
        /// `seq` of the claim.
        claim: u32,
        /// The item that failed.
        work: Work,
        /// Stable code of the error.
        trouble: String,
        /// When it may be tried again, in seconds after the row's `created`.
        retry_seconds: u32,
    },
    /// The person can take the challenge: its session id is on the record.
    LivenessSessionOpened {
        /// `seq` of the claim.
        claim: u32,
        /// Id of the `liveness_sessions` record.
        liveness_session: String,
        /// When the provider deletes the session.
        expires_at: Timestamp,
    },
    /// A challenge ended without a usable result, or was not opened at all.
    LivenessSessionEnded {
        /// Id of the `liveness_sessions` record.
        liveness_session: String,
        /// `failed`, `expired` or `refused`.
        status: String,
        /// Reason code that the person may see.
        code: String,
    },
    /// A check was stored.
    CheckFinished {
        /// `seq` of the claim; 0 when the check was concluded without one.
        claim: u32,
        /// The kind of check.
        kind: Kind,
        /// The attempt it belongs to.
        attempt: u32,
        /// How the check ended.
        outcome: Outcome,
        /// Message keys that the person may see.
        codes: Vec<String>,
    },
    /// An attempt was decided.
    Decided {
        /// The attempt that was decided.
        attempt: u32,
        /// The status that follows.
        status: Status,
        /// Who decided.
        source: Source,
        /// Message keys that the person may see.
        codes: Vec<String>,
        /// The checks to repeat; only for a resubmission.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        redo: Vec<Kind>,
        /// SHA-256 of the decision's canonical JSON; empty when a reviewer decided.
        #[serde(default)]
        digest: String,
    },
    /// A person's action took effect.
    ActionApplied {
        /// Stored name of the action.
        action: String,
    },
    /// A person's action could not take effect.
    ActionRefused {
        /// Stored name of the action.
        action: String,
        /// Stable code of the reason.
        code: String,
    },
    /// The person submitted nothing in time.
    Expired {},
    /// The person withdrew.
    Canceled {},
    /// A reviewer reopened a decided verification.
    Reopened {},
    /// An event of a newer version, which this version keeps and ignores.
    #[serde(skip)]
    Other {
        /// Stored name of the event.
        event: String,
    },
}

impl Event {
    /// The stored pair `event`, `data`.
    pub fn to_parts(&self) -> (String, Value) {
        if let Event::Other { event } = self {
            return (event.clone(), json!({}));
        }
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let name = value["event"].as_str().unwrap_or_default().to_owned();
        (name, value["data"].take())
    }

    /// Reads a stored pair. What this version does not know becomes [`Event::Other`].
    pub fn from_parts(event: &str, data: &Value) -> Self {
        serde_json::from_value(json!({ "event": event, "data": data }))
            .unwrap_or_else(|_| Event::Other { event: event.to_owned() })
    }
}

/// A journal row.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// 1, 2, 3 and so on, without gaps.
    pub seq: u32,
    /// What happened.
    pub event: Event,
    /// `data` as stored, for the hash.
    pub data: Value,
    /// Stored name of the event, for the hash.
    pub name: String,
    /// Id of the action that the row handles, else empty. Unique, so an action is handled once.
    pub action: String,
    /// Name of the sidecar instance, or [`Actor::label`](super::records::Actor::label).
    pub by: String,
    /// Hash of the row before; empty for the first.
    pub previous_hash: String,
    /// Hash of this row.
    pub hash: String,
    /// When `PocketBase` stored the row, on `PocketBase`'s clock.
    pub created: Timestamp,
}
