//! The policy under which a case is judged.

use super::error::ReconcileError;
use crate::pocketbase::Client;
use crate::pocketbase::records::DEFAULT_POLICY;
use crate::verification::{Case, Policy};

/// Which policy applies to a case.
#[derive(Debug, PartialEq, Eq)]
enum Applicable<'a> {
    /// The record that its first journal row pins.
    Pinned(&'a str),
    /// The newest version of a name.
    Newest(&'a str),
}

/// Reads the policy of `case`. `default_threshold` is `FACE_LIVENESS_THRESHOLD`.
pub(super) async fn policy_in_force(
    client: &Client,
    case: &Case,
    default_threshold: f64,
) -> Result<Policy, ReconcileError> {
    let policy = match applicable(case) {
        Applicable::Pinned(record) => client.policy(record).await,
        Applicable::Newest(name) => client.live_policy(name).await,
    };
    let policy = policy.map_err(ReconcileError::pocketbase(case.id()))?;
    usable(policy.as_deref(), case, default_threshold)
}

fn applicable(case: &Case) -> Applicable<'_> {
    match (case.pinned_policy(), case.record.policy_name.as_str()) {
        (Some(pinned), _) => Applicable::Pinned(pinned.id),
        (None, "") => Applicable::Newest(DEFAULT_POLICY),
        (None, name) => Applicable::Newest(name),
    }
}

/// `policy` with the liveness threshold in force for `case`, unless it cannot be used.
fn usable(policy: Option<&Policy>, case: &Case, default_threshold: f64) -> Result<Policy, ReconcileError> {
    let refused = |problems| ReconcileError::Policy { id: case.id().to_owned(), problems };
    let Some(policy) = policy else {
        let problem = format!("its policy does not exist; create it, or a new version of `{DEFAULT_POLICY}`");
        return Err(refused(vec![problem]));
    };
    let policy = policy.in_force(case.pinned_policy(), default_threshold);
    let problems = policy.problems();
    if problems.is_empty() { Ok(policy) } else { Err(refused(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::sample;

    #[test]
    fn a_new_case_takes_the_newest_policy_of_its_name_or_the_default() {
        let mut case = sample::case();
        assert_eq!(applicable(&case), Applicable::Newest("default"));
        case.record.policy_name = "strict".to_owned();
        assert_eq!(applicable(&case), Applicable::Newest("strict"));
    }

    #[test]
    fn a_started_case_keeps_its_pinned_policy_whatever_its_record_names() {
        let policy = sample::policy();
        let mut case = sample::started(&policy);
        case.record.policy_name = "strict".to_owned();
        assert_eq!(applicable(&case), Applicable::Pinned(&policy.id));
    }

    #[test]
    fn a_started_case_keeps_its_liveness_threshold() {
        let policy = sample::policy();
        let case = sample::started(&policy);
        let changed = Policy { liveness_threshold: 99.0, ..policy.clone() };
        let in_force = usable(Some(&changed), &case, 80.0).expect("usable");
        assert!((in_force.liveness_threshold - policy.liveness_threshold).abs() < f64::EPSILON);
    }

    #[test]
    fn a_policy_that_is_missing_or_contradicts_itself_makes_the_case_wait() {
        let case = sample::case();
        let bad = Policy { face_match_pass: 50.0, face_match_review: 80.0, ..sample::policy() };
        for policy in [None, Some(&bad)] {
            let error = usable(policy, &case, 90.0).expect_err("not usable");
            assert!(matches!(&error, ReconcileError::Policy { problems, .. } if !problems.is_empty()), "{error}");
        }
    }
}
