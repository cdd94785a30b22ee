//! The oracle is tested: each foundation of the promises, taken away in a real sidecar, makes it
//! report.
//!
//! Each story runs twice, once as it is and once with the bug planted. The oracle is silent the
//! first time only.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::oracle;
use super::person::{Challenge, Person};
use super::sidecar::{Environment, Sidecar};
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, tell, wait_for};
use crate::harness::pocketbase::SERVICE;
use crate::harness::proxy::{Fault, Proxy};

/// A text that every batch of the service contains, and every plain write of a journal row.
const JOURNAL_ROW: &str = "journal/records?fields=created";

/// A system whose sidecars may have a bug.
struct Scene {
    stack: Stack,
    person: Person,
    bug: Option<&'static str>,
}

impl Scene {
    async fn new(bug: Option<&'static str>) -> Self {
        let stack = Stack::without_sidecar().await;
        let person = stack.person().await;
        Self { stack, person, bug }
    }

    fn start(&self, mut environment: Environment) -> Sidecar {
        environment.extend(self.bug.map(|bug| ("PLANT", bug.to_owned())));
        self.stack.launch(environment)
    }

    async fn violations(&self) -> Vec<String> {
        oracle::violations(&oracle::gather(&self.stack, self.person.ledger().entries(), true).await)
    }
}

/// Runs `story` without the bug and with it, and returns what the oracle said each time.
async fn convicted(bug: &'static str, story: impl AsyncFn(Option<&'static str>) -> Vec<String>) -> String {
    let sound = story(None).await;
    assert!(sound.is_empty(), "without the bug: {sound:?}");
    let found = story(Some(bug)).await;
    assert!(!found.is_empty(), "the oracle does not see {bug}");
    tell(format_args!("{bug}: {found:#?}"));
    found.join("\n")
}

/// Two sidecars read the same case. The claim of one is delayed.
#[tokio::test]
async fn a_claim_by_plain_patch_is_seen() {
    let said = convicted("plain_claim", race).await;
    assert!(said.contains("who holds it by row"), "{said}");
}

async fn race(bug: Option<&'static str>) -> Vec<String> {
    let scene = Scene::new(bug).await;
    let (slow, environment) = scene.stack.between("one").await;
    let person = &scene.person;
    let id = person.begin().await;
    let one = scene.start(environment);
    person.journalled(&id, "the first row", |row| row["event"] == "started").await;
    slow.pocketbase.fail_next(JOURNAL_ROW, Fault::Hold);
    person.send_device(&id).await;
    happened("a claim is under way", &slow.pocketbase).await;
    // The other one's answer is slow, so that both work at the same time.
    let (slower, environment) = scene.stack.between("two").await;
    slower.providers.fail_next("/events/", Fault::Hold);
    let two = scene.start(environment);
    happened("the other one is at work", &slower.providers).await;
    slow.pocketbase.release();
    if bug.is_some() {
        person.journalled(&id, "a second claim", |row| row["by"] == "one" && row["event"] == "work_claimed").await;
    }
    slower.providers.release();
    person.journalled(&id, "a finding", |row| row["event"] == "check_finished").await;
    drop((one, two));
    scene.violations().await
}

/// A process pauses in the middle of a call. Another of the same name does its work. Then the first
/// one continues.
#[tokio::test]
async fn a_missing_fence_is_seen() {
    let said = convicted("no_fence", zombie).await;
    assert!(said.contains("the journal has"), "{said}");
}

async fn zombie(bug: Option<&'static str>) -> Vec<String> {
    let scene = Scene::new(bug).await;
    let (between, environment) = scene.stack.between("one").await;
    let person = &scene.person;
    between.providers.fail_next("/events/", Fault::Hold);
    let id = person.begin().await;
    person.send_device(&id).await;
    let zombie = scene.start(environment);
    happened("the provider is asked", &between.providers).await;
    let folder = tempfile::tempdir_in(scene.stack.folder()).expect("a folder");
    let twin = Sidecar::start(scene.stack.environment("one"), folder.path());
    person.journalled(&id, "the twin's finding", |row| row["event"] == "check_finished").await;
    between.providers.release();
    wait_for("the late result is dropped or written", PATIENCE, async || {
        let dropped = zombie.log().contains("a result came too late");
        let rows = person.journal(&id).await.iter().filter(|row| row["event"] == "check_finished").count();
        if dropped || rows > 1 { Ok(()) } else { Err(zombie.log()) }
    })
    .await;
    drop((zombie, twin));
    scene.violations().await
}

/// The sidecar crashes right after a decision.
#[tokio::test]
async fn an_outbox_outside_the_batch_is_seen() {
    let said = convicted("outbox_apart", death_after_decision).await;
    assert!(said.contains("notifications due"), "{said}");
}

async fn death_after_decision(bug: Option<&'static str>) -> Vec<String> {
    let scene = Scene::new(bug).await;
    let (between, environment) = scene.stack.between("one").await;
    let person = &scene.person;
    // Only a notification that is a request of its own contains this. In a batch the path is in the
    // body of the first row's request.
    between.pocketbase.fail_all("POST /api/collections/webhook_deliveries/records", Fault::LoseRequest);
    let mut sidecar = scene.start(environment);
    let id = person.begin().await;
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    person.status(&id, "approved").await;
    sidecar.kill();
    sidecar.environment().remove("PLANT");
    sidecar.start_again();
    sidecar.healthy().await;
    scene.violations().await
}

/// The service account's tokens are revoked without a sign: its lists are empty from then on, and
/// there is no error.
#[tokio::test]
async fn trust_in_an_empty_list_is_seen() {
    let began = Instant::now();
    let said = convicted("empty_list_trusted", revoked).await;
    assert!(said.contains("without a word") || said.contains("was not handled"), "{said}");
    tell(format_args!("{:.1} s", began.elapsed().as_secs_f64()));
}

async fn revoked(bug: Option<&'static str>) -> Vec<String> {
    /// Longer than a sound sidecar needs: a heartbeat every 10 s finds out.
    const LONG_ENOUGH: Duration = Duration::from_secs(25);
    let scene = Scene::new(bug).await;
    let mut sidecar = scene.start(scene.stack.environment("one"));
    sidecar.healthy().await;
    let admin = scene.stack.admin();
    let service = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
    admin.patch("services", &service, json!({ "password": SERVICE.1, "passwordConfirm": SERVICE.1 })).await;
    let id = scene.person.begin().await;
    let began = Instant::now();
    let looked_at = |record: &Value| record["status"] == "awaiting_input";
    wait_for("the verification has a pass, or never will have", PATIENCE, async || {
        let record = scene.person.read("verifications", &id).await?;
        let given_up = bug.is_some() && began.elapsed() > LONG_ENOUGH;
        if looked_at(&record) || given_up { Ok(()) } else { Err(record.to_string()) }
    })
    .await;
    scene.violations().await
}

/// Waits until the planned fault has happened.
async fn happened(what: &str, proxy: &Proxy) {
    wait_for(what, PATIENCE, async || if proxy.failed() { Ok(()) } else { Err("not yet".to_owned()) }).await;
}
