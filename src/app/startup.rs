//! What must hold before the service starts: an address, a login, and a database that this version
//! can work with.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::error::StartError;
use crate::base::backoff::Backoff;
use crate::base::telemetry::chain;
use crate::config::Config;
use crate::pocketbase::records::DEFAULT_POLICY;
use crate::pocketbase::{self, Client, Identity, Remedy};

/// What does not work while `HASH_KEY` is not set.
pub const NO_HASH_KEY: &str = "HASH_KEY is not set: a document that another person submits again is recognised by its \
                               picture only, not by its number, and the stored hashes of idempotent requests can be guessed";
/// How long to wait for a `PocketBase` that is still starting.
const POCKETBASE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Delay between attempts to reach a `PocketBase` that does not answer.
const RETRY: Backoff = Backoff { first: Duration::from_millis(200), cap: Duration::from_secs(3) };

/// The sockets of the facade and, unless `METRICS_LISTEN` is `off`, of the metrics.
pub struct Listeners {
    pub facade: TcpListener,
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Binds the configured addresses.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let bind =
            async |address| TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source });
        let facade = bind(config.facade.listen).await?;
        let metrics = match config.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { facade, metrics })
    }
}

/// Logs in; a superuser's login works and is a warning.
pub async fn log_in(client: &Client) -> pocketbase::Result<()> {
    let identity = client.login().await?;
    if identity == Identity::Superuser {
        warn!("logged in as {}", identity_name(identity));
    }
    Ok(())
}

/// The kind of account behind a login, for an operator.
pub fn identity_name(identity: Identity) -> &'static str {
    match identity {
        Identity::Service => "a record of `services`",
        Identity::Superuser => {
            "a SUPERUSER (its token can run any SQL; create a record in `services` and log in with that)"
        }
    }
}

/// Where the live schema, rules, batch setting and default policy differ from what this version
/// expects; one sentence each.
pub async fn problems(client: &Client, liveness_threshold: f64) -> pocketbase::Result<Vec<String>> {
    let mut problems = match client.schema_problems().await {
        Err(error) if error.remedy() == Remedy::Later => return Err(error),
        Ok(problems) => problems,
        Err(error) => vec![chain(&error)],
    };
    match client.policy_problems(DEFAULT_POLICY, liveness_threshold).await {
        Ok(more) => problems.extend(more),
        Err(error) => problems.push(chain(&error)),
    }
    problems.dedup();
    Ok(problems)
}

/// Calls `request` until `PocketBase` answers. A refusal ends it at once; a `PocketBase` that is
/// still starting is waited for, up to [`POCKETBASE_WAIT_MAX`].
pub async fn wait_for_pocketbase<T>(
    config: &Config,
    shutdown: &CancellationToken,
    request: impl AsyncFn() -> pocketbase::Result<T>,
) -> Result<T, StartError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        match request().await {
            Ok(answer) => return Ok(answer),
            Err(source) if source.remedy() == Remedy::Later && began.elapsed() < POCKETBASE_WAIT_MAX => {
                failures += 1;
                if failures == 1 {
                    warn!(reason = chain(&source), "waiting for PocketBase");
                }
                tokio::select! {
                    () = tokio::time::sleep(RETRY.delay(failures, rand::random(), None)) => {}
                    () = shutdown.cancelled() => return Err(StartError::pocketbase(config, source)),
                }
            }
            Err(source) => return Err(StartError::pocketbase(config, source)),
        }
    }
}
