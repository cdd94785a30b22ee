//! Row 2, and all of them at once: random faults under load, a seed that is printed, and the oracle
//! at the end.
//!
//! `SOAK_SEED` repeats the same faults; timing differs by machine. `SOAK_FAULTS` changes their
//! number.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use identivia::verification::Event;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::oracle::Observed;
use super::person::Person;
use super::sandbox::Control;
use super::sidecar::Sidecar;
use super::specimen::{FACE, snapshot};
use super::stack::{Between, Stack};
use super::{PATIENCE, tell, wait_for};
use crate::harness::pocketbase::Pocketbase;
use crate::harness::proxy::{Fault, Proxy};
use crate::harness::stream::Events;

/// A text that every batch of the service contains.
const COMMIT: &str = "journal/records?fields=created";
/// Time limit until everything is settled after the last fault. A claim on a document lasts two
/// minutes; failed work is retried within one.
const AFTERMATH: Duration = Duration::from_secs(300);
/// A result that is not ready may be asked for again; that is not charged.
const RESULTS: &str = "GetFaceLivenessSessionResults";

/// A fault. The first ones take something away for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    SidecarKilled,
    SidecarStopped,
    SidecarTerminated,
    PocketbaseKilled,
    PocketbaseStopped,
    ConnectionsCut,
    ConnectionsReset,
    ConnectionsHalfOpen,
    EventsLost,
    EventsDoubled,
    EventsShuffled,
    EventsGarbled,
    CommitAnswerLost,
    CommitLost,
    CommitDelayed,
    CommitRefused,
    CommitThrottled,
    AnswersDrip,
    ProvidersCut,
    ProvidersAway,
    ProviderAnswerLost,
    ProviderFault,
}

impl Kind {
    const ALL: [Kind; 22] = [
        Kind::SidecarKilled,
        Kind::SidecarStopped,
        Kind::SidecarTerminated,
        Kind::PocketbaseKilled,
        Kind::PocketbaseStopped,
        Kind::ConnectionsCut,
        Kind::ConnectionsReset,
        Kind::ConnectionsHalfOpen,
        Kind::EventsLost,
        Kind::EventsDoubled,
        Kind::EventsShuffled,
        Kind::EventsGarbled,
        Kind::CommitAnswerLost,
        Kind::CommitLost,
        Kind::CommitDelayed,
        Kind::CommitRefused,
        Kind::CommitThrottled,
        Kind::AnswersDrip,
        Kind::ProvidersCut,
        Kind::ProvidersAway,
        Kind::ProviderAnswerLost,
        Kind::ProviderFault,
    ];

    /// Crashes and pauses of sidecars are more frequent than other faults.
    fn draw(dice: &mut StdRng) -> Self {
        if dice.random_bool(0.25) {
            *[Kind::SidecarKilled, Kind::SidecarKilled, Kind::SidecarStopped].choose(dice).expect("not empty")
        } else {
            *Kind::ALL.choose(dice).expect("not empty")
        }
    }
}

#[tokio::test]
async fn row_02_random_faults_under_load_lose_and_double_nothing() {
    soak(24, 2, 12).await;
}

#[tokio::test]
#[ignore = "soak: several minutes; tests/run --soak"]
async fn row_02_five_hundred_random_faults_under_load_lose_and_double_nothing() {
    soak(500, 3, 24).await;
}

async fn soak(faults: usize, sidecars: usize, persons: usize) {
    let seed = number("SOAK_SEED").unwrap_or_else(rand::random);
    let faults = number("SOAK_FAULTS").map_or(faults, |wish| usize::try_from(wish).expect("a number of faults"));
    tell(format_args!("SOAK_SEED={seed} SOAK_FAULTS={faults}"));
    let mut stack = Stack::without_sidecar().await;
    let persons = stack.persons(persons).await;
    let mut fleet = Vec::new();
    for name in ["one", "two", "three"].into_iter().take(sidecars) {
        let (between, environment) = stack.between(name).await;
        let mut sidecar = stack.launch(environment);
        sidecar.healthy().await;
        fleet.push(Member { sidecar, between, peak: 0 });
    }
    let began = Instant::now();
    let over = Cell::new(false);
    let last = Cell::new(None);
    let sandbox = stack.sandbox();
    let mut injector = FaultInjector { dice: StdRng::seed_from_u64(seed), fleet, sandbox, happened: BTreeMap::new() };
    let statuses = RefCell::new(BTreeMap::new());
    let storm = async {
        for _ in 0..faults {
            injector.strike(&mut stack.pocketbase).await;
        }
        injector.clear().await;
        last.set(Some(Instant::now()));
        over.set(true);
    };
    let walks = join_all(persons.iter().map(async |person| {
        while !over.get() {
            let record = walk(person).await;
            *statuses.borrow_mut().entry(record["status"].as_str().unwrap_or_default().to_owned()).or_insert(0) += 1;
        }
    }));
    tokio::join!(storm, walks);
    let settled = last.get().expect("the storm is over").elapsed();
    for member in &mut injector.fleet {
        member.sidecar.healthy().await;
        member.note_peak();
    }
    let observed = stack.audit(&persons[0]).await;
    report(&injector, &observed, &statuses.into_inner(), began.elapsed(), settled);
    judge(&observed, &injector);
}

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name)
        .map(|value| value.to_string_lossy().parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Errors decided about no person, and each repeated paid call has a fault that explains it.
fn judge(observed: &Observed, injector: &FaultInjector) {
    for (id, stored) in &observed.stored {
        let status = stored.record["status"].as_str().unwrap_or_default();
        let aside = status == "needs_review"
            && stored.case.checks.iter().flat_map(|c| &c.reasons).any(|r| r.code.as_str().starts_with("system."));
        assert!(status == "approved" || aside, "{id} ended {status}: {}", stored.record);
    }
    let repeated: usize =
        observed.repeated().iter().filter(|(name, _)| **name != RESULTS).map(|(_, calls)| calls).sum();
    let faults: usize = injector.happened.values().sum();
    // A crash of a sidecar loses at most its calls in flight: those of every person at once.
    assert!(repeated <= faults * 4, "{repeated} paid calls repeated by {faults} faults");
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn report(
    injector: &FaultInjector,
    observed: &Observed,
    statuses: &BTreeMap<String, usize>,
    took: Duration,
    settled: Duration,
) {
    let rows = observed.stored.values().flat_map(|stored| &stored.case.journal);
    let decisions = rows.filter(|entry| matches!(entry.event, Event::Decided { .. })).count();
    let faults: usize = injector.happened.values().sum();
    tell(format_args!("| fault | times |\n|---|---|"));
    for (kind, times) in &injector.happened {
        tell(format_args!("| {kind:?} | {times} |"));
    }
    tell(format_args!("| all | {faults} |\n"));
    tell(format_args!("| verifications | {} in {:.0} s |", observed.stored.len(), took.as_secs_f64()));
    tell(format_args!("| ended as | {statuses:?} |"));
    tell(format_args!("| decisions | {decisions} |"));
    tell(format_args!("| settled after the last fault | {:.1} s |", settled.as_secs_f64()));
    let paid = observed.calls.iter().filter(|call| !call.operation.starts_with("models")).count();
    tell(format_args!("| calls of providers | {paid} |"));
    for (operation, calls) in observed.repeated() {
        let percent = 100.0 * calls as f64 / observed.count(operation).max(1) as f64;
        tell(format_args!("| repeated: {operation} | {calls} of {} ({percent:.1} %) |", observed.count(operation)));
    }
    let peaks: Vec<u64> = injector.fleet.iter().map(|member| member.peak).collect();
    tell(format_args!("| peak resident memory of a sidecar, MiB | {peaks:?} |"));
}

/// A sidecar, the proxies in front of its peers, and its peak memory.
struct Member {
    sidecar: Sidecar,
    between: Between,
    peak: u64,
}

impl Member {
    fn note_peak(&mut self) {
        self.peak = self.peak.max(self.sidecar.peak_mebibytes());
    }

    async fn start_again(&mut self) {
        self.sidecar.start_again();
        // A start that never becomes healthy would make the soak worthless. Errors of peers are not
        // waited for.
        wait_for("it starts", PATIENCE, async || self.sidecar.address()).await;
    }
}

/// Where faults come from.
struct FaultInjector {
    dice: StdRng,
    fleet: Vec<Member>,
    sandbox: Control,
    happened: BTreeMap<Kind, usize>,
}

impl FaultInjector {
    /// Causes one fault, and waits a while before the next.
    async fn strike(&mut self, pocketbase: &mut Pocketbase) {
        let kind = Kind::draw(&mut self.dice);
        *self.happened.entry(kind).or_default() += 1;
        let index = self.dice.random_range(0..self.fleet.len());
        let moment = Duration::from_millis(self.dice.random_range(20..1500));
        let while_it_lasts = tokio::time::sleep(moment);
        let member = &mut self.fleet[index];
        let (stream, providers) = (&member.between.pocketbase, &member.between.providers);
        match kind {
            Kind::SidecarKilled => {
                member.note_peak();
                member.sidecar.kill();
                member.start_again().await;
            }
            Kind::SidecarStopped => {
                member.sidecar.freeze();
                while_it_lasts.await;
                member.sidecar.thaw();
            }
            Kind::SidecarTerminated => {
                member.note_peak();
                let status = member.sidecar.terminate(PATIENCE).await;
                assert!(status.success(), "{status}: {}", member.sidecar.said());
                member.start_again().await;
            }
            Kind::PocketbaseKilled => {
                pocketbase.kill();
                while_it_lasts.await;
                pocketbase.resume_life().await;
            }
            Kind::PocketbaseStopped => {
                pocketbase.freeze();
                while_it_lasts.await;
                pocketbase.thaw();
            }
            Kind::ConnectionsCut => stream.cut(),
            Kind::ConnectionsReset => stream.reset(),
            Kind::ConnectionsHalfOpen => {
                stream.freeze();
                while_it_lasts.await;
                stream.mend();
            }
            Kind::EventsLost => reshaped(stream, Events::Lost, moment).await,
            Kind::EventsDoubled => reshaped(stream, Events::Doubled, moment).await,
            Kind::EventsShuffled => reshaped(stream, Events::Shuffled, moment).await,
            Kind::EventsGarbled => reshaped(stream, Events::Garbled, moment).await,
            Kind::CommitAnswerLost => stream.fail_next(COMMIT, Fault::LoseAnswer),
            Kind::CommitLost => stream.fail_next(COMMIT, Fault::LoseRequest),
            Kind::CommitDelayed => stream.fail_next(COMMIT, Fault::Delay(moment)),
            Kind::CommitRefused => stream.fail_next(COMMIT, Fault::ServerError),
            Kind::CommitThrottled => stream.fail_next(COMMIT, Fault::Throttle),
            Kind::AnswersDrip => stream.fail_next("GET /api/collections", Fault::Drip(Duration::from_millis(2))),
            Kind::ProvidersCut => providers.cut(),
            Kind::ProvidersAway => {
                providers.go_away();
                while_it_lasts.await;
                providers.mend();
            }
            Kind::ProviderAnswerLost => providers.fail_next("POST /", Fault::LoseAnswer),
            Kind::ProviderFault => self.let_a_provider_down().await,
        }
        let pause = Duration::from_millis(self.dice.random_range(50..700));
        tokio::time::sleep(pause).await;
    }

    async fn let_a_provider_down(&mut self) {
        let provider = *["rekognition", "openai", "fingerprint"].choose(&mut self.dice).expect("not empty");
        let fault = *["throttle", "error_5xx", "cut_body", "drop_answer", "reset", "garbage", "html"]
            .choose(&mut self.dice)
            .expect("not empty");
        self.sandbox.fault(json!({ "provider": provider, "fault": fault })).await;
    }

    /// Ends all faults and starts every process.
    async fn clear(&mut self) {
        self.sandbox.mend().await;
        for member in &self.fleet {
            member.between.pocketbase.mend();
            member.between.providers.mend();
        }
    }
}

async fn reshaped(stream: &Proxy, events: Events, moment: Duration) {
    stream.events(events);
    tokio::time::sleep(moment).await;
    stream.events(Events::Untouched);
}

/// An honest, persistent person: whatever must be repeated is repeated until the end.
async fn walk(person: &Person) -> Value {
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    let mut challenge = None;
    wait_for("the verification is settled", AFTERMATH, async || {
        let record = person.read("verifications", &id).await?;
        if record["final"] == true || record["status"] == "needs_review" {
            return Ok(record);
        }
        challenge = with_challenge(person, &id, &record, challenge.take()).await?;
        Err(record.to_string())
    })
    .await
}

/// Asks for a challenge, takes it when it is open, and asks for another when it has ended.
async fn with_challenge(
    person: &Person,
    verification: &str,
    record: &Value,
    challenge: Option<Challenge>,
) -> Result<Option<Challenge>, String> {
    let wanted = record["next"].as_array().is_some_and(|next| next.iter().any(|kind| kind == "liveness"));
    let Some(challenge) = challenge else {
        return Ok(if wanted {
            Some(Challenge { id: person.ask_challenge(verification).await, taken: false })
        } else {
            None
        });
    };
    let Ok(session) = person.read("liveness_sessions", &challenge.id).await else { return Ok(Some(challenge)) };
    match session["status"].as_str().unwrap_or_default() {
        "" | "completed" => Ok(Some(challenge)),
        "open" if challenge.taken => Ok(Some(challenge)),
        "open" => {
            let id = session["session_id"].as_str().unwrap_or_default();
            person.sandbox.take_challenge(id, "pass", FACE).await;
            person.finish_challenge(verification, &challenge.id).await;
            Ok(Some(Challenge { taken: true, ..challenge }))
        }
        _ => Ok(None),
    }
}

/// A challenge that was asked for.
struct Challenge {
    id: String,
    taken: bool,
}
