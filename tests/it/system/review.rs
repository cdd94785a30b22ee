//! Decisions by hand: reviewers through `actions`, and operators in the admin UI.

use serde_json::{Value, json};

use super::person::{Challenge, Person, Refused};
use super::record_id;
use super::specimen::snapshot;
use super::stack::{Shared, Stack};

/// The reason, which reviewers must give.
const REASON: &str = "checked by hand";

#[tokio::test]
async fn a_reviewer_approves() {
    let stack = Shared::get().await;
    let (person, id) = in_review(&stack).await;
    let reviewer = stack.reviewer().await;
    act(&reviewer, &id, "approve", REASON).await.expect("taken");
    let record = person.status(&id, "approved").await;
    assert_eq!(record["decision_source"], "reviewer");
    // The person sees the reviewer's id, but neither the action nor the reviewer's record.
    let row = person.journal(&id).await.pop().expect("rows");
    assert_eq!((&row["event"], &row["by"]), (&json!("decided"), &json!(format!("reviewer:{}", reviewer.id))));
    let action = stack.admin().get("actions", row["action"].as_str().expect("an action")).await;
    assert_eq!(action["reviewer"], reviewer.id);
    assert_eq!(action["superuser"], "");
    assert!(person.read("actions", action["id"].as_str().expect("an id")).await.is_err());
    assert!(person.read("reviewers", &reviewer.id).await.is_err());
    stack.audit(&person).await;
}

#[tokio::test]
async fn a_reviewer_declines_and_reopens() {
    let stack = Shared::get().await;
    let (person, id) = in_review(&stack).await;
    let reviewer = stack.reviewer().await;
    act(&reviewer, &id, "decline", REASON).await.expect("taken");
    let record = person.status(&id, "declined").await;
    assert_eq!(record["reasons"][0]["code"], "policy.manual_decline");
    act(&reviewer, &id, "reopen", REASON).await.expect("taken");
    let record = person.status(&id, "needs_review").await;
    assert_eq!(record["final"], false);
    act(&reviewer, &id, "approve", REASON).await.expect("taken");
    person.status(&id, "approved").await;
    stack.audit(&person).await;
}

#[tokio::test]
async fn a_reviewer_asks_for_new_evidence_and_it_counts() {
    let stack = Shared::get().await;
    let (person, id) = in_review(&stack).await;
    let reviewer = stack.reviewer().await;
    act(&reviewer, &id, "request_resubmission", REASON).await.expect("taken");
    let record = person.status(&id, "resubmission_required").await;
    assert_eq!(record["next"], json!(["document", "liveness"]));
    person.send_document(&id, &snapshot()).await;
    person.take_challenge(&id, Challenge::default()).await;
    let record = person.status(&id, "approved").await;
    assert_eq!(record["decision_source"], "automatic");
    stack.audit(&person).await;
}

#[tokio::test]
async fn no_decision_is_made_without_a_reason() {
    let stack = Shared::get().await;
    let (person, id) = in_review(&stack).await;
    let reviewer = stack.reviewer().await;
    for reason in ["", "  "] {
        assert_eq!(act(&reviewer, &id, "approve", reason).await.expect_err("no reason").0, 400);
    }
    assert_eq!(act(&person, &id, "approve", REASON).await.expect_err("not a reviewer").0, 400);
    // API rules do not bind a superuser, so the service refuses, and says so in the journal.
    let action = json!({ "verification": id, "action": "approve", "superuser": "somebodyelse000" });
    let action = stack.admin().create("actions", action).await;
    let row = person.journalled(&id, "the refusal", |row| row["action"] == action["id"]).await;
    assert_eq!(row["event"], "action_refused");
    assert_eq!(row["data"]["code"], "reason_missing");
    // PocketBase's hook has replaced the id that was sent by that of the caller.
    assert_eq!(row["by"], format!("superuser:{}", stack.admin().own_id().await));
    assert_eq!(person.settled(&id).await["status"], "needs_review");
    stack.audit(&person).await;
}

#[tokio::test]
async fn what_is_decided_is_not_decided_again() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let record = person.honest_walk().await;
    let id = record["id"].as_str().expect("an id");
    let reviewer = stack.reviewer().await;
    act(&reviewer, id, "decline", REASON).await.expect("taken");
    let row = person.journalled(id, "the refusal", |row| row["event"] == "action_refused").await;
    assert_eq!(row["data"]["code"], "not_in_review");
    assert_eq!(person.settled(id).await["status"], "approved");
    stack.audit(&person).await;
}

#[tokio::test]
async fn of_two_reviewers_at_once_one_decides() {
    let stack = Shared::get().await;
    let (person, id) = in_review(&stack).await;
    let (one, two) = tokio::join!(stack.reviewer(), stack.reviewer());
    let (approved, declined) = tokio::join!(act(&one, &id, "approve", REASON), act(&two, &id, "decline", REASON));
    approved.and(declined).expect("both are taken");
    person.journalled(&id, "the refusal is journalled", |row| row["event"] == "action_refused").await;
    assert_eq!(person.settled(&id).await["decision_source"], "reviewer");
    stack.audit(&person).await;
}

/// A person whose face is not that of the passport.
async fn in_review(stack: &Stack) -> (Person, String) {
    let person = stack.person().await;
    let record = person.walk(&snapshot(), Challenge { face: "bob", ..Challenge::default() }).await;
    assert_eq!(record["status"], "needs_review", "{record}");
    let id = record["id"].as_str().expect("an id").to_owned();
    (person, id)
}

async fn act(reviewer: &Person, verification: &str, action: &str, reason: &str) -> Result<(), Refused> {
    let body: Value =
        json!({ "verification": verification, "action": action, "reason": reason, "reviewer": reviewer.id });
    reviewer.try_create("actions", &record_id(), verification, body).await
}
