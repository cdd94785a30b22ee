//! What a pass will write: transitions that are applied to the case in memory and stored in one
//! batch.

use jiff::Timestamp;
use tracing::{info, warn};

use crate::verification::check::Pictures;
use crate::verification::{Case, Check, Entry, Event, Finding, Policy, Transition};

/// The transitions of a pass, and the case as it will be once they are stored.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    case: Case,
    policy: &'a Policy,
    now: Timestamp,
    transitions: Vec<Transition>,
    /// The journal row of each transition.
    entries: Vec<Entry>,
}

impl<'a> Draft<'a> {
    /// Begins with `case` as it was at `now`, on `PocketBase`'s clock, under `policy`.
    pub fn new(case: Case, policy: &'a Policy, now: Timestamp) -> Self {
        Self { case, policy, now, transitions: Vec::new(), entries: Vec::new() }
    }

    /// Applies `transition` in memory.
    pub fn push(&mut self, transition: Transition) {
        self.entries.push(self.case.apply(&transition, self.now));
        self.transitions.push(transition);
    }

    /// The case with every transition applied.
    pub fn case(&self) -> &Case {
        &self.case
    }

    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// The journal rows to store, one for each transition.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.transitions.is_empty()
    }

    /// Whether an attempt is decided.
    pub fn decides(&self) -> bool {
        self.transitions.iter().any(|t| matches!(t.event, Event::Decided { .. }))
    }

    /// The case as `PocketBase` has stored it: the first row `at` that time, the pictures under
    /// these names. And the findings that were stored.
    pub fn into_stored(self, at: Timestamp, pictures: &[Pictures]) -> (Case, Vec<(Check, Finding)>) {
        let findings = self.transitions.into_iter().filter_map(|transition| transition.check).collect();
        (self.case.stored_at(at, self.entries.len(), pictures), findings)
    }

    /// Writes one log line for each journal row: ids and words, nothing about the person.
    pub fn log(&self) {
        for entry in &self.entries {
            match &entry.event {
                Event::Decided { status, source, attempt, .. } => info!(
                    verification = self.case.id(),
                    seq = entry.seq,
                    attempt,
                    status = status.as_str(),
                    source = source.as_str(),
                    "decided"
                ),
                Event::CheckFinished { kind, outcome, .. } => info!(
                    verification = self.case.id(),
                    seq = entry.seq,
                    check = kind.as_str(),
                    outcome = outcome.as_str(),
                    "check finished"
                ),
                Event::WorkFailed { trouble, retry_seconds, .. } => {
                    warn!(verification = self.case.id(), seq = entry.seq, code = trouble, retry_seconds, "work failed");
                }
                _ => info!(verification = self.case.id(), seq = entry.seq, event = entry.name, "journal"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::sample;
    use crate::verification::Kind;

    #[test]
    fn transitions_become_journal_rows_that_continue_the_case_without_a_gap() {
        let policy = sample::policy();
        let mut draft = Draft::new(sample::started(&policy), &policy, sample::NOW);
        assert!(draft.is_empty());
        draft.push(sample::claim(&[sample::device()]));
        draft.push(sample::device_finished(draft.case(), &policy, 2));
        let numbers: Vec<u32> = draft.entries().iter().map(|entry| entry.seq).collect();
        assert_eq!((numbers, draft.transitions().len(), draft.case().seq()), (vec![2, 3], 2, 3));
        let [claim, finished] = draft.entries() else { panic!("two rows") };
        assert_eq!(finished.previous_hash, claim.hash, "the rows are chained");
    }

    #[test]
    fn a_later_transition_is_judged_on_the_case_that_an_earlier_one_made() {
        let policy = sample::policy();
        let mut draft = Draft::new(sample::started(&policy), &policy, sample::NOW);
        assert!(draft.case().finding(Kind::Device, 1).is_none());
        draft.push(sample::device_finished(draft.case(), &policy, 0));
        assert!(draft.case().finding(Kind::Device, 1).is_some());
    }

    #[test]
    fn a_stored_draft_has_the_stores_time_for_its_own_rows_only_and_gives_its_findings() {
        let policy = sample::policy();
        let mut draft = Draft::new(sample::started(&policy), &policy, sample::NOW);
        draft.push(sample::device_finished(draft.case(), &policy, 0));
        let at = sample::after(7);
        let (case, findings) = draft.into_stored(at, &[]);
        let times: Vec<_> = case.journal.iter().map(|entry| entry.created).collect();
        assert_eq!(times, [sample::NOW, at]);
        assert_eq!(findings.iter().map(|(check, _)| check.kind).collect::<Vec<_>>(), [Kind::Device]);
    }

    #[test]
    fn only_a_decision_decides() {
        let policy = sample::policy();
        let mut draft = Draft::new(sample::started(&policy), &policy, sample::NOW);
        draft.push(sample::expired());
        assert!(!draft.decides());
        draft.push(sample::approved());
        assert!(draft.decides());
    }
}
