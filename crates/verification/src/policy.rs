//! Policies: what the operator demands, and the decision that follows from findings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::journal::Event;
use super::kind::{DocumentType, Kind, Provider};
use super::reason::{Code, Disposition};

/// What happens when a provider stays away past the policy's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// A person looks at it.
    #[default]
    Review,
    /// The check is noted as missing and does not stand in the way.
    Skip,
}

/// One version of an operator's rules. Pinned on a verification at its first pass; never changed, only superseded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Record id.
    pub id: String,
    /// Name that verifications ask for.
    pub name: String,
    /// Version, from 1; the highest is live.
    pub version: u32,
    /// Whether people may ask for it themselves; the service may always.
    #[serde(default)]
    pub open_to_users: bool,
    /// Which checks must be there before anything is decided.
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
    /// Liveness confidence, 0-100, from which the check passes. At the first pass 0 is replaced by the service's
    /// `FACE_LIVENESS_THRESHOLD`, and the journal records the number used.
    #[serde(default)]
    pub liveness_threshold: f64,
    /// Liveness confidence below which an attack is suspected; between the two a person looks.
    #[serde(default)]
    pub liveness_attack_below: f64,
    /// Similarity, 0-100, from which faces match.
    pub face_match_pass: f64,
    /// Similarity from which a person looks; below, the faces do not match.
    pub face_match_review: f64,
    /// How often evidence may be handed in.
    pub attempts_max: u32,
    /// Liveness challenges an attempt may take (AWS recommends a pause after five).
    pub liveness_sessions_max: u32,
    /// Hours of silence after which an open verification expires.
    pub input_hours: u32,
    /// Minutes a provider may stay away before [`Degraded`] applies.
    pub technical_minutes: u32,
    /// Seconds between a device event and the record that names it.
    pub device_max_age_seconds: u32,
    /// Days before expiry at which a document is noted as expiring soon.
    #[serde(default)]
    pub expires_soon_days: u32,
    /// Days an approval holds.
    #[serde(default)]
    pub verified_days: u32,
    /// Claims of one check that may end in a dead process before it is set aside.
    pub work_tries_max: u32,
    /// What a code does here, where it differs from the catalogue.
    #[serde(default)]
    pub dispositions: BTreeMap<String, Disposition>,
    /// What happens without a provider.
    #[serde(default)]
    pub degraded: BTreeMap<Provider, Degraded>,
}

impl Policy {
    /// What `code` does in a check of `kind` under this policy.
    ///
    /// Trouble of our own never declines: for it only [`Degraded`] counts, whatever the overrides say.
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

    /// What happens to a check of `kind` whose provider stayed away. Skipping liveness or the face match would let
    /// anybody in while Rekognition is down, so those two can only be reviewed.
    fn degraded_mode(&self, kind: Kind) -> Degraded {
        let provider = match kind {
            Kind::Device => Provider::Fingerprint,
            Kind::Document => Provider::Openai,
            Kind::Liveness | Kind::FaceMatch => return Degraded::Review,
        };
        match (kind, self.degraded.get(&provider).copied().unwrap_or_default()) {
            (Kind::Device, mode) => mode,
            (_, _) => Degraded::Review,
        }
    }

    /// The liveness threshold in hundredths, as the journal pins it.
    pub fn liveness_threshold_hundredths(&self) -> u32 {
        // Validated to 0..=100, so the product fits and is not negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=10000 after validation")]
        let hundredths = (self.liveness_threshold.clamp(0.0, 100.0) * 100.0).round() as u32;
        hundredths
    }

    /// The policy in force for `case`: its pinned liveness threshold, or `default_threshold` (the service's
    /// `FACE_LIVENESS_THRESHOLD`) where the policy leaves it open and nothing is pinned yet.
    #[must_use]
    pub fn in_force(&self, case: &Case, default_threshold: f64) -> Self {
        let pinned = case.journal.iter().find_map(|entry| match entry.event {
            Event::Started { liveness_threshold_hundredths, .. } => {
                Some(f64::from(liveness_threshold_hundredths) / 100.0)
            }
            _ => None,
        });
        match pinned {
            Some(liveness_threshold) => Self { liveness_threshold, ..self.clone() },
            None => self.with_threshold(default_threshold),
        }
    }

    /// The policy as a new verification would get it: `default_threshold` where the policy leaves its own open.
    #[must_use]
    pub fn with_threshold(&self, default_threshold: f64) -> Self {
        let own = (self.liveness_threshold > 0.0).then_some(self.liveness_threshold);
        Self { liveness_threshold: own.unwrap_or(default_threshold), ..self.clone() }
    }

    /// Whether `kind` must be there before anything is decided.
    pub fn requires(&self, kind: Kind) -> bool {
        self.required_checks.contains(&kind)
    }

    /// Everything wrong with the policy, each as a sentence an operator can act on. Empty when it can be used.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut must = |good: bool, what: &str| {
            if !good {
                problems.push(format!("policy {} version {}: {what}", self.name, self.version));
            }
        };
        let percent = |value: f64| value.is_finite() && (0.0..=100.0).contains(&value);
        must(!self.required_checks.is_empty(), "required_checks is empty, so it would approve everybody");
        must(
            !self.requires(Kind::FaceMatch) || (self.requires(Kind::Document) && self.requires(Kind::Liveness)),
            "face_match needs document and liveness in required_checks: it compares their faces",
        );
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
                &format!("dispositions sets {code:?} to retry, which is for trouble of machines only"),
            );
            must(
                *disposition != Disposition::Inform || !(code.starts_with("face.") || code.starts_with("liveness.")),
                &format!("dispositions sets {code:?} to inform, which would let another person in"),
            );
        }
        problems
    }
}
