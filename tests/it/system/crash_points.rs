//! Row 1: the sidecar crashes at each crash point that the binary lists. The same instance,
//! restarted, or another one takes over, and the oracle finds nothing lost and nothing doubled.
//!
//! Each point has a story that reaches it. A point that its story does not reach fails, so that a
//! new point cannot be forgotten.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::partner::Partner;
use super::person::{Challenge, Person};
use super::sidecar::{API_KEY, Environment, Sidecar, command};
use super::specimen::snapshot;
use super::stack::{Between, Stack};
use super::{PATIENCE, tell, wait_for};
use crate::harness::pocketbase::SERVICE;
use crate::harness::ports::Port;
use crate::harness::proxy::Fault;

/// Stacks that run at the same time. They keep two cores busy; a claim that must run out needs no
/// core.
const LANES: usize = 5;
/// The exit status of a process that aborts.
const SIGABRT: i32 = 6;
/// A claim on a device lasts 30 s. This leaves time for a busy machine.
const PATIENCE_WITH_CLAIMS: Duration = Duration::from_secs(180);

/// Points at which another instance takes over, which may have to wait for the end of a claim. They
/// come first, so that they wait while the others run.
const TAKEN_OVER: [&str; 5] =
    ["examine.device_answered", "reconcile.claimed", "boot.tested", "commit.due", "reconcile.decided"];

/// A text that every batch of the service contains.
const COMMIT: &str = "journal/records?fields=created";

/// How a point is reached.
#[derive(Debug, Clone, Copy)]
enum Story {
    /// A person starts, sends a device event and cancels.
    Light,
    /// A person completes every step.
    Full,
    /// A partner completes every step.
    Partner,
    /// The answer to a batch is lost.
    AnswerLost,
    /// A batch with a result is lost.
    StoreFails,
    /// Another sidecar writes while the batch is on its way.
    Race,
    /// Another process of the same name answers the claim.
    Late,
    /// The person reports "finished" before the provider has the result.
    Hasty,
    /// The service account's tokens are revoked.
    Revoked,
    /// Tokens live for ten seconds.
    ShortLogin,
    /// `PocketBase` stops and starts again.
    StreamLost,
    /// SIGTERM.
    Stopped,
}

fn story(point: &str) -> Story {
    match point {
        "commit.unknown" | "commit.read_back" => Story::AnswerLost,
        "reconcile.store_failed" => Story::StoreFails,
        "reconcile.race_lost" => Story::Race,
        "reconcile.result_late" => Story::Late,
        "examine.result_not_yet" => Story::Hasty,
        "login.lost" => Story::Revoked,
        "login.renewed" => Story::ShortLogin,
        "watch.lost" => Story::StreamLost,
        "stop.intake_stopped" | "stop.drained" => Story::Stopped,
        "reconcile.decided"
        | "files.token_granted"
        | "examine.pictures_fetched"
        | "examine.decoding"
        | "examine.faces_detected"
        | "examine.document_read"
        | "examine.portrait_cut"
        | "examine.faces_fetched"
        | "examine.faces_compared"
        | "examine.session_due"
        | "examine.session_opened"
        | "examine.result_answered" => Story::Full,
        point if point.starts_with("http.") => Story::Partner,
        _ => Story::Light,
    }
}

#[tokio::test]
async fn row_01_a_sidecar_that_dies_at_any_crash_point_loses_and_doubles_nothing() {
    let mut points = listed();
    assert!(points.len() >= 20, "{points:?}");
    points.sort_by_key(|point| !TAKEN_OVER.contains(&point.as_str()));
    let number = points.len();
    let points = RefCell::new(VecDeque::from(points));
    let began = Instant::now();
    let lanes = join_all((0..LANES).map(|_| lane(&points))).await;
    let deaths: usize = lanes.iter().map(|(deaths, _)| deaths).sum();
    let repeated: usize = lanes.iter().map(|(_, repeated)| repeated).sum();
    assert_eq!(deaths, number, "not every point was walked");
    tell(format_args!(
        "{number} crash points: {deaths} deaths, {repeated} calls repeated, {:.1} s",
        began.elapsed().as_secs_f64()
    ));
}

/// The points that the binary lists.
fn listed() -> Vec<String> {
    let output = command(&Environment::new()).arg("crash-points").output().expect("our own program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

/// Tests points on one stack until none is left. Returns how many, and how many paid calls were
/// repeated.
async fn lane(points: &RefCell<VecDeque<String>>) -> (usize, usize) {
    let mut stack = Stack::without_sidecar().await;
    let person = stack.person().await;
    let mut deaths = 0;
    loop {
        let Some(point) = points.borrow_mut().pop_front() else { break };
        let began = Instant::now();
        Walk { stack: &mut stack, person: &person, point: &point }.tell().await;
        deaths += 1;
        tell(format_args!("{point:<28} {:?} {:.1} s", story(&point), began.elapsed().as_secs_f64()));
    }
    if deaths == 0 {
        return (0, 0);
    }
    let observed = stack.audit(&person).await;
    // A result that is not ready may be asked for again; that is not charged.
    let paid = observed.repeated().into_iter().filter(|(operation, _)| *operation != "GetFaceLivenessSessionResults");
    let repeated: Vec<usize> = paid.map(|(_, calls)| calls).collect();
    assert!(repeated.iter().all(|calls| *calls <= deaths), "{deaths} deaths, and paid twice {:?}", observed.repeated());
    (deaths, repeated.iter().sum())
}

/// One point, up to its crash and beyond.
struct Walk<'a> {
    stack: &'a mut Stack,
    person: &'a Person,
    point: &'a str,
}

impl Walk<'_> {
    async fn tell(&mut self) {
        match story(self.point) {
            Story::Light => self.light().await,
            Story::Full => self.full().await,
            Story::Partner => self.partner().await,
            Story::AnswerLost => self.answer_lost().await,
            Story::StoreFails => self.store_fails().await,
            Story::Race => self.race().await,
            Story::Late => self.late().await,
            Story::Hasty => self.hasty().await,
            Story::Revoked => self.revoked().await,
            Story::ShortLogin => self.short_login().await,
            Story::StreamLost => self.stream_lost().await,
            Story::Stopped => self.stopped().await,
        }
    }

    /// Starts a sidecar that will crash at the point.
    fn arm(&self, mut environment: Environment) -> Sidecar {
        environment.insert("CRASH_AT", self.point.to_owned());
        self.stack.launch(environment)
    }

    /// Waits until it has crashed there, and starts its successor.
    async fn dies(&self, mut sidecar: Sidecar) -> Sidecar {
        let status = sidecar.exit(PATIENCE).await;
        assert_eq!(status.signal(), Some(SIGABRT), "{}: {status}, {}", self.point, sidecar.said());
        let said = format!("\"point\":\"{}\"", self.point);
        assert!(sidecar.said().contains(&said), "it died elsewhere: {}", sidecar.said());
        sidecar.environment().remove("CRASH_AT");
        if TAKEN_OVER.contains(&self.point) {
            sidecar.environment().insert("INSTANCE", "two".to_owned());
        }
        self.stack.launch(sidecar.environment().clone())
    }

    /// A verification that was started and has a device event.
    async fn begun(&self) -> String {
        let id = self.person.begin().await;
        self.person.send_device(&id).await;
        id
    }

    /// Waits until the device is judged; the person then cancels.
    async fn withdraw(&self, id: &str) {
        let finished = |row: &serde_json::Value| row["event"] == "check_finished";
        wait_for("a check is finished", PATIENCE_WITH_CLAIMS, async || {
            let journal = self.person.journal(id).await;
            if journal.iter().any(finished) { Ok(()) } else { Err(json!(journal).to_string()) }
        })
        .await;
        self.person.cancel(id).await;
        self.person.status(id, "canceled").await;
    }

    async fn light(&mut self) {
        let id = self.begun().await;
        let armed = self.arm(self.stack.environment("one"));
        let withdraw = async {
            if self.point == "watch.event_heard" {
                // What existed before the start is listed. This comes as an event.
                self.person.begin().await;
            }
            self.withdraw(&id).await;
        };
        let ((), _successor) = tokio::join!(withdraw, self.dies(armed));
    }

    async fn full(&mut self) {
        let id = self.begun().await;
        let armed = self.arm(self.stack.environment("one"));
        let walk = async {
            self.person.send_document(&id, &snapshot()).await;
            self.person.take_challenge(&id, Challenge::default()).await;
            let record = self.person.settled_within(&id, PATIENCE_WITH_CLAIMS).await;
            assert_eq!(record["status"], "approved", "{record}");
        };
        let ((), _successor) = tokio::join!(walk, self.dies(armed));
    }

    async fn partner(&mut self) {
        let mut environment = self.stack.environment("one");
        let facade = Port::take();
        environment.insert("LISTEN", facade.to_string());
        let partner = Partner { facade, sandbox: self.stack.sandbox(), ledger: self.person.ledger().clone() };
        let armed = self.arm(environment);
        let ((_, status), _successor) = tokio::join!(partner.walk(), self.dies(armed));
        assert_eq!(status, "approved");
    }

    async fn answer_lost(&mut self) {
        let (between, environment) = self.stack.between("one").await;
        between.pocketbase.fail_next(COMMIT, Fault::LoseAnswer);
        let id = self.begun().await;
        let _successor = self.dies(self.arm(environment)).await;
        self.withdraw(&id).await;
    }

    /// A sidecar whose device call is held at the provider.
    async fn asking_about_a_device(&self) -> (Between, String, Sidecar) {
        let (between, environment) = self.stack.between("one").await;
        between.providers.fail_next("/events/", Fault::Hold);
        let id = self.begun().await;
        let armed = self.arm(environment);
        happened("the provider is asked", &between.providers).await;
        (between, id, armed)
    }

    async fn store_fails(&mut self) {
        let (between, id, armed) = self.asking_about_a_device().await;
        between.pocketbase.fail_next(COMMIT, Fault::LoseRequest);
        between.providers.release();
        let _successor = self.dies(armed).await;
        self.withdraw(&id).await;
    }

    async fn race(&mut self) {
        let (between, environment) = self.stack.between("one").await;
        between.pocketbase.fail_next(COMMIT, Fault::Hold);
        let id = self.begun().await;
        let armed = self.arm(environment);
        happened("a batch is under way", &between.pocketbase).await;
        let _faster = self.stack.launch(self.stack.environment("two"));
        self.person.journalled(&id, "the faster one's row", |row| row["by"] == "two").await;
        between.pocketbase.release();
        let _successor = self.dies(armed).await;
        self.withdraw(&id).await;
    }

    async fn late(&mut self) {
        let (between, id, armed) = self.asking_about_a_device().await;
        let folder = tempfile::tempdir_in(self.stack.folder()).expect("a folder");
        let _twin = Sidecar::start(self.stack.environment("one"), folder.path());
        self.person.journalled(&id, "the twin's finding", |row| row["event"] == "check_finished").await;
        between.providers.release();
        let _successor = self.dies(armed).await;
        self.withdraw(&id).await;
    }

    async fn hasty(&mut self) {
        let id = self.person.begin().await;
        let armed = self.arm(self.stack.environment("one"));
        let challenge = self.person.ask_challenge(&id).await;
        let session = self.person.opened(&challenge).await;
        self.person.finish_challenge(&id, &challenge).await;
        let _successor = self.dies(armed).await;
        self.stack.sandbox().take_challenge(&session, "pass", super::specimen::FACE).await;
        self.withdraw(&id).await;
    }

    async fn revoked(&mut self) {
        let mut armed = self.arm(self.stack.environment("one"));
        armed.healthy().await;
        let admin = self.stack.admin();
        let service = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
        admin.patch("services", &service, json!({ "password": SERVICE.1, "passwordConfirm": SERVICE.1 })).await;
        let id = self.begun().await;
        // The stream delivers nothing now. A request to the facade makes the sidecar use its
        // session.
        ask_for(&mut armed, &id).await;
        let _successor = self.dies(armed).await;
        self.withdraw(&id).await;
    }

    async fn short_login(&mut self) {
        let (short, long) = (json!({ "authToken": { "duration": 10 } }), json!({ "authToken": { "duration": 3600 } }));
        let admin = self.stack.admin();
        admin.call(Method::PATCH, "api/collections/services", &short).await;
        let mut armed = self.arm(self.stack.environment("one"));
        armed.healthy().await;
        let id = self.begun().await;
        let (armed, ()) = tokio::join!(async { self.dies_when_asked(armed, &id).await }, async {});
        admin.call(Method::PATCH, "api/collections/services", &long).await;
        let _successor = armed;
        self.withdraw(&id).await;
    }

    /// Sends requests to the facade until the sidecar crashes.
    async fn dies_when_asked(&self, mut sidecar: Sidecar, id: &str) -> Sidecar {
        wait_for("the login is renewed", PATIENCE, async || {
            ask_for(&mut sidecar, id).await;
            if sidecar.address().is_err() { Ok(()) } else { Err("it lives".to_owned()) }
        })
        .await;
        self.dies(sidecar).await
    }

    async fn stream_lost(&mut self) {
        let mut armed = self.arm(self.stack.environment("one"));
        armed.healthy().await;
        self.stack.pocketbase.kill();
        self.stack.pocketbase.resume_life().await;
        let _successor = self.dies(armed).await;
        let id = self.begun().await;
        self.withdraw(&id).await;
    }

    async fn stopped(&mut self) {
        let mut armed = self.arm(self.stack.environment("one"));
        armed.healthy().await;
        let id = self.begun().await;
        armed.ask_to_stop();
        let _successor = self.dies(armed).await;
        self.withdraw(&id).await;
    }
}

/// Waits until the planned fault has happened.
async fn happened(what: &str, proxy: &crate::harness::proxy::Proxy) {
    wait_for(what, PATIENCE, async || if proxy.failed() { Ok(()) } else { Err("not yet".to_owned()) }).await;
}

/// Asks a sidecar's facade for the whole of a verification, so that it must ask `PocketBase`.
/// Whether it answers does not matter.
async fn ask_for(sidecar: &mut Sidecar, id: &str) {
    let Ok(address) = sidecar.address() else { return };
    let url = format!("http://{address}/api/v1/status/{id}?detail=full");
    let request = reqwest::Client::new().get(url).header("x-api-key", API_KEY);
    let _ = request.send().await;
}
