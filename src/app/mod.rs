//! Composition root: builds the parts, tests them against what they find, owns every task, orders the shutdown.

mod doctor;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::base::backoff::Backoff;
use crate::base::failpoints::{Point, reached};
use crate::base::telemetry;
use crate::checks::ocr_model::{ModelError, OcrModel};
use crate::checks::{CheckRunner, HashKeys, ProviderClients};
use crate::config::{Config, Rates};
use crate::controller::queue::Queue;
use crate::controller::reconciler::Reconciler;
use crate::controller::watcher::{WatchHealth, Watcher};
use crate::controller::workers as worker;
use crate::http::{self, Facade, Health, Notifier, ProviderHealth, Providers as HealthOfProviders, StatusCache};
use crate::pocketbase::records::DEFAULT_POLICY;
use crate::pocketbase::{self, Client, Identity, PocketbaseError, Remedy};
use crate::providers::fingerprint::{self, Fingerprint};
use crate::providers::limiter::{ProviderLimiter, ProviderLimiters, RateLimit};
use crate::providers::openai::{self, ModelStatus, OpenAi};
use crate::providers::rekognition::{self, Rekognition};
use crate::verification::Provider;
use crate::verification::journal::chain;
use crate::verification::replay;

pub use self::doctor::{Report, doctor};

/// Version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What an operator misses without the key.
const NO_HASH_KEY: &str = "HASH_KEY is not set: a document that another person shows again is recognised by its picture only, not by its number, and stored hashes of idempotent requests can be guessed";
/// Ids the queue holds; an id is a few dozen bytes.
const QUEUE_CAPACITY: usize = 20_000;
/// How long to wait for a `PocketBase` that is still starting.
const POCKETBASE_PATIENCE: Duration = Duration::from_secs(60);
/// Between knocks at a `PocketBase` that does not answer.
const KNOCK: Backoff = Backoff { first: Duration::from_millis(200), cap: Duration::from_secs(3) };

/// Why the service cannot run. Each is one line for an operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// `PocketBase` is away, or does not know us.
    #[error("PocketBase at {url} cannot be used")]
    Pocketbase {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: pocketbase::PocketbaseError,
    },
    /// `PocketBase` is not what this version expects.
    #[error("PocketBase is not what this version expects:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
    Schema(Vec<String>),
    /// A provider's settings cannot work.
    #[error("a provider's settings cannot be used:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
    Provider(Vec<String>),
    /// The recognition model that is set cannot be used.
    #[error("MRZ_MODEL_PATH names {path}, which cannot be used")]
    Model {
        /// Where it should be.
        path: String,
        /// Why.
        source: ModelError,
    },
    /// Figures cannot be gathered.
    #[error("metrics cannot be gathered: {0}")]
    Metrics(String),
    /// Stored records do not add up.
    #[error("{0}")]
    Replay(String),
    /// The running service is not healthy, or not running.
    #[error("not healthy: {0}")]
    Unhealthy(String),
}

/// The clients of the three providers.
struct Providers {
    rekognition: Rekognition,
    openai: OpenAi,
    fingerprint: Fingerprint,
}

impl Providers {
    /// Builds all three, or says everything that is wrong with their settings.
    async fn new(config: &Config) -> Result<Self, StartError> {
        let rekognition = Rekognition::new(rekognition_settings(config)).await;
        let openai = OpenAi::new(&openai_settings(config));
        let fingerprint = Fingerprint::new(&fingerprint_settings(config));
        match (rekognition, openai, fingerprint) {
            (Ok(rekognition), Ok(openai), Ok(fingerprint)) => Ok(Self { rekognition, openai, fingerprint }),
            (rekognition, openai, fingerprint) => Err(StartError::Provider(
                [rekognition.err(), openai.err(), fingerprint.err()]
                    .into_iter()
                    .flatten()
                    .flat_map(|bad| bad.0)
                    .collect(),
            )),
        }
    }
}

/// Runs the service until `shutdown`.
///
/// Start: listen, log in, test what is found, then watch and work. Stop: intake first, then work in flight, then the facade, so that
/// somebody who waits for an outcome still gets it.
pub async fn serve(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let started = Instant::now();
    let providers = Providers::new(&config).await?;
    let decoders = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (model, own_reading) = ocr_model(&config, decoders)?;
    info!("{own_reading}");
    let listener = listen(config.facade.listen).await?;
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let recorder = telemetry::Recorder::install().map_err(StartError::Metrics)?;
    let client = client(&config)?;
    in_time(&config, &shutdown, async || connect(&client).await).await?;
    reached(Point::BootLoggedIn);
    let problems =
        in_time(&config, &shutdown, async || problems(&client, config.face_liveness_threshold).await).await?;
    refuse(problems)?;
    reached(Point::BootTested);
    info!(
        version = VERSION,
        instance = config.instance,
        address = %listener.local_addr().unwrap_or(config.facade.listen),
        start_milliseconds = started.elapsed().as_millis(),
        "ready"
    );

    if config.hash_key.is_none() {
        warn!("{NO_HASH_KEY}");
    }
    let queue = Queue::new(QUEUE_CAPACITY);
    let changes = Notifier::new();
    let status_cache = StatusCache::default();
    let (publish, invalidate) = (changes.clone(), status_cache.clone());
    let (watcher, pulse) = Watcher::new(client.clone(), queue.clone(), config.instance.clone(), VERSION, move |id| {
        // In this order: whoever is woken must not find the old answer.
        invalidate.invalidate(id);
        publish.publish(id);
    });
    let (health_sender, health) = watch::channel(Health::default());
    let facade = facade(&config, &client, &providers, health, changes, status_cache);
    let openai = providers.openai.clone();
    let limiters = limiters(&config.rates);
    let checks = CheckRunner::new(
        client.clone(),
        ProviderClients {
            rekognition: providers.rekognition,
            openai: providers.openai,
            fingerprint: providers.fingerprint,
            limiters: limiters.clone(),
        },
        decoders,
        // The first key is known to us and to the model's provider only, and may change. The other must stay the same.
        HashKeys { safety_identifier: config.openai.api_key.clone(), document_numbers: config.hash_key.clone() },
        model,
    );
    let expiring = checks.clone();
    let reconciler = Arc::new(Reconciler::new(client, checks, config.instance.clone(), config.face_liveness_threshold));

    let serving = CancellationToken::new();
    let mut servers = JoinSet::new();
    servers.spawn(http::serve(listener, facade, serving.clone()));
    if let Some(listener) = metrics_listener {
        let recorder = recorder.clone();
        servers.spawn(http::serve_metrics(listener, Arc::new(move || recorder.render()), serving.clone()));
    }
    let mut intake = JoinSet::new();
    intake.spawn(watcher.run(shutdown.clone()));
    intake.spawn(report_health(pulse, limiters, health_sender, shutdown.clone()));
    intake.spawn(watch_model(openai, shutdown.clone()));
    intake.spawn(recorder.fold(shutdown.clone()));
    intake.spawn(expiring.expire_caches(shutdown.clone()));

    let grace = Duration::from_secs(config.shutdown_seconds);
    let cut = worker::run(queue, reconciler, config.workers, grace, shutdown).await;
    while intake.join_next().await.is_some() {}
    reached(Point::Drained);
    serving.cancel();
    while servers.join_next().await.is_some() {}
    info!(cut_off = cut, "stopped");
    Ok(())
}

/// The model for our own eyes, where there is one, and a line that says so. Without one every finding says that there was no own
/// reading; a file that is another one or damaged is an operator's mistake, and nothing starts.
fn ocr_model(config: &Config, threads: usize) -> Result<(Option<OcrModel>, String), StartError> {
    const OFF: &str = "own reading of machine-readable zones: off, the model provider alone reads them:";
    let Some(path) = &config.mrz_model_path else {
        return Ok((None, format!("{OFF} MRZ_MODEL_PATH is not set")));
    };
    match OcrModel::load(path, threads) {
        Ok(model) => Ok((Some(model), "own reading of machine-readable zones: on".to_owned())),
        Err(ModelError::Read(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok((None, format!("{OFF} there is no file {}", path.display())))
        }
        Err(source) => Err(StartError::Model { path: path.display().to_string(), source }),
    }
}

/// Verifies a journal and recomputes the decisions it holds. One line for each row and decision; an error when they differ.
pub async fn replay(config: &Config, id: &str) -> Result<Vec<String>, StartError> {
    let client = client(config)?;
    let failed = |source| pocketbase_error(config, source);
    client.login().await.map_err(failed)?;
    let Some((case, _)) = client.read_case(id).await.map_err(failed)? else {
        return Err(StartError::Replay(format!("there is no verification {id}")));
    };
    let mut report: Vec<String> = case
        .journal
        .iter()
        .map(|e| format!("{:>4}  {}  {:<24} {}  {}", e.seq, e.created, e.name, e.by, e.data))
        .collect();
    chain::verify(id, &case.journal).map_err(|broken| StartError::Replay(broken.to_string()))?;
    report.push(format!("journal: {} rows, numbers without gaps, hashes chained", case.journal.len()));
    let Some(pinned) = case.pinned_policy() else { return Ok(report) };
    let Some(policy) = client.policy(pinned.id).await.map_err(failed)? else {
        return Err(StartError::Replay(format!("its policy {} does not exist any more", pinned.id)));
    };
    let policy = policy.in_force(Some(pinned), config.face_liveness_threshold);
    for replayed in replay::replay(&case, &policy) {
        if !replayed.same {
            return Err(StartError::Replay(replayed.to_string()));
        }
        report.push(replayed.to_string());
    }
    Ok(report)
}

/// Asks the running service whether it is healthy.
pub async fn health(config: &Config) -> Result<(), StartError> {
    let mut address = config.facade.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::IpAddr::from([127, 0, 0, 1]));
    }
    let unhealthy = |what: String| StartError::Unhealthy(what);
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| unhealthy(error.to_string()))?;
    let answer = http
        .get(format!("http://{address}/health"))
        .send()
        .await
        .map_err(|e| unhealthy(e.without_url().to_string()))?;
    if answer.status().is_success() { Ok(()) } else { Err(unhealthy(format!("status {}", answer.status()))) }
}

fn limiters(rates: &Rates) -> ProviderLimiters {
    ProviderLimiters::new(|provider| {
        let rate = match provider {
            Provider::Rekognition => rates.aws,
            Provider::Openai => rates.openai,
            Provider::Fingerprint => rates.fingerprint,
        };
        RateLimit::new(rate.per_second, rate.at_once)
    })
}

fn rekognition_settings(config: &Config) -> rekognition::Settings {
    rekognition::Settings {
        region: config.aws.region.clone(),
        liveness_region: Some(config.aws.liveness_region.clone()),
        endpoint_url: config.aws.endpoint_url.clone(),
        allow_insecure_endpoints: config.allow_insecure_endpoints,
        credentials: Some(rekognition::StaticCredentials {
            access_key_id: config.aws.access_key_id.clone(),
            secret_access_key: config.aws.secret_access_key.clone(),
            session_token: config.aws.session_token.clone(),
        }),
        audit_images: 0,
        browser_role_arn: config.aws.browser_role_arn.clone(),
        timeouts: rekognition::TIMEOUTS,
    }
}

fn openai_settings(config: &Config) -> openai::Settings {
    openai::Settings {
        api_key: config.openai.api_key.clone(),
        base_url: config.openai.base_url.clone(),
        allow_insecure_endpoints: config.allow_insecure_endpoints,
        model: config.openai.model.clone(),
        dialect: openai::Dialect::parse(&config.openai.dialect),
        reasoning_effort: "low".to_owned(),
        output_tokens_max: 8_000,
        timeouts: openai::TIMEOUTS,
    }
}

fn fingerprint_settings(config: &Config) -> fingerprint::Settings {
    fingerprint::Settings {
        secret_key: config.fingerprint.secret_key.clone(),
        region: fingerprint::Region::parse(&config.fingerprint.region).unwrap_or(fingerprint::Region::Us),
        base_url: config.fingerprint.base_url.clone(),
        allow_insecure_endpoints: config.allow_insecure_endpoints,
        timeouts: fingerprint::TIMEOUTS,
    }
}

fn facade(
    config: &Config,
    client: &Client,
    providers: &Providers,
    health: watch::Receiver<Health>,
    changes: Notifier,
    status_cache: StatusCache,
) -> Facade {
    Facade {
        settings: http::Settings {
            api_keys: config.facade.api_keys.clone(),
            client_urls: config.facade.client_urls.clone(),
            trusted_proxies: config.facade.trusted_proxies.clone(),
            hash_key: config.hash_key.clone(),
            face_liveness_threshold: config.face_liveness_threshold,
            version: VERSION.to_owned(),
            quotas: http::Quotas {
                key: http::Quota::per_minute(config.facade.key_requests_per_minute),
                user: http::Quota::per_minute(config.facade.user_requests_per_minute),
                address: http::Quota::per_minute(config.facade.address_requests_per_minute),
            },
            ..http::Settings::default()
        },
        pocketbase: client.clone(),
        health,
        changes,
        status_cache,
        rekognition: providers.rekognition.offers_browser_credentials().then(|| providers.rekognition.clone()),
        metrics: None,
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

fn pocketbase_error(config: &Config, source: PocketbaseError) -> StartError {
    StartError::Pocketbase { url: config.pocketbase.url.to_string(), source }
}

fn identity_name(identity: Identity) -> &'static str {
    match identity {
        Identity::Service => "a record of `services`",
        Identity::Superuser => "a SUPERUSER (its token is arbitrary SQL; create a record in `services` and use that)",
    }
}

fn client(config: &Config) -> Result<Client, StartError> {
    Client::new(pocketbase::Settings {
        url: config.pocketbase.url.clone(),
        email: config.pocketbase.email.clone(),
        password: config.pocketbase.password.clone(),
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(15),
    })
    .map_err(|source| pocketbase_error(config, source))
}

async fn connect(client: &Client) -> pocketbase::Result<()> {
    let identity = client.login().await?;
    if identity == Identity::Superuser {
        warn!("working as {}", identity_name(identity));
    }
    Ok(())
}

/// What `ask` gets from `PocketBase`; waits for one that is still starting or restarts, but not for one that refuses.
async fn in_time<T>(
    config: &Config,
    shutdown: &CancellationToken,
    ask: impl AsyncFn() -> pocketbase::Result<T>,
) -> Result<T, StartError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(source) if source.remedy() == Remedy::Later && began.elapsed() < POCKETBASE_PATIENCE => {
                failures += 1;
                if failures == 1 {
                    warn!(reason = telemetry::chain(&source), "waiting for PocketBase");
                }
                tokio::select! {
                    () = tokio::time::sleep(KNOCK.delay(failures, rand::random(), None)) => {}
                    () = shutdown.cancelled() => return Err(pocketbase_error(config, source)),
                }
            }
            Err(source) => return Err(pocketbase_error(config, source)),
        }
    }
}

/// The live schema, rules, batch setting and default policy must be what this binary expects.
async fn problems(client: &Client, liveness_threshold: f64) -> pocketbase::Result<Vec<String>> {
    let mut problems = match client.schema_problems().await {
        Err(error) if error.remedy() == Remedy::Later => return Err(error),
        Ok(problems) => problems,
        Err(error) => vec![telemetry::chain(&error)],
    };
    match client.policy_problems(DEFAULT_POLICY, liveness_threshold).await {
        Ok(more) => problems.extend(more),
        Err(error) => problems.push(telemetry::chain(&error)),
    }
    problems.dedup();
    Ok(problems)
}

fn refuse(problems: Vec<String>) -> Result<(), StartError> {
    if problems.is_empty() { Ok(()) } else { Err(StartError::Schema(problems)) }
}

/// Joins what the watcher knows with what is known of the providers.
async fn report_health(
    mut pulse: watch::Receiver<WatchHealth>,
    limiters: ProviderLimiters,
    health: watch::Sender<Health>,
    shutdown: CancellationToken,
) {
    loop {
        let now = *pulse.borrow_and_update();
        health.send_replace(Health {
            reachable: now.reachable,
            authenticated: now.authenticated,
            proved_at: now.proved_at,
            providers: HealthOfProviders {
                rekognition: standing(limiters.of(Provider::Rekognition)),
                openai: standing(limiters.of(Provider::Openai)),
                fingerprint: standing(limiters.of(Provider::Fingerprint)),
            },
        });
        tokio::select! {
            changed = pulse.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

fn standing(limiter: &ProviderLimiter) -> ProviderHealth {
    if limiter.is_degraded() { ProviderHealth::Degraded } else { ProviderHealth::Ok }
}

/// Asks once a day whether the configured model still exists and when it retires: a model that is shut down takes every document
/// check with it.
async fn watch_model(openai: OpenAi, shutdown: CancellationToken) {
    loop {
        match openai.probe_model().await {
            Ok(answer) if answer.value.known == Some(false) || answer.value.shutdown_date.is_some() => {
                warn!("{}", model_line(&answer.value));
            }
            Ok(answer) => info!("{}", model_line(&answer.value)),
            Err(trouble) => warn!(reason = telemetry::chain(&trouble), "the model could not be asked about"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(24 * 3600)) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

fn model_line(model: &ModelStatus) -> String {
    match (model.known, model.shutdown_date) {
        (Some(false), _) => format!("OpenAI: the server does not know the model {}; set OPENAI_MODEL", model.id),
        (_, Some(day)) => format!("OpenAI: the model {} is shut down on {day}; choose its successor before", model.id),
        (Some(true), None) => format!("OpenAI: the model {} is available", model.id),
        (None, None) => format!("OpenAI: the server cannot be asked about the model {}", model.id),
    }
}
