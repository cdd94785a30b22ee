//! Policies: the rules of an operator, pinned on each verification at its first pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kind::{DocumentType, Kind, Provider};
use super::reason::{Code, Disposition};

/// What happens to a check whose provider is unavailable past the policy's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// A reviewer decides.
    #[default]
    Review,
    /// The check is recorded as missing and does not prevent an approval.
    Skip,
}

/// One version of an operator's rules. A version is never changed, only superseded by the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Record id.
    pub id: String,
    /// Name by which verifications ask for the policy.
    pub name: String,
    /// Version, from 1; the highest is live.
    pub version: u32,
    /// Whether people may ask for it themselves; the service always may.
    #[serde(default)]
    pub open_to_users: bool,
    /// The checks that a decision needs.
    pub required_checks: Vec<Kind>,
    /// Accepted document types; empty means all.
    #[serde(default)]
    pub allowed_document_types: Vec<DocumentType>,
    /// ISO 3166 codes of accepted issuing states (alpha-2 or alpha-3); empty means all.
    #[serde(default)]
    pub allowed_countries: Vec<String>,
    /// ISO 3166 codes of refused issuing states.
    #[serde(default)]
    pub denied_countries: Vec<String>,
    /// Minimum age in whole years.
    #[serde(default)]
    pub minimum_age: u16,
    /// Liveness confidence, 0-100, from which the check passes. At the first pass 0 is replaced by
    /// the service's `FACE_LIVENESS_THRESHOLD`, and the journal records the number used.
    #[serde(default)]
    pub liveness_threshold: f64,
    /// Liveness confidence below which an attack is suspected; between the two a reviewer decides.
    #[serde(default)]
    pub liveness_attack_below: f64,
    /// Similarity, 0-100, from which faces match.
    pub face_match_pass: f64,
    /// Similarity from which a reviewer decides; below it the faces do not match.
    pub face_match_review: f64,
    /// How often the person may submit evidence.
    pub attempts_max: u32,
    /// Number of liveness challenges that an attempt may take (AWS recommends a pause after five).
    pub liveness_sessions_max: u32,
    /// Hours without evidence after which an open verification expires.
    pub input_hours: u32,
    /// Minutes that a provider may be unavailable before [`Degraded`] applies.
    pub technical_minutes: u32,
    /// Seconds between a device event and the record that names it.
    pub device_max_age_seconds: u32,
    /// Days before its expiry at which a document is recorded as expiring soon.
    #[serde(default)]
    pub expires_soon_days: u32,
    /// Days that an approval is valid.
    #[serde(default)]
    pub verified_days: u32,
    /// Number of claims on one task that may end in a dead process before the task is set aside.
    pub work_tries_max: u32,
    /// Dispositions by reason code, where they differ from the catalogue.
    #[serde(default)]
    pub dispositions: BTreeMap<String, Disposition>,
    /// What happens while a provider is unavailable.
    #[serde(default)]
    pub degraded: BTreeMap<Provider, Degraded>,
}

/// The policy that the first pass pinned, as the journal names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PinnedPolicy<'a> {
    /// Id of the policy record.
    pub id: &'a str,
    /// Liveness threshold that was in force then, 0-100.
    pub liveness_threshold: f64,
}

impl Policy {
    /// What `code` leads to in a check of `kind` under this policy.
    ///
    /// A technical failure never declines: for it only [`Degraded`] counts, whatever `dispositions`
    /// says.
    pub fn disposition(&self, code: Code, kind: Kind) -> Disposition {
        match code {
            Code::SystemProviderUnavailable => match self.degraded_mode(kind) {
                Degraded::Review => Disposition::Review,
                Degraded::Skip => Disposition::Inform,
            },
            Code::SystemInternalError => Disposition::Review,
            code => self.dispositions.get(code.as_str()).copied().unwrap_or_else(|| code.entry().disposition),
        }
    }

    /// What happens to a check of `kind` whose provider is unavailable. A check that may not be
    /// skipped is always reviewed; another is skipped if the policy says so of all its providers.
    fn degraded_mode(&self, kind: Kind) -> Degraded {
        let spec = kind.spec();
        let skips = |provider: &Provider| self.degraded.get(provider) == Some(&Degraded::Skip);
        if spec.may_be_skipped && spec.providers.iter().all(skips) { Degraded::Skip } else { Degraded::Review }
    }

    /// The liveness threshold in hundredths, as the journal pins it.
    pub fn liveness_threshold_hundredths(&self) -> u32 {
        // Validated to 0..=100, so the product fits and is not negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=10000 after validation")]
        let hundredths = (self.liveness_threshold.clamp(0.0, 100.0) * 100.0).round() as u32;
        hundredths
    }

    /// The policy in force: with the threshold that is pinned for a verification that has started,
    /// else as [`with_threshold`](Self::with_threshold) gives it.
    #[must_use]
    pub fn in_force(&self, pinned: Option<PinnedPolicy<'_>>, default_threshold: f64) -> Self {
        match pinned {
            Some(pinned) => Self { liveness_threshold: pinned.liveness_threshold, ..self.clone() },
            None => self.with_threshold(default_threshold),
        }
    }

    /// The policy as a new verification gets it: with `default_threshold` (the service's
    /// `FACE_LIVENESS_THRESHOLD`) where it sets no liveness threshold itself.
    #[must_use]
    pub fn with_threshold(&self, default_threshold: f64) -> Self {
        let own = (self.liveness_threshold > 0.0).then_some(self.liveness_threshold);
        Self { liveness_threshold: own.unwrap_or(default_threshold), ..self.clone() }
    }

    /// Whether a decision needs a check of `kind`.
    pub fn requires(&self, kind: Kind) -> bool {
        self.required_checks.contains(&kind)
    }

    /// Everything that is wrong with the policy, each as a sentence that an operator can act on.
    /// Empty when it can be used.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut must = |good: bool, what: &str| {
            if !good {
                problems.push(format!("policy {} version {}: {what}", self.name, self.version));
            }
        };
        let percent = |value: f64| value.is_finite() && (0.0..=100.0).contains(&value);
        must(!self.required_checks.is_empty(), "required_checks is empty, so it would approve every person");
        for kind in &self.required_checks {
            let bases = kind.spec().rests_on;
            let names = bases.iter().map(|base| base.as_str()).collect::<Vec<_>>().join(" and ");
            must(
                bases.iter().all(|base| self.requires(*base)),
                &format!("{kind} needs {names} in required_checks: it compares their faces"),
            );
        }
        must(percent(self.liveness_threshold), "liveness_threshold must be between 0 and 100");
        must(percent(self.liveness_attack_below), "liveness_attack_below must be between 0 and 100");
        must(
            self.liveness_threshold == 0.0 || self.liveness_attack_below <= self.liveness_threshold,
            "liveness_attack_below must not be above liveness_threshold",
        );
        must(
            percent(self.face_match_pass) && percent(self.face_match_review),
            "face_match_pass and face_match_review must be between 0 and 100",
        );
        must(self.face_match_review <= self.face_match_pass, "face_match_review must not be above face_match_pass");
        must(self.face_match_pass > 0.0, "face_match_pass is 0, so any two faces would match");
        must(self.attempts_max >= 1, "attempts_max must be at least 1");
        must(self.liveness_sessions_max >= 1, "liveness_sessions_max must be at least 1");
        must(self.input_hours >= 1, "input_hours must be at least 1");
        must(self.technical_minutes >= 1, "technical_minutes must be at least 1");
        must(self.work_tries_max >= 1, "work_tries_max must be at least 1");
        must(self.device_max_age_seconds >= 1, "device_max_age_seconds must be at least 1");
        for (code, disposition) in &self.dispositions {
            must(Code::parse(code).is_some(), &format!("dispositions names {code:?}, which is no reason code"));
            must(
                *disposition != Disposition::Retry,
                &format!("dispositions sets {code:?} to retry, which is for technical failures only"),
            );
            must(
                *disposition != Disposition::Inform || !(code.starts_with("face.") || code.starts_with("liveness.")),
                &format!("dispositions sets {code:?} to inform, which would let another person in"),
            );
        }
        problems
    }
}
