//! Stories about the core without I/O: a store in memory, and people, providers and deaths of
//! processes that a test chooses.

mod attempts;
mod random;
mod work;

use jiff::{SignedDuration, Timestamp};

use super::case::Case;
use super::check::{Finding, Judgement};
use super::journal::{Event, Source, Work, chain};
use super::kind::{ActionKind, DocumentType, Kind, Outcome, SessionStatus};
use super::policy::Policy;
use super::reason::{Code, Disposition, Reason};
use super::records::{Action, Actor, DeviceSignal, Document, LivenessSession, Verification};
use super::status::Status;
use super::summary::{status, summary};
use super::transition::{Opened, SessionPatch, Transition};
use crate::next_step::{Runner, Step, next_step};
use crate::replay::replay;
use crate::sample::policy;

/// A verification in a store of its own, with a clock that only the test moves.
struct Story {
    case: Case,
    policy: Policy,
    now: Timestamp,
    ids: u32,
    statuses: Vec<Status>,
}

const ME: Runner<'_> = Runner { instance: "one", holding: &[] };

impl Story {
    fn new() -> Self {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let record = Verification { id: "verification001".into(), created: now, ..Verification::default() };
        let case = Case {
            record,
            documents: vec![],
            sessions: vec![],
            signals: vec![],
            actions: vec![],
            checks: vec![],
            journal: vec![],
        };
        Self { case, policy: policy(), now, ids: 0, statuses: vec![Status::Created] }
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("record{:09}", self.ids)
    }

    fn pass_time(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn document(&mut self) {
        let document = Document {
            id: self.id(),
            document_type: DocumentType::Passport,
            country: String::new(),
            front: "front.jpg".into(),
            back: String::new(),
            created: self.now,
        };
        self.case.documents.push(document);
    }

    fn signal(&mut self) {
        let signal = DeviceSignal { id: self.id(), event_id: "1700000000000.abcdef".into(), created: self.now };
        self.case.signals.push(signal);
    }

    fn ask_challenge(&mut self) {
        let session = LivenessSession {
            id: self.id(),
            session_id: String::new(),
            region: String::new(),
            status: SessionStatus::Requested,
            expires_at: None,
            created: self.now,
        };
        self.case.sessions.push(session);
    }

    fn act(&mut self, kind: ActionKind, actor: Actor, session: &str) {
        let action = Action {
            id: self.id(),
            kind: Some(kind),
            name: kind.as_str().into(),
            liveness_session: session.into(),
            reason: "because".into(),
            redo: vec![],
            actor,
            created: self.now,
        };
        self.case.actions.push(action);
    }

    fn finish_challenge(&mut self) {
        if let Some(id) =
            self.case.sessions.iter().rev().find(|s| s.status == SessionStatus::Open).map(|s| s.id.clone())
        {
            self.act(ActionKind::LivenessCompleted, Actor::User, &id);
        }
    }

    fn write(&mut self, transition: &Transition) {
        self.case.apply(transition, self.now);
        let status = status(&self.case, &self.policy);
        if self.statuses.last() != Some(&status) {
            self.statuses.push(status);
        }
    }

    /// Writes everything that follows without a provider, and claims the work that is then due.
    fn settle(&mut self) -> Option<(u32, Vec<Work>)> {
        for _ in 0..64 {
            match next_step(&self.case, &self.policy, self.now, ME) {
                Step::Write(transition) => self.write(&transition),
                Step::Claim(work) => {
                    let claim = Event::WorkClaimed { seconds: Work::seconds_of(&work), work: work.clone() };
                    self.write(&Transition::new(claim, "one"));
                    return Some((self.case.seq(), work));
                }
                Step::Nothing | Step::Wait(_) => return None,
            }
        }
        panic!("the core never settles: {:?}", self.case.journal.last());
    }

    /// Stores the provider's answer to `work`, with these reasons.
    fn answer(&mut self, claim: u32, work: &Work, reasons: Vec<Reason>) {
        if !self.case.may_finish(claim, work) {
            return;
        }
        let transition = if let Work::OpenSession { evidence, .. } = work {
            let expires_at = self.now + SignedDuration::from_secs(180);
            let opened = Opened {
                session_id: format!("aws-{evidence}"),
                region: "us-east-1".into(),
                challenge: "FaceMovementAndLightChallenge".into(),
                expires_at,
            };
            let event = Event::LivenessSessionOpened { claim, liveness_session: evidence.clone(), expires_at };
            let patch = SessionPatch { id: evidence.clone(), status: SessionStatus::Open, opened: Some(opened) };
            Transition::new(event, "one").changing(patch)
        } else {
            let finding = Finding {
                judgement: Judgement { reasons, ..Judgement::default() },
                evidence: vec![work.evidence().to_owned()],
                ..Finding::default()
            };
            Transition::check_finished(&self.case, &self.policy, claim, work.check().unwrap(), finding, "one")
        };
        self.write(&transition);
    }

    /// Runs until all due work is answered; `blame` chooses what each check finds.
    fn run(&mut self, blame: impl Fn(Kind) -> Vec<Code>) {
        while let Some((claim, work)) = self.settle() {
            for item in work {
                let reasons = item.check().map(&blame).unwrap_or_default();
                self.answer(claim, &item, reasons.into_iter().map(|code| Reason::new(code, "")).collect());
            }
        }
    }

    fn status(&self) -> Status {
        status(&self.case, &self.policy)
    }

    /// Checks what must hold in every story at every moment.
    fn check_invariants(&self) {
        chain::verify(self.case.id(), &self.case.journal).expect("numbers without gaps, hashes chained");
        for pair in self.statuses.windows(2) {
            assert!(pair[0].may_become(pair[1]), "{} -> {} in {:?}", pair[0], pair[1], self.statuses);
        }
        for replayed in replay(&self.case, &self.policy) {
            assert!(replayed.same, "{replayed:?}");
        }
        for entry in &self.case.journal {
            if let Event::Decided { status: Status::Approved, source: Source::Automatic, attempt, .. } = entry.event {
                for kind in &self.policy.required_checks {
                    let finding = self.case.finding(*kind, attempt).expect("an approval rests on every required check");
                    assert_eq!(finding.outcome, Outcome::Passed, "{kind}");
                    assert!(finding.demand().is_none());
                }
            }
        }
        let mut handled: Vec<&str> =
            self.case.journal.iter().map(|e| e.action.as_str()).filter(|a| !a.is_empty()).collect();
        let all = handled.len();
        handled.sort_unstable();
        handled.dedup();
        assert_eq!(all, handled.len(), "an action is handled once");
        let safe = serde_json::to_string(&self.case.journal.iter().map(|e| &e.data).collect::<Vec<_>>()).unwrap();
        for code in Code::ALL.iter().filter(|c| c.entry().category == super::reason::Category::Fraud) {
            assert!(!safe.contains(code.as_str()), "the journal shows {code} to the person");
        }
    }

    fn evidence(&mut self) {
        self.signal();
        self.document();
        self.ask_challenge();
    }
}

fn clean(_: Kind) -> Vec<Code> {
    Vec::new()
}
