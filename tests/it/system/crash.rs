//! Crashes in the middle of work: the sidecar, PocketBase, one of two sidecars. There is one
//! decision, and the journal shows what happened.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::person::{Challenge, Person};
use super::sandbox::Control;
use super::specimen::snapshot;
use super::stack::Stack;
use super::{PATIENCE, wait_for};

/// Longer than a crash and a restart take.
const LONG_MS: u64 = 60_000;

#[tokio::test]
async fn a_sidecar_killed_in_the_middle_takes_its_work_up_again() {
    let mut stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    let id = person.begin().await;
    person.send_device(&id).await;

    // It crashes after the provider opened the challenge and before it could store that.
    delay(&sandbox, "rekognition", "CreateFaceLivenessSession").await;
    let challenge = person.ask_challenge(&id).await;
    called(&sandbox, "CreateFaceLivenessSession", 1).await;
    restart(&mut stack).await;
    let session = person.opened(&challenge).await;
    let tokens: Vec<_> =
        sandbox.calls().await.into_iter().filter(|c| c.operation == "CreateFaceLivenessSession").collect();
    assert!(tokens.iter().all(|call| call.idempotency_token == challenge && call.subject == session), "{tokens:?}");
    assert_eq!(tokens.len(), 2);

    // It crashes while the document is being read.
    delay(&sandbox, "openai", "chat.completions").await;
    person.send_document(&id, &snapshot()).await;
    called(&sandbox, "chat.completions", 1).await;
    restart(&mut stack).await;
    sandbox.take_challenge(&session, "pass", super::specimen::FACE).await;
    person.finish_challenge(&id, &challenge).await;

    person.status(&id, "approved").await;
    let journal = person.journal(&id).await;
    assert_eq!(claims(&journal, "open_session"), 2, "{journal:?}");
    assert_eq!(claims(&journal, "document"), 2, "{journal:?}");
    let observed = stack.audit(&person).await;
    assert_eq!(observed.repeated()["CreateFaceLivenessSession"], 1);
    assert_eq!(observed.repeated()["chat.completions"], 1);
}

#[tokio::test]
async fn another_sidecar_takes_over_when_the_claim_of_a_dead_one_ends() {
    let mut stack = Stack::start().await;
    stack.add_sidecar("two").await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    let id = person.begin().await;
    delay(&sandbox, "rekognition", "CreateFaceLivenessSession").await;
    let challenge = person.ask_challenge(&id).await;
    called(&sandbox, "CreateFaceLivenessSession", 1).await;
    let claim = person.journalled(&id, "the claim", |row| row["event"] == "work_claimed").await;
    let dead = claim["by"].as_str().expect("an instance").to_owned();
    let sidecar = stack.sidecars.iter_mut().find(|sidecar| sidecar.instance() == dead);
    sidecar.expect("one of ours").kill();
    let opened = person.opened(&challenge).await;
    let row =
        person.journalled(&id, "the second claim", |row| row["event"] == "work_claimed" && row["by"] != dead).await;
    assert!(row["seq"].as_u64() > claim["seq"].as_u64());

    sandbox.take_challenge(&opened, "pass", super::specimen::FACE).await;
    person.finish_challenge(&id, &challenge).await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    person.status(&id, "approved").await;
    stack.audit(&person).await;
}

#[tokio::test]
async fn pocketbase_killed_in_the_middle_costs_nothing_but_time() {
    let mut stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    let id = person.begin().await;
    person.send_device(&id).await;
    sandbox.fault(json!({ "provider": "openai", "fault": "delay", "ms": 1500, "operation": "chat.completions" })).await;
    person.send_document(&id, &snapshot()).await;
    called(&sandbox, "chat.completions", 1).await;
    stack.pocketbase.kill();

    // The answer arrives while it cannot be stored.
    wait_for("the answer of the model", PATIENCE, async || {
        let calls = sandbox.calls().await;
        let answered = calls.iter().any(|call| call.operation == "chat.completions" && call.outcome == "answered");
        if answered { Ok(()) } else { Err(format!("{calls:?}")) }
    })
    .await;
    let health = wait_for("the sidecar says that PocketBase is away", PATIENCE, async || {
        match stack.sidecars[0].health().await {
            (503, health) => Ok(health),
            (status, health) => Err(format!("{status} {health}")),
        }
    })
    .await;
    assert_eq!(health["pocketbase"]["reachable"], false);

    stack.pocketbase.resume_life().await;
    let back = Instant::now();
    stack.sidecars[0].healthy().await;
    println!("healthy {:.1} s after PocketBase's return", back.elapsed().as_secs_f64());
    person.take_challenge(&id, Challenge::default()).await;
    person.status(&id, "approved").await;
    let observed = stack.audit(&person).await;
    assert_eq!(observed.repeated()["chat.completions"], 0, "a paid answer was thrown away");
}

#[tokio::test]
async fn a_pocketbase_that_comes_and_goes_loses_and_doubles_nothing() {
    const PERSONS: usize = 4;
    const DEATHS: usize = 3;
    let mut stack = Stack::start().await;
    let persons = stack.persons(PERSONS).await;
    let deaths = async {
        let sandbox = stack.sandbox();
        for death in 0..DEATHS {
            // Each crash meets the walks elsewhere: after a different number of provider calls.
            let calls = 1 + death * PERSONS;
            wait_for("the next death is due", PATIENCE, async || match sandbox.calls().await.len() {
                made if made >= calls => Ok(()),
                made => Err(format!("{made} calls of {calls}")),
            })
            .await;
            stack.pocketbase.kill();
            stack.pocketbase.resume_life().await;
        }
    };
    let (records, ()) = tokio::join!(join_all(persons.iter().map(patient_walk)), deaths);
    assert!(records.iter().all(|record| record["status"] == "approved"), "{records:?}");
    let observed = stack.audit(&persons[0]).await;
    assert_eq!(observed.stored.len(), PERSONS);
}

async fn patient_walk(person: &Person) -> Value {
    let id = person.begin().await;
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    person.settled_within(&id, 2 * PATIENCE).await
}

/// The next call of `operation` does its work, and answers only after all processes have crashed.
async fn delay(sandbox: &Control, provider: &str, operation: &str) {
    sandbox.fault(json!({ "provider": provider, "operation": operation, "fault": "delay", "ms": LONG_MS })).await;
}

async fn called(sandbox: &Control, operation: &str, times: usize) {
    wait_for(operation, PATIENCE, async || match sandbox.count(operation).await {
        made if made >= times => Ok(()),
        made => Err(format!("{made} calls")),
    })
    .await;
}

/// Kills the sidecar and starts it again under the same name.
async fn restart(stack: &mut Stack) {
    let sidecar = &mut stack.sidecars[0];
    sidecar.kill();
    sidecar.start_again();
    let began = Instant::now();
    sidecar.healthy().await;
    assert!(began.elapsed() < Duration::from_secs(30), "a new start took {:?}", began.elapsed());
}

/// Number of claims on work of `kind`.
fn claims(journal: &[Value], kind: &str) -> usize {
    let claims = journal.iter().filter(|row| row["event"] == "work_claimed");
    claims
        .flat_map(|row| row["data"]["work"].as_array().into_iter().flatten())
        .filter(|work| work["kind"] == kind)
        .count()
}
