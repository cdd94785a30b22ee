//! The next step: one function from a case to what is due for it.

mod actions;
mod agenda;
mod step;

use jiff::{SignedDuration, Timestamp};

use self::actions::handle;
use self::agenda::Agenda;
pub use self::step::{Capacity, RESULT_GRACE_SECONDS, Runner, Step};
use self::step::{RESULT_LEAD_SECONDS, SESSION_NOT_WANTED};
use super::case::{Case, Phase};
use super::check::Check;
use super::decision::{Decision, already_decided, decide};
use super::journal::{Event, Source, Work};
use super::kind::{Input, Kind, SessionStatus};
use super::policy::Policy;
use super::records::LivenessSession;
use super::transition::Transition;

/// What is due for `case` at `now` (on `PocketBase`'s clock) under `policy`, which is the pinned
/// one once it is pinned.
pub fn next_step(case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Step {
    next_step_within(Capacity::All, case, policy, now, runner)
}

/// What is due, for a runner that may lack the capacity for some work.
pub fn next_step_within(capacity: Capacity, case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Step {
    if case.phase() == Phase::Unstarted {
        return Step::write(start(case, policy, now, runner));
    }
    // An action of a newer version is left to a sidecar that knows it: while two versions run, the
    // older one must not refuse it.
    if let Some(action) = case.unhandled_actions().find(|action| action.kind.is_some()) {
        return Step::write(handle(case, policy, action));
    }
    if let Some(session) = unwanted_session(case, policy) {
        let (status, code) = (SessionStatus::Refused, SESSION_NOT_WANTED);
        return Step::write(Transition::session_ended(&session.id, status, code, runner.instance));
    }
    match case.phase() {
        Phase::Open => open_step(capacity, case, policy, now, runner),
        _ => Step::Nothing,
    }
}

/// The first transition, which pins the policy.
fn start(case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Transition {
    let expires_at = case.record.created.max(now - SignedDuration::from_hours(1))
        + SignedDuration::from_hours(i64::from(policy.input_hours));
    Transition::new(
        Event::Started {
            policy: policy.id.clone(),
            policy_name: policy.name.clone(),
            policy_version: policy.version,
            liveness_threshold_hundredths: policy.liveness_threshold_hundredths(),
            attempts_max: policy.attempts_max,
            expires_at,
        },
        runner.instance,
    )
}

/// A challenge that was asked for although none is wanted, or although a newer one was asked for
/// since.
fn unwanted_session<'a>(case: &'a Case, policy: &Policy) -> Option<&'a LivenessSession> {
    let wanted = case.phase() == Phase::Open
        && policy.requires(Kind::Liveness)
        && case.effective_check(Kind::Liveness).is_none()
        && case.opened_sessions() < policy.liveness_sessions_max;
    let newest = newest_session(case, SessionStatus::Requested)?;
    case.sessions.iter().find(|s| s.status == SessionStatus::Requested && (!wanted || s.id != newest.id))
}

fn newest_session(case: &Case, status: SessionStatus) -> Option<&LivenessSession> {
    case.sessions.iter().rev().find(|s| s.status == status)
}

/// The step for an open verification: claim the work that is due, else decide, else say when the
/// next step may be due.
fn open_step(capacity: Capacity, case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Step {
    let mut agenda = Agenda::new(case, policy, now, runner);
    if !already_decided(case, policy) {
        if let Some(transition) = agenda.end_sessions() {
            return Step::write(transition);
        }
        for work in candidates(case, policy, now) {
            if !capacity.allows(&work) {
                agenda.treat_as_running();
            } else if let Some(transition) = agenda.consider(work) {
                return Step::write(transition);
            }
        }
        if agenda.has_due() {
            return Step::Claim(agenda.into_due());
        }
    }
    agenda.await_running();
    if agenda.is_running() {
        return agenda.wait();
    }
    match decide(case, policy) {
        Some(decision) => Step::write(decided(decision, runner)),
        None => agenda.without_evidence(),
    }
}

fn decided(decision: Decision, runner: Runner<'_>) -> Transition {
    let event = Event::Decided {
        attempt: decision.attempt,
        status: decision.status,
        source: Source::Automatic,
        codes: decision.message_keys(),
        redo: decision.redo.clone(),
        digest: decision.digest(),
    };
    Transition { decision: Some(decision), ..Transition::new(event, runner.instance) }
}

/// The work that the evidence allows, most urgent first: what a provider soon deletes.
fn candidates(case: &Case, policy: &Policy, now: Timestamp) -> Vec<Work> {
    let is_wanted = |kind: &Kind| policy.requires(*kind) && case.effective_check(*kind).is_none();
    let mut kinds: Vec<Kind> = Kind::ALL.into_iter().filter(is_wanted).collect();
    kinds.sort_by_key(|kind| !kind.spec().input.is_some_and(Input::is_short_lived));
    kinds.into_iter().flat_map(|kind| work_for(case, kind, now)).collect()
}

/// The work that leads to a check of `kind`, as far as its evidence is there.
fn work_for(case: &Case, kind: Kind, now: Timestamp) -> Vec<Work> {
    let attempt = case.attempt();
    let evidence = match kind.spec().input {
        Some(Input::DeviceSignal) => case.fresh_signal().map(|signal| signal.id.clone()),
        Some(Input::Document) => case.fresh_document().map(|document| document.id.clone()),
        Some(Input::LivenessSession) => {
            let taken = case.sessions.iter().rev().find(|s| s.status == SessionStatus::Open && is_due(case, s, now));
            let asked = newest_session(case, SessionStatus::Requested);
            let fetch = taken.map(|session| Work::for_check(kind, attempt, session.id.clone()));
            let open = asked.map(|session| Work::OpenSession { attempt, evidence: session.id.clone() });
            return fetch.into_iter().chain(open).collect();
        }
        None => faces(case, kind.spec().rests_on),
    };
    evidence.map(|evidence| Work::for_check(kind, attempt, evidence)).into_iter().collect()
}

/// The ids of the checks of `bases`, joined by `+`, once all of them yield a face.
fn faces(case: &Case, bases: &[Kind]) -> Option<String> {
    let checks = bases.iter().map(|kind| case.effective_check(*kind).filter(|check| check.yields_face()));
    let checks: Vec<&Check> = checks.collect::<Option<_>>()?;
    Some(checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join("+"))
}

/// Whether the result of `session` must be fetched: the browser reported that it is complete, or
/// the provider soon deletes it.
fn is_due(case: &Case, session: &LivenessSession, now: Timestamp) -> bool {
    case.completion_reported(&session.id)
        || session.expires_at.is_some_and(|at| now >= at - SignedDuration::from_secs(RESULT_LEAD_SECONDS))
}
