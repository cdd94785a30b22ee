//! Tasks that run in parallel to the controller until the shutdown.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::base::telemetry::chain;
use crate::controller::watcher::WatchHealth;
use crate::http::{Health, ProviderHealth, Providers};
use crate::providers::limiter::{ProviderLimiter, ProviderLimiters};
use crate::providers::openai::{ModelStatus, OpenAi};
use crate::verification::Provider;

/// How often the health of the providers is read. A change of the watch is published at once.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// How often the provider is asked about the model.
const MODEL_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Publishes what `GET /health` answers: the health of the watch and of the providers.
pub async fn report_health(
    mut watch: watch::Receiver<WatchHealth>,
    limiters: ProviderLimiters,
    health: watch::Sender<Health>,
    shutdown: CancellationToken,
) {
    loop {
        let now = *watch.borrow_and_update();
        health.send_replace(Health {
            reachable: now.reachable,
            authenticated: now.authenticated,
            proved_at: now.proved_at,
            providers: Providers {
                rekognition: provider_health(limiters.of(Provider::Rekognition)),
                openai: provider_health(limiters.of(Provider::Openai)),
                fingerprint: provider_health(limiters.of(Provider::Fingerprint)),
            },
        });
        tokio::select! {
            changed = watch.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(HEALTH_INTERVAL) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Asks once a day whether the configured model still exists and when it retires: without its model
/// no document check can run.
pub async fn watch_model(openai: OpenAi, shutdown: CancellationToken) {
    loop {
        match openai.probe_model().await {
            Ok(answer) if answer.value.known == Some(false) || answer.value.shutdown_date.is_some() => {
                warn!("{}", model_line(&answer.value));
            }
            Ok(answer) => info!("{}", model_line(&answer.value)),
            Err(error) => warn!(reason = chain(&error), "OpenAI could not be asked about the model"),
        }
        tokio::select! {
            () = tokio::time::sleep(MODEL_INTERVAL) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// One line about the configured model, with what to do where something is to be done.
pub fn model_line(model: &ModelStatus) -> String {
    match (model.known, model.shutdown_date) {
        (Some(false), _) => format!("OpenAI: the server does not know the model {}; set OPENAI_MODEL", model.id),
        (_, Some(day)) => format!("OpenAI: the model {} shuts down on {day}; choose its successor before", model.id),
        (Some(true), None) => format!("OpenAI: the model {} is available", model.id),
        (None, None) => format!("OpenAI: the server cannot be asked about the model {}", model.id),
    }
}

fn provider_health(limiter: &ProviderLimiter) -> ProviderHealth {
    if limiter.is_degraded() { ProviderHealth::Degraded } else { ProviderHealth::Ok }
}
