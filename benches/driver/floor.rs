//! The floor: what `PocketBase` itself needs for create -> event -> one batch -> event.
//!
//! It does the least that a service next to `PocketBase` can do while it writes what the sidecar
//! writes: no reading, no computing, one batch with the journal row, the finding and the summary.
//! Its rows are as large as the sidecar's.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::pocketbase::Caller;
use crate::stream::{self, Event};

/// Options of `driver floor`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Address of `PocketBase`.
    #[arg(long)]
    pocketbase: String,
    /// Token of a service.
    #[arg(long)]
    token: String,
}

/// Serves until it is killed or the stream ends. Prints `ready` when it listens.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let caller = Arc::new(Caller::new(&options.pocketbase, &options.token)?);
    let mut streams = JoinSet::new();
    let mut events = stream::subscribe(&caller, &["verifications", "device_signals"], &mut streams).await?;
    println!("ready");
    let mut writes = JoinSet::new();
    while let Some(event) = events.recv().await {
        let Some(requests) = answer(&event) else { continue };
        let caller = Arc::clone(&caller);
        writes.spawn(async move { caller.batch(&json!({ "requests": requests }), Vec::new()).await });
        while let Some(done) = writes.try_join_next() {
            done??;
        }
    }
    Ok(())
}

fn answer(event: &Event) -> Option<Value> {
    match (event.collection.as_str(), event.action.as_str()) {
        ("verifications", "create") => {
            let id = event.record["id"].as_str()?;
            Some(json!([journal(id, 1, "started", ""), summary(id, 1, &json!({}))]))
        }
        ("device_signals", "create") => {
            let id = event.record["verification"].as_str()?;
            let results = json!({ "device": "passed", "document": "pending" });
            Some(json!([journal(id, 2, "check_finished", &"0".repeat(64)), check(id), summary(id, 2, &results)]))
        }
        _ => None,
    }
}

fn journal(verification: &str, seq: u32, event: &str, previous: &str) -> Value {
    let data = json!({
        "policy": "policydefault01", "policy_name": "default", "policy_version": 1,
        "liveness_threshold_hundredths": 7500, "attempts_max": 3, "expires_at": "2030-01-01T00:00:00Z",
    });
    let body = json!({
        "verification": verification, "seq": seq, "event": event, "data": data, "by": "floor",
        "previous_hash": previous, "hash": "0".repeat(64),
    });
    json!({ "method": "POST", "url": "/api/collections/journal/records?fields=created", "body": body })
}

fn check(verification: &str) -> Value {
    let body = json!({
        "verification": verification, "kind": "device", "attempt": 1, "outcome": "passed", "reasons": [],
        "scores": { "suspect_score": 2, "velocity": { "events": { "5m": 1, "1h": 1, "24h": 1 } }, "confidence": 0.98 },
        "provider": { "name": "fingerprint", "model": "", "region": "us", "request_ids": ["1700000000000.abcDEF"] },
        "usage": { "calls": 1, "input_tokens": 0, "output_tokens": 0 }, "duration_ms": 3,
        "evidence": ["aaaaaaaaaaaaaaa"],
    });
    json!({ "method": "POST", "url": "/api/collections/checks/records?fields=created", "body": body })
}

fn summary(verification: &str, version: u32, results: &Value) -> Value {
    let body = json!({
        "policy": "policydefault01", "status": "awaiting_input", "final": false, "version": version,
        "decision_source": null, "reasons": [], "next": ["device", "document", "liveness"], "results": results,
        "attempts_used": 1, "attempts_max": 3, "expires_at": "2030-01-01T00:00:00Z", "decided_at": null,
        "verified_until": null,
    });
    let url = format!("/api/collections/verifications/records/{verification}?fields=id");
    json!({ "method": "PATCH", "url": url, "body": body })
}
