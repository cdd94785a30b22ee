//! The promises about the records of one verification.

use std::collections::BTreeMap;

use identivia::verification::policy::Degraded;
use identivia::verification::{Event, Kind, Outcome, Provider, Source, Status, summary};

use super::{Stored, unless};

/// Checks that the record shows what follows from the journal.
pub fn follows(stored: &Stored) -> Vec<String> {
    let summary = summary(&stored.case, &stored.policy);
    let source = summary.decision_source.map_or("", Source::as_str);
    let expected = [
        ("status", summary.status.as_str().into()),
        ("final", summary.is_final.into()),
        ("decision_source", source.into()),
        ("attempts_used", summary.attempts_used.into()),
        ("policy", summary.policy.as_str().into()),
    ];
    let wrong = expected.into_iter().filter(|(field, value)| stored.record[field] != *value);
    wrong
        .map(|(field, value): (_, serde_json::Value)| format!("{field} is {}, should be {value}", stored.record[field]))
        .collect()
}

/// Checks that the record is final, or says what it waits for.
pub fn is_not_silent(stored: &Stored) -> Vec<String> {
    let case = &stored.case;
    let summary = summary(case, &stored.policy);
    let waits = match summary.status {
        Status::Created | Status::Processing => false,
        Status::AwaitingInput | Status::ResubmissionRequired => !summary.next.is_empty(),
        Status::NeedsReview => {
            case.journal.iter().any(|e| matches!(e.event, Event::Decided { .. } | Event::Reopened {}))
        }
        Status::Approved | Status::Declined | Status::Canceled | Status::Expired => true,
    };
    // Actions of a newer version are for that version to handle.
    let unhandled = case.unhandled_actions().filter(|action| action.kind.is_some());
    let unhandled = unhandled.map(|action| format!("action {} ({}) was not handled", action.id, action.name));
    unless(waits, || format!("{} without a word about what it waits for", summary.status))
        .into_iter()
        .chain(unhandled)
        .collect()
}

/// Checks that there is one row per kind and attempt, and that the journal names exactly these rows
/// with the same outcome.
pub fn checks_are_journalled(stored: &Stored) -> Vec<String> {
    let mut rows: BTreeMap<(Kind, u32), Vec<Outcome>> = BTreeMap::new();
    let mut journalled = rows.clone();
    for check in &stored.case.checks {
        rows.entry((check.kind, check.attempt)).or_default().push(check.outcome);
    }
    for entry in &stored.case.journal {
        if let Event::CheckFinished { kind, attempt, outcome, .. } = &entry.event {
            journalled.entry((*kind, *attempt)).or_default().push(*outcome);
        }
    }
    let twice = rows.iter().filter(|(_, outcomes)| outcomes.len() > 1);
    let mut found: Vec<_> =
        twice.map(|((kind, attempt), _)| format!("two {kind} checks in attempt {attempt}")).collect();
    found.extend(unless(rows == journalled, || format!("checks are {rows:?}, the journal has {journalled:?}")));
    found
}

/// Checks that every check that the policy requires has passed before an automatic approval. Only
/// the device check may be missing, if the policy allows it.
pub fn approval_is_earned(stored: &Stored) -> Vec<String> {
    let approved = stored.case.journal.iter().filter_map(|entry| match &entry.event {
        Event::Decided { attempt, status: Status::Approved, source: Source::Automatic, .. } => Some(*attempt),
        _ => None,
    });
    let may_be_missing = |kind: Kind| {
        kind == Kind::Device && stored.policy.degraded.get(&Provider::Fingerprint) == Some(&Degraded::Skip)
    };
    let mut found = Vec::new();
    for attempt in approved {
        for kind in &stored.policy.required_checks {
            let outcome = stored.case.finding(*kind, attempt).map(|check| check.outcome);
            let earned = outcome == Some(Outcome::Passed) || may_be_missing(*kind);
            found.extend(unless(earned, || format!("approved although the {kind} check is {outcome:?}")));
        }
    }
    found
}

/// Checks that there is one notification per endpoint and event.
pub fn tells_partners(stored: &Stored, endpoints: &[String]) -> Vec<String> {
    let mut due: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in &stored.case.journal {
        let status = match &entry.event {
            Event::Decided { status, .. } => *status,
            Event::Reopened {} => Status::NeedsReview,
            Event::Canceled {} => Status::Canceled,
            Event::Expired {} => Status::Expired,
            _ => continue,
        };
        for endpoint in endpoints {
            *due.entry((endpoint.clone(), format!("verification.{status}"))).or_default() += 1;
        }
    }
    let mut sent: BTreeMap<(String, String), usize> = BTreeMap::new();
    for delivery in &stored.deliveries {
        *sent.entry(delivery.clone()).or_default() += 1;
    }
    unless(due == sent, || format!("notifications due {due:?}, written {sent:?}")).into_iter().collect()
}
