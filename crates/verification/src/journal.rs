//! The journal: one row for each thing that happened, numbered and hash-chained.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::kind::{Kind, Outcome};
use super::status::Status;

/// One piece of work inside a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Ask Fingerprint about a device signal.
    Device {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `device_signals` record.
        evidence: String,
    },
    /// Examine a document.
    Document {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `documents` record.
        evidence: String,
    },
    /// Fetch and judge the result of a liveness challenge.
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
    /// Create the provider's side of a liveness challenge.
    OpenSession {
        /// The attempt it belongs to.
        attempt: u32,
        /// Id of the `liveness_sessions` record; also the provider's idempotency token.
        evidence: String,
    },
}

impl Work {
    /// The attempt it belongs to.
    pub fn attempt(&self) -> u32 {
        match self {
            Work::Device { attempt, .. }
            | Work::Document { attempt, .. }
            | Work::Liveness { attempt, .. }
            | Work::FaceMatch { attempt, .. }
            | Work::OpenSession { attempt, .. } => *attempt,
        }
    }

    /// The record it is about.
    pub fn evidence(&self) -> &str {
        match self {
            Work::Device { evidence, .. }
            | Work::Document { evidence, .. }
            | Work::Liveness { evidence, .. }
            | Work::FaceMatch { evidence, .. }
            | Work::OpenSession { evidence, .. } => evidence,
        }
    }

    /// The kind of check it leads to; opening a session leads to none.
    pub fn check(&self) -> Option<Kind> {
        match self {
            Work::Device { .. } => Some(Kind::Device),
            Work::Document { .. } => Some(Kind::Document),
            Work::Liveness { .. } => Some(Kind::Liveness),
            Work::FaceMatch { .. } => Some(Kind::FaceMatch),
            Work::OpenSession { .. } => None,
        }
    }
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The pinned policy.
    Automatic,
    /// A person, through an action.
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

/// What a journal row says. Its data is safe for the verified person: no scores, no fraud codes, no read fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// First pass: the policy is pinned.
    Started {
        /// Policy record id.
        policy: String,
        /// Policy name.
        policy_name: String,
        /// Policy version.
        policy_version: u32,
        /// Liveness confidence in force, in hundredths (a journal carries no fractions: they do not survive every JSON
        /// reader and the chain is over the text).
        liveness_threshold_hundredths: u32,
        /// Attempts in all.
        attempts_max: u32,
        /// When silence ends it.
        expires_at: Timestamp,
    },
    /// A sidecar took work, counted before it is spent. It ends at the row's `created` + `seconds`.
    WorkClaimed {
        /// What was taken.
        work: Vec<Work>,
        /// How long, in seconds; never renewed.
        seconds: u32,
    },
    /// A piece of claimed work ended without an answer. Says nothing about the person.
    WorkFailed {
        /// `seq` of the claim.
        claim: u32,
        /// The piece.
        work: Work,
        /// A stable word for what went wrong.
        trouble: String,
        /// When it may be tried again, in seconds after the row's `created`.
        retry_seconds: u32,
    },
    /// The challenge can begin: its session id is on the record.
    LivenessSessionOpened {
        /// `seq` of the claim.
        claim: u32,
        /// Id of the `liveness_sessions` record.
        liveness_session: String,
        /// Until when the provider keeps it.
        expires_at: Timestamp,
    },
    /// A challenge ended without a usable result, or was not opened at all.
    LivenessSessionEnded {
        /// Id of the `liveness_sessions` record.
        liveness_session: String,
        /// `failed`, `expired` or `refused`.
        status: String,
        /// Reason code, safe for the person.
        code: String,
    },
    /// A finding was stored.
    CheckFinished {
        /// `seq` of the claim; 0 when it was concluded without one.
        claim: u32,
        /// What was checked.
        kind: Kind,
        /// In which attempt.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// Message keys, safe for the person.
        codes: Vec<String>,
    },
    /// An attempt was decided.
    Decided {
        /// Which attempt.
        attempt: u32,
        /// The status it leads to.
        status: Status,
        /// By whom.
        source: Source,
        /// Message keys, safe for the person.
        codes: Vec<String>,
        /// What must be handed in anew; only for a resubmission.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        redo: Vec<Kind>,
        /// SHA-256 of the decision's canonical JSON; empty when a person decided.
        #[serde(default)]
        digest: String,
    },
    /// A person's action took effect.
    ActionApplied {
        /// Which.
        action: String,
    },
    /// A person's action could not take effect.
    ActionRefused {
        /// Which.
        action: String,
        /// A stable word for why.
        code: String,
    },
    /// Nothing came in time.
    Expired {},
    /// Withdrawn on request.
    Canceled {},
    /// A person reopened a decided verification.
    Reopened {},
    /// An event of a newer version; kept, not understood.
    #[serde(skip)]
    Other {
        /// Its name.
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

    /// Reads a stored pair; what this version does not know becomes [`Event::Other`].
    pub fn from_parts(event: &str, data: &Value) -> Self {
        serde_json::from_value(json!({ "event": event, "data": data }))
            .unwrap_or_else(|_| Event::Other { event: event.to_owned() })
    }
}

/// A journal row.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// 1, 2, 3 ... without gaps.
    pub seq: u32,
    /// What happened.
    pub event: Event,
    /// `data` as stored, for the hash.
    pub data: Value,
    /// Stored name of the event, for the hash.
    pub name: String,
    /// The action it handles, if any. Unique, so an action is handled once.
    pub action: String,
    /// Instance, `reviewer:<id>`, `superuser` or `user`.
    pub by: String,
    /// Hash of the row before; empty for the first.
    pub previous_hash: String,
    /// This row's hash.
    pub hash: String,
    /// When `PocketBase` stored it, on `PocketBase`'s clock.
    pub created: Timestamp,
}

/// The hash of a row: SHA-256 over the canonical JSON of what it says and of the hash before it, in hex.
pub fn hash(verification: &str, entry: &Entry) -> String {
    digest(&json!({
        "action": entry.action,
        "by": entry.by,
        "data": entry.data,
        "event": entry.name,
        "previous_hash": entry.previous_hash,
        "seq": entry.seq,
        "verification": verification,
    }))
}

/// SHA-256 over canonical JSON (keys sorted, no spaces), in hex.
pub fn digest(value: &Value) -> String {
    hex::encode(Sha256::digest(canonical(value).as_bytes()))
}

/// JSON with sorted keys and no spaces, so that a hash survives a database that reorders keys.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Why a journal cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing or double.
    #[error("journal row {found} stands where {expected} should")]
    Gap {
        /// The number that should be there.
        expected: u32,
        /// The number that is.
        found: u32,
    },
    /// A row does not carry the hash of the one before.
    #[error("journal row {seq} does not follow from the row before it")]
    Chain {
        /// The row.
        seq: u32,
    },
    /// A row's own hash is not that of its content.
    #[error("journal row {seq} was altered after it was written")]
    Altered {
        /// The row.
        seq: u32,
    },
}

/// Checks numbers and hashes of a whole journal, in `seq` order.
pub fn verify(verification: &str, entries: &[Entry]) -> Result<(), Broken> {
    let mut previous = "";
    for (entry, expected) in entries.iter().zip(1u32..) {
        if entry.seq != expected {
            return Err(Broken::Gap { expected, found: entry.seq });
        }
        if entry.previous_hash != previous {
            return Err(Broken::Chain { seq: entry.seq });
        }
        if entry.hash != hash(verification, entry) {
            return Err(Broken::Altered { seq: entry.seq });
        }
        previous = &entry.hash;
    }
    Ok(())
}
