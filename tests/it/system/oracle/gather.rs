//! Reads what the oracle observes of a running system.

use std::collections::{BTreeMap, BTreeSet};

use identivia::pocketbase::Client;
use identivia::verification::{Case, Policy};
use reqwest::Method;
use serde_json::Value;

use super::{Observed, Stored};
use crate::harness::pocketbase::Admin;
use crate::system::person::Acknowledged;
use crate::system::stack::Stack;

/// The configuration of the sidecars in these stories.
const LIVENESS_THRESHOLD: f64 = 75.0;

/// Everything about the verifications that `acknowledged` names.
pub async fn gather(stack: &Stack, acknowledged: Vec<Acknowledged>, alone: bool) -> Observed {
    let client = stack.pocketbase.client().await;
    let admin = stack.admin();
    let ids: BTreeSet<&str> = acknowledged.iter().map(|entry| entry.verification.as_str()).collect();
    let mut stored = BTreeMap::new();
    for id in ids {
        if let Some(one) = read(&client, &admin, id).await {
            stored.insert(id.to_owned(), one);
        }
    }
    let endpoints = admin.all("webhook_endpoints").await.iter().map(|row| text(&row["id"])).collect();
    let calls = stack.sandbox().calls().await;
    Observed { acknowledged, stored, calls, alone, endpoints, logs: logs(stack) }
}

/// The output of every sidecar of a stack so far.
fn logs(stack: &Stack) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(stack.folder()).expect("a folder").filter_map(Result::ok);
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let of_sidecars = named.filter(|(name, _)| name.starts_with("sidecar-"));
    of_sidecars.map(|(name, path)| (name, std::fs::read_to_string(path).unwrap_or_default())).collect()
}

async fn read(client: &Client, admin: &Admin, id: &str) -> Option<Stored> {
    let (case, _) = client.read_case(id).await.expect("a readable case")?;
    let policy = policy(client, &case).await;
    let decisions = of(admin, "checks", id).await;
    let deliveries = of(admin, "webhook_deliveries", id).await;
    Some(Stored {
        policy,
        record: admin.get("verifications", id).await,
        decisions: decisions
            .iter()
            .filter(|row| row["kind"] == "decision")
            .filter_map(|row| row["attempt"].as_u64()?.try_into().ok())
            .collect(),
        deliveries: deliveries.iter().map(|row| (text(&row["endpoint"]), text(&row["event"]))).collect(),
        case,
    })
}

/// The pinned policy or, before one is pinned, the live one.
async fn policy(client: &Client, case: &Case) -> Policy {
    let policy = match case.pinned_policy() {
        Some(pinned) => client.policy(pinned.id).await,
        None => client.live_policy("default").await,
    };
    policy.expect("a readable policy").expect("a policy").in_force(case.pinned_policy(), LIVENESS_THRESHOLD)
}

/// The rows of a collection that belong to a verification.
async fn of(admin: &Admin, collection: &str, verification: &str) -> Vec<Value> {
    let path = format!("api/collections/{collection}/records?perPage=1000&filter=verification%3D'{verification}'");
    let answer = admin.call(Method::GET, &path, &Value::Null).await;
    answer["items"].as_array().expect("items").clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
