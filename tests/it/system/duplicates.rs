//! Documents that were seen before: from another person, from the same person, or on the operators'
//! list.

use std::io::Cursor;

use futures_util::future::join_all;
use image::imageops::FilterType;
use serde_json::{Value, json};

use super::person::{Challenge, Person};
use super::specimen::{Picture, passport, snapshot};
use super::stack::Stack;

const DUPLICATE: &str = "document.duplicate_other_user";
const COMPROMISED: &str = "document.compromised";
/// Persons who submit the same document at the same moment.
const RACERS: usize = 6;

#[tokio::test]
async fn a_document_is_recognised_under_another_person_and_on_the_list() {
    let mut stack = Stack::strict().await;
    stack.add_sidecar("one").await;
    let owner = stack.person().await;
    let first = owner.honest_walk().await;
    assert_eq!(first["status"], "approved", "{first}");
    let again = owner.honest_walk().await;
    assert_eq!(again["status"], "approved", "a person's own document: {again}");

    // The same document in another file.
    let other = stack.person().await;
    let theirs = other.walk(&rewritten(&passport()), Challenge::default()).await;
    assert_eq!(theirs["status"], "needs_review", "{theirs}");
    assert!(!theirs.to_string().contains("duplicate"), "the person must not learn of it: {theirs}");
    let check = document_check(&stack, &theirs).await;
    assert_eq!(codes(&check), [DUPLICATE]);
    let known = &check["extracted"]["known"];
    let seen: Vec<&Value> = known["others"].as_array().expect("a list").iter().map(|o| &o["verification"]).collect();
    assert!(seen.contains(&&first["id"]), "{known}");
    assert_eq!(known["others"][0]["by"], "number");

    // An operator copies the picture's hash from the check. The copy of the picture has another
    // hash, and is found.
    let listed = document_check(&stack, &first).await["extracted"]["known"]["picture_hash"].clone();
    assert_ne!(listed, known["picture_hash"]);
    let entry = json!({ "hash": listed, "listing": "compromised", "note": "seen for sale" });
    stack.admin().create("known_documents", entry).await;
    let third = stack.person().await;
    let declined = third.walk(&rewritten(&passport()), Challenge::default()).await;
    assert_eq!(declined["status"], "declined", "{declined}");
    assert_eq!(codes(&document_check(&stack, &declined).await), [COMPROMISED, DUPLICATE]);

    // Earlier decisions can be recomputed after the list has changed.
    for entry in stack.admin().all("known_documents").await {
        stack.admin().delete("known_documents", entry["id"].as_str().expect("an id")).await;
    }
    for record in [&first, &theirs, &declined] {
        let (code, said, complained) = stack.sidecars[0].run(&["replay", record["id"].as_str().expect("an id")]);
        assert_eq!(code, Some(0), "{complained}");
        assert!(said.contains("identical"), "{said}");
    }
}

#[tokio::test]
async fn of_those_who_show_one_document_at_the_same_moment_all_but_one_are_noticed() {
    let mut stack = Stack::strict().await;
    stack.add_sidecar("one").await;
    stack.add_sidecar("two").await;
    let persons = stack.persons(RACERS).await;
    let begun = join_all(persons.iter().map(Person::begin)).await;
    let picture = snapshot();
    join_all(persons.iter().zip(&begun).map(|(person, id)| person.submit_all(id, &picture, Challenge::default())))
        .await;
    let records = join_all(persons.iter().zip(&begun).map(|(person, id)| person.settled(id))).await;
    let mut unnoticed = 0;
    for record in &records {
        let noticed = codes(&document_check(&stack, record).await).contains(&DUPLICATE.to_owned());
        unnoticed += usize::from(!noticed);
        assert_eq!(record["status"] == "approved", !noticed, "{record}");
    }
    assert_eq!(unnoticed, 1, "the first is not a copy, and there is one first");
    stack.audit(&persons[0]).await;
}

/// The same picture at another size and quality.
fn rewritten(picture: &Picture) -> Picture {
    let smaller = image::load_from_memory(&picture.front).expect("a picture").resize(1400, 1400, FilterType::Triangle);
    let mut jpeg = Cursor::new(Vec::new());
    smaller.into_rgb8().write_to(&mut jpeg, image::ImageFormat::Jpeg).expect("a picture");
    Picture { front: jpeg.into_inner().into() }
}

async fn document_check(stack: &Stack, verification: &Value) -> Value {
    let checks = stack.admin().all("checks").await;
    let of = |check: &&Value| check["verification"] == verification["id"] && check["kind"] == "document";
    checks.iter().find(of).expect("a document check").clone()
}

fn codes(check: &Value) -> Vec<String> {
    let reasons = check["reasons"].as_array().into_iter().flatten();
    reasons.filter_map(|reason| reason["code"].as_str().map(str::to_owned)).collect()
}
