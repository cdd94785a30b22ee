//! Logs and metrics of the process.
//!
//! Log lines carry ids, counts, durations and stable words, never names, document numbers, tokens
//! or bodies. Some dependencies would break that rule and are silenced whatever the operator's
//! filter says: `async_openai` logs response bodies, and the AWS SDK and hyper log requests at
//! debug level.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Histogram bounds in seconds, from a read from memory to a document that a slow model reads.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Filter directives for targets whose lines may quote what a provider or a person sent.
const SILENCED: &[&str] = &[
    "async_openai=off",
    "aws_smithy_runtime=warn",
    "aws_smithy_http_client=warn",
    "aws_smithy_runtime_api=warn",
    "aws_sdk_rekognition=warn",
    "aws_sdk_sts=warn",
    "aws_config=warn",
    "hyper=warn",
    "hyper_util=warn",
    "reqwest=warn",
    "h2=warn",
    "rustls=warn",
    "eventsource_stream=off",
    "reqwest_eventsource=off",
    "rustface=off",
];

/// Lines that may wait for standard error; a few hundred bytes each.
const LINES_WAITING_MAX: usize = 16 * 1024;

/// How often samples are folded into histograms. At 60,000 requests per second some ten megabytes
/// of them wait.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// Filter directives, as in `RUST_LOG`.
    pub filter: String,
    /// JSON lines instead of text.
    pub json: bool,
}

/// Counts lines that were dropped because standard error was not read in time.
static LINES_DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Installs the subscriber for the whole process. A thread of its own writes lines of text or JSON
/// to standard error: if that is not read, lines are dropped and counted, and no task waits.
/// Dropping the guard writes the lines that still wait.
pub fn install(log: &LogSettings) -> Result<WorkerGuard, String> {
    let mut filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| format!("LOG is not a filter such as `info` or `info,identivia=debug`: {error}"))?;
    for directive in SILENCED {
        let directive = directive.parse().map_err(|error| format!("built-in log directive {directive}: {error}"))?;
        filter = filter.add_directive(directive);
    }
    let (lines, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING_MAX).lossy(true).finish(std::io::stderr());
    let _ = LINES_DROPPED.set(lines.error_counter());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines);
    let done = if log.json {
        builder.json().flatten_event(true).finish().try_init()
    } else {
        builder.with_target(false).finish().try_init()
    };
    done.map_err(|error| format!("logging was set up twice: {error}"))?;
    Ok(guard)
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

/// Records the process's metrics. Clones share one recorder.
#[derive(Clone)]
pub struct Recorder(PrometheusHandle);

impl Recorder {
    /// Installs the recorder for the whole process.
    pub fn install() -> Result<Self, String> {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).map_err(|error| error.to_string())?;
        builder.install_recorder().map(Self).map_err(|error| error.to_string())
    }

    /// The metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        let dropped = LINES_DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
        metrics::counter!("log_lines_dropped_total").absolute(u64::try_from(dropped).unwrap_or(u64::MAX));
        self.0.render()
    }

    /// Folds samples into their histograms until `shutdown`. Otherwise they would pile up where no
    /// Prometheus scrapes.
    pub async fn fold(self, shutdown: CancellationToken) {
        let mut due = tokio::time::interval(FOLD_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(due.tick()).await.is_some() {
            self.0.run_upkeep();
        }
    }
}
