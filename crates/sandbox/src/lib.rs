//! The provider simulator: speaks the wire protocols of Rekognition, STS, `OpenAI` and Fingerprint on one port, and can be told to
//! misbehave. It answers from what is in the pictures it gets, and draws the pictures too. Never part of a production image.

mod aws;
mod control;
mod drill;
mod eyes;
mod faults;
mod fingerprint;
mod journal;
mod json;
mod openai;
mod seed;
mod selfies;
mod server;
mod specimen;
mod spoil;
mod state;
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

/// A simulator of the providers that identivia asks.
#[derive(Parser)]
#[command(name = "sandbox", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers as Rekognition, STS, `OpenAI` and Fingerprint until it is told to stop.
    Serve(Serve),
    Specimen(Box<SpecimenArgs>),
    Drill(Box<DrillArgs>),
    /// Prints as JSON what the eyes see in pictures.
    Look {
        /// JPEG or PNG files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// From this number identifiers, scores and chances follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Appends every request to this file, a JSON object per line.
    #[arg(long)]
    journal: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

/// Runs the command line of `sandbox`: its code of exit, or why it could not do what it was told.
pub fn main() -> anyhow::Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let today = jiff::Zoned::now().date();
    let runtime = || tokio::runtime::Runtime::new().context("cannot start the runtime");
    match Cli::parse().command {
        Command::Specimen(specimen) => specimen.run(today)?,
        Command::Look { files } => files.iter().try_for_each(|file| look(file))?,
        Command::Serve(serve) => runtime()?.block_on(run(serve))?,
        Command::Drill(drill) => return runtime()?.block_on(drill.run(today)),
    }
    Ok(ExitCode::SUCCESS)
}

fn look(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let seen = eyes::look(&bytes).with_context(|| format!("cannot look at {}", file.display()))?;
    let text = serde_json::to_string_pretty(&seen).context("cannot write what was seen")?;
    writeln!(std::io::stdout(), "{text}").context("cannot print what was seen")
}

async fn run(serve: Serve) -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::new(serve.keys, serve.seed, serve.journal.as_deref())?);
    let listener =
        TcpListener::bind(serve.listen).await.with_context(|| format!("cannot listen on {}", serve.listen))?;
    let address = listener.local_addr().context("cannot tell the port")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for Ctrl-C")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let mut stdout = std::io::stdout();
    writeln!(stdout, "sandbox listening on http://{address}")
        .and_then(|()| stdout.flush())
        .context("cannot print the address")?;
    server::serve(listener, sandbox, stop).await;
    Ok(())
}
