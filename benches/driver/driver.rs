//! The load driver of `benches/run`: people, a floor to compare with, and watchers, compiled so
//! that it is not the bottleneck.
//!
//! Each command does one thing against addresses that it is given and prints one line of JSON. It
//! knows nothing of this project's code: it speaks HTTP to `PocketBase`, as a web app would, so it
//! can be pointed at other services that do the same job.

#![expect(clippy::print_stdout, reason = "the line of JSON is what this program is for")]

mod bare;
mod browsers;
mod figures;
mod floor;
mod passes;
mod person;
mod pocketbase;
mod stream;
mod walk;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "driver", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The least that an event-driven service can do: one batch for each new record, until it is
    /// killed.
    Floor(floor::Options),
    /// Passes: a record is created, and the time until its result is seen by a subscriber is taken.
    Passes(passes::Options),
    /// Whole verifications, from the first record to the decision.
    Walk(walk::Options),
    /// Bare hyper that answers every request with the same body, until it is killed.
    Bare(bare::Options),
    /// Subscribed browsers that only listen, until they are killed.
    Browsers(browsers::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Floor(options) => floor::run(options).await,
        Command::Passes(options) => passes::run(options).await.map(print),
        Command::Walk(options) => walk::run(options).await.map(print),
        Command::Bare(options) => bare::run(options).await,
        Command::Browsers(options) => browsers::run(options).await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over a result")]
fn print(figures: serde_json::Value) {
    println!("{figures}");
}
