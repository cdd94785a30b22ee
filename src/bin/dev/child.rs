//! A part of the stack: a child process whose output is printed under its name, and which is
//! stopped by SIGTERM or, after a grace period, killed.

use std::io::IsTerminal as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::console;

/// How long a part may take to stop after SIGTERM. The sidecar finishes its work in flight within
/// this time.
const GRACE: Duration = Duration::from_secs(20);
/// How long to wait for the last lines of a part that has ended.
const LAST_LINES: Duration = Duration::from_millis(500);
/// The variables that a part inherits. Nothing else: a developer's real AWS profile or proxy must
/// not reach a development stack.
const INHERITED: [&str; 7] = ["PATH", "HOME", "LANG", "TMPDIR", "RUST_LOG", "RUST_BACKTRACE", "NO_COLOR"];

/// The parts, in the order of stopping: a part comes before the parts that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The service under development.
    Sidecar,
    /// The stand-in for the providers.
    Sandbox,
    /// The database.
    Pocketbase,
}

impl Part {
    /// The name before each line of its output.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Sidecar => "sidecar",
            Part::Sandbox => "sandbox",
            Part::Pocketbase => "pocketbase",
        }
    }

    /// Exit code of `dev` when this part ends on its own.
    pub const fn exit_code(self) -> u8 {
        match self {
            Part::Pocketbase => 11,
            Part::Sandbox => 12,
            Part::Sidecar => 13,
        }
    }
}

/// A running part. Dropping it kills the process; call [`Child::stop`] for an orderly end.
pub struct Child {
    pub part: Part,
    process: tokio::process::Child,
    output: JoinSet<()>,
}

impl Child {
    /// Starts a part, in a process group of its own: Ctrl-C must reach `dev` only, which then stops
    /// the parts in order.
    pub fn start(part: Part, mut command: Command, variables: &[(&str, String)]) -> anyhow::Result<Self> {
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(std::env::vars_os().filter(|(name, _)| INHERITED.iter().any(|kept| name == kept)));
        if !std::io::stderr().is_terminal() {
            command.env("NO_COLOR", "1");
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.process_group(0).kill_on_drop(true);
        let program = command.as_std().get_program().display().to_string();
        let mut process = command.spawn().with_context(|| format!("cannot start {} ({program})", part.name()))?;
        let mut output = JoinSet::new();
        if let Some(stdout) = process.stdout.take() {
            output.spawn(relay(part, stdout));
        }
        if let Some(stderr) = process.stderr.take() {
            output.spawn(relay(part, stderr));
        }
        Ok(Self { part, process, output })
    }

    /// Returns when the part ends.
    pub async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// The exit status of a part that has ended.
    pub fn has_ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// Asks the part to stop and kills it after [`GRACE`]. The last lines of its output are
    /// printed.
    pub async fn stop(mut self) {
        if let Some(id) = self.process.id() {
            terminate(id).await;
            if tokio::time::timeout(GRACE, self.process.wait()).await.is_err() {
                console::note(&format!("{} did not stop within {} s: killed", self.part.name(), GRACE.as_secs()));
                // Fails only if the process has just ended.
                let _ = self.process.kill().await;
            }
        }
        let last_lines = async { while self.output.join_next().await.is_some() {} };
        // A grandchild may hold the pipe open for longer.
        let _ = tokio::time::timeout(LAST_LINES, last_lines).await;
    }
}

/// Sends SIGTERM with the shell's built-in: the standard library cannot, and this crate forbids
/// unsafe code.
async fn terminate(id: u32) {
    let sent = Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &id.to_string()]).status().await;
    if let Err(error) = sent {
        console::note(&format!("cannot run sh to stop process {id}: {error}"));
    }
}

async fn relay(part: Part, stream: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        console::part(part.name(), String::from_utf8_lossy(&line).trim_end());
    }
}
