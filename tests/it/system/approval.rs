//! The straight way: an honest person is approved, with each kind of service account.

use serde_json::Value;

use super::sidecar::Sidecar;
use super::stack::{Shared, Stack};
use crate::harness::pocketbase::SUPERUSER;

#[tokio::test]
async fn an_honest_person_is_approved_and_the_decision_can_be_recomputed() {
    let stack = Shared::get().await;
    let person = stack.person().await;
    let record = person.honest_walk().await;
    assert_approved(&record);
    let journal = person.journal(id(&record)).await;
    let numbers: Vec<u64> = journal.iter().filter_map(|row| row["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_replays(&stack.sidecars[0], id(&record));
    stack.audit(&person).await;
}

#[tokio::test]
async fn it_works_the_same_for_a_superuser() {
    let mut stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("PB_USER_EMAIL", SUPERUSER.0.to_owned());
    environment.insert("PB_USER_PASSWORD", SUPERUSER.1.to_owned());
    stack.add(environment).await;
    assert!(stack.sidecars[0].log().contains("SUPERUSER"), "the operator was not warned");
    let person = stack.person().await;
    let record = person.honest_walk().await;
    assert_approved(&record);
    assert_replays(&stack.sidecars[0], id(&record));
    stack.audit(&person).await;
}

fn assert_approved(record: &Value) {
    assert_eq!(record["status"], "approved", "{record}");
    assert_eq!(record["decision_source"], "automatic");
    assert_eq!(record["attempts_used"], 1);
    for kind in ["device", "document", "liveness", "face_match"] {
        assert_eq!(record["results"][kind], "passed", "{record}");
    }
}

fn assert_replays(sidecar: &Sidecar, id: &str) {
    let (code, said, complained) = sidecar.run(&["replay", id]);
    assert_eq!(code, Some(0), "{complained}");
    assert!(said.contains("numbers without gaps, hashes chained"), "{said}");
    let decisions: Vec<_> = said.lines().filter(|line| line.starts_with("decision at ")).collect();
    assert!(matches!(decisions[..], [one] if one.ends_with("identical")), "{said}");
}

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}
