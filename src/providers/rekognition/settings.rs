//! Settings of the client of AWS, and what is wrong with them.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_rekognition::config::timeout::TimeoutConfig;
use aws_sdk_rekognition::config::{Credentials, Region, SharedCredentialsProvider};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::providers::wire::{self, Timeouts};

/// Timeouts of one call: up to two pictures of 5 MiB are sent.
pub const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(15) };

/// How to reach Rekognition and STS.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Region of `DetectFaces` and `CompareFaces`.
    pub region: String,
    /// Region of Face Liveness, which exists in few; `None` for the same.
    pub liveness_region: Option<String>,
    /// Another endpoint for Rekognition and STS.
    pub endpoint_url: Option<Url>,
    /// Whether `endpoint_url` may be plain http beyond this machine.
    pub allow_insecure_endpoints: bool,
    /// Keys; `None` lets the SDK find them (web identity, container or instance role, profile).
    pub credentials: Option<StaticCredentials>,
    /// Pictures in addition to the reference image that AWS keeps for reviewers, 0 to 4.
    pub audit_images: u8,
    /// Role whose short-lived credentials a browser gets for the challenge.
    pub browser_role_arn: Option<String>,
    /// Timeouts of one call.
    pub timeouts: Timeouts,
}

/// Keys that do not change while the program runs.
#[derive(Debug, Clone)]
pub struct StaticCredentials {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: SecretString,
    /// `AWS_SESSION_TOKEN`, which belongs to temporary keys.
    pub session_token: Option<SecretString>,
}

impl Settings {
    /// Everything that is wrong, each as a sentence for an operator.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let region = |name: &str| {
            !name.is_empty()
                && name.len() <= 32
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !region(&self.region) {
            problems.push("AWS_REGION is not a region such as eu-west-1".to_owned());
        }
        if self.liveness_region.as_deref().is_some_and(|name| !region(name)) {
            problems.push("AWS_LIVENESS_REGION is not a region such as eu-west-1".to_owned());
        }
        if let Some(problem) =
            self.endpoint_url.as_ref().and_then(|url| wire::endpoint_problem(url, self.allow_insecure_endpoints))
        {
            problems.push(format!("AWS_ENDPOINT_URL {problem}"));
        }
        if let Some(problem) = self.timeouts.problem() {
            problems.push(format!("AWS: {problem}"));
        }
        if self.audit_images > 4 {
            problems.push("AWS: audit_images is above 4, the most that AWS keeps".to_owned());
        }
        if self.browser_role_arn.as_deref().is_some_and(|arn| !(arn.starts_with("arn:") && arn.contains(":role/"))) {
            problems
                .push("AWS_BROWSER_ROLE_ARN is not a role such as arn:aws:iam::123456789012:role/liveness".to_owned());
        }
        for (name, value) in self.credentials.iter().flat_map(StaticCredentials::named) {
            if value.is_empty() || !value.bytes().all(|b| b.is_ascii_graphic()) {
                problems
                    .push(format!("{name} is empty or has a line break, a blank or another character that no key has"));
            }
        }
        problems
    }

    pub(super) fn timeout_config(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.attempt)
            .operation_attempt_timeout(self.timeouts.attempt)
            .operation_timeout(self.timeouts.attempt)
            .build()
    }

    pub(super) async fn credentials_provider(&self) -> Option<SharedCredentialsProvider> {
        match &self.credentials {
            Some(keys) => Some(SharedCredentialsProvider::new(Credentials::from_keys(
                &keys.access_key_id,
                keys.secret_access_key.expose_secret(),
                keys.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
            ))),
            None => aws_config::defaults(BehaviorVersion::v2026_01_12())
                .region(Region::new(self.region.clone()))
                .load()
                .await
                .credentials_provider(),
        }
    }
}

impl StaticCredentials {
    /// The parts that are set, each with its variable.
    fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("AWS_ACCESS_KEY_ID", Some(self.access_key_id.as_str())),
            ("AWS_SECRET_ACCESS_KEY", Some(self.secret_access_key.expose_secret())),
            ("AWS_SESSION_TOKEN", self.session_token.as_ref().map(ExposeSecret::expose_secret)),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
    }
}
