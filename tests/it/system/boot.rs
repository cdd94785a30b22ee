//! The self-test at the start: what cannot work is said in one message, and nothing is started.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::sidecar::{Environment, Sidecar, environment};
use crate::harness::pocketbase::{Admin, Pocketbase};

/// For a start that is refused.
const BOUND: Duration = Duration::from_secs(30);

#[tokio::test]
async fn every_variable_that_is_missing_is_named_at_once() {
    let mut sparse = Environment::new();
    sparse.insert("INSTANCE", "sparse".to_owned());
    sparse.insert("FACE_LIVENESS_THRESHOLD", "0".to_owned());
    let said = refused(sparse).await;
    for variable in identivia::config::VARIABLES.iter().filter(|variable| variable.default.is_none()) {
        assert!(said.contains(variable.name), "{} is not in: {said}", variable.name);
    }
    assert!(said.contains("FACE_LIVENESS_THRESHOLD is not a number above 0"), "{said}");
}

#[tokio::test]
async fn a_pocketbase_that_is_not_as_expected_is_told() {
    let pocketbase = Pocketbase::start().await;
    let admin = pocketbase.admin().await;
    let url = pocketbase.url().to_string();
    let good = environment(url.trim_end_matches('/'), "http://127.0.0.1:9", "one");

    let mut wrong = good.clone();
    wrong.insert("PB_USER_PASSWORD", "canary-wrong-password".to_owned());
    let said = refused(wrong).await;
    assert!(said.contains("PB_USER_PASSWORD") && !said.contains("canary-wrong-password"), "{said}");

    switch_batch(&admin, false).await;
    let said = refused(good.clone()).await;
    assert!(said.contains("batch requests are off"), "{said}");
    switch_batch(&admin, true).await;

    let fields = admin.call(Method::GET, "api/collections/checks", &Value::Null).await["fields"].take();
    let fewer: Vec<_> = fields.as_array().expect("fields").iter().filter(|field| field["name"] != "usage").collect();
    admin.call(Method::PATCH, "api/collections/checks", &json!({ "fields": fewer })).await;
    let said = refused(good).await;
    assert!(said.contains("collection checks: field usage is missing"), "{said}");
}

#[tokio::test]
async fn the_doctor_says_the_same_and_starts_nothing() {
    let pocketbase = Pocketbase::start().await;
    switch_batch(&pocketbase.admin().await, false).await;
    let url = pocketbase.url().to_string();
    let environment = environment(url.trim_end_matches('/'), "http://127.0.0.1:9", "one");
    let output = super::sidecar::command(&environment).arg("doctor").output().expect("our own program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("batch requests are off"), "{said}");
}

async fn switch_batch(admin: &Admin, enabled: bool) {
    let settings = admin.call(Method::GET, "api/settings", &Value::Null).await;
    let mut batch = settings["batch"].clone();
    batch["enabled"] = enabled.into();
    admin.call(Method::PATCH, "api/settings", &json!({ "batch": batch })).await;
}

/// What a sidecar says that must not start.
async fn refused(environment: Environment) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut sidecar = Sidecar::start(environment, folder.path());
    let status = sidecar.exit(BOUND).await;
    let said = sidecar.log();
    assert_eq!(status.code(), Some(1), "{said}");
    let messages = said.lines().filter(|line| line.starts_with("identivia: ")).count();
    assert_eq!(messages, 1, "one message, not {messages}: {said}");
    said
}
