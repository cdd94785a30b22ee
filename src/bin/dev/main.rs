//! One command for a developer: starts `PocketBase`, the sandbox, the sidecar and the example page
//! on this machine.
//!
//! `cargo run --bin dev` starts everything and prints one `ready` line. `cargo run --bin dev --
//! demo` runs one verification through the facade. Nothing here is meant for production.

mod child;
mod console;
mod demo;
mod environment;
mod facade;
mod health;
mod options;
mod page;
mod ports;
mod project;
mod specimen;
mod stack;
mod stop;
mod tempfolder;

use std::process::ExitCode;

use clap::Parser as _;

use options::{Cli, Command};

/// Exit code of every failure but the end of a part, which has a code of its own (see `--help`).
const FAILED: u8 = 1;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => stack::run(&cli.options).await,
        Some(Command::Demo(person)) => demo::run(&cli.options, &person).await,
    };
    outcome.unwrap_or_else(|error| {
        console::note(&format!("error: {error:#}"));
        ExitCode::from(FAILED)
    })
}
