//! `identivia doctor`: checks everything that the service needs and changes nothing.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::error::StartError;
use super::startup::{NO_HASH_KEY, identity_name};
use super::tasks::model_line;
use super::wiring::{Providers, client, ocr_model};
use crate::base::telemetry::chain;
use crate::config::Config;
use crate::pocketbase::records::DEFAULT_POLICY;
use crate::pocketbase::{Client, Identity};

/// The id of an event that never happened: a server that answers "not found" has accepted the key.
const NO_EVENT: &str = "1000000000000.nobody";

/// What was found, in the order of the start.
#[derive(Debug, Default)]
pub struct Report {
    /// One line each: `ok`, `note` (works, and an operator should know) or `WRONG`, then the
    /// finding and, where something is to be done, what to do.
    pub lines: Vec<String>,
    /// The number of `WRONG` lines.
    pub wrong: usize,
}

impl Report {
    fn ok(&mut self, what: &str) {
        self.lines.push(format!("ok     {what}"));
    }

    fn note(&mut self, what: &str) {
        self.lines.push(format!("note   {what}"));
    }

    fn wrong(&mut self, what: &str) {
        self.wrong += 1;
        self.lines.push(format!("WRONG  {what}"));
    }

    /// A line for the outcome of a request: `ok`, or what went wrong.
    fn outcome<T>(&mut self, what: &str, answer: Result<T, impl std::error::Error>) {
        match answer {
            Ok(_) => self.ok(what),
            Err(error) => self.wrong(&format!("{what}: {}", chain(&error))),
        }
    }
}

/// Checks everything, however much of it is wrong. The providers get only requests that cost
/// nothing: a model's name, a challenge and an event that do not exist, and browser credentials,
/// which are thrown away.
pub async fn doctor(config: &Config) -> Report {
    let mut report = Report::default();
    report.ok("configuration");
    match ocr_model(config, 1) {
        Ok((Some(_), line)) => report.ok(&line),
        Ok((None, line)) => report.note(&line),
        Err(error) => report.wrong(&chain(&error)),
    }
    if config.hash_key.is_none() {
        report.note(NO_HASH_KEY);
    }
    pocketbase(config, &mut report).await;
    match Providers::new(config).await {
        Ok(clients) => providers(config, &clients, &mut report).await,
        Err(error) => report.wrong(&chain(&error)),
    }
    report
}

async fn pocketbase(config: &Config, report: &mut Report) {
    let (client, compared) = match log_in(config).await {
        Ok((client, identity)) => {
            let line = format!("PocketBase login: as {}", identity_name(identity));
            match identity {
                Identity::Superuser => report.note(&line),
                Identity::Service => report.ok(&line),
            }
            (client, compared_as(identity))
        }
        Err(error) => return report.wrong(&chain(&error)),
    };
    match client.schema_problems().await {
        Ok(problems) if problems.is_empty() => report.ok(compared),
        Ok(problems) => problems.iter().for_each(|problem| report.wrong(problem)),
        Err(source) => report.wrong(&chain(&source)),
    }
    // The default policy serves every caller that names none, so its absence must be reported too.
    let mut names = BTreeSet::from([DEFAULT_POLICY.to_owned()]);
    match client.policy_names().await {
        Ok(more) => names.extend(more),
        Err(error) => report.wrong(&chain(&error)),
    }
    for name in names {
        match client.policy_problems(&name, config.face_liveness_threshold).await {
            Ok(problems) if problems.is_empty() => report.ok(&format!("policy {name}, its live version")),
            Ok(problems) => problems.iter().for_each(|problem| report.wrong(problem)),
            Err(error) => report.wrong(&chain(&error)),
        }
    }
}

/// What [`Client::schema_problems`] can see with a login of this kind.
fn compared_as(identity: Identity) -> &'static str {
    match identity {
        Identity::Service => {
            "PocketBase collections, fields and batch setting (the whole schema, rules included, is compared only with a \
             superuser's login)"
        }
        Identity::Superuser => "PocketBase schema, rules and batch setting",
    }
}

async fn log_in(config: &Config) -> Result<(Client, Identity), StartError> {
    let client = client(config)?;
    let identity = client.login().await.map_err(|source| StartError::pocketbase(config, source))?;
    Ok((client, identity))
}

async fn providers(config: &Config, providers: &Providers, report: &mut Report) {
    match providers.openai.probe_model().await {
        Ok(answer) => {
            let line = model_line(&answer.value);
            match (answer.value.known, answer.value.shutdown_date) {
                (Some(false), _) => report.wrong(&line),
                (Some(true), None) => report.ok(&line),
                _ => report.note(&line),
            }
        }
        Err(error) => report.wrong(&format!("OpenAI: {}", chain(&error))),
    }
    let liveness = format!("AWS Face Liveness in {}", config.aws.liveness_region);
    report.outcome(&liveness, providers.rekognition.session_results(&Uuid::nil().to_string()).await);
    if providers.rekognition.offers_browser_credentials() {
        let role = "AWS_BROWSER_ROLE_ARN: credentials for browsers";
        report.outcome(role, providers.rekognition.browser_credentials("doctor").await);
    }
    report.outcome("Fingerprint key", providers.fingerprint.event(NO_EVENT).await);
}
