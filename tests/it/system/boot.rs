//! The schema check at the start: what cannot work is reported in one message, and the service does
//! not start.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::sidecar::{Environment, Sidecar, environment};
use super::stack::Stack;
use crate::harness::pocketbase::{Admin, Pocketbase};

/// The time limit for a start that is refused.
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
async fn a_pocketbase_that_is_not_as_expected_is_reported() {
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
async fn the_doctor_finds_nothing_where_all_is_well() {
    let stack = Stack::without_sidecar().await;
    let mut environment = stack.environment("one");
    environment.insert("AWS_BROWSER_ROLE_ARN", "arn:aws:iam::000000000000:role/identivia-browser".to_owned());
    let (code, said) = doctor(&environment);
    assert_eq!(code, Some(0), "{said}");
    for line in
        ["PocketBase login", "schema, rules", "policy default", "the model", "Face Liveness", "browsers", "Fingerprint"]
    {
        assert!(said.lines().any(|found| found.starts_with("ok") && found.contains(line)), "{line}: {said}");
    }
    let calls = stack.sandbox().calls().await;
    let paid = ["CreateFaceLivenessSession", "DetectFaces", "CompareFaces", "chat.completions"];
    assert!(calls.iter().all(|call| !paid.contains(&call.operation.as_str())), "{calls:?}");
}

#[tokio::test]
async fn the_doctor_checks_everything_however_much_is_wrong() {
    let stack = Stack::without_sidecar().await;
    let admin = stack.admin();
    switch_batch(&admin, false).await;
    let mut policy = admin.get("policies", "policydefault01").await;
    let fields = policy.as_object_mut().expect("a policy");
    fields.retain(|name, _| !["id", "created", "collectionId", "collectionName"].contains(&name.as_str()));
    fields.insert("name".to_owned(), json!("lenient"));
    fields.insert("required_checks".to_owned(), json!([]));
    let lenient = admin.create("policies", policy).await["id"].take();
    let mut environment = stack.environment("one");
    for secret in ["AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "FINGERPRINT_SECRET_KEY"] {
        environment.insert(secret, format!("canary-wrong-{secret}"));
    }
    environment.insert("OPENAI_MODEL", "no-such-model".to_owned());
    let (code, said) = doctor(&environment);
    assert_eq!(code, Some(1), "{said}");
    let id = lenient.as_str().expect("an id");
    for wrong in ["batch requests are off", id, "AWS_SECRET_ACCESS_KEY", "OPENAI", "FINGERPRINT_SECRET_KEY"] {
        assert!(said.lines().any(|line| line.starts_with("WRONG") && line.contains(wrong)), "{wrong}: {said}");
    }
    assert!(said.contains("ok     policy default"), "{said}");
    assert!(!said.contains("canary"), "{said}");

    environment.insert("PB_USER_PASSWORD", "canary-wrong-password".to_owned());
    let (code, said) = doctor(&environment);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("PB_USER_PASSWORD") && said.contains("FINGERPRINT_SECRET_KEY"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

/// The exit code and all output.
fn doctor(environment: &Environment) -> (Option<i32>, String) {
    let output = super::sidecar::command(environment).arg("doctor").output().expect("our own program starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

async fn switch_batch(admin: &Admin, enabled: bool) {
    let settings = admin.call(Method::GET, "api/settings", &Value::Null).await;
    let mut batch = settings["batch"].clone();
    batch["enabled"] = enabled.into();
    admin.call(Method::PATCH, "api/settings", &json!({ "batch": batch })).await;
}

/// The output of a sidecar that must not start.
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
