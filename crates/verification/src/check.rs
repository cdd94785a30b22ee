//! Checks: what was looked at, and what was found.

use identivia_pixels::perceptual_hash::BANDS;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::kind::{Kind, Outcome};
use super::policy::Policy;
use super::reason::{Category, Code, Disposition, Reason};

/// A reason as stored with a check or a decision: the policy has said what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedReason {
    /// What was seen.
    pub code: Code,
    /// What kind of thing it is.
    pub category: Category,
    /// What the pinned policy makes of it.
    pub disposition: Disposition,
    /// Whether new evidence can help.
    pub retryable: bool,
    /// Text key that may be shown to the person.
    pub user_message_key: String,
    /// For reviewers only.
    #[serde(default)]
    pub detail: String,
}

impl JudgedReason {
    /// `reason` under `policy`, for a check of `kind`.
    pub fn new(reason: &Reason, kind: Kind, policy: &Policy) -> Self {
        let entry = reason.code.entry();
        Self {
            code: reason.code,
            category: entry.category,
            disposition: policy.disposition(reason.code, kind),
            retryable: reason.code.retryable(),
            user_message_key: entry.message_key.to_owned(),
            detail: reason.detail.clone(),
        }
    }
}

/// Which provider answered, for audits and support cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTrace {
    /// `rekognition`, `openai`, `fingerprint`; several are joined with `+`.
    pub name: String,
    /// Model or API version.
    #[serde(default)]
    pub model: String,
    /// Region or host family.
    #[serde(default)]
    pub region: String,
    /// The providers' own request ids, in call order.
    #[serde(default)]
    pub request_ids: Vec<String>,
}

/// What a check cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Provider calls made.
    pub calls: u32,
    /// Prompt tokens, images included.
    pub input_tokens: u64,
    /// Completion tokens, hidden reasoning included.
    pub output_tokens: u64,
}

/// What a judge concludes from provider answers: pure, before it is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Everything that was seen. Empty means passed.
    pub reasons: Vec<Reason>,
    /// Numbers for reviewers (confidence, similarity, quality).
    pub scores: Value,
    /// What was read (document fields, agreement matrix, device facts).
    pub extracted: Value,
}

/// A judgement with its provenance: what a `checks` row is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finding {
    /// What was concluded.
    pub judgement: Judgement,
    /// Set when the check could not be run at all, with the reason.
    pub not_executed_because: Option<String>,
    /// Ids of the records that were judged.
    pub evidence: Vec<String>,
    /// Who answered.
    pub provider: ProviderTrace,
    /// What it cost.
    pub usage: Usage,
    /// Wall time of the check in milliseconds.
    pub duration_ms: u64,
    /// JPEG or PNG bytes of the liveness reference image.
    pub reference_image: Option<Vec<u8>>,
    /// JPEG bytes of the document's portrait.
    pub portrait: Option<Vec<u8>>,
    /// What the document is known by from now on; for a document that was read.
    pub hashes: Option<Hashes>,
}

/// What is stored of a document, so that it is known again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashes {
    /// Keyed hash of the number; empty where there is none.
    pub number: String,
    /// Why there is none.
    pub number_missing_because: Option<&'static str>,
    /// Nobody had this number when it was looked for.
    pub number_first: bool,
    /// Look of the front; empty where there is none.
    pub picture: String,
    /// Nobody had exactly this picture when it was looked for.
    pub picture_first: bool,
    /// Parts of the look.
    pub bands: [String; BANDS],
}

/// A stored `checks` row (or one about to be stored).
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Record id, see [`check_id`].
    pub id: String,
    /// What was checked.
    pub kind: Kind,
    /// In which attempt, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not run, else empty.
    pub not_executed_because: String,
    /// What was seen, judged by the pinned policy.
    pub reasons: Vec<JudgedReason>,
    /// Ids of the records that were judged.
    pub evidence: Vec<String>,
    /// Stored name of the reference image, else empty.
    pub reference_image: String,
    /// Stored name of the portrait, else empty.
    pub portrait: String,
}

/// The names under which the pictures of a check were stored; empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Id of the check.
    pub check: String,
    /// The liveness challenge's reference image.
    pub reference_image: String,
    /// The document's portrait.
    pub portrait: String,
}

impl Check {
    /// The row that `finding` makes, judged by `policy`.
    pub fn judge(verification: &str, kind: Kind, attempt: u32, finding: &Finding, policy: &Policy) -> Self {
        let reasons: Vec<_> =
            finding.judgement.reasons.iter().map(|reason| JudgedReason::new(reason, kind, policy)).collect();
        let outcome = match finding.not_executed_because {
            Some(_) => Outcome::NotExecuted,
            None => outcome_of(&reasons),
        };
        Self {
            id: check_id(verification, kind.as_str(), attempt),
            kind,
            attempt,
            outcome,
            not_executed_because: finding.not_executed_because.clone().unwrap_or_default(),
            reasons,
            evidence: finding.evidence.clone(),
            reference_image: String::new(),
            portrait: String::new(),
        }
    }

    /// The gravest thing its reasons ask for; `None` when they ask for nothing.
    pub fn demand(&self) -> Option<Disposition> {
        gravest(&self.reasons)
    }
}

/// The id of the `checks` row for `kind` in `attempt`: chosen here, so that a claim can name a finding that is stored in the
/// same batch, and a second attempt to store it fails on the primary key as well. 15 characters `[a-z0-5]`.
pub fn check_id(verification: &str, kind: &str, attempt: u32) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    Sha256::digest(format!("{verification}/{kind}/{attempt}"))
        .iter()
        .take(15)
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

/// Decline outweighs review, and review outweighs resubmit: a suspicion is not retried away. (A picture too bad to judge
/// raises no suspicion in the first place; its check reports the quality alone.)
fn gravest(reasons: &[JudgedReason]) -> Option<Disposition> {
    reasons.iter().map(|r| r.disposition).filter(|d| *d >= Disposition::Resubmit).max()
}

/// Technical trouble outweighs every claim about the person.
fn outcome_of(reasons: &[JudgedReason]) -> Outcome {
    if reasons.iter().any(|r| matches!(r.code, Code::SystemProviderUnavailable | Code::SystemInternalError)) {
        return Outcome::Error;
    }
    match gravest(reasons) {
        Some(Disposition::Decline | Disposition::Resubmit) => Outcome::Failed,
        Some(Disposition::Review) => Outcome::Review,
        Some(Disposition::Inform | Disposition::Retry) | None => Outcome::Passed,
    }
}
