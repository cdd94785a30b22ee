//! The schema check names what is wrong, as a superuser and as a service.

use identivia::pocketbase::Client;
use identivia::pocketbase::records::DEFAULT_POLICY;
use reqwest::Method;
use serde_json::json;

use crate::harness::pocketbase::Pocketbase;

async fn problems(client: &Client) -> Vec<String> {
    let mut problems = client.schema_problems().await.expect("PocketBase can be asked");
    problems.extend(client.policy_problems(DEFAULT_POLICY, 80.0).await.expect("PocketBase can be asked"));
    problems
}

#[tokio::test]
async fn a_server_with_the_migrations_of_this_version_has_no_problems() {
    let server = Pocketbase::start().await;
    assert_eq!(problems(&server.client().await).await, Vec::<String>::new());
    assert_eq!(problems(&server.superuser_client().await).await, Vec::<String>::new());
}

#[tokio::test]
async fn batches_that_are_off_or_too_small_are_found() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    for (batch, word) in [
        (json!({ "enabled": false, "maxRequests": 200, "timeout": 10 }), "off"),
        (json!({ "enabled": true, "maxRequests": 50, "timeout": 10 }), "100 items"),
    ] {
        admin.call(Method::PATCH, "api/settings", &json!({ "batch": batch })).await;
        let found = problems(&client).await;
        assert!(found.len() == 1 && found[0].contains(word), "{found:?}");
    }
}

#[tokio::test]
async fn a_missing_field_a_missing_collection_and_a_bad_policy_are_found() {
    let server = Pocketbase::start().await;
    let (client, superuser, admin) = (server.client().await, server.superuser_client().await, server.admin().await);
    let policy = admin.all("policies").await[0]["id"].as_str().expect("an id").to_owned();
    admin.patch("policies", &policy, json!({ "required_checks": [] })).await;
    let signals = admin.call(Method::GET, "api/collections/device_signals", &json!(null)).await;
    let fields: Vec<_> =
        signals["fields"].as_array().expect("fields").iter().filter(|f| f["name"] != "stage").collect();
    let change = json!({ "fields": fields, "createRule": "" });
    admin.call(Method::PATCH, "api/collections/device_signals", &change).await;
    admin.call(Method::DELETE, "api/collections/heartbeats", &json!(null)).await;

    let as_service = problems(&client).await;
    for word in
        ["device_signals: field stage is missing", "collection heartbeats is missing", "required_checks is empty"]
    {
        assert!(as_service.iter().any(|p| p.contains(word)), "{word}: {as_service:#?}");
    }
    assert_eq!(as_service.len(), 3, "{as_service:#?}");
    let as_superuser = problems(&superuser).await;
    assert!(as_superuser.iter().any(|p| p.contains("device_signals: createRule")), "{as_superuser:#?}");
    assert_eq!(as_superuser.len(), 4, "{as_superuser:#?}");
}

#[tokio::test]
async fn a_missing_default_policy_is_found() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let policy = admin.all("policies").await[0]["id"].as_str().expect("an id").to_owned();
    admin.delete("policies", &policy).await;
    let found = problems(&client).await;
    assert!(found.len() == 1 && found[0].contains("no policy called default"), "{found:?}");
}
