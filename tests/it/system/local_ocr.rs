//! A deceived model against what the pixels show.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::person::Challenge;
use super::sidecar::Sidecar;
use super::specimen::{anothers, passport};
use super::stack::Stack;

/// What a model that obeys the attacker reports of Rowan Quirke's passport: all of Anna's data, the
/// zone included, no suspicion.
fn lie() -> Value {
    let zone = mrz::format_td3(&mrz::Td3Fields {
        document_code: "P".into(),
        issuing_country: "UTO".into(),
        document_number: "L898902C7".into(),
        surname: "ERIKSSON".into(),
        given_names: "ANNA MARIA".into(),
        nationality: "UTO".into(),
        date_of_birth: mrz::MrzDate::Calendar(mrz::Date::new(1990, 8, 12)),
        sex: mrz::Sex::Female,
        date_of_expiry: mrz::MrzDate::Calendar(mrz::Date::new(2034, 4, 15)),
        personal_number: None,
    });
    json!({
        "fields": {
            "surname": "ERIKSSON",
            "given_names": "ANNA MARIA",
            "document_number": "L898902C7",
            "personal_number": null,
        },
        "mrz_lines": zone.lines().collect::<Vec<_>>(),
    })
}

/// The recognition model. `scripts/models` installs it if it is missing.
fn model() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/models");
    let said = Command::new(script).output().expect("scripts/models runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).expect("a path").trim().to_owned()
}

/// A system whose sidecar has this recognition model.
async fn with_model(path: String) -> Stack {
    let mut stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("MRZ_MODEL_PATH", path);
    stack.add(environment).await;
    stack
}

async fn deceived(stack: &Stack) {
    let fault = json!({
        "provider": "openai", "operation": "chat.completions", "fault": "merge", "body": lie(), "times": 0
    });
    stack.sandbox().fault(fault).await;
}

/// What the service's check of the document keeps for a reviewer.
async fn seen(stack: &Stack) -> Value {
    let checks = stack.admin().all("checks").await;
    checks.into_iter().find(|check| check["kind"] == "document").expect("a check of the document")["extracted"].take()
}

#[tokio::test]
async fn a_fooled_model_gets_nothing_approved_because_the_pixels_say_otherwise() {
    let stack = with_model(model()).await;
    deceived(&stack).await;
    let person = stack.person().await;
    let record = person.walk(&anothers(), Challenge::default()).await;
    let own = seen(&stack).await["own_eyes"].take();
    assert_eq!(record["status"], "needs_review", "{own}");
    let codes = stack.audit(&person).await.codes();
    assert!(codes.contains("document.extraction_disagreement"), "{codes:?}");
    let extracted = seen(&stack).await;
    assert_eq!(extracted["own_eyes"]["verdict"], "differs", "{}", extracted["own_eyes"]);
    assert_eq!(extracted["own_eyes"]["seen"]["state"], "holds", "{}", extracted["own_eyes"]);
}

#[tokio::test]
async fn without_the_model_file_the_start_and_the_finding_say_that_there_is_no_local_ocr() {
    let stack = with_model("/nowhere/mrz.onnx".to_owned()).await;
    let log = stack.sidecars[0].log();
    let notes = log.lines().filter(|line| line.contains("local OCR of machine-readable zones: off")).count();
    assert_eq!(notes, 1, "{log}");
    deceived(&stack).await;
    let person = stack.person().await;
    let record = person.walk(&anothers(), Challenge::default()).await;
    // The same lie. In the story above local OCR detects it.
    assert_eq!(record["status"], "approved", "{record}");
    assert_eq!(seen(&stack).await["own_eyes"]["verdict"], "unavailable");
}

#[tokio::test]
async fn a_file_that_is_not_the_model_is_refused_at_the_start() {
    let stack = Stack::without_sidecar().await;
    let damaged = stack.folder().join("damaged.onnx");
    let mut bytes = std::fs::read(model()).expect("the model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).expect("written");
    let mut environment = stack.environment("one");
    environment.insert("MRZ_MODEL_PATH", damaged.display().to_string());
    let mut sidecar = Sidecar::start(environment, stack.folder());
    let status = sidecar.exit(Duration::from_secs(30)).await;
    let said = sidecar.log();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("MRZ_MODEL_PATH") && said.contains("SHA-256") && said.contains("scripts/models"), "{said}");
}

#[tokio::test]
async fn an_honest_passport_is_read_alike_by_both() {
    let stack = with_model(model()).await;
    let person = stack.person().await;
    let record = person.walk(&passport(), Challenge::default()).await;
    assert_eq!(record["status"], "approved", "{record}");
    let extracted = seen(&stack).await;
    assert_eq!(extracted["own_eyes"]["verdict"], "agrees", "{}", extracted["own_eyes"]);
}
