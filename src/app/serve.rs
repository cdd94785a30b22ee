//! `identivia serve`: the order in which the service starts and stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::error::StartError;
use super::startup::{Listeners, NO_HASH_KEY, log_in, problems, wait_for_pocketbase};
use super::tasks;
use super::wiring::{Providers, VERSION, client, facade, limiters, ocr_model};
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry::Recorder;
use crate::checks::{CheckRunner, HashKeys, ProviderClients};
use crate::config::Config;
use crate::controller::queue::Queue;
use crate::controller::reconciler::Reconciler;
use crate::controller::watcher::Watcher;
use crate::controller::workers;
use crate::http::{self, Health, Notifier, StatusCache};
use crate::pocketbase::Client;

/// Ids that the queue holds; an id takes a few dozen bytes.
const QUEUE_CAPACITY: usize = 20_000;

/// Runs the service until `shutdown`.
///
/// Start: bind the addresses, log in, check what is found, then watch and work. Stop: first the
/// intake, then work in flight, last the facade, so that a request that waits for an outcome still
/// gets it.
pub async fn serve(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let started = Instant::now();
    let providers = Providers::new(&config).await?;
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (model, ocr) = ocr_model(&config, threads)?;
    info!("{ocr}");
    let listeners = Listeners::bind(&config).await?;
    let recorder = Recorder::install().map_err(StartError::Metrics)?;
    let client = client(&config)?;
    check(&config, &client, &shutdown).await?;
    info!(
        version = VERSION,
        instance = config.instance,
        address = %listeners.facade.local_addr().unwrap_or(config.facade.listen),
        start_milliseconds = started.elapsed().as_millis(),
        "ready"
    );
    if config.hash_key.is_none() {
        warn!("{NO_HASH_KEY}");
    }

    // The watcher fills the queue and notifies the facade of changes.
    let queue = Queue::new(QUEUE_CAPACITY);
    let changes = Notifier::new();
    let status_cache = StatusCache::default();
    let (notify, invalidate) = (changes.clone(), status_cache.clone());
    let (watcher, watch_health) =
        Watcher::new(client.clone(), queue.clone(), config.instance.clone(), VERSION, move |id| {
            // Invalidate before waking: a woken request must not find the old answer.
            invalidate.invalidate(id);
            notify.publish(id);
        });
    let (health_sender, health) = watch::channel(Health::default());
    let facade = facade(&config, &client, &providers, health, changes, status_cache);

    // The reconciler decides what is due, and the check runner does it.
    let limiters = limiters(&config.rates);
    let openai = providers.openai.clone();
    let checks = CheckRunner::new(
        client.clone(),
        ProviderClients {
            rekognition: providers.rekognition,
            openai: providers.openai,
            fingerprint: providers.fingerprint,
            limiters: limiters.clone(),
        },
        threads,
        // OpenAI alone sees safety identifiers, so its key may be replaced at no cost. The other
        // key must never change.
        HashKeys { safety_identifier: config.openai.api_key.clone(), document_numbers: config.hash_key.clone() },
        model,
    );
    let expiring = checks.clone();
    let reconciler = Arc::new(Reconciler::new(
        client,
        checks,
        config.instance.clone(),
        config.face_liveness_threshold,
        config.documents_at_once,
    ));

    let serving = CancellationToken::new();
    let mut servers = JoinSet::new();
    servers.spawn(http::serve(listeners.facade, facade, serving.clone()));
    if let Some(listener) = listeners.metrics {
        let recorder = recorder.clone();
        servers.spawn(http::serve_metrics(listener, Arc::new(move || recorder.render()), serving.clone()));
    }
    let mut intake = JoinSet::new();
    intake.spawn(watcher.run(shutdown.clone()));
    intake.spawn(tasks::report_health(watch_health, limiters, health_sender, shutdown.clone()));
    intake.spawn(tasks::watch_model(openai, shutdown.clone()));
    intake.spawn(recorder.fold(shutdown.clone()));
    intake.spawn(expiring.expire_caches(shutdown.clone()));

    let grace = Duration::from_secs(config.shutdown_seconds);
    let cut_off = workers::run(queue, reconciler, config.workers, grace, shutdown).await;
    while intake.join_next().await.is_some() {}
    reached(Point::Drained);
    serving.cancel();
    while servers.join_next().await.is_some() {}
    info!(cut_off, "stopped");
    Ok(())
}

/// Logs in and checks schema, rules, settings and the default policy, as soon as `PocketBase`
/// answers.
async fn check(config: &Config, client: &Client, shutdown: &CancellationToken) -> Result<(), StartError> {
    wait_for_pocketbase(config, shutdown, async || log_in(client).await).await?;
    reached(Point::BootLoggedIn);
    let threshold = config.face_liveness_threshold;
    let problems = wait_for_pocketbase(config, shutdown, async || problems(client, threshold).await).await?;
    if !problems.is_empty() {
        return Err(StartError::Schema(problems));
    }
    reached(Point::BootTested);
    Ok(())
}
