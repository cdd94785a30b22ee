//! Flawed evidence ends where a person would expect, with the reason that names the flaw.

use serde_json::Value;

use super::person::{Challenge, Person};
use super::specimen::{flawed, passport};
use super::stack::Shared;

#[tokio::test]
async fn another_persons_face_is_never_approved() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let record = person.walk(&passport(), Challenge { face: "bob", ..Challenge::default() }).await;
    assert_eq!(record["status"], "needs_review", "{record}");
    assert_eq!(record["results"]["liveness"], "passed");
    assert_eq!(record["results"]["face_match"], "review");
    let observed = stack.audit(&person).await;
    assert!(observed.codes().contains("face.mismatch"));
    // The person does not learn what suggests deceit.
    assert!(!record.to_string().contains("face.mismatch"), "{record}");
}

#[tokio::test]
async fn another_persons_portrait_in_the_passport_is_never_approved() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let record = person.walk(&flawed(&["other-portrait=bob"]), Challenge::default()).await;
    assert_eq!(record["status"], "needs_review", "{record}");
    assert!(stack.audit(&person).await.codes().contains("face.mismatch"));
}

#[tokio::test]
async fn a_mask_is_declined() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let record = person.walk(&passport(), Challenge { outcome: "spoof", ..Challenge::default() }).await;
    assert_eq!(record["status"], "declined", "{record}");
    assert_eq!(codes(&record), ["liveness.not_confirmed"]);
    assert!(stack.audit(&person).await.codes().contains("liveness.attack_suspected"));
}

#[tokio::test]
async fn an_expired_document_is_declined() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &flawed(&["expired"])).await;
    let record = person.settled(&id).await;
    assert_eq!(record["status"], "declined", "{record}");
    assert_eq!(codes(&record), ["document.expired"]);
    stack.audit(&person).await;
}

#[tokio::test]
async fn after_a_blurred_picture_a_good_one_is_asked_for_and_approved() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &flawed(&["blurred=12"])).await;
    let record = person.status(&id, "resubmission_required").await;
    assert_eq!(codes(&record), ["document.blurred"], "{record}");
    assert_eq!(record["attempts_used"], 1);
    person.send_document(&id, &passport()).await;
    person.take_challenge(&id, Challenge::default()).await;
    let record = approved(&person, &id).await;
    assert_eq!(record["attempts_used"], 2);
    stack.audit(&person).await;
}

#[tokio::test]
async fn after_a_challenge_that_failed_another_can_be_taken() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &passport()).await;
    person.take_challenge(&id, Challenge { outcome: "fail", ..Challenge::default() }).await;
    person.journalled(&id, "the challenge ended", |row| row["event"] == "liveness_session_ended").await;
    person.take_challenge(&id, Challenge::default()).await;
    approved(&person, &id).await;
    stack.audit(&person).await;
}

#[tokio::test]
async fn a_person_who_withdraws_is_left_alone() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let id = person.begin().await;
    person.send_device(&id).await;
    person.cancel(&id).await;
    let record = person.settled(&id).await;
    assert_eq!(record["status"], "canceled", "{record}");
    // Later evidence is refused.
    let late = serde_json::json!({ "verification": id });
    let refused = person.try_create("liveness_sessions", &super::record_id(), &id, late).await;
    assert_eq!(refused.expect_err("it is final").0, 400);
    stack.audit(&person).await;
}

async fn approved(person: &Person, id: &str) -> Value {
    person.status(id, "approved").await
}

/// The codes that the person may see.
fn codes(record: &Value) -> Vec<&str> {
    record["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason["code"].as_str()).collect()
}
