//! Rows 8, 10, 11, 17 to 21 and 24: PocketBase pauses, revokes tokens, is full, throttles or is
//! slow. Row 7 is in `crash`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{COMMIT, PATIENCE, assert_memory, assert_paid_once, begun, behind_proxies, happened, health_says, judged};
use crate::harness::pocketbase::{Pocketbase, SERVICE};
use crate::harness::proxy::Fault;
use crate::system::person::Challenge;
use crate::system::specimen::snapshot;
use crate::system::stack::Stack;
use crate::system::wait_for;

#[tokio::test]
async fn row_08_a_pocketbase_that_stands_still_for_30_seconds_costs_nothing_but_time() {
    let (mut stack, between) = behind_proxies().await;
    let person = stack.person().await;
    between.providers.fail_next("/events/", Fault::Hold);
    let id = begun(&person).await;
    happened("the provider is asked", &between.providers).await;
    stack.pocketbase.freeze();
    let frozen = Instant::now();
    between.providers.release();
    health_says(&mut stack, "health says so", |status, _| status == 503).await;
    tokio::time::sleep(Duration::from_secs(30).saturating_sub(frozen.elapsed())).await;
    stack.pocketbase.thaw();
    let back = Instant::now();
    stack.sidecars[0].healthy().await;
    println!("healthy {:.1} s after it went on", back.elapsed().as_secs_f64());
    judged(&person, &id, 2 * PATIENCE).await;
    assert_memory(&stack);
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_10_a_batch_or_a_call_that_meets_a_broken_network_is_made_good() {
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    for fault in [Fault::Reset, Fault::Garbage, Fault::Drip(Duration::from_millis(2)), Fault::HalfOpen] {
        between.pocketbase.fail_next(COMMIT, fault);
        let id = begun(&person).await;
        println!("a batch, {fault:?}: judged in {:.2?}", judged(&person, &id, 2 * PATIENCE).await);
        between.providers.fail_next("/events/", fault);
        let id = begun(&person).await;
        println!("a call, {fault:?}: judged in {:.2?}", judged(&person, &id, 2 * PATIENCE).await);
    }
    assert!(between.pocketbase.failed() && between.providers.failed());
    stack.audit(&person).await;
}

#[tokio::test]
async fn row_11_the_answer_to_every_single_batch_is_lost_and_read_back() {
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    between.pocketbase.fail_all(COMMIT, Fault::LoseAnswer);
    let id = person.begin().await;
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    let record = person.settled_within(&id, 2 * PATIENCE).await;
    assert_eq!(record["status"], "approved", "{record}");
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_17_a_token_that_is_revoked_is_never_taken_for_no_work() {
    let (mut stack, _between) = behind_proxies().await;
    let person = stack.person().await;
    set_password(&stack, SERVICE.1).await;
    let id = begun(&person).await;
    println!("revoked: judged in {:.2?}", judged(&person, &id, PATIENCE).await);
    stack.sidecars[0].healthy().await;
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_18_an_account_that_is_closed_stops_the_work_and_a_new_password_needs_no_restart() {
    let (mut stack, _between) = behind_proxies().await;
    let person = stack.person().await;
    set_password(&stack, "another-password-altogether").await;
    let id = begun(&person).await;
    let said =
        health_says(&mut stack, "health names the login", |_, body| body["pocketbase"]["authenticated"] == false);
    let said = said.await;
    assert_eq!(said["pocketbase"]["reachable"], true, "{said}");
    assert_eq!(person.journal(&id).await, Vec::<Value>::new(), "a row was written without a login");
    set_password(&stack, SERVICE.1).await;
    let back = Instant::now();
    judged(&person, &id, PATIENCE).await;
    stack.sidecars[0].healthy().await;
    println!("healthy {:.1} s after the password was right again", back.elapsed().as_secs_f64());
    assert_paid_once(&stack.audit(&person).await);
}

/// Sets the service account's password, which revokes all its tokens.
async fn set_password(stack: &Stack, password: &str) {
    let admin = stack.admin();
    let service = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
    admin.patch("services", &service, json!({ "password": password, "passwordConfirm": password })).await;
}

#[tokio::test]
async fn row_19_a_full_disk_is_waited_for() {
    let Some(disk) = SmallDisk::new() else {
        println!("row 19 needs a small disk of its own, which only root can mount here: NOT RUN");
        return;
    };
    let mut stack = Stack::around(Pocketbase::start_below(disk.path()).await).await;
    let (between, environment) = stack.between("one").await;
    stack.add(environment).await;
    let person = stack.person().await;
    between.providers.fail_next("/events/", Fault::Hold);
    let id = begun(&person).await;
    happened("the provider is asked", &between.providers).await;
    let ballast = disk.fill();
    between.providers.release();
    wait_for("the result finds no room", PATIENCE, async || {
        let log = stack.sidecars[0].log();
        if log.contains("a result could not be stored yet") { Ok(()) } else { Err(log) }
    })
    .await;
    std::fs::remove_file(ballast).expect("our own file");
    judged(&person, &id, 2 * PATIENCE).await;
    stack.sidecars[0].healthy().await;
    assert_paid_once(&stack.audit(&person).await);
}

/// A small file system in memory.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "identivia-test"]).arg(folder.path());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills the file system.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.path().join("ballast");
        let mut file = std::fs::File::create(&path).expect("a file");
        let zeros = vec![0; 64 * 1024];
        while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that still holds a file of it must end first.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[tokio::test]
async fn row_20_a_pocketbase_that_throttles_is_given_time() {
    const VERIFICATIONS: usize = 6;
    let mut stack = Stack::without_sidecar().await;
    let person = stack.person().await;
    let mut ids = Vec::new();
    for _ in 0..VERIFICATIONS {
        ids.push(begun(&person).await);
    }
    let admin = stack.admin();
    // PocketBase's own defaults, which the migrations replace.
    let rules = json!([{ "label": "/api/batch", "audience": "", "duration": 1, "maxRequests": 3 },
                       { "label": "/api/", "audience": "", "duration": 10, "maxRequests": 300 }]);
    let before = admin.call(Method::GET, "api/settings", &Value::Null).await["rateLimits"].take();
    let limits = json!({ "enabled": true, "rules": rules });
    admin.call(Method::PATCH, "api/settings", &json!({ "rateLimits": limits })).await;
    let sidecar = stack.launch(stack.environment("one"));
    for id in &ids {
        // The superuser is not counted.
        wait_for("the device is judged", 2 * PATIENCE, async || {
            let record = admin.get("verifications", id).await;
            if record["results"]["device"] == "passed" { Ok(()) } else { Err(record.to_string()) }
        })
        .await;
    }
    assert!(sidecar.log().contains("status 429"), "no request was throttled: {}", sidecar.log());
    admin.call(Method::PATCH, "api/settings", &json!({ "rateLimits": before })).await;
    stack.sidecars.push(sidecar);
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_21_batches_switched_off_under_a_running_sidecar_stop_it_until_they_are_back() {
    let (stack, _between) = behind_proxies().await;
    let person = stack.person().await;
    let admin = stack.admin();
    let switch = async |enabled: bool| {
        let mut batch = admin.call(Method::GET, "api/settings", &Value::Null).await["batch"].take();
        batch["enabled"] = enabled.into();
        admin.call(Method::PATCH, "api/settings", &json!({ "batch": batch })).await;
    };
    switch(false).await;
    let id = begun(&person).await;
    wait_for("it says so", PATIENCE, async || {
        let log = stack.sidecars[0].log();
        if log.contains("PocketBase refuses the service") { Ok(()) } else { Err(log) }
    })
    .await;
    assert_eq!(person.journal(&id).await, Vec::<Value>::new());
    switch(true).await;
    judged(&person, &id, PATIENCE).await;
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_24_a_slow_pocketbase_that_fails_every_second_time_is_not_stormed() {
    let (stack, between) = behind_proxies().await;
    let person = stack.person().await;
    let calm = {
        let before = between.pocketbase.requests();
        let id = begun(&person).await;
        judged(&person, &id, PATIENCE).await;
        between.pocketbase.requests() - before
    };
    between.pocketbase.fail_some(COMMIT, Fault::ServerError, 2);
    between.pocketbase.fail_all(COMMIT, Fault::Delay(Duration::from_secs(2)));
    let before = between.pocketbase.requests();
    let id = begun(&person).await;
    let took = judged(&person, &id, 2 * PATIENCE).await;
    let rough = between.pocketbase.requests() - before;
    println!("{calm} requests when all is well, {rough} in {took:.1?} of failures");
    assert!(rough < 10 * calm.max(10), "{rough} requests: a storm");
    assert_paid_once(&stack.audit(&person).await);
}
