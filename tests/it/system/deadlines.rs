//! Providers forget liveness results: the earliest deadline goes first, and a person who was not
//! served is asked again.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::person::Person;
use super::specimen::{FACE, snapshot};
use super::stack::Stack;
use super::{PATIENCE, wait_for};

/// Finished challenges that wait when the sidecar starts.
const BACKLOG: usize = 14;
/// Time after the start of the sidecar's work at which the provider has forgotten all of them.
const LEFT: SignedDuration = SignedDuration::from_secs(20);
/// Time after that at which the first deadline passes. Before it each call is worth a try: among
/// deadlines that pass one by one, a later one that is still open is rightly served after an
/// earlier one that is not.
const AFTER_THAT: SignedDuration = SignedDuration::from_secs(2);
/// The first call takes so long that all others are in the wait queue by then.
const FIRST_CALL_MS: u64 = 12_000;

#[tokio::test]
async fn a_backlog_beyond_the_rate_serves_the_earliest_deadlines_and_asks_the_rest_again() {
    let mut stack = Stack::start().await;
    let (persons, sandbox, admin) = (stack.persons(BACKLOG).await, stack.sandbox(), stack.admin());
    let waiting = join_all(persons.iter().map(async |person| {
        let verification = person.begin().await;
        // A document waits too. It must not be read before the results.
        let challenge = person.ask_challenge(&verification).await;
        let session = person.opened(&challenge).await;
        person.sandbox.take_challenge(&session, "pass", FACE).await;
        (person, verification, challenge)
    }))
    .await;
    stack.sidecars[0].kill();
    for (person, verification, challenge) in &waiting {
        person.finish_challenge(verification, challenge).await;
        person.send_document(verification, &snapshot()).await;
    }

    // The order of the deadlines differs from that of creation. They are 50 ms apart.
    let forgotten_at = Timestamp::now() + LEFT;
    let mut deadlines = Vec::new();
    for (index, (_, _, challenge)) in waiting.iter().enumerate() {
        let rank = (index * 5) % BACKLOG;
        let later = SignedDuration::from_millis(50 * i64::try_from(rank).expect("few"));
        let expires_at = (forgotten_at + AFTER_THAT + later).strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string();
        admin.patch("liveness_sessions", challenge, json!({ "expires_at": expires_at })).await;
        deadlines.push((expires_at, challenge.clone()));
    }
    deadlines.sort();

    let first = json!({ "provider": "rekognition", "operation": RESULTS, "fault": "delay", "ms": FIRST_CALL_MS });
    sandbox.fault(first).await;
    let mut environment = stack.environment("slow");
    environment.insert("AWS_CALLS_PER_SECOND", "1".to_owned());
    environment.insert("AWS_CALLS_AT_ONCE", "1".to_owned());
    stack.add(environment).await;
    let left = Duration::try_from(forgotten_at.duration_since(Timestamp::now())).unwrap_or_default();
    tokio::time::sleep(left).await;
    // The provider forgets. What has not been fetched by now is gone.
    sandbox.advance_clock(181).await;

    let mut served = BTreeSet::new();
    for (person, verification, challenge) in &waiting {
        match outcome(person, challenge).await.as_str() {
            "completed" => drop(served.insert(challenge.clone())),
            "expired" => {
                let ended = |row: &serde_json::Value| {
                    row["event"] == "liveness_session_ended"
                        && row["data"]["liveness_session"] == **challenge
                        && row["data"]["code"] == "liveness.session_expired"
                };
                person.journalled(verification, "the end of the challenge", ended).await;
                let record = person.read("verifications", verification).await.expect("readable");
                assert!(record["next"].as_array().is_some_and(|next| next.contains(&json!("liveness"))), "{record}");
            }
            other => panic!("challenge {challenge} ended {other}"),
        }
    }
    let in_order: Vec<bool> = deadlines.iter().map(|(_, challenge)| served.contains(challenge)).collect();
    println!("served in order of deadline: {in_order:?}");
    // One went before the others were queued. Of the queued ones, no earlier deadline is left out
    // for a later one.
    let (before, after) = (in_order.iter().position(|served| !served).unwrap_or(BACKLOG), served.len());
    assert!((3..BACKLOG).contains(&after), "a backlog beyond the rate: {in_order:?}");
    assert!(after - before <= 1, "{in_order:?}");

    // The results went before the documents that had waited as long.
    let calls = sandbox.calls().await;
    let faces = calls.iter().find(|call| call.operation == "DetectFaces").map(|call| call.seq);
    let results: Vec<u64> = calls.iter().filter(|call| call.operation == RESULTS).map(|call| call.seq).collect();
    let overtaken = results.iter().filter(|seq| faces.is_none_or(|faces| **seq < faces)).count();
    assert!(overtaken >= after, "{overtaken} results before the first document, {after} served");
}

const RESULTS: &str = "GetFaceLivenessSessionResults";

/// The end of a challenge.
async fn outcome(person: &Person, challenge: &str) -> String {
    wait_for("the challenge ends", PATIENCE + Duration::from_secs(45), async || {
        let record = person.read("liveness_sessions", challenge).await?;
        match record["status"].as_str() {
            Some(status) if status != "open" => Ok(status.to_owned()),
            _ => Err(record.to_string()),
        }
    })
    .await
}
