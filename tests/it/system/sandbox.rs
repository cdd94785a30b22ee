//! The sandbox as a process, and its control endpoints.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::process::Process;

/// A running sandbox. Dropping it ends it.
pub struct Sandbox {
    _process: Process,
    url: String,
}

/// A request that the sandbox received.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// 1, 2, 3 ...
    pub seq: u64,
    /// `CreateFaceLivenessSession`, `chat.completions` ...
    pub operation: String,
    /// `pending`, `answered`, `answer_lost` or `client_gone`.
    pub outcome: String,
    /// `ClientRequestToken` or `Idempotency-Key`; may be empty.
    #[serde(default)]
    pub idempotency_token: String,
    /// The liveness session, model or event that the request names; may be empty.
    #[serde(default)]
    pub subject: String,
    /// The attempt, as the AWS SDK numbers it; may be empty.
    #[serde(default)]
    pub attempt: String,
    /// Time of arrival.
    pub at: Timestamp,
    /// The fault that it met, if any.
    #[serde(default)]
    pub fault: Option<String>,
    /// HTTP status of the answer, if there was one.
    #[serde(default)]
    pub status: Option<u16>,
}

/// The sandbox's control endpoints.
#[derive(Clone)]
pub struct Control {
    http: reqwest::Client,
    url: String,
}

impl Sandbox {
    /// Starts a sandbox on a free port.
    pub fn start(folder: &Path, seed: u64) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--seed", &seed.to_string()]).stdout(Stdio::piped());
        let mut process = Process::spawn(&mut command, &folder.join("sandbox.log"));
        let mut line = String::new();
        let stdout = process.child().stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("sandbox listening on ").expect("its address").to_owned();
        Self { _process: process, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("its address ends with a port")
    }

    /// Its control endpoints, for the caller's runtime.
    pub fn control(&self) -> Control {
        Control { http: reqwest::Client::new(), url: self.url.clone() }
    }
}

impl Control {
    async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.http.request(method.clone(), format!("{}/sandbox/{path}", self.url)).json(body);
        let answer = request.send().await.expect("the sandbox answers");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes the event that Fingerprint's agent would make in the browser of the person of
    /// `verification`, and returns its id.
    pub async fn device_event(&self, verification: &str) -> String {
        let wish = json!({ "linked_id": verification, "url": "http://127.0.0.1/verify" });
        let made = self.call(Method::POST, "fingerprint/events", &wish).await;
        made["event_id"].as_str().expect("an id").to_owned()
    }

    /// Lets `person` take the challenge `session`: `pass`, `spoof`, `fail`, `walk_away` ...
    pub async fn take_challenge(&self, session: &str, outcome: &str, person: &str) {
        let taken = json!({ "outcome": outcome, "person": person });
        self.call(Method::POST, &format!("liveness/{session}"), &taken).await;
    }

    /// Adds a fault rule.
    pub async fn fault(&self, rule: Value) {
        self.call(Method::POST, "faults", &rule).await;
    }

    /// Removes all fault rules.
    pub async fn mend(&self) {
        self.call(Method::DELETE, "faults", &Value::Null).await;
    }

    /// Moves the providers' clock forward: challenges grow old.
    pub async fn advance_clock(&self, seconds: u64) {
        self.call(Method::POST, "clock", &json!({ "advance_seconds": seconds })).await;
    }

    /// Changes settings, such as the error of AWS's clock.
    pub async fn set(&self, settings: Value) {
        self.call(Method::POST, "settings", &settings).await;
    }

    /// The requests for `operation` so far.
    pub async fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls().await.into_iter().filter(|call| call.operation == operation).collect()
    }

    /// All requests so far.
    pub async fn calls(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = Vec::new();
        loop {
            let since = calls.last().map_or(0, |call| call.seq);
            let mut page = self.call(Method::GET, &format!("journal?since={since}"), &Value::Null).await;
            let page: Vec<Call> = serde_json::from_value(page["entries"].take()).expect("entries");
            if page.is_empty() {
                return calls;
            }
            calls.extend(page);
        }
    }

    /// Number of requests for `operation` so far.
    pub async fn count(&self, operation: &str) -> usize {
        self.calls().await.iter().filter(|call| call.operation == operation).count()
    }
}
