//! Command line, logging, configuration, signals; no logic.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "crash-points")]
use identivia::base::failpoints;
use identivia::base::telemetry;
use identivia::{app as run, config, http};

/// Identity verification beside PocketBase. Configured by the environment; `identivia variables` lists it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Die at this crash point: NAME, NAME#3 for the third time, NAME@RECORD for one record.
    #[cfg(feature = "crash-points")]
    #[arg(long, global = true, env = "CRASH_AT", hide_env_values = true)]
    crash_at: Option<String>,
    /// Run with this bug.
    #[cfg(feature = "crash-points")]
    #[arg(long, global = true, env = "PLANT", hide_env_values = true)]
    plant: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service (the default).
    Serve,
    /// Look at configuration, database and providers, say what is wrong, change nothing.
    Doctor,
    /// Verify a verification's journal and recompute its decisions from the stored records.
    Replay {
        /// Id of the `verifications` record.
        id: String,
    },
    /// Ask the running service whether it is healthy (for container health checks).
    Health,
    /// Print the `OpenAPI` description of the HTTP facade.
    Openapi,
    /// Print every variable with its default and meaning.
    Variables,
    /// Print every place where a test build can be told to die.
    #[cfg(feature = "crash-points")]
    CrashPoints,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(feature = "crash-points")]
    if let Err(problem) = failpoints::arm(arguments.crash_at.as_deref(), arguments.plant.as_deref()) {
        return refuse(&problem);
    }
    let command = arguments.command.unwrap_or(Command::Serve);
    match command {
        #[cfg(feature = "crash-points")]
        Command::CrashPoints => {
            for point in failpoints::Point::ALL {
                say(&format!("{:<26} {}", point.name(), point.meaning()));
            }
            return ExitCode::SUCCESS;
        }
        Command::Variables => {
            for variable in config::VARIABLES {
                let default = variable.default.map_or("required".to_owned(), |d| format!("default {d:?}"));
                say(&format!("{:<26} {default:<28} {}", variable.name, variable.help));
            }
            return ExitCode::SUCCESS;
        }
        Command::Openapi => {
            return match serde_json::to_string_pretty(&http::openapi_document(run::VERSION)) {
                Ok(json) => {
                    say(&json);
                    ExitCode::SUCCESS
                }
                Err(error) => refuse(&error.to_string()),
            };
        }
        _ => {}
    }
    let config = match config::load() {
        Ok(config) => config,
        Err(invalid) => return refuse(&invalid.to_string()),
    };
    let _lines = match telemetry::install(&config.log) {
        Ok(guard) => guard,
        Err(problem) => return refuse(&problem),
    };
    // reqwest 0.12, which carries the realtime stream, takes TLS from the process-wide provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("cannot start the runtime: {error}")),
    };
    let result = match command {
        Command::Doctor => {
            let report = runtime.block_on(run::doctor(&config));
            say(&report.lines.join("\n"));
            return if report.wrong == 0 {
                ExitCode::SUCCESS
            } else {
                refuse(&format!("{} of {} lines are wrong", report.wrong, report.lines.len()))
            };
        }
        Command::Replay { id } => runtime.block_on(run::replay(&config, &id)).map(|report| say(&report.join("\n"))),
        Command::Health => runtime.block_on(run::health(&config)),
        _ => runtime.block_on(async { run::serve(config, stop_on_signal()).await }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&telemetry::chain(&error)),
    }
}

/// The first SIGTERM or Ctrl-C asks everything to finish; the second ends the process.
fn stop_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "the signal listener outlives every owner; it ends with the process"
    )]
    tokio::spawn(async move {
        signal().await;
        stop.cancel();
        signal().await;
        std::process::exit(130);
    });
    token
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[expect(clippy::print_stdout, reason = "the answer of a command belongs on standard output")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "logging may not be up yet")]
fn refuse(problem: &str) -> ExitCode {
    eprintln!("identivia: {problem}");
    ExitCode::FAILURE
}
