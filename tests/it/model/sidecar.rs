//! A sidecar: what `reconcile` does around the core, one step at a time, so that anything can
//! happen in between.

use identivia::verification::transition::Opened;
use identivia::verification::{
    Case, Code, Event, Finding, Judgement, Kind, Policy, Reason, Runner, SessionPatch, SessionStatus, Step, Transition,
    Work, next_step,
};
use jiff::{SignedDuration, Timestamp};

use super::store::Batch;

/// Attempts to store a result.
pub const TRIES_MAX: u32 = 8;

/// A provider's answer.
#[derive(Debug, Clone)]
pub enum Said {
    /// These codes, none of which passes.
    Codes(Vec<Code>),
    /// The challenge could not be judged.
    Failed,
    /// No answer.
    Unavailable,
}

/// The purpose of a task.
#[derive(Clone)]
pub enum Purpose {
    /// A pass over the verification.
    Pass,
    /// Running work under a claim.
    Work { claim: u32, work: Work },
}

/// The progress of a task.
#[derive(Clone)]
pub enum Progress {
    /// The provider has not answered yet.
    Asking,
    /// The case must be read.
    Reading,
    /// The case was read at this time.
    Deciding(Box<Case>, Timestamp),
    /// A batch was sent.
    Storing(Box<Sent>),
}

#[derive(Clone)]
pub struct Sent {
    /// The number of the message.
    pub number: u64,
    pub batch: Batch,
    /// The case after the batch.
    pub after: Box<Case>,
    /// The work that it claims, with the claim's number.
    pub claims: Option<(u32, Vec<Work>)>,
    /// When the next pass is due.
    pub wake: Option<Timestamp>,
}

#[derive(Clone)]
pub struct Task {
    pub purpose: Purpose,
    pub progress: Progress,
    pub said: Option<Said>,
    pub tries: u32,
}

impl Task {
    pub fn pass() -> Self {
        Self { purpose: Purpose::Pass, progress: Progress::Reading, said: None, tries: 0 }
    }

    pub fn work(claim: u32, work: Work) -> Self {
        Self { purpose: Purpose::Work { claim, work }, progress: Progress::Asking, said: None, tries: 0 }
    }

    pub fn works_on(&self, number: u32) -> bool {
        matches!(&self.purpose, Purpose::Work { claim, .. } if *claim == number)
    }
}

/// The processes that run, one after another, under one name.
pub struct Sidecar {
    pub name: String,
    pub alive: bool,
    pub tasks: Vec<Task>,
    /// The claims that it works on, or hopes to have won.
    pub holding: Vec<u32>,
    /// The case as it last stored or read it, while it holds a claim. Results may be written on top
    /// of it.
    pub known: Option<Box<Case>>,
    pub wake: Option<Timestamp>,
    /// The error of its own clock. The protocol does not read that clock.
    pub skew: SignedDuration,
}

/// The decision of a sidecar about a case.
pub enum Plan {
    /// Write these rows.
    Write(Box<Sent>),
    /// Write nothing, and make the next pass then.
    Rest(Option<Timestamp>),
    /// The result is no longer wanted.
    TooLate,
}

impl Sidecar {
    pub fn new(name: &str, skew: SignedDuration) -> Self {
        let (tasks, holding) = (Vec::new(), Vec::new());
        Self { name: name.to_owned(), alive: true, tasks, holding, known: None, wake: None, skew }
    }

    /// Caches `case`, unless a later state is cached or no claim is held.
    pub fn learn(&mut self, case: &Case) {
        let newer = self.known.as_ref().is_some_and(|known| known.seq() > case.seq());
        if !newer && !self.holding.is_empty() {
            self.known = Some(Box::new(case.clone()));
        }
    }

    /// Kills the process.
    pub fn die(&mut self) {
        self.alive = false;
        self.tasks.clear();
        self.holding.clear();
        self.known = None;
        self.wake = None;
    }

    pub fn let_go(&mut self, claim: u32) {
        if let Some(position) = self.holding.iter().position(|held| *held == claim) {
            self.holding.swap_remove(position);
        }
        if self.holding.is_empty() {
            self.known = None;
        }
    }

    /// What follows from `case` as it was read at `now`, for `task`. `fenced` says whether late
    /// results are held back.
    pub fn plan(&self, task: &Task, mut case: Case, policy: &Policy, now: Timestamp, fenced: bool) -> Plan {
        let mut batch = Batch { transitions: Vec::new(), entries: Vec::new() };
        let mut push = |case: &mut Case, transition: Transition| {
            batch.entries.push(case.apply(&transition, now));
            batch.transitions.push(transition);
        };
        if let (Purpose::Work { claim, work }, Some(said)) = (&task.purpose, &task.said) {
            if fenced && !case.may_finish(*claim, work) {
                return Plan::TooLate;
            }
            let first = conclude(&case, policy, *claim, work, said, &self.name, now);
            push(&mut case, first);
        }
        let (mut claims, mut wake) = (None, None);
        loop {
            let runner = Runner { instance: &self.name, holding: &self.holding };
            match next_step(&case, policy, now, runner) {
                Step::Write(transition) => push(&mut case, *transition),
                Step::Nothing => break,
                Step::Wait(until) => {
                    wake = Some(until);
                    break;
                }
                Step::Claim(work) => {
                    let event = Event::WorkClaimed { seconds: Work::seconds_of(&work), work: work.clone() };
                    push(&mut case, Transition::new(event, self.name.as_str()));
                    claims = Some((case.seq(), work));
                    break;
                }
            }
        }
        if batch.entries.is_empty() {
            Plan::Rest(wake)
        } else {
            Plan::Write(Box::new(Sent { number: 0, batch, after: Box::new(case), claims, wake }))
        }
    }
}

fn conclude(
    case: &Case,
    policy: &Policy,
    claim: u32,
    work: &Work,
    said: &Said,
    by: &str,
    now: Timestamp,
) -> Transition {
    let session = |status, opened| SessionPatch { id: work.evidence().to_owned(), status, opened };
    match (said, work) {
        (Said::Unavailable, _) | (Said::Failed, Work::OpenSession { .. }) => {
            let trouble = "system.provider_unavailable".to_owned();
            Transition::new(Event::WorkFailed { claim, work: work.clone(), trouble, retry_seconds: 5 }, by)
        }
        (Said::Failed, Work::Liveness { .. }) => {
            let event = Event::LivenessSessionEnded {
                liveness_session: work.evidence().to_owned(),
                status: SessionStatus::Failed.as_str().to_owned(),
                code: Code::LivenessSessionFailed.as_str().to_owned(),
            };
            Transition::new(event, by).changing(session(SessionStatus::Failed, None))
        }
        (Said::Codes(_), Work::OpenSession { .. }) => {
            let expires_at = now + SignedDuration::from_mins(3);
            let liveness_session = work.evidence().to_owned();
            let opened = Opened {
                session_id: format!("session of {liveness_session}"),
                region: "eu-west-1".to_owned(),
                challenge: String::new(),
                expires_at,
            };
            Transition::new(Event::LivenessSessionOpened { claim, liveness_session, expires_at }, by)
                .changing(session(SessionStatus::Open, Some(opened)))
        }
        (Said::Codes(_) | Said::Failed, _) => {
            let codes = if let Said::Codes(codes) = said { codes.as_slice() } else { &[] };
            let finding = Finding {
                judgement: Judgement {
                    reasons: codes.iter().map(|code| Reason::new(*code, "")).collect(),
                    ..Judgement::default()
                },
                evidence: work.evidence().split('+').map(str::to_owned).collect(),
                reference_image: matches!(work, Work::Liveness { .. }).then(|| vec![1]),
                portrait: matches!(work, Work::Document { .. }).then(|| vec![1]),
                ..Finding::default()
            };
            let transition =
                Transition::check_finished(case, policy, claim, work.check().unwrap_or(Kind::Liveness), finding, by);
            match work {
                Work::Liveness { .. } => transition.changing(session(SessionStatus::Completed, None)),
                _ => transition,
            }
        }
    }
}
