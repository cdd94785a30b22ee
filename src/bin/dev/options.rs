//! The command line of `dev`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use rand::distr::{Alphanumeric, SampleString as _};

/// Starts everything a developer needs: `PocketBase`, sandbox, sidecar and the example page.
#[derive(Debug, Parser)]
#[command(
    name = "dev",
    version,
    after_help = "Exit code: 0 stopped by Ctrl-C or SIGTERM; 1 could not start, or the demo was not approved; \
                  11 PocketBase, 12 the sandbox, 13 the sidecar ended on its own."
)]
pub struct Cli {
    /// What to do; without a command, start everything and run until stopped.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one verification through the facade and print each step and the outcome.
    ///
    /// Uses the running stack that the env file names, or starts one for the time of the demo.
    Demo(Demo),
}

/// How the stack is started.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Folder of the database [default: .dev/data in the checkout].
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Delete the old data, keys and passwords first.
    #[arg(long, global = true)]
    pub fresh: bool,
    /// File to write every URL, key and login to, in shell format [default: .dev/env in the
    /// checkout].
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Use the programs next to this one without building them.
    #[arg(long, global = true)]
    pub no_build: bool,
    /// Seed of the sandbox: the same seed gives the same answers.
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub ports: PortOptions,
}

/// Ports on 127.0.0.1; 0 picks a free one.
#[derive(Debug, Clone, Args)]
pub struct PortOptions {
    /// Pick a free port for every part.
    #[arg(long, global = true)]
    pub free_ports: bool,
    /// `PocketBase`, with the admin UI (0 picks a free port, here and below).
    #[arg(long, global = true, value_name = "PORT", default_value_t = 8090)]
    pub port_pocketbase: u16,
    /// The sandbox, which stands in for the providers.
    #[arg(long, global = true, value_name = "PORT", default_value_t = 9000)]
    pub port_sandbox: u16,
    /// The sidecar and its facade.
    #[arg(long, global = true, value_name = "PORT", default_value_t = 8000)]
    pub port_sidecar: u16,
    /// The sidecar's metrics.
    #[arg(long, global = true, value_name = "PORT", default_value_t = 9464)]
    pub port_metrics: u16,
    /// The example page.
    #[arg(long, global = true, value_name = "PORT", default_value_t = 5173)]
    pub port_page: u16,
}

/// Who is verified in the demo, and what is wrong.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Whose face is on the document; default: a new face, because the same picture from two people
    /// would be a finding.
    #[arg(long, default_value_t = new_person(), hide_default_value = true)]
    pub person: String,
    /// Who takes the liveness challenge; default: the person on the document.
    #[arg(long, value_name = "PERSON")]
    pub liveness_person: Option<String>,
    /// How the challenge ends.
    #[arg(long, value_name = "OUTCOME", default_value = "pass", value_parser = ["pass", "spoof", "fail", "walk_away"])]
    pub liveness: String,
    /// What Fingerprint sees of the device: a scenario of the sandbox.
    #[arg(long, value_name = "SCENARIO", default_value = "clean")]
    pub device: String,
    /// Type of the document.
    #[arg(long = "type", value_name = "TYPE", default_value = "passport",
          value_parser = ["passport", "identity_card", "driving_licence"])]
    pub document_type: String,
    /// What is wrong with the document, as in `sandbox specimen --flaw`; may be given several
    /// times.
    #[arg(long = "flaw", value_name = "FLAW")]
    pub flaws: Vec<String>,
}

fn new_person() -> String {
    format!("anna-{}", Alphanumeric.sample_string(&mut rand::rng(), 6).to_lowercase())
}

impl Demo {
    /// The person who takes the challenge.
    pub fn challenger(&self) -> &str {
        self.liveness_person.as_deref().unwrap_or(&self.person)
    }
}
