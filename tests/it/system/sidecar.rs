//! The sidecar as a process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::process::Process;
use super::{PATIENCE, wait_for};
use crate::harness::pocketbase::SERVICE;

/// The configuration of a sidecar, by the names that production uses.
pub type Environment = BTreeMap<&'static str, String>;

/// Secrets of the tests. No log may ever contain one.
pub const API_KEY: &str = "canary-api-key-0123456789abcdef";
/// The AWS secret that the sandbox accepts.
pub const AWS_SECRET: &str = "sandbox-secret-access-key-not-a-secret00";
/// The `OpenAI` key that the sandbox accepts.
pub const OPENAI_KEY: &str = "sk-sandbox";
/// The key of the hashes of document numbers.
pub const HASH_KEY: &str = "canary-hash-key-0123456789abcdef0123";
/// The Fingerprint key that the sandbox accepts.
pub const FINGERPRINT_KEY: &str = "fp-sandbox";

/// The whole configuration of a sidecar that uses `pocketbase` and `sandbox`.
pub fn environment(pocketbase: &str, sandbox: &str, instance: &str) -> Environment {
    let (email, password) = SERVICE;
    [
        ("POCKETBASE_URL", pocketbase),
        ("PB_USER_EMAIL", email),
        ("PB_USER_PASSWORD", password),
        ("API_KEY", API_KEY),
        ("CLIENT_URL", "http://127.0.0.1:5173"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIASANDBOX000000001"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("AWS_ENDPOINT_URL", sandbox),
        ("FACE_LIVENESS_THRESHOLD", "75"),
        ("OPENAI_MODEL", "gpt-6-luna"),
        ("OPENAI_DIALECT", "reasoning"),
        ("OPENAI_API_KEY", OPENAI_KEY),
        ("OPENAI_BASE_URL", &format!("{sandbox}/v1")),
        ("FINGERPRINT_SECRET_KEY", FINGERPRINT_KEY),
        ("FINGERPRINT_BASE_URL", sandbox),
        ("HASH_KEY", HASH_KEY),
        ("LISTEN", "127.0.0.1:0"),
        ("METRICS_LISTEN", "off"),
        ("INSTANCE", instance),
        ("LOG_FORMAT", "json"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect()
}

/// The program with this environment and no other.
pub fn command(environment: &Environment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_identivia"));
    command.env_clear().env("RUST_BACKTRACE", "1").envs(environment);
    command
}

/// A sidecar with a name of its own. It can be killed and started again.
pub struct Sidecar {
    environment: Environment,
    log: PathBuf,
    process: Process,
    /// Length of the log at the start of this process.
    began: usize,
}

impl Sidecar {
    /// Starts a sidecar. It is not ready yet.
    pub fn start(environment: Environment, folder: &Path) -> Self {
        let log = folder.join(format!("sidecar-{}.log", environment["INSTANCE"]));
        let began = fs::read(&log).map_or(0, |log| log.len());
        let process = Process::spawn(command(&environment).stdout(Stdio::null()), &log);
        Self { environment, log, process, began }
    }

    /// The configuration of its next start.
    pub fn environment(&mut self) -> &mut Environment {
        &mut self.environment
    }

    /// Its name in the journal.
    pub fn instance(&self) -> &str {
        &self.environment["INSTANCE"]
    }

    /// The output of all its processes.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The stable codes of provider errors, as an operator finds them in the log.
    pub fn error_codes(&self) -> BTreeSet<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["code"].as_str().map(str::to_owned)).collect()
    }

    /// Waits until the realtime stream is proved: from here on no change waits for a sweep.
    pub async fn healthy(&mut self) {
        let address = wait_for("the sidecar is ready", PATIENCE, async || self.address()).await;
        wait_for("the sidecar is healthy", PATIENCE, async || match health_at(address).await {
            (200, _) => Ok(()),
            (status, body) => Err(format!("{status} {body}")),
        })
        .await;
    }

    /// Status and body of `/health`; status 0 if there is no answer.
    pub async fn health(&mut self) -> (u16, Value) {
        match self.address() {
            Ok(address) => health_at(address).await,
            Err(_) => (0, Value::Null),
        }
    }

    /// The address on which it listens, once its log says so.
    pub fn address(&mut self) -> Result<SocketAddr, String> {
        if let Some(status) = self.process.ended() {
            return Err(format!("it ended with {status}: {}", self.said()));
        }
        let said = self.said();
        let ready = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let address =
            ready.filter(|line| line["message"] == "ready").find_map(|line| line["address"].as_str()?.parse().ok());
        address.ok_or_else(|| format!("it has not said so: {said}"))
    }

    /// The output of this process alone.
    pub fn said(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(self.began..).unwrap_or_default()).into_owned()
    }

    /// Sends SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again under the same name, after it ended.
    pub fn start_again(&mut self) {
        let folder = self.log.parent().expect("a folder").to_owned();
        *self = Self::start(self.environment.clone(), &folder);
    }

    /// Sends SIGSTOP: the process pauses without knowing it.
    pub fn freeze(&self) {
        self.process.signal("-STOP");
    }

    /// Sends SIGCONT.
    pub fn thaw(&self) {
        self.process.signal("-CONT");
    }

    /// Sends SIGTERM and does not wait.
    pub fn ask_to_stop(&self) {
        self.process.signal("-TERM");
    }

    /// Peak resident memory in MiB.
    pub fn peak_mebibytes(&self) -> u64 {
        self.process.peak_kibibytes() / 1024
    }

    /// Sends SIGTERM and waits for the end, at most `bound`.
    pub async fn terminate(&mut self, bound: Duration) -> ExitStatus {
        self.process.signal("-TERM");
        self.process.exit(bound).await
    }

    /// Waits for its end, at most `bound`.
    pub async fn exit(&mut self, bound: Duration) -> ExitStatus {
        self.process.exit(bound).await
    }

    /// Runs a subcommand such as `replay` under the same configuration: exit code, standard output,
    /// standard error.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = command(&self.environment).args(arguments).output().expect("our own program starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

async fn health_at(address: SocketAddr) -> (u16, Value) {
    let Ok(answer) = reqwest::get(format!("http://{address}/health")).await else { return (0, Value::Null) };
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}
