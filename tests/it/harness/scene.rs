//! Cases to start from, and steps to take.

use identivia::pocketbase::Client;
use identivia::pocketbase::records::{NewVerification, RecordPatch};
use identivia::verification::{Case, Entry, Event, Transition, Work, summary};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::pocketbase::PERSON;

/// Creates a verification of [`PERSON`](super::pocketbase::PERSON) and returns its id.
pub async fn verification(client: &Client) -> String {
    let new =
        NewVerification { user: PERSON.to_owned(), declared_name: "Erika Muster".to_owned(), ..Default::default() };
    client.create_verification(&new).await.expect("a verification").id
}

/// Creates a verification whose journal has its first row.
pub async fn started(client: &Client) -> Case {
    let id = verification(client).await;
    let (mut case, now) = read(client, &id).await;
    let policy = client.live_policy("default").await.expect("a policy").expect("a policy");
    let event = Event::Started {
        policy: policy.id.clone(),
        policy_name: policy.name.clone(),
        policy_version: policy.version,
        liveness_threshold_hundredths: 9000,
        attempts_max: policy.attempts_max,
        expires_at: now + SignedDuration::from_hours(72),
    };
    let transition = Transition::new(event, "test");
    let entry = case.apply(&transition, now);
    let patch = RecordPatch::from(summary(&case, &policy));
    let commit = client.commit(&id, &[transition], &[entry], &patch, &[]).await.expect("the first row");
    assert!(matches!(commit, identivia::pocketbase::Commit::Won { .. }));
    read(client, &id).await.0
}

/// Reads a case that must exist.
pub async fn read(client: &Client, id: &str) -> (Case, Timestamp) {
    client.read_case(id).await.expect("a readable case").expect("a case")
}

/// The next row of `case` as the instance `by` would write it: a claim on a device signal.
pub fn claim(case: &Case, by: &str) -> (Transition, Entry, RecordPatch) {
    let work = vec![Work::Device { attempt: 1, evidence: "signalsignal001".to_owned() }];
    step(case, Transition::new(Event::WorkClaimed { work, seconds: 30 }, by))
}

/// Applies `transition` to a copy of `case`, and returns its row and the record's patch.
pub fn step(case: &Case, transition: Transition) -> (Transition, Entry, RecordPatch) {
    let mut copy = case.clone();
    let entry = copy.apply(&transition, Timestamp::UNIX_EPOCH);
    let patch = bare_patch(&copy);
    (transition, entry, patch)
}

/// A patch that changes nothing but the version.
fn bare_patch(case: &Case) -> RecordPatch {
    RecordPatch {
        policy: case.record.policy.clone(),
        status: case.record.status,
        is_final: false,
        version: case.seq(),
        decision_source: None,
        reasons: Value::Null,
        next: Value::Null,
        results: Value::Null,
        attempts_used: 0,
        attempts_max: 3,
        expires_at: None,
        decided_at: None,
        verified_until: None,
    }
}
