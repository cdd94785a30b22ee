//! Two versions at once: the schema of the next version under sidecars of this one.

use identivia::verification::{Event, Transition};
use serde_json::{Value, json};

use super::person::Challenge;
use super::specimen::{FACE, snapshot};
use super::stack::Stack;
use crate::harness::scene;

/// What the next version may bring: fields, a collection, an index, a new kind of action.
const NEXT_VERSION: &str = r#"
migrate((app) => {
  const verifications = app.findCollectionByNameOrId("verifications");
  verifications.fields.add(new TextField({ name: "priority", max: 20 }));
  verifications.indexes.push("CREATE INDEX `idx_verifications_priority` ON `verifications` (`priority`)");
  app.save(verifications);
  const checks = app.findCollectionByNameOrId("checks");
  checks.fields.add(new JSONField({ name: "hints", maxSize: 1000 }));
  app.save(checks);
  const actions = app.findCollectionByNameOrId("actions");
  const words = actions.fields.getByName("action");
  words.values = [...words.values, "annotate"];
  app.save(actions);
  app.save(new Collection({ type: "base", name: "notes", fields: [{ type: "text", name: "text" }] }));
}, (app) => {});
"#;

#[tokio::test]
async fn row_06_old_sidecars_work_on_under_the_schema_of_the_next_version_and_start_under_it() {
    let mut stack = Stack::start().await;
    let (persons, sandbox, admin) = (stack.persons(2).await, stack.sandbox(), stack.admin());
    let id = persons[0].begin().await;
    persons[0].send_device(&id).await;
    let challenge = persons[0].ask_challenge(&id).await;
    let session = persons[0].opened(&challenge).await;

    // PocketBase is deployed first. The running sidecar sees it go and come back.
    stack.pocketbase.kill();
    stack.pocketbase.add_migration("1999999999_next_version.js", NEXT_VERSION);
    stack.pocketbase.resume_life().await;
    admin.create("notes", json!({ "text": "the migration was applied" })).await;
    stack.add_sidecar("two").await;

    // A sidecar of the next version writes what this one does not know.
    admin.patch("verifications", &id, json!({ "priority": "high" })).await;
    let annotated =
        admin.create("actions", json!({ "verification": id, "action": "annotate", "reason": "a note" })).await;
    let client = stack.pocketbase.client().await;
    let (case, _) = scene::read(&client, &id).await;
    let news = Transition::new(Event::Other { event: "annotated".to_owned() }, "three");
    let (transition, entry, patch) = scene::step(&case, news);
    client.commit(&id, &[transition], &[entry], &patch, &[]).await.expect("an outcome");

    sandbox.take_challenge(&session, "pass", FACE).await;
    persons[0].finish_challenge(&id, &challenge).await;
    persons[0].send_document(&id, &snapshot()).await;
    let record = persons[0].status(&id, "approved").await;
    assert_eq!(record["priority"], "high", "what an old sidecar does not know is not its to change");
    let journal = persons[0].journal(&id).await;
    assert!(journal.iter().any(|row| row["event"] == "annotated"), "{journal:?}");
    let handled = |row: &Value| row["action"] == annotated["id"];
    assert!(!journal.iter().any(handled), "an action of the next version is left to the next version");

    // Only old sidecars again, as after a roll-back of the service. The schema stays.
    stack.sidecars[0].kill();
    stack.sidecars[0].start_again();
    stack.sidecars[0].healthy().await;
    let other = persons[1].begin().await;
    persons[1].submit_all(&other, &snapshot(), Challenge::default()).await;
    persons[1].status(&other, "approved").await;
    stack.audit(&persons[0]).await;
}
