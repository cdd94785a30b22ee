//! The simulation: persons, sidecars, the network and the store, driven by one seed.

use std::fmt::Write as _;

use identivia::verification::case::Phase;
use identivia::verification::summary::missing;
use identivia::verification::{ActionKind, Actor, Code, Kind, Status, Work};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::sidecar::{Plan, Progress, Purpose, Said, Sent, Sidecar, TRIES_MAX, Task};
use super::store::Store;
use super::{Flaw, invariants};

/// Random events before all faults end.
const HAPPENINGS: u32 = 140;
/// Rounds within which a history must come to rest once all faults have ended.
const ROUNDS_MAX: u32 = 300;

/// The end of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Approved,
    Declined,
    NeedsReview,
    Expired,
    Canceled,
    /// It did not come to rest, which breaks a promise.
    Never,
}

/// Counts of what happened.
#[derive(Debug, Default, Clone, Copy)]
pub struct Events {
    pub deaths: u64,
    pub answers_lost: u64,
    pub requests_lost: u64,
    pub late_messages: u64,
    pub races_lost: u64,
    pub takeovers: u64,
    pub late_results: u64,
    /// Results written on top of the cached case.
    pub written_unread: u64,
}

impl Events {
    pub fn add(&mut self, other: Self) {
        self.deaths += other.deaths;
        self.answers_lost += other.answers_lost;
        self.requests_lost += other.requests_lost;
        self.late_messages += other.late_messages;
        self.races_lost += other.races_lost;
        self.takeovers += other.takeovers;
        self.late_results += other.late_results;
        self.written_unread += other.written_unread;
    }

    /// Whether each happened at least `times` times.
    pub fn all_happened(&self, times: u64) -> bool {
        let all = [
            self.deaths,
            self.answers_lost,
            self.requests_lost,
            self.late_messages,
            self.races_lost,
            self.takeovers,
            self.late_results,
            self.written_unread,
        ];
        all.iter().all(|happened| *happened >= times)
    }
}

/// A message on its way to the store. Its sender may have crashed or given up.
struct Message {
    sent: Sent,
    /// The sidecar that waits for the answer, and the number of its task.
    waiting: Option<usize>,
}

pub struct Simulation {
    store: Store,
    sidecars: Vec<Sidecar>,
    network: Vec<Message>,
    /// Messages so far.
    sent: u64,
    dice: StdRng,
    flaw: Flaw,
    broken: Vec<String>,
    events: Events,
    /// All faults have ended: no message is lost, no process crashes, providers answer.
    calm: bool,
}

/// The end of a message, as its sender sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Won,
    Lost,
    Nothing,
}

impl Simulation {
    pub fn new(seed: u64, flaw: Flaw) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let number = dice.random_range(1..=3);
        let names = [("one", 0), ("two", 10), ("three", 20)];
        let sidecars = names[..number].iter().map(|(name, fast)| Sidecar::new(name, SignedDuration::from_mins(*fast)));
        let sidecars = sidecars.collect();
        let store = Store::new(flaw);
        let (network, broken, events) = (Vec::new(), Vec::new(), Events::default());
        Self { store, sidecars, network, sent: 0, dice, flaw, broken, events, calm: false }
    }

    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    pub fn events(&self) -> Events {
        self.events
    }

    /// The journal as text, for finding out what went wrong.
    pub fn story(&self) -> String {
        self.store.case.journal.iter().fold(String::new(), |mut story, entry| {
            let _ = writeln!(story, "{:>3} {} {:<5} {} {}", entry.seq, entry.created, entry.by, entry.name, entry.data);
            story
        })
    }

    /// Plays one history and returns its end.
    pub fn play(&mut self) -> End {
        for _ in 0..HAPPENINGS {
            self.happen();
            if !self.broken.is_empty() {
                return End::Never;
            }
        }
        self.come_to_rest();
        let end = self.end();
        if self.broken.is_empty() {
            self.broken.extend(invariants::at_rest(&self.store));
            if end == End::Never {
                self.broken.push("it does not come to rest".to_owned());
            }
        }
        end
    }

    fn happen(&mut self) {
        match self.dice.random_range(0..100) {
            0..4 => self.store.add_document(),
            4..7 => self.store.add_signal(),
            7..11 => self.store.ask_challenge(),
            11..16 => self.store.finish_challenge(),
            16 if self.dice.random_ratio(1, 6) => self.store.act(ActionKind::Cancel, Actor::User, ""),
            17 => self.review(),
            18..25 => {
                let seconds = *[1, 5, 20, 40, 130, 400].choose(&mut self.dice).unwrap_or(&1);
                self.store.pass_time(SignedDuration::from_secs(seconds));
            }
            25..29 => self.kill_or_start(),
            29..43 => self.wake(),
            43..46 => self.give_up_on_a_message(),
            46..62 => self.deliver(),
            _ => self.advance(),
        }
    }

    fn review(&mut self) {
        let kinds = [ActionKind::Approve, ActionKind::Decline, ActionKind::RequestResubmission, ActionKind::Reopen];
        if let Some(kind) = kinds.choose(&mut self.dice) {
            self.store.act(*kind, Actor::Reviewer("reviewer0000001".into()), "");
        }
    }

    fn kill_or_start(&mut self) {
        let index = self.dice.random_range(0..self.sidecars.len());
        if !self.sidecars[index].alive {
            self.sidecars[index].alive = true;
        } else if self.dice.random_ratio(1, 2) {
            self.sidecars[index].die();
            self.events.deaths += 1;
            self.forget_waiting(index);
        }
    }

    /// Drops answers whose sidecar has crashed.
    fn forget_waiting(&mut self, index: usize) {
        for message in self.network.iter_mut().filter(|message| message.waiting == Some(index)) {
            message.waiting = None;
        }
    }

    /// A sidecar makes a pass, because of an event, a timer or a sweep. One pass at a time.
    fn wake(&mut self) {
        let index = self.dice.random_range(0..self.sidecars.len());
        self.look(index);
    }

    fn look(&mut self, index: usize) {
        let sidecar = &mut self.sidecars[index];
        let looking = sidecar.tasks.iter().any(|task| matches!(task.purpose, Purpose::Pass));
        if sidecar.alive && !looking {
            sidecar.tasks.push(Task::pass());
        }
    }

    /// Advances a random task of a random sidecar.
    fn advance(&mut self) {
        let index = self.dice.random_range(0..self.sidecars.len());
        let ready: Vec<usize> = (0..self.sidecars[index].tasks.len())
            .filter(|task| !matches!(self.sidecars[index].tasks[*task].progress, Progress::Storing(_)))
            .collect();
        if let Some(task) = ready.choose(&mut self.dice) {
            self.go_on(index, *task);
        }
    }

    fn go_on(&mut self, index: usize, number: usize) {
        let task = self.sidecars[index].tasks[number].clone();
        match task.progress {
            Progress::Asking => {
                let said = self.said(&task.purpose);
                let task = &mut self.sidecars[index].tasks[number];
                task.said = Some(said);
                task.progress = Progress::Reading;
            }
            Progress::Reading => {
                let now = self.clock_of(index);
                // Not always: the cache lease may have ended.
                let relies = task.tries == 0 && task.said.is_some() && self.dice.random_ratio(2, 3);
                let sidecar = &mut self.sidecars[index];
                let case = if let Some(known) = sidecar.known.clone().filter(|_| relies) {
                    self.events.written_unread += 1;
                    known
                } else {
                    sidecar.learn(&self.store.case);
                    Box::new(self.store.case.clone())
                };
                sidecar.tasks[number].progress = Progress::Deciding(case, now);
            }
            Progress::Deciding(ref case, now) => self.decide(index, number, &task, (**case).clone(), now),
            Progress::Storing(_) => {}
        }
    }

    fn clock_of(&self, index: usize) -> Timestamp {
        if self.flaw == Flaw::OwnClock { self.store.now + self.sidecars[index].skew } else { self.store.now }
    }

    fn decide(
        &mut self,
        index: usize,
        number: usize,
        task: &Task,
        case: identivia::verification::Case,
        now: Timestamp,
    ) {
        let fenced = self.flaw != Flaw::NoFence;
        if self.flaw == Flaw::ForgetsItsWork {
            self.sidecars[index].holding.clear();
        }
        let sidecar = &mut self.sidecars[index];
        match sidecar.plan(task, case, &self.store.policy, now, fenced) {
            Plan::TooLate => {
                self.events.late_results += 1;
                self.end_task(index, number, Some(now));
            }
            Plan::Rest(wake) => self.end_task(index, number, wake),
            Plan::Write(mut sent) => {
                self.sent += 1;
                sent.number = self.sent;
                if let Some((claim, _)) = &sent.claims {
                    sidecar.holding.push(*claim);
                }
                sidecar.tasks[number].progress = Progress::Storing(sent.clone());
                self.network.push(Message { sent: *sent, waiting: Some(index) });
            }
        }
    }

    fn said(&mut self, purpose: &Purpose) -> Said {
        let Purpose::Work { work, .. } = purpose else { return Said::Unavailable };
        if self.calm {
            return Said::Codes(Vec::new());
        }
        let bad: &[Code] = match work.check() {
            None => &[],
            Some(Kind::Device) => &[Code::DeviceBotDetected, Code::DeviceVpnOrProxy, Code::DeviceTampering],
            Some(Kind::Document) => &[Code::DocumentBlurred, Code::DocumentExpired, Code::DocumentMrzVisualMismatch],
            Some(Kind::Liveness) => &[Code::LivenessAttackSuspected, Code::LivenessLowConfidence],
            Some(Kind::FaceMatch) => &[Code::FaceMismatch, Code::FaceComparisonNotPossible],
        };
        match self.dice.random_range(0..20) {
            0..3 => Said::Unavailable,
            3 if matches!(work, Work::Liveness { .. }) => Said::Failed,
            4..7 => Said::Codes(bad.choose(&mut self.dice).copied().into_iter().collect()),
            _ => Said::Codes(Vec::new()),
        }
    }

    /// Delivers a message, late or not. Its answer may get lost.
    fn deliver(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let message = self.network.swap_remove(self.dice.random_range(0..self.network.len()));
        if !self.calm && self.dice.random_ratio(1, 12) {
            self.events.requests_lost += 1;
            return self.hear(message, Heard::Nothing);
        }
        let before = self.store.case.phase();
        let stored = self.store.commit(&message.sent.batch);
        if stored {
            self.note(&message, &before);
        } else {
            self.events.races_lost += 1;
        }
        if !self.calm && self.dice.random_ratio(1, 8) {
            self.events.answers_lost += 1;
            return self.hear(message, Heard::Nothing);
        }
        self.hear(message, if stored { Heard::Won } else { Heard::Lost });
    }

    fn note(&mut self, message: &Message, before: &Phase) {
        self.events.late_messages += u64::from(message.waiting.is_none());
        let new = &self.store.case.journal[self.store.case.journal.len() - message.sent.batch.entries.len()..];
        self.broken.extend(invariants::of_a_batch(&self.store, &self.sidecars, before, new));
        if let Some((claim, works)) = &message.sent.claims {
            let claims = self.store.case.claims();
            let again = |work: &Work| {
                claims.iter().any(|c| {
                    c.seq < *claim
                        && c.work == work
                        && matches!(c.state, identivia::verification::case::claims::ClaimState::Pending { .. })
                })
            };
            self.events.takeovers += u64::from(works.iter().any(again));
        }
    }

    /// The sender stops waiting. The message goes on.
    fn give_up_on_a_message(&mut self) {
        let waited: Vec<usize> =
            (0..self.network.len()).filter(|index| self.network[*index].waiting.is_some()).collect();
        if let Some(index) = waited.choose(&mut self.dice) {
            let message = &mut self.network[*index];
            let copy = Message { sent: message.sent.clone(), waiting: message.waiting.take() };
            self.hear(copy, Heard::Nothing);
        }
    }

    /// Tells the sender what became of its message. It reads back where no answer came, and
    /// continues.
    fn hear(&mut self, message: Message, heard: Heard) {
        let Some(index) = message.waiting else { return };
        let sent = message.sent.number;
        let is_it = |task: &Task| matches!(&task.progress, Progress::Storing(waits) if waits.number == sent);
        let Some(number) = self.sidecars[index].tasks.iter().position(is_it) else { return };
        let entries = &message.sent.batch.entries;
        let telling = if self.flaw == Flaw::ReadsBackTheFirstRow { entries.first() } else { entries.last() };
        let heard = match heard {
            Heard::Nothing if self.flaw == Flaw::TimeoutIsNo => return self.send_again(index, number, message.sent),
            Heard::Nothing => match telling.map(|t| (t, self.store.case.journal.iter().find(|row| row.seq == t.seq))) {
                Some((telling, Some(row))) if row.hash == telling.hash => Heard::Won,
                Some((_, Some(_))) => Heard::Lost,
                _ => Heard::Nothing,
            },
            heard => heard,
        };
        let claims = message.sent.claims;
        match heard {
            Heard::Won => {
                if let Some((claim, works)) = claims {
                    let others = self.sidecars.iter().any(|other| other.tasks.iter().any(|task| task.works_on(claim)));
                    if others {
                        self.broken.push(format!("the work that row {claim} claims is done twice"));
                    }
                    let sidecar = &mut self.sidecars[index];
                    sidecar.tasks.extend(works.into_iter().map(|work| Task::work(claim, work)));
                }
                let rows = message.sent.batch.entries.len();
                let after = *message.sent.after;
                let own_stamps = self.flaw == Flaw::KeepsItsOwnStamps;
                let after = if own_stamps { after } else { self.store.stamped(after, rows) };
                self.sidecars[index].learn(&after);
                self.end_task(index, number, message.sent.wake);
            }
            Heard::Lost | Heard::Nothing => {
                if let Some((claim, _)) = claims {
                    self.sidecars[index].let_go(claim);
                }
                self.sidecars[index].known = None;
                let task = &mut self.sidecars[index].tasks[number];
                task.tries += u32::from(heard == Heard::Nothing);
                if task.tries >= TRIES_MAX || (heard == Heard::Nothing && matches!(task.purpose, Purpose::Pass)) {
                    let now = self.store.now;
                    self.end_task(index, number, Some(now));
                } else {
                    task.progress = Progress::Reading;
                }
            }
        }
    }

    /// The flaw: writes the same rows on top of the current state.
    fn send_again(&mut self, index: usize, number: usize, mut sent: Sent) {
        let mut case = self.store.case.clone();
        sent.batch.entries = sent.batch.transitions.iter().map(|t| case.apply(t, self.store.now)).collect();
        if let Some((claim, _)) = &mut sent.claims {
            self.sidecars[index].let_go(*claim);
            *claim = case.seq();
            self.sidecars[index].holding.push(*claim);
        }
        self.sent += 1;
        sent.number = self.sent;
        self.sidecars[index].tasks[number].progress = Progress::Storing(Box::new(sent.clone()));
        self.network.push(Message { sent, waiting: Some(index) });
    }

    /// Ends a task. The claim is released with the last item of its work.
    fn end_task(&mut self, index: usize, number: usize, wake: Option<Timestamp>) {
        let sidecar = &mut self.sidecars[index];
        let task = sidecar.tasks.remove(number);
        if let Purpose::Work { claim, .. } = task.purpose
            && !sidecar.tasks.iter().any(|other| other.works_on(claim))
        {
            sidecar.let_go(claim);
        }
        sidecar.wake = [sidecar.wake, wake].into_iter().flatten().min();
    }

    /// Ends all faults, and lets time pass until nothing is due.
    fn come_to_rest(&mut self) {
        self.calm = true;
        for sidecar in &mut self.sidecars {
            sidecar.alive = true;
        }
        for _ in 0..ROUNDS_MAX {
            self.finish_tasks();
            if !self.broken.is_empty() {
                return;
            }
            if self.flaw == Flaw::TrustsAnEmptyList {
                return;
            }
            let before = self.store.case.seq();
            for index in 0..self.sidecars.len() {
                self.sidecars[index].wake = None;
                self.look(index);
                self.finish_tasks();
            }
            if self.store.case.seq() != before {
                continue;
            }
            let Some(wake) = self.sidecars.iter().filter_map(|sidecar| sidecar.wake).min() else { return };
            self.store.now = wake.max(self.store.now + SignedDuration::from_secs(1));
        }
        self.broken.push(format!("still busy after {ROUNDS_MAX} rounds"));
    }

    fn finish_tasks(&mut self) {
        for _ in 0..ROUNDS_MAX {
            while !self.network.is_empty() {
                self.deliver();
            }
            let busy = self.sidecars.iter().position(|sidecar| !sidecar.tasks.is_empty());
            let Some(index) = busy else { return };
            self.go_on(index, 0);
        }
    }

    fn end(&self) -> End {
        match self.store.case.phase() {
            Phase::Decided(Status::Approved, _) => End::Approved,
            Phase::Decided(Status::Declined, _) => End::Declined,
            Phase::Decided(..) | Phase::Reopened => End::NeedsReview,
            Phase::Canceled => End::Canceled,
            Phase::Expired => End::Expired,
            Phase::Unstarted | Phase::Open => {
                debug_assert!(!missing(&self.store.case, &self.store.policy).is_empty());
                End::Never
            }
        }
    }
}
