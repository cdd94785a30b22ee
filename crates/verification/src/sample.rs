//! Values that tests start from.

use super::kind::Kind;
use super::policy::Policy;

/// A policy that requires all checks, with the numbers of the default policy. The test below
/// compares them.
pub fn policy() -> Policy {
    Policy {
        id: "policy000000001".to_owned(),
        name: "default".to_owned(),
        version: 1,
        open_to_users: true,
        required_checks: Kind::ALL.to_vec(),
        allowed_document_types: Vec::new(),
        allowed_countries: Vec::new(),
        denied_countries: Vec::new(),
        minimum_age: 18,
        liveness_threshold: 75.0,
        liveness_attack_below: 50.0,
        face_match_pass: 95.0,
        face_match_review: 80.0,
        attempts_max: 3,
        liveness_sessions_max: 5,
        input_hours: 72,
        technical_minutes: 30,
        device_max_age_seconds: 120,
        expires_soon_days: 30,
        verified_days: 365,
        work_tries_max: 3,
        dispositions: std::collections::BTreeMap::new(),
        degraded: std::collections::BTreeMap::new(),
    }
}

/// The default policy leaves its liveness threshold to `FACE_LIVENESS_THRESHOLD`, so that number is
/// the sample's own.
#[test]
fn the_sample_has_the_numbers_of_the_default_policy() {
    let migration = include_str!("../../../pb_migrations/1795392200_policies.js");
    let sample = serde_json::to_value(policy()).unwrap();
    let numbers = sample
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| value.is_number() && !["liveness_threshold", "version"].contains(&name.as_str()));
    for (name, value) in numbers {
        let line = format!("      {name}: {},", value.as_f64().unwrap());
        assert!(migration.contains(&line), "the default policy has no line {line:?}");
    }
}
