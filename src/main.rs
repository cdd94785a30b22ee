//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "crash-points")]
use identivia::base::failpoints;
use identivia::base::telemetry;
use identivia::config::{self, Config};
use identivia::{app, http};

/// Identity verification on top of PocketBase. Configured by environment variables, which
/// `identivia variables` lists.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Crash at this point: NAME, NAME#3 for the third time, NAME@RECORD for one record.
    #[cfg(feature = "crash-points")]
    #[arg(long, global = true, env = "CRASH_AT", hide_env_values = true)]
    crash_at: Option<String>,
    /// Run with this planted bug, for tests of the test oracle.
    #[cfg(feature = "crash-points")]
    #[arg(long, global = true, env = "PLANT", hide_env_values = true)]
    plant: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service (the default).
    Serve,
    /// Check configuration, database and providers, and report what is wrong. Changes nothing.
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
    /// Print every crash point with its meaning.
    #[cfg(feature = "crash-points")]
    CrashPoints,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            print_error(&problem);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), String> {
    #[cfg(feature = "crash-points")]
    failpoints::arm(arguments.crash_at.as_deref(), arguments.plant.as_deref())?;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => with_config(async |config| app::serve(config, app::stop_on_signal()).await.map_err(chain)),
        Command::Doctor => with_config(async |config| {
            let report = app::doctor(&config).await;
            print(&report.lines.join("\n"));
            let (wrong, all) = (report.wrong, report.lines.len());
            if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {all} lines are wrong")) }
        }),
        Command::Replay { id } => with_config(async |config| {
            let report = app::replay(&config, &id).await.map_err(chain)?;
            print(&report.join("\n"));
            Ok(())
        }),
        Command::Health => with_config(async |config| app::health(&config).await.map_err(chain)),
        Command::Openapi => {
            let document = serde_json::to_string_pretty(&http::openapi_document(app::VERSION));
            print(&document.map_err(|error| error.to_string())?);
            Ok(())
        }
        Command::Variables => {
            for variable in config::VARIABLES {
                let default = variable.default.map_or("required".to_owned(), |default| format!("default {default:?}"));
                print(&format!("{:<28} {default:<28} {}", variable.name, variable.help));
            }
            Ok(())
        }
        #[cfg(feature = "crash-points")]
        Command::CrashPoints => {
            for point in failpoints::Point::ALL {
                print(&format!("{:<26} {}", point.name(), point.meaning()));
            }
            Ok(())
        }
    }
}

/// Reads the configuration, sets up logging, and runs `command` to its end.
fn with_config(command: impl AsyncFnOnce(Config) -> Result<(), String>) -> Result<(), String> {
    let config = config::load().map_err(|invalid| invalid.to_string())?;
    let _lines = telemetry::install(&config.log)?;
    // reqwest 0.12, which carries the realtime stream, takes TLS from the process-wide provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(command(config))
}

#[expect(clippy::needless_pass_by_value, reason = "maps an owned error")]
fn chain(error: app::StartError) -> String {
    telemetry::chain(&error)
}

#[expect(clippy::print_stdout, reason = "the answer of a command belongs on standard output")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "logging may not be set up")]
fn print_error(problem: &str) {
    eprintln!("identivia: {problem}");
}
