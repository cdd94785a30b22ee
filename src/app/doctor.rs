//! `identivia doctor`: looks at everything the service needs and changes nothing.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{NO_HASH_KEY, Providers, StartError, client, identity_name, model_line, ocr_model, pocketbase_error};
use crate::base::telemetry::chain;
use crate::config::Config;
use crate::pocketbase::records::DEFAULT_POLICY;
use crate::pocketbase::{Client, Identity};

/// An event that no browser ever had: whoever says that it does not exist has accepted the key.
const NO_EVENT: &str = "1000000000000.nobody";

/// What was looked at: a line each, in the order of the start.
#[derive(Debug, Default)]
pub struct Report {
    /// `ok`, `note` (works, and should be known) or `WRONG`, then what and, where something is to be done, what to do.
    pub lines: Vec<String>,
    /// How many are wrong.
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

    fn whether<T>(&mut self, what: &str, answer: Result<T, impl std::error::Error>) {
        match answer {
            Ok(_) => self.ok(what),
            Err(error) => self.wrong(&format!("{what}: {}", chain(&error))),
        }
    }
}

/// Looks at everything, however much of it is wrong. The providers are asked for what is free: a model's name, a challenge
/// and an event that do not exist, and the browser's credentials, which are thrown away.
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
        Ok(asked) => providers(config, &asked, &mut report).await,
        Err(error) => report.wrong(&chain(&error)),
    }
    report
}

async fn pocketbase(config: &Config, report: &mut Report) {
    let client = match login(config).await {
        Ok((client, identity)) => {
            let line = format!("PocketBase login: as {}", identity_name(identity));
            let say = if identity == Identity::Superuser { Report::note } else { Report::ok };
            say(report, &line);
            client
        }
        Err(error) => return report.wrong(&chain(&error)),
    };
    match client.schema_problems().await {
        Ok(problems) if problems.is_empty() => report.ok("PocketBase schema, rules and settings"),
        Ok(problems) => problems.iter().for_each(|problem| report.wrong(problem)),
        Err(source) => report.wrong(&chain(&source)),
    }
    // The one that everybody gets who names none, even if it is not there.
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

async fn login(config: &Config) -> Result<(Client, Identity), StartError> {
    let client = client(config)?;
    let identity = client.login().await.map_err(|source| pocketbase_error(config, source))?;
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
        Err(trouble) => report.wrong(&format!("OpenAI: {}", chain(&trouble))),
    }
    let liveness = format!("AWS Face Liveness in {}", config.aws.liveness_region);
    report.whether(&liveness, providers.rekognition.session_results(&Uuid::nil().to_string()).await);
    if providers.rekognition.offers_browser_credentials() {
        let role = "AWS_BROWSER_ROLE_ARN: credentials for browsers";
        report.whether(role, providers.rekognition.browser_credentials("doctor").await);
    }
    report.whether("Fingerprint key", providers.fingerprint.event(NO_EVENT).await);
}
