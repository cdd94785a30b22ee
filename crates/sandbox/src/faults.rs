//! Fault rules: which provider fails, how, and how often.
//!
//! The rules are tried in the order in which they were added; the first that applies wins. A rule
//! counts every call that matches it: the first `skip` calls pass, and the rule applies to the next
//! `times` (to all that follow if `times` is 0). With a `probability` it applies only to some of
//! those, chosen by the seed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operations::{OPERATIONS, SimulatedProvider};
use crate::seed::Seed;

/// Most rules at a time; further ones are refused.
const RULES_MAX: usize = 1000;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The provider's own "too many requests".
    Throttle,
    /// The account's quota is used up.
    Quota,
    /// The provider's own 5xx.
    #[serde(rename = "error_5xx")]
    Error5xx,
    /// The credential is expired or revoked.
    ExpiredCredential,
    /// Does the work, then answers `ms` milliseconds later.
    Delay,
    /// Accepts the request and never answers.
    Hang,
    /// Does the work, announces the whole body, sends half of it and cuts the connection.
    CutBody,
    /// Does the work, sends a few bytes each `ms` milliseconds.
    Drip,
    /// Does the work, cuts the connection without an answer.
    DropAnswer,
    /// Cuts the connection before any work.
    Reset,
    /// 200 with bytes that are not JSON.
    Garbage,
    /// A gateway's HTML page (503 unless `status` is given).
    Html,
    /// 200 with a body of `bytes` bytes (1 GiB unless given).
    Huge,
    /// `status` and `body` as given instead of an answer.
    Replace,
    /// The true answer with `body` merged into it (RFC 7396); for `OpenAI`, into what the model
    /// says.
    Merge,
    /// Confidence, similarity and score are `"NaN"`.
    Nan,
    /// The answer is about another session or event than the request.
    WrongSession,
    /// The model refuses to answer.
    Refusal,
    /// The model's answer stops in the middle.
    Truncated,
    /// The content filter stopped the model.
    ContentFilter,
    /// 200 with no choice in it.
    EmptyChoices,
    /// The model answers prose instead of JSON.
    NotJson,
    /// The model's JSON does not satisfy the schema.
    WrongSchema,
}

/// A fault in the catalogue.
#[derive(Debug, Serialize)]
pub struct FaultDescription {
    pub fault: FaultKind,
    /// The providers that have it.
    pub providers: &'static [SimulatedProvider],
    pub description: &'static str,
}

use SimulatedProvider::{Fingerprint, Openai, Rekognition, Sts};
const ALL: &[SimulatedProvider] = &[Rekognition, Sts, Openai, Fingerprint];

pub const CATALOGUE: &[FaultDescription] = &[
    described(
        FaultKind::Throttle,
        ALL,
        "The provider's own throttling error; `retry_after` seconds are announced if given, `code` picks e.g. ProvisionedThroughputExceededException.",
    ),
    described(FaultKind::Quota, &[Openai], "429 insufficient_quota: waiting does not help."),
    described(FaultKind::Error5xx, ALL, "The provider's own server error, 500 unless `status` says otherwise."),
    described(
        FaultKind::ExpiredCredential,
        ALL,
        "The credential is refused as expired or revoked, as this provider says it.",
    ),
    described(FaultKind::Delay, ALL, "Does the work (and charges it), answers after `ms` milliseconds."),
    described(FaultKind::Hang, ALL, "Accepts the request and never answers; no work is done."),
    described(
        FaultKind::CutBody,
        ALL,
        "Does the work, announces the full length, sends half of the body and cuts the connection.",
    ),
    described(FaultKind::Drip, ALL, "Does the work and sends the body in 16-byte pieces, one each `ms` milliseconds."),
    described(FaultKind::DropAnswer, ALL, "Does the work and cuts the connection without answering: a lost reply."),
    described(FaultKind::Reset, ALL, "Cuts the connection before doing any work."),
    described(FaultKind::Garbage, ALL, "200 with bytes that are not JSON."),
    described(FaultKind::Html, ALL, "An HTML page as from a gateway, 503 unless `status` says otherwise."),
    described(FaultKind::Huge, ALL, "200 with a body of `bytes` bytes, 1 GiB if not given."),
    described(FaultKind::Replace, ALL, "Answers `body` with `status` (200) instead of doing the work."),
    described(
        FaultKind::Merge,
        &[Rekognition, Openai, Fingerprint],
        "Does the work and merges `body` into the answer (RFC 7396, null removes); for openai into the JSON that the model writes.",
    ),
    described(FaultKind::Nan, &[Rekognition, Fingerprint], "Confidence, similarity and score are \"NaN\"."),
    described(
        FaultKind::WrongSession,
        &[Rekognition, Fingerprint],
        "GetFaceLivenessSessionResults or events.get answers about another session or event.",
    ),
    described(FaultKind::Refusal, &[Openai], "The model refuses: `refusal` is set, `content` is null."),
    described(FaultKind::Truncated, &[Openai], "finish_reason length: the JSON stops in the middle."),
    described(FaultKind::ContentFilter, &[Openai], "finish_reason content_filter without content."),
    described(FaultKind::EmptyChoices, &[Openai], "200 with an empty list of choices."),
    described(FaultKind::NotJson, &[Openai], "The model answers prose although a schema was given."),
    described(FaultKind::WrongSchema, &[Openai], "The model answers JSON that does not satisfy the schema."),
];

const fn described(
    fault: FaultKind,
    providers: &'static [SimulatedProvider],
    description: &'static str,
) -> FaultDescription {
    FaultDescription { fault, providers, description }
}

/// A fault rule as posted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub provider: SimulatedProvider,
    /// The operation; all of the provider's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    #[serde(rename = "fault")]
    pub kind: FaultKind,
    /// How many calls the rule applies to; 0: all until it is deleted.
    #[serde(default = "once")]
    pub times: u32,
    /// How many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
    /// Probability that the rule applies to a call, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Milliseconds, for `delay` and `drip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Seconds announced to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// HTTP status instead of the fault's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Error code instead of the fault's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Length of the body in bytes, for `huge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What `replace` answers and `merge` merges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// What is wrong with the rule, if anything.
    pub fn problem(&self) -> Option<String> {
        let known = CATALOGUE.iter().find(|entry| entry.fault == self.kind)?;
        if !known.providers.contains(&self.provider) {
            return Some(format!("this fault exists only for {:?}", known.providers).to_lowercase());
        }
        if let Some(operation) = &self.operation {
            let names: Vec<_> =
                OPERATIONS.iter().filter(|(provider, _)| *provider == self.provider).map(|(_, name)| *name).collect();
            if !names.contains(&operation.as_str()) {
                return Some(format!("operation \"{operation}\" does not exist; choose one of {}", names.join(", ")));
            }
        }
        if self.status.is_some_and(|status| !(200..600).contains(&status)) {
            return Some("status must be 200 to 599".to_owned());
        }
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Some("probability must be between 0 and 1".to_owned());
        }
        if matches!(self.kind, FaultKind::Delay | FaultKind::Drip) && self.ms.is_none() {
            return Some("this fault needs ms, a number of milliseconds".to_owned());
        }
        if matches!(self.kind, FaultKind::Replace | FaultKind::Merge) && self.body.is_none() {
            return Some("this fault needs body".to_owned());
        }
        None
    }
}

/// A rule in force, with its counts.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    pub id: u64,
    #[serde(flatten)]
    pub fault: Fault,
    /// Calls that matched so far.
    pub matched: u64,
    /// Calls that the rule was applied to so far.
    pub applied: u32,
}

/// All rules, in the order in which they were added.
#[derive(Debug, Default)]
pub struct FaultRules {
    rules: Vec<Rule>,
    added: u64,
}

impl FaultRules {
    /// Adds rules and returns their ids; adds none and returns `None` if there would be too many.
    pub fn add(&mut self, faults: Vec<Fault>) -> Option<Vec<u64>> {
        if self.rules.len() + faults.len() > RULES_MAX {
            return None;
        }
        let ids = faults.into_iter().map(|fault| {
            self.added += 1;
            self.rules.push(Rule { id: self.added, fault, matched: 0, applied: 0 });
            self.added
        });
        Some(ids.collect())
    }

    /// The rules, including those that are used up.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Removes a rule; false if there is no rule with that id.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() < before
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Counts a call of this operation and returns the fault to apply to it, if one is due.
    pub fn take(&mut self, provider: SimulatedProvider, operation: &str, seed: Seed) -> Option<Fault> {
        self.rules.iter_mut().filter(|rule| rule.matches(provider, operation)).find_map(|rule| rule.count(seed))
    }
}

impl Rule {
    fn matches(&self, provider: SimulatedProvider, operation: &str) -> bool {
        let used_up = self.fault.times != 0 && self.applied >= self.fault.times;
        self.fault.provider == provider
            && !used_up
            && self.fault.operation.as_deref().is_none_or(|name| name == operation)
    }

    fn count(&mut self, seed: Seed) -> Option<Fault> {
        self.matched += 1;
        if self.matched <= u64::from(self.fault.skip) {
            return None;
        }
        if let Some(probability) = self.fault.probability
            && seed.unit("fault", &[&self.id.to_be_bytes(), &self.matched.to_be_bytes()]) >= probability
        {
            return None;
        }
        self.applied += 1;
        Some(self.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: Value) -> Fault {
        serde_json::from_value(json).expect("a valid rule")
    }

    #[test]
    fn a_rule_skips_then_applies_then_is_used_up() {
        let mut rules = FaultRules::default();
        rules.add(vec![fault(serde_json::json!({"provider": "openai", "fault": "error_5xx", "skip": 1, "times": 2}))]);
        let taken: Vec<_> = (0..5).map(|_| rules.take(Openai, "chat.completions", Seed(1)).is_some()).collect();
        assert_eq!(taken, [false, true, true, false, false]);
        assert!(rules.take(Rekognition, "DetectFaces", Seed(1)).is_none());
    }

    #[test]
    fn rules_are_tried_in_order_and_by_operation() {
        let mut rules = FaultRules::default();
        rules.add(vec![
            fault(serde_json::json!({"provider": "rekognition", "operation": "CompareFaces", "fault": "throttle"})),
            fault(serde_json::json!({"provider": "rekognition", "fault": "hang", "times": 0})),
        ]);
        let kinds: Vec<_> = ["DetectFaces", "CompareFaces", "CompareFaces"]
            .map(|operation| rules.take(Rekognition, operation, Seed(1)).expect("a fault").kind)
            .to_vec();
        assert_eq!(kinds, [FaultKind::Hang, FaultKind::Throttle, FaultKind::Hang]);
    }

    #[test]
    fn too_many_rules_at_once_add_none() {
        let mut rules = FaultRules::default();
        let many =
            |number| (0..number).map(|_| fault(serde_json::json!({"provider": "sts", "fault": "html"}))).collect();
        assert_eq!(rules.add(many(RULES_MAX - 1)).map(|ids| ids.len()), Some(RULES_MAX - 1));
        assert_eq!(rules.add(many(2)), None);
        assert_eq!((rules.rules().len(), rules.add(many(1))), (RULES_MAX - 1, Some(vec![1000])));
    }

    #[test]
    fn probability_follows_the_seed() {
        let run = |seed| {
            let mut rules = FaultRules::default();
            rules.add(vec![fault(
                serde_json::json!({"provider": "sts", "fault": "html", "times": 0, "probability": 0.5}),
            )]);
            (0..100).map(|_| rules.take(Sts, "AssumeRole", Seed(seed)).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        let applied = run(1).iter().filter(|applied| **applied).count();
        assert!((30..70).contains(&applied), "{applied} of 100");
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused_with_the_reason() {
        let problem = |json| fault(json).problem();
        assert!(problem(serde_json::json!({"provider": "sts", "fault": "refusal"})).is_some());
        assert!(problem(serde_json::json!({"provider": "openai", "fault": "delay"})).is_some());
        assert!(
            problem(serde_json::json!({"provider": "openai", "fault": "hang", "operation": "AssumeRole"})).is_some()
        );
        assert!(problem(serde_json::json!({"provider": "openai", "fault": "delay", "ms": 3})).is_none());
    }

    #[test]
    fn every_fault_is_described() {
        for kind in [
            "throttle",
            "error_5xx",
            "delay",
            "hang",
            "cut_body",
            "garbage",
            "html",
            "refusal",
            "truncated",
            "content_filter",
            "empty_choices",
            "expired_credential",
            "wrong_session",
            "nan",
            "drop_answer",
            "huge",
        ] {
            let kind: FaultKind = serde_json::from_value(kind.into()).expect("a name");
            assert!(CATALOGUE.iter().any(|entry| entry.fault == kind));
        }
    }
}
