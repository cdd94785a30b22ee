//! What is due: one function from a case to the next thing to do.

use jiff::{SignedDuration, Timestamp};

use super::case::{Case, Claim, ClaimState, Phase};
use super::check::{Check, Finding, Judgement};
use super::decision::{counted, decide, settled, usable};
use super::journal::{Event, Source, Work};
use super::kind::{ActionKind, Kind, SessionStatus};
use super::policy::Policy;
use super::reason::{Code, Disposition, Reason};
use super::records::{Action, Actor, LivenessSession};
use super::status::Status;
use super::summary::missing;
use super::transition::{SessionPatch, Transition};

/// Fetch an unannounced liveness result this long before the provider forgets it: the browser may have finished and
/// lost its connection.
const RESULT_LEAD_SECONDS: i64 = 15;
/// Past its expiry by this much a challenge is over, whatever the provider's state.
pub const RESULT_GRACE_SECONDS: i64 = 20;

/// Work that failed at another instance is left to it this much longer than to ourselves: what was already paid for is in its
/// memory.
const HEAD_START_SECONDS: i64 = 5;

/// Who asks, and what it is busy with.
#[derive(Debug, Clone, Copy)]
pub struct Runner<'a> {
    /// Stable name of the sidecar instance.
    pub instance: &'a str,
    /// Claims (`seq`) of this verification that this very process is working on. A claim of the same instance that is not
    /// among them belonged to a process that died and may be taken over at once.
    pub holding: &'a [u32],
}

/// The next thing to do for a verification.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing until somebody does something.
    Nothing,
    /// Nothing before this instant.
    Wait(Timestamp),
    /// Something follows from what is stored: write it.
    Write(Box<Transition>),
    /// Work is due: claim it, then do it. The most urgent piece is first.
    Claim(Vec<Work>),
}

impl Step {
    fn write(transition: Transition) -> Self {
        Step::Write(Box::new(transition))
    }
}

/// Seconds that these pieces of work may take: a claim names those of its longest piece, and a shorter piece of it ends earlier.
pub fn claim_seconds(work: &[Work]) -> u32 {
    work.iter()
        .map(|work| match work {
            Work::Document { .. } => 120,
            Work::Liveness { .. } | Work::FaceMatch { .. } => 45,
            Work::Device { .. } | Work::OpenSession { .. } => 30,
        })
        .max()
        .unwrap_or(0)
}

/// What is due for `case` at `now` (on `PocketBase`'s clock) under `policy`, which is the pinned one once started.
pub fn next_step(case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Step {
    next_step_given(Room::Enough, case, policy, now, runner)
}

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// All work.
    Enough,
    /// All but documents: they wait as if somebody worked on them already.
    NotForDocuments,
}

/// The same for somebody who may have no room left.
pub fn next_step_given(room: Room, case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Step {
    if case.phase() == Phase::Unstarted {
        return Step::write(start(case, policy, now, runner));
    }
    // An action of a newer version is left to whoever knows it: while two versions run, the older must not refuse it.
    if let Some(action) = case.unhandled_actions().find(|action| action.kind.is_some()) {
        return Step::write(handle(case, policy, action));
    }
    if let Some(session) = unwanted_session(case, policy) {
        return Step::write(end_session(session, SessionStatus::Refused, "liveness.not_wanted", runner.instance));
    }
    match case.phase() {
        Phase::Open => open_step(room, case, policy, now, runner),
        _ => Step::Nothing,
    }
}

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

/// A challenge that was asked for although none is wanted, or a newer one was asked for since.
fn unwanted_session<'a>(case: &'a Case, policy: &Policy) -> Option<&'a LivenessSession> {
    let wanted = case.phase() == Phase::Open
        && policy.requires(Kind::Liveness)
        && counted(case, Kind::Liveness).is_none()
        && case.opened_sessions() < policy.liveness_sessions_max;
    let newest = case.sessions.iter().rev().find(|s| s.status == SessionStatus::Requested)?;
    case.sessions.iter().find(|s| s.status == SessionStatus::Requested && (!wanted || s.id != newest.id))
}

fn end_session(session: &LivenessSession, status: SessionStatus, code: &str, by: &str) -> Transition {
    Transition::new(
        Event::LivenessSessionEnded {
            liveness_session: session.id.clone(),
            status: status.as_str().to_owned(),
            code: code.to_owned(),
        },
        by,
    )
    .changing(SessionPatch { id: session.id.clone(), status, opened: None })
}

/// A person's action takes effect or is refused; either way a journal row names it, so it is handled once.
fn handle(case: &Case, policy: &Policy, action: &Action) -> Transition {
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
    let asked = if action.redo.is_empty() { vec![Kind::Document, Kind::Liveness] } else { action.redo.clone() };
    let (status, codes, redo) = match kind {
        ActionKind::Approve => (Status::Approved, Vec::new(), Vec::new()),
        ActionKind::Decline => {
            (Status::Declined, vec![Code::PolicyManualDecline.entry().message_key.to_owned()], Vec::new())
        }
        _ => (Status::ResubmissionRequired, Vec::new(), redo(case, policy, asked)),
    };
    Ok(Event::Decided { attempt: case.attempt(), status, source: Source::Reviewer, codes, redo, digest: String::new() })
}

/// What a reviewer asks for anew, and whatever would otherwise decide the next attempt before it began.
fn redo(case: &Case, policy: &Policy, mut asked: Vec<Kind>) -> Vec<Kind> {
    let settles = |kind: &Kind| {
        counted(case, *kind).is_some_and(|c| matches!(c.demand(), Some(Disposition::Decline | Disposition::Resubmit)))
    };
    for kind in policy.required_checks.iter().filter(|kind| settles(kind)) {
        match kind {
            Kind::FaceMatch => asked.extend([Kind::Document, Kind::Liveness]),
            kind => asked.push(*kind),
        }
    }
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// An open verification: run what is due, conclude what can be concluded, else say when to look again.
fn open_step(room: Room, case: &Case, policy: &Policy, now: Timestamp, runner: Runner<'_>) -> Step {
    let mut agenda = Agenda::new(case, policy, now, runner);
    if !settled(case, policy) {
        if let Some(transition) = agenda.sessions() {
            return Step::write(transition);
        }
        for work in candidates(case, policy, now) {
            if room == Room::NotForDocuments && matches!(work, Work::Document { .. }) {
                agenda.running = true;
                continue;
            }
            if let Some(transition) = agenda.consider(work) {
                return Step::write(transition);
            }
        }
        if !agenda.due.is_empty() {
            return Step::Claim(agenda.due);
        }
    }
    agenda.note_running();
    if agenda.running {
        return agenda.wait();
    }
    if let Some(decision) = decide(case, policy) {
        let mut transition = Transition::new(
            Event::Decided {
                attempt: decision.attempt,
                status: decision.status,
                source: Source::Automatic,
                codes: decision.message_keys(),
                redo: decision.redo.clone(),
                digest: decision.digest(),
            },
            runner.instance,
        );
        transition.decision = Some(decision);
        return Step::write(transition);
    }
    agenda.silence()
}

/// The work that the evidence allows, most urgent first: liveness data is forgotten by its provider.
fn candidates(case: &Case, policy: &Policy, now: Timestamp) -> Vec<Work> {
    let attempt = case.attempt();
    let wants = |kind: Kind| policy.requires(kind) && counted(case, kind).is_none();
    let mut work = Vec::new();
    if wants(Kind::Liveness) {
        let ready = case.sessions.iter().rev().find(|s| s.status == SessionStatus::Open && result_due(case, s, now));
        work.extend(ready.map(|s| Work::Liveness { attempt, evidence: s.id.clone() }));
        let asked = case.sessions.iter().rev().find(|s| s.status == SessionStatus::Requested);
        work.extend(asked.map(|s| Work::OpenSession { attempt, evidence: s.id.clone() }));
    }
    if wants(Kind::Device) {
        work.extend(case.fresh_signal().map(|s| Work::Device { attempt, evidence: s.id.clone() }));
    }
    if wants(Kind::Document) {
        work.extend(case.fresh_document().map(|d| Work::Document { attempt, evidence: d.id.clone() }));
    }
    if wants(Kind::FaceMatch)
        && let (Some(liveness), Some(document)) = (counted(case, Kind::Liveness), counted(case, Kind::Document))
        && usable(liveness)
        && usable(document)
    {
        work.push(Work::FaceMatch { attempt, evidence: format!("{}+{}", liveness.id, document.id) });
    }
    work
}

fn result_due(case: &Case, session: &LivenessSession, now: Timestamp) -> bool {
    case.said_completed(&session.id)
        || session.expires_at.is_some_and(|at| now >= at - SignedDuration::from_secs(RESULT_LEAD_SECONDS))
}

/// A finding that no provider gave: trouble, or nothing to look at.
fn concluded(
    case: &Case,
    policy: &Policy,
    kind: Kind,
    reason: Reason,
    not_executed_because: Option<String>,
    by: &str,
) -> Transition {
    let finding = Finding {
        judgement: Judgement { reasons: vec![reason], ..Judgement::default() },
        not_executed_because,
        ..Finding::default()
    };
    finished(case, policy, 0, kind, finding, by)
}

/// The transition that stores `finding` as the answer to claim `claim`.
pub fn finished(case: &Case, policy: &Policy, claim: u32, kind: Kind, finding: Finding, by: &str) -> Transition {
    let check = Check::judge(case.id(), kind, case.attempt(), &finding, policy);
    let mut codes: Vec<String> = Vec::new();
    for reason in check.reasons.iter().filter(|r| r.disposition >= Disposition::Resubmit) {
        if !codes.contains(&reason.user_message_key) {
            codes.push(reason.user_message_key.clone());
        }
    }
    let event = Event::CheckFinished { claim, kind, attempt: check.attempt, outcome: check.outcome, codes };
    Transition::new(event, by).storing(check, finding)
}

/// Whether one more death during `work` sets it aside. Such work is best done while nothing else of its kind is under way, so that
/// a record that kills the process takes no other with it.
pub fn is_last_try(case: &Case, policy: &Policy, work: &Work) -> bool {
    let claims = case.claims();
    let lost = claims
        .iter()
        .filter(|claim| same_job(claim.work, work) && matches!(claim.state, ClaimState::Pending { .. }))
        .count();
    lost > 0 && lost + 1 >= policy.work_tries_max as usize
}

/// Whether two pieces of work are tries at the same thing. A newer upload does not start a second document check beside the
/// first, nor does it wipe out what the first has failed at; challenges are each their own.
fn same_job(a: &Work, b: &Work) -> bool {
    match (a, b) {
        (Work::OpenSession { .. } | Work::Liveness { .. }, _) => a == b,
        _ => a.check() == b.check() && a.attempt() == b.attempt(),
    }
}

/// What to do about one verification now, gathered piece by piece.
struct Agenda<'a> {
    case: &'a Case,
    policy: &'a Policy,
    now: Timestamp,
    runner: Runner<'a>,
    claims: Vec<Claim<'a>>,
    due: Vec<Work>,
    running: bool,
    wake: Option<Timestamp>,
}

impl<'a> Agenda<'a> {
    fn new(case: &'a Case, policy: &'a Policy, now: Timestamp, runner: Runner<'a>) -> Self {
        Self { case, policy, now, runner, claims: case.claims(), due: Vec::new(), running: false, wake: None }
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    fn wait(&self) -> Step {
        self.wake.map_or(Step::Nothing, |at| Step::Wait(at.max(self.now)))
    }

    /// Whether `claim` is being worked on by somebody alive, as far as one can know.
    fn alive(&self, claim: &Claim<'_>) -> Option<Timestamp> {
        let ClaimState::Pending { until } = claim.state else { return None };
        let abandoned = claim.by == self.runner.instance && !self.runner.holding.contains(&claim.seq);
        (until > self.now && !abandoned).then_some(until)
    }

    /// Challenges that are over, and too many of them.
    fn sessions(&mut self) -> Option<Transition> {
        if !self.policy.requires(Kind::Liveness) || counted(self.case, Kind::Liveness).is_some() {
            return None;
        }
        for session in self.case.sessions.iter().filter(|s| s.status == SessionStatus::Open) {
            let Some(expires_at) = session.expires_at else { continue };
            let over = expires_at + SignedDuration::from_secs(RESULT_GRACE_SECONDS);
            let fetching = self.claims.iter().any(|c| c.work.evidence() == session.id && self.alive(c).is_some());
            if self.now >= over && !fetching {
                let code = Code::LivenessSessionExpired.as_str();
                return Some(end_session(session, SessionStatus::Expired, code, self.runner.instance));
            }
            let lead = expires_at - SignedDuration::from_secs(RESULT_LEAD_SECONDS);
            self.wake_at(if self.now < lead { lead } else { over });
        }
        let opened = self.case.opened_sessions();
        let usable = self.case.sessions.iter().any(|s| s.status == SessionStatus::Open);
        if opened >= self.policy.liveness_sessions_max && !usable {
            // Machines that had a part in it must not cost the person an attempt.
            let code =
                if self.case.liveness_trouble() { Code::SystemProviderUnavailable } else { Code::LivenessNotCompleted };
            let reason = Reason::new(code, format!("{opened} challenges ended without a result"));
            return Some(concluded(self.case, self.policy, Kind::Liveness, reason, None, self.runner.instance));
        }
        None
    }

    /// Takes `work` up unless it is being done, must wait, or has failed for good; the latter is a transition.
    fn consider(&mut self, work: Work) -> Option<Transition> {
        let earlier: Vec<Claim<'a>> = self.claims.iter().filter(|c| same_job(c.work, &work)).cloned().collect();
        if let Some(until) = earlier.iter().filter_map(|c| self.alive(c)).max() {
            self.running = true;
            self.wake_at(until);
            return None;
        }
        let lost = earlier.iter().filter(|c| matches!(c.state, ClaimState::Pending { .. })).count();
        if lost >= self.policy.work_tries_max as usize {
            let detail = format!("the service died {lost} times while working on it");
            return Some(self.give_up(&work, Reason::new(Code::SystemInternalError, detail)));
        }
        let failed = earlier.iter().rev().find_map(|c| match c.state {
            ClaimState::Failed { retry_at } if c.by == self.runner.instance => Some(retry_at),
            ClaimState::Failed { retry_at } => Some(retry_at + SignedDuration::from_secs(HEAD_START_SECONDS)),
            _ => None,
        });
        if let (Some(first), Some(retry_at)) = (earlier.first(), failed) {
            let deadline = first.created + SignedDuration::from_mins(i64::from(self.policy.technical_minutes));
            if self.now >= deadline {
                let detail = format!("no answer within {} minutes", self.policy.technical_minutes);
                return Some(self.give_up(&work, Reason::new(Code::SystemProviderUnavailable, detail)));
            }
            if self.now < retry_at {
                self.running = true;
                self.wake_at(retry_at.min(deadline));
                return None;
            }
        }
        self.due.push(work);
        None
    }

    fn give_up(&self, work: &Work, reason: Reason) -> Transition {
        let kind = work.check().unwrap_or(Kind::Liveness);
        concluded(self.case, self.policy, kind, reason, None, self.runner.instance)
    }

    /// Work of this attempt that somebody is still doing although it no longer matters: its result is waited for, so that
    /// a decision never races a finding of its own attempt.
    fn note_running(&mut self) {
        let attempt = self.case.attempt();
        let until: Vec<Timestamp> = self
            .claims
            .iter()
            .filter(|c| c.work.attempt() == attempt && c.work.check().is_some())
            .filter_map(|c| self.alive(c))
            .collect();
        for until in until {
            self.running = true;
            self.wake_at(until);
        }
    }

    /// Nothing to do: the person must act, or has been silent too long.
    fn silence(mut self) -> Step {
        let missing = missing(self.case, self.policy);
        if missing == [Kind::Device] {
            let grace = self.last_evidence() + SignedDuration::from_secs(i64::from(self.policy.device_max_age_seconds));
            if self.now >= grace {
                let reason = Reason::new(Code::DeviceSignalMissing, "the browser sent no device event");
                let because = Some("no device event was received".to_owned());
                let by = self.runner.instance;
                return Step::write(concluded(self.case, self.policy, Kind::Device, reason, because, by));
            }
            self.wake_at(grace);
        }
        if let Some(at) = self.case.expires_at(self.policy).filter(|_| !missing.is_empty()) {
            if self.now >= at {
                return Step::write(Transition::new(Event::Expired {}, self.runner.instance));
            }
            self.wake_at(at);
        }
        self.wait()
    }

    fn last_evidence(&self) -> Timestamp {
        let documents = self.case.documents.iter().map(|d| d.created);
        let actions = self.case.actions.iter().map(|a| a.created);
        documents.chain(actions).max().unwrap_or(self.now)
    }
}
