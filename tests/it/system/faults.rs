//! The table of faults: each row is a test with its number. `RELIABILITY.md` maps rows whose test
//! is elsewhere.

mod process;
mod store;
mod stream;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::person::Person;
use super::stack::{Between, Stack};
use super::{PATIENCE, tell, wait_for};
use crate::harness::proxy::Proxy;

/// A text that every batch of the service contains.
const COMMIT: &str = "journal/records?fields=created";
/// Most memory in MiB of a sidecar in these stories. A debug build that reads documents needs 90.
const MEMORY_MAX: u64 = 256;

/// A system with one healthy sidecar that reaches its peers through proxies.
async fn behind_proxies() -> (Stack, Between) {
    let mut stack = Stack::without_sidecar().await;
    let (between, environment) = stack.between("one").await;
    stack.add(environment).await;
    (stack, between)
}

/// Starts a verification, sends a device event, and returns the verification's id.
async fn begun(person: &Person) -> String {
    let id = person.begin().await;
    person.send_device(&id).await;
    id
}

/// Waits until the device is judged, and returns how long that took.
async fn judged(person: &Person, id: &str, bound: Duration) -> Duration {
    let began = Instant::now();
    let finished = |row: &Value| row["event"] == "check_finished";
    wait_for("the device is judged", bound, async || {
        let journal = person.journal(id).await;
        if journal.iter().any(finished) { Ok(()) } else { Err(json!(journal).to_string()) }
    })
    .await;
    began.elapsed()
}

/// Waits until every planned fault has happened.
async fn happened(what: &str, proxy: &Proxy) {
    wait_for(what, PATIENCE, async || if proxy.failed() { Ok(()) } else { Err("not yet".to_owned()) }).await;
}

/// Waits until `/health` of the first sidecar says what is wanted, and returns its body.
async fn health_says(stack: &mut Stack, what: &str, good: impl Fn(u16, &Value) -> bool) -> Value {
    wait_for(what, PATIENCE, async || match stack.sidecars[0].health().await {
        (status, body) if good(status, &body) => Ok(body),
        (status, body) => Err(format!("{status} {body}")),
    })
    .await
}

/// Asserts that no call was paid for twice.
fn assert_paid_once(observed: &super::oracle::Observed) {
    // A result that is not ready may be asked for again; that is not charged.
    let paid = observed.repeated().into_iter().filter(|(operation, _)| *operation != "GetFaceLivenessSessionResults");
    assert_eq!(paid.filter(|(_, calls)| *calls > 0).collect::<Vec<_>>(), [], "paid twice");
}

/// Asserts that memory stayed bounded.
fn assert_memory(stack: &Stack) {
    for sidecar in &stack.sidecars {
        let peak = sidecar.peak_mebibytes();
        tell(format_args!("peak resident memory of {}: {peak} MiB", sidecar.instance()));
        assert!(peak < MEMORY_MAX, "{peak} MiB");
    }
}
