//! Documents that were shown before: found by number and by part of a picture, and only one is the
//! first.

use identivia::pocketbase::{Client, Commit};
use identivia::verification::check::Hashes;
use identivia::verification::check::check_id;
use identivia::verification::{Case, Check, Event, Finding, Kind, Outcome, Transition};
use serde_json::json;

use crate::harness::pocketbase::{PERSON, Pocketbase};
use crate::harness::scene::{read, started, step};

fn hashes(number: &str, first: bool) -> Hashes {
    let bands = std::array::from_fn(|band| format!("{band:018x}"));
    Hashes { number: number.to_owned(), number_first: first, picture: "ab".repeat(128), bands, ..Hashes::default() }
}

async fn store(client: &Client, case: &Case, hashes: Hashes) -> Commit {
    let check = Check {
        id: check_id(case.id(), "document", 1),
        kind: Kind::Document,
        attempt: 1,
        outcome: Outcome::Passed,
        not_executed_because: String::new(),
        reasons: Vec::new(),
        evidence: Vec::new(),
        reference_image: String::new(),
        portrait: String::new(),
    };
    let event = Event::CheckFinished {
        claim: 1,
        kind: Kind::Document,
        attempt: 1,
        outcome: Outcome::Passed,
        codes: Vec::new(),
    };
    let finding = Finding { hashes: Some(hashes), ..Finding::default() };
    let (transition, entry, patch) = step(case, Transition::new(event, "ours").storing(check, finding));
    client.commit(case.id(), &[transition], &[entry], &patch, &[]).await.expect("an outcome")
}

#[tokio::test]
async fn one_commit_is_the_first_with_a_document_and_nothing_of_the_other_is_stored() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let number = "1".repeat(64);
    let (one, two) = (started(&client).await, started(&client).await);
    assert!(matches!(store(&client, &one, hashes(&number, true)).await, Commit::Won { .. }));
    assert_eq!(store(&client, &two, hashes(&number, true)).await, Commit::Overtaken);
    let (two, _) = read(&client, two.id()).await;
    assert_eq!((two.seq(), two.checks.len()), (1, 0));

    let found = client.hashes_with_number(&number).await.expect("rows");
    assert_eq!(
        found.iter().map(|row| (row.verification.as_str(), row.user.as_str())).collect::<Vec<_>>(),
        [(one.id(), PERSON)]
    );
    assert!(matches!(store(&client, &two, hashes(&number, false)).await, Commit::Won { .. }));
    assert_eq!(client.hashes_with_number(&number).await.expect("rows").len(), 2);
}

#[tokio::test]
async fn a_picture_is_found_by_one_band_of_its_hash() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let case = started(&client).await;
    store(&client, &case, hashes("", false)).await;
    let mut bands = hashes("", false).bands.map(|_| "f".repeat(18));
    assert_eq!(client.hashes_with_a_band(&bands).await.expect("rows"), []);
    bands[5] = hashes("", false).bands[5].clone();
    let found = client.hashes_with_a_band(&bands).await.expect("rows");
    assert_eq!(found.iter().map(|row| row.picture.clone()).collect::<Vec<_>>(), ["ab".repeat(128)]);
}

#[tokio::test]
async fn the_operators_list_is_read_by_hash() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let (number, picture) = ("a".repeat(64), "b".repeat(256));
    admin.create("known_documents", json!({ "hash": picture, "listing": "blocklisted" })).await;
    let found = client.known_documents(&[number, picture]).await.expect("rows");
    assert_eq!(found.iter().map(|entry| entry.listing.as_str()).collect::<Vec<_>>(), ["blocklisted"]);
}
