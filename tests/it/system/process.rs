//! A child process of the tests: its log in a file, ended by its id.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::wait_for;

/// A child that runs until it ends by itself, is killed or is dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`. Its standard error is appended to `log`.
    pub fn spawn(command: &mut Command, log: &Path) -> Self {
        let child = command.stdin(Stdio::null()).stderr(append(log)).spawn().expect("our own program starts");
        Self { child, log: log.to_owned() }
    }

    /// The child, for its standard output.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Everything that it wrote to standard error so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own process")
    }

    /// Sends SIGKILL.
    pub fn kill(&mut self) {
        // Fails only if it has ended already, which is what is wanted.
        let _ = self.child.kill();
        self.child.wait().expect("our own process");
    }

    /// Sends a signal such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
    }

    /// Peak resident memory; 0 once it has ended.
    pub fn peak_kibibytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    }

    /// Waits for its end, at most `bound`.
    pub async fn exit(&mut self, bound: Duration) -> ExitStatus {
        wait_for("the process ends", bound, async || self.ended().ok_or_else(|| "it runs".to_owned())).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A log to which several processes write, one after the other.
pub fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a log file")
}
