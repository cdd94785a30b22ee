//! Checks: what a judge found, with its provenance, and the `checks` row that follows under a
//! policy.

use identivia_pixels::perceptual_hash::BANDS;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::kind::{Kind, Outcome};
use super::policy::Policy;
use super::reason::{Category, Code, Disposition, Reason};

/// A reason as stored with a check or a decision, with what the policy makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedReason {
    /// What was found.
    pub code: Code,
    /// What the reason is about.
    pub category: Category,
    /// What the reason leads to under the pinned policy.
    pub disposition: Disposition,
    /// Whether new evidence can help.
    pub retryable: bool,
    /// Key of the text that the person may see.
    pub user_message_key: String,
    /// Explanation for reviewers; the person never sees it.
    #[serde(default)]
    pub detail: String,
}

impl JudgedReason {
    /// Judges `reason` of a check of `kind` under `policy`.
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

/// Which provider answered, for audits and support requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTrace {
    /// `rekognition`, `openai` or `fingerprint`; several are joined with `+`.
    pub name: String,
    /// Version of the model or the API.
    #[serde(default)]
    pub model: String,
    /// Region or host family.
    #[serde(default)]
    pub region: String,
    /// The providers' own request ids, in the order of the calls.
    #[serde(default)]
    pub request_ids: Vec<String>,
}

/// What a check cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Number of provider calls.
    pub calls: u32,
    /// Prompt tokens, images included.
    pub input_tokens: u64,
    /// Completion tokens, hidden reasoning included.
    pub output_tokens: u64,
}

/// What a judge concludes from the answers of providers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Everything that was found; empty means passed.
    pub reasons: Vec<Reason>,
    /// Numbers for reviewers (confidence, similarity, quality).
    pub scores: Value,
    /// What was read (document fields, agreement matrix, device facts).
    pub extracted: Value,
}

/// A judgement with its provenance, from which a `checks` row is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finding {
    /// The conclusion.
    pub judgement: Judgement,
    /// The reason why the check could not be run at all.
    pub not_executed_because: Option<String>,
    /// Ids of the records that were judged.
    pub evidence: Vec<String>,
    /// The provider that answered.
    pub provider: ProviderTrace,
    /// What the check cost.
    pub usage: Usage,
    /// Wall time of the check in milliseconds.
    pub duration_ms: u64,
    /// JPEG or PNG bytes of the liveness reference image.
    pub reference_image: Option<Vec<u8>>,
    /// JPEG bytes of the document's portrait.
    pub portrait: Option<Vec<u8>>,
    /// Hashes by which the document is recognised later; for a document that was read.
    pub hashes: Option<Hashes>,
}

/// What is stored of a document so that it is recognised when it is submitted again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashes {
    /// Keyed hash of the document number; empty when there is none.
    pub number: String,
    /// Why there is no hash of the number.
    pub number_missing_because: Option<&'static str>,
    /// Whether no stored document had this number when the service searched.
    pub number_first: bool,
    /// Perceptual hash of the front picture; empty when there is none.
    pub picture: String,
    /// Whether no stored document had exactly this picture when the service searched.
    pub picture_first: bool,
    /// Parts of the perceptual hash, by which similar pictures are found.
    pub bands: [String; BANDS],
}

/// A `checks` row, stored or about to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Record id, see [`check_id`].
    pub id: String,
    /// What was checked.
    pub kind: Kind,
    /// The attempt it belongs to, from 1.
    pub attempt: u32,
    /// How the check ended.
    pub outcome: Outcome,
    /// Why the check was not run, else empty.
    pub not_executed_because: String,
    /// What was found, judged by the pinned policy.
    pub reasons: Vec<JudgedReason>,
    /// Ids of the records that were judged.
    pub evidence: Vec<String>,
    /// Stored name of the reference image, else empty.
    pub reference_image: String,
    /// Stored name of the portrait, else empty.
    pub portrait: String,
}

/// The names under which the pictures of a check were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Id of the check.
    pub check: String,
    /// Name of the liveness reference image, else empty.
    pub reference_image: String,
    /// Name of the document's portrait, else empty.
    pub portrait: String,
}

impl Check {
    /// The row that `finding` makes under `policy`.
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

    /// The most severe disposition that its reasons ask for; `None` when they ask for nothing.
    pub fn demand(&self) -> Option<Disposition> {
        most_severe(&self.reasons)
    }

    /// Whether this check of a document or a challenge yields a face that can be compared.
    pub fn yields_face(&self) -> bool {
        matches!(self.outcome, Outcome::Passed | Outcome::Review)
    }

    /// Whether the check ends its attempt whatever the other checks find.
    pub fn ends_attempt(&self) -> bool {
        matches!(self.demand(), Some(Disposition::Decline | Disposition::Resubmit))
    }

    /// Whether the check allows an approval: it passed, or the policy lets the person pass without
    /// it. Absent, unknown and undecided never allow one.
    pub fn allows_approval(&self) -> bool {
        match self.outcome {
            Outcome::Passed => self.demand().is_none(),
            Outcome::NotExecuted | Outcome::Error => {
                self.kind.spec().may_be_skipped
                    && !self.reasons.is_empty()
                    && self.reasons.iter().all(|reason| reason.disposition == Disposition::Inform)
            }
            Outcome::Failed | Outcome::Review => false,
        }
    }
}

/// The id of the `checks` row for `kind` in `attempt`: 15 characters `[a-z0-5]`.
///
/// The core chooses it, so that a claim can name a check that is stored in the same batch, and so
/// that the primary key also rejects a second row for the same check.
pub fn check_id(verification: &str, kind: &str, attempt: u32) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    Sha256::digest(format!("{verification}/{kind}/{attempt}"))
        .iter()
        .take(15)
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

/// The most severe disposition that `reasons` ask for; `None` when they ask for nothing. Decline
/// outweighs review, and review outweighs resubmit: a suspicion must not be retried away. (A
/// picture that is too bad to judge raises no suspicion: its check reports only the quality.)
fn most_severe(reasons: &[JudgedReason]) -> Option<Disposition> {
    reasons.iter().map(|reason| reason.disposition).filter(|disposition| *disposition >= Disposition::Resubmit).max()
}

/// The outcome that follows from `reasons`. A technical failure outweighs everything that was found
/// about the person.
fn outcome_of(reasons: &[JudgedReason]) -> Outcome {
    if reasons.iter().any(|r| matches!(r.code, Code::SystemProviderUnavailable | Code::SystemInternalError)) {
        return Outcome::Error;
    }
    match most_severe(reasons) {
        Some(Disposition::Decline | Disposition::Resubmit) => Outcome::Failed,
        Some(Disposition::Review) => Outcome::Review,
        Some(Disposition::Inform | Disposition::Retry) | None => Outcome::Passed,
    }
}
