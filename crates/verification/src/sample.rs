//! Values that tests start from.

use super::kind::Kind;
use super::policy::Policy;

/// A policy that demands everything, with the numbers of the default one.
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
        liveness_threshold: 90.0,
        liveness_attack_below: 50.0,
        face_match_pass: 95.0,
        face_match_review: 80.0,
        attempts_max: 3,
        liveness_sessions_max: 5,
        input_hours: 24,
        technical_minutes: 30,
        device_max_age_seconds: 600,
        expires_soon_days: 30,
        verified_days: 365,
        work_tries_max: 3,
        dispositions: std::collections::BTreeMap::new(),
        degraded: std::collections::BTreeMap::new(),
    }
}
