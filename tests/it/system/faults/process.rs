//! Rows 3, 5, 25 to 27 and 49: sidecars that pause, many sidecars, a backlog at the start, poison
//! records, a log without a reader. Rows 1 and 2 are in `crash_points` and `soak`, row 4 in
//! `shutdown`, row 6 in `upgrade`.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PATIENCE, assert_memory, assert_paid_once, begun, behind_proxies, happened, judged};
use crate::harness::proxy::Fault;
use crate::system::oracle::Observed;
use crate::system::person::{Challenge, Person};
use crate::system::specimen::snapshot;
use crate::system::stack::Stack;
use crate::system::{tell, wait_for};

/// A claim on a device ends after 30 s.
const CLAIM_ENDS: Duration = Duration::from_secs(90);

#[tokio::test]
async fn row_03_a_sidecar_that_stood_still_past_its_claim_can_do_no_harm() {
    let (mut stack, between) = behind_proxies().await;
    let person = stack.person().await;
    between.providers.fail_next("/events/", Fault::Hold);
    let id = begun(&person).await;
    happened("the provider is asked", &between.providers).await;
    stack.sidecars[0].freeze();
    stack.add_sidecar("two").await;
    tell(format_args!("taken over after {:.1?}", judged(&person, &id, CLAIM_ENDS).await));
    between.providers.release();
    stack.sidecars[0].thaw();
    wait_for("the late result is dropped", PATIENCE, async || {
        let log = stack.sidecars[0].log();
        if log.contains("a result came too late") { Ok(()) } else { Err(log) }
    })
    .await;
    stack.sidecars[0].healthy().await;
    let observed = stack.audit(&person).await;
    // Whether the paused one had sent its call before it paused is not visible from outside.
    assert!(observed.repeated()["events.get"] <= 1, "{:?}", observed.repeated());
}

#[tokio::test]
#[ignore = "soak: eight sidecars on two cores; tests/run --soak"]
async fn row_05_eight_sidecars_share_the_work_and_double_nothing() {
    const SIDECARS: usize = 8;
    let names = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"];
    let mut stack = Stack::start().await;
    for name in &names[1..SIDECARS] {
        stack.add_sidecar(name).await;
    }
    let persons = stack.persons(24).await;
    join_all(persons.iter().map(async |person| {
        for _ in 0..3 {
            let id = person.begin().await;
            person.submit_all(&id, &snapshot(), Challenge::default()).await;
            let record = person.settled_within(&id, 5 * PATIENCE).await;
            assert_eq!(record["status"], "approved", "{record}");
        }
    }))
    .await;
    let observed = stack.audit(&persons[0]).await;
    assert_paid_once(&observed);
    assert_memory(&stack);
}

#[tokio::test]
async fn row_25_a_thousand_waiting_at_the_start_are_reconciled_and_a_newcomer_is_not_starved() {
    backlog(1000).await;
}

#[tokio::test]
#[ignore = "soak: some minutes; tests/run --soak"]
async fn row_25_ten_thousand_waiting_at_the_start_are_reconciled_and_a_newcomer_is_not_starved() {
    backlog(10_000).await;
}

async fn backlog(rows: u32) {
    let mut stack = Stack::without_sidecar().await;
    let person = stack.person().await;
    let admin = stack.admin();
    admin
        .sql(&format!(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {rows})
             INSERT INTO verifications (id, user, created, updated)
             SELECT printf('v%014d', x), '{}', strftime('%Y-%m-%d %H:%M:%fZ'), strftime('%Y-%m-%d %H:%M:%fZ') FROM n",
            person.id
        ))
        .await;
    let began = Instant::now();
    stack.add_sidecar("one").await;
    let waiting = async |filter: &str| {
        let path = format!("api/collections/verifications/records?perPage=1&fields=id&filter={filter}");
        admin.call(Method::GET, &path, &Value::Null).await["totalItems"].as_u64().expect("a number")
    };
    let first = wait_for("the first has had a pass", PATIENCE, async || match waiting("(version>0)").await {
        0 => Err("none".to_owned()),
        _ => Ok(began.elapsed()),
    });
    tell(format_args!("{rows} waiting: the first has had a pass after {:.1?}", first.await));
    let id = begun(&person).await;
    tell(format_args!("a newcomer is judged after {:.1?}", judged(&person, &id, 5 * PATIENCE).await));
    wait_for("all have had a pass", 10 * PATIENCE, async || match waiting("(version=0)").await {
        0 => Ok(()),
        left => Err(format!("{left} left")),
    })
    .await;
    tell(format_args!("all have had a pass after {:.1?}", began.elapsed()));
    assert_eq!(waiting("(status='awaiting_input')").await, u64::from(rows) + 1);
    assert_memory(&stack);
    assert_paid_once(&stack.audit(&person).await);
}

#[tokio::test]
async fn row_26_a_record_that_is_always_refused_is_set_aside_alone() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    // The provider calls the first picture unusable, which no second try changes.
    let refusal = json!({ "__type": "InvalidImageFormatException", "Message": "Request has invalid image format" });
    sandbox
        .fault(json!({
            "provider": "rekognition", "operation": "DetectFaces", "fault": "replace", "status": 400, "body": refusal,
        }))
        .await;
    let id = begun(&person).await;
    person.send_document(&id, &snapshot()).await;
    wait_for("the poison was given", PATIENCE, async || match sandbox.count("DetectFaces").await {
        0 => Err("not asked".to_owned()),
        _ => Ok(()),
    })
    .await;
    let neighbour = person.walk(&snapshot(), Challenge::default()).await;
    assert_eq!(neighbour["status"], "approved", "{neighbour}");
    person.take_challenge(&id, Challenge::default()).await;
    let record = person.settled(&id).await;
    assert_ne!(record["status"], "approved", "{record}");
    assert_ne!(record["status"], "declined", "an error decided: {record}");
    stack.audit(&person).await;
}

#[tokio::test]
async fn row_27_a_record_that_kills_the_process_is_set_aside_alone() {
    const SIGABRT: i32 = 6;
    let stack = Stack::without_sidecar().await;
    let persons = stack.persons(2).await;
    let (poisoner, neighbour) = (&persons[0], &persons[1]);
    let hopeless = begun(poisoner).await;
    poisoner.send_document(&hopeless, &snapshot()).await;
    let document = stack.admin().all("documents").await[0]["id"].as_str().expect("an id").to_owned();
    let innocent = begun(neighbour).await;
    neighbour.send_document(&innocent, &snapshot()).await;

    let mut environment = stack.environment("one");
    environment.insert("CRASH_AT", format!("examine.decoding@{document}"));
    let mut sidecar = stack.launch(environment);
    let mut deaths = 0;
    let given_up = |row: &Value| row["event"] == "check_finished" && row["data"]["kind"] == "document";
    wait_for("the poison is set aside", 2 * PATIENCE, async || {
        if let Err(how) = sidecar.address()
            && how.starts_with("it ended")
        {
            let status = sidecar.exit(PATIENCE).await;
            assert_eq!(status.signal(), Some(SIGABRT), "{how}");
            deaths += 1;
            sidecar.start_again();
        }
        let journal = poisoner.journal(&hopeless).await;
        if journal.iter().any(given_up) { Ok(()) } else { Err(json!(journal).to_string()) }
    })
    .await;
    tell(format_args!("set aside after {deaths} deaths"));
    sidecar.healthy().await;
    walk_on(neighbour, &innocent, "approved").await;
    walk_on(poisoner, &hopeless, "needs_review").await;
    let observed: Observed = stack.audit(poisoner).await;
    assert!(observed.codes().contains("system.internal_error"));
    assert_eq!(deaths, 3, "the default policy gives work three tries");
}

async fn walk_on(person: &Person, id: &str, status: &str) {
    person.take_challenge(id, Challenge::default()).await;
    let record = person.settled(id).await;
    assert_eq!(record["status"], status, "{record}");
}

#[tokio::test]
async fn row_49_a_log_that_is_not_read_blocks_nothing() {
    const ENOUGH: usize = 12;
    let mut stack = Stack::without_sidecar().await;
    let person = stack.person().await;
    let mut environment = stack.environment("one");
    let facade = crate::harness::ports::Port::take();
    environment.insert("LISTEN", facade.to_string());
    // Far more than a pipe holds.
    environment.insert("LOG", "trace".to_owned());
    let mut mute = crate::system::sidecar::command(&environment)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("our own program starts");
    let pipe = mute.stderr.take().expect("a pipe");
    for _ in 0..ENOUGH {
        let id = begun(&person).await;
        judged(&person, &id, PATIENCE).await;
    }
    let health = reqwest::get(format!("http://{facade}/health")).await.expect("it answers");
    assert_eq!(health.status(), 200);
    mute.kill().expect("our own process");
    mute.wait().expect("our own process");
    drop(pipe);
    stack.sidecars.clear();
    assert_paid_once(&stack.audit(&person).await);
}
