//! Actions of people: each takes effect or is refused. Either way a journal row names it, so it is
//! handled once.

use crate::case::{Case, Phase};
use crate::check::Check;
use crate::journal::{Event, Source};
use crate::kind::{ActionKind, Kind, SessionStatus};
use crate::policy::Policy;
use crate::reason::Code;
use crate::records::{Action, Actor};
use crate::status::Status;
use crate::transition::Transition;

/// The checks to repeat when a reviewer names none.
const REDO_DEFAULT: [Kind; 2] = [Kind::Document, Kind::Liveness];

/// The transition that `action` leads to.
pub(super) fn handle(case: &Case, policy: &Policy, action: &Action) -> Transition {
    let outcome = match action.kind {
        Some(ActionKind::LivenessCompleted) => completed(case, action),
        Some(ActionKind::Cancel) => match case.phase() {
            Phase::Unstarted | Phase::Open | Phase::Reopened | Phase::Decided(Status::NeedsReview, _) => {
                Ok(Event::Canceled {})
            }
            _ => Err("already_final"),
        },
        Some(ActionKind::Reopen) => by_reviewer(action).and_then(|()| match case.phase() {
            Phase::Decided(Status::Approved | Status::Declined, _) => Ok(Event::Reopened {}),
            _ => Err("not_decided"),
        }),
        Some(kind @ (ActionKind::Approve | ActionKind::Decline | ActionKind::RequestResubmission)) => {
            by_reviewer(action).and_then(|()| review(case, policy, kind, action))
        }
        Some(ActionKind::Redact) => Err("not_available"),
        None => Err("of_a_newer_version"),
    };
    let event =
        outcome.unwrap_or_else(|code| Event::ActionRefused { action: action.name.clone(), code: code.to_owned() });
    Transition::new(event, action.actor.label()).handling(&action.id)
}

fn completed(case: &Case, action: &Action) -> Result<Event, &'static str> {
    match case.session(&action.liveness_session).map(|s| s.status) {
        None => Err("session_not_of_this_verification"),
        Some(SessionStatus::Open) => Ok(Event::ActionApplied { action: action.name.clone() }),
        Some(_) => Err("session_not_open"),
    }
}

/// Requires an action of a reviewer or an operator, with a reason.
fn by_reviewer(action: &Action) -> Result<(), &'static str> {
    if action.actor == Actor::User {
        return Err("not_a_reviewer");
    }
    if action.reason.trim().is_empty() { Err("reason_missing") } else { Ok(()) }
}

fn review(case: &Case, policy: &Policy, kind: ActionKind, action: &Action) -> Result<Event, &'static str> {
    if !matches!(case.phase(), Phase::Reopened | Phase::Decided(Status::NeedsReview, _)) {
        return Err("not_in_review");
    }
    let asked = if action.redo.is_empty() { &REDO_DEFAULT } else { action.redo.as_slice() };
    let (status, codes, redo) = match kind {
        ActionKind::Approve => (Status::Approved, Vec::new(), Vec::new()),
        ActionKind::Decline => {
            (Status::Declined, vec![Code::PolicyManualDecline.entry().message_key.to_owned()], Vec::new())
        }
        _ => (Status::ResubmissionRequired, Vec::new(), redo(case, policy, asked)),
    };
    Ok(Event::Decided { attempt: case.attempt(), status, source: Source::Reviewer, codes, redo, digest: String::new() })
}

/// The checks that a reviewer asked to repeat, and those that would otherwise end the next attempt
/// before it began.
fn redo(case: &Case, policy: &Policy, asked: &[Kind]) -> Vec<Kind> {
    let ends_attempt = |kind: &&Kind| case.effective_check(**kind).is_some_and(Check::ends_attempt);
    let ending = policy.required_checks.iter().filter(ends_attempt).flat_map(|kind| kind.repeated_by());
    let mut redo: Vec<Kind> = asked.iter().copied().chain(ending).collect();
    redo.sort_unstable();
    redo.dedup();
    redo
}
