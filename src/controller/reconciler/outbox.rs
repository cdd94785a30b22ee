//! The outbox: notifications that are stored in the same batch as what they announce.

use crate::pocketbase::records::{Delivery, RecordPatch};
use crate::verification::{Case, Event, Transition};

/// Whether webhook endpoints are notified of `transitions`.
pub(super) fn is_announced(transitions: &[Transition]) -> bool {
    transitions.iter().any(|transition| {
        matches!(transition.event, Event::Decided { .. } | Event::Canceled {} | Event::Expired {} | Event::Reopened {})
    })
}

/// One notification for each of `endpoints`, about the status that `patch` stores for `case`.
pub(super) fn deliveries(endpoints: Vec<String>, case: &Case, patch: &RecordPatch) -> Vec<Delivery> {
    let status = patch.status.as_str();
    let delivery = |endpoint| Delivery {
        endpoint,
        seq: patch.version,
        event: format!("verification.{status}"),
        payload: serde_json::json!({
            "verification": case.id(),
            "reference": case.record.reference,
            "status": status,
            "version": patch.version,
        }),
        next_attempt_at: None,
    };
    endpoints.into_iter().map(delivery).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::sample;
    use crate::verification::summary;

    #[test]
    fn only_a_change_of_status_that_lasts_is_announced() {
        let policy = sample::policy();
        let case = sample::started(&policy);
        let quiet = [sample::claim(&[sample::device()]), sample::device_finished(&case, &policy, 0)];
        assert!(!is_announced(&quiet));
        for announced in [sample::approved(), sample::expired()] {
            assert!(is_announced(&[quiet[0].clone(), announced]));
        }
    }

    #[test]
    fn each_endpoint_gets_the_status_and_the_version_of_its_journal_row() {
        let policy = sample::policy();
        let mut case = sample::started(&policy);
        case.record.reference = "partner-7".to_owned();
        case.apply(&sample::approved(), sample::NOW);
        let patch = RecordPatch::from(summary(&case, &policy));
        let deliveries = deliveries(vec!["one".to_owned(), "other".to_owned()], &case, &patch);
        assert_eq!(deliveries.iter().map(|delivery| delivery.endpoint.as_str()).collect::<Vec<_>>(), ["one", "other"]);
        for delivery in deliveries {
            assert_eq!((delivery.seq, delivery.event.as_str()), (2, "verification.approved"));
            let expected = serde_json::json!({
                "verification": sample::ID, "reference": "partner-7", "status": "approved", "version": 2,
            });
            assert_eq!(delivery.payload, expected);
        }
    }
}
