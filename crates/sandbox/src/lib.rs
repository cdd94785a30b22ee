//! The provider simulator: Rekognition, STS, `OpenAI` and Fingerprint on one port, with faults on
//! demand.
//!
//! It answers from what is in the pictures it receives, and it draws such pictures, too. Never part
//! of a production image.
//!
//! From the listener down:
//!
//! - `server`: the listener; finds the provider of a request and applies the fault that is due
//! - `control`: the sandbox's own endpoints: faults, clock, settings, request log, challenge page
//! - `aws`: Rekognition and STS, with signatures and policies that are checked
//! - `openai`: models, chat completions and responses; a simulated model that reads documents
//! - `fingerprint`: the Server API and the creation of events
//! - `apply_fault`: what a fault does to an answer on the wire
//! - `request_record`: the open entry of one request in the request log
//! - `state`: keys, clock, settings, and what each provider remembers
//! - `faults`: fault rules and the catalogue of faults
//! - `operations`: the table of providers and operations
//! - `request_log`: what was asked and how it was answered
//! - `selfies`: the pictures that a liveness check takes
//! - `vision`: what a model would read in a picture, from its pixels alone
//! - `specimen`: draws documents of Utopia and the people who hold them
//! - `vocabulary`: fields, document types and sides, shared by `specimen`, `vision` and `openai`
//! - `seed`, `json`, `wire`: repeatable randomness, JSON merge, whole requests and answers
//! - `drill`: sends honest and hostile documents through a running stack and tabulates the
//!   decisions

mod apply_fault;
mod aws;
mod control;
mod drill;
mod faults;
mod fingerprint;
mod json;
mod openai;
mod operations;
mod request_log;
mod request_record;
mod seed;
mod selfies;
mod server;
mod specimen;
mod state;
mod vision;
mod vocabulary;
mod wire;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use drill::DrillArgs;
use specimen::args::SpecimenArgs;
use state::{Keys, Sandbox};

/// A simulator of the providers that Identivia calls.
#[derive(Parser)]
#[command(name = "sandbox", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers as Rekognition, STS, `OpenAI` and Fingerprint until SIGTERM or Ctrl-C.
    Serve(Serve),
    Specimen(Box<SpecimenArgs>),
    Drill(Box<DrillArgs>),
    /// Prints as JSON what the simulated vision finds in pictures.
    Look {
        /// JPEG or PNG files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Serve {
    /// Address to listen on; port 0 takes a free port, which is printed.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Seed of identifiers, scores and probabilities.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Appends every request to this file, a JSON object per line.
    #[arg(long)]
    journal: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

/// Runs the command line of `sandbox` on the arguments of the process and returns the exit code.
///
/// Installs the tracing subscriber of the process and starts its own runtime, so a binary calls it
/// first and once. Wrong arguments and `--help` end the process, as usual with clap.
///
/// # Errors
/// What kept the command from its work, with the file or address it concerns. A drill that found
/// wrong decisions is no error: its exit code is 1.
pub fn run() -> anyhow::Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let today = jiff::Zoned::now().date();
    let runtime = || tokio::runtime::Runtime::new().context("cannot start the runtime");
    match Cli::parse().command {
        Command::Specimen(specimen) => specimen.run(today)?,
        Command::Look { files } => files.iter().try_for_each(|file| look(file))?,
        Command::Serve(args) => runtime()?.block_on(serve(args))?,
        Command::Drill(drill) => return runtime()?.block_on(drill.run(today)),
    }
    Ok(ExitCode::SUCCESS)
}

fn look(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let analysis = vision::analyse(&bytes).with_context(|| format!("cannot analyse {}", file.display()))?;
    let text = serde_json::to_string_pretty(&analysis).context("cannot write the analysis as JSON")?;
    writeln!(std::io::stdout(), "{text}").context("cannot print the analysis")
}

async fn serve(args: Serve) -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::new(args.keys, args.seed, args.journal.as_deref())?);
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr().context("cannot find out the port")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for Ctrl-C")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let mut stdout = std::io::stdout();
    // Tests and `dev` read the address from this line.
    writeln!(stdout, "sandbox listening on http://{address}")
        .and_then(|()| stdout.flush())
        .context("cannot print the address")?;
    server::serve(listener, sandbox, stop).await;
    Ok(())
}
