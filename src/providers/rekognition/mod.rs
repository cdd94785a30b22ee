//! AWS Rekognition: exactly four operations, and STS for the browser's share of a liveness challenge.
//!
//! The SDK signs and parses; it neither retries nor waits without limit here, and its endpoint comes from [`Settings`]
//! alone, never from the environment.

pub(crate) mod errors;
mod limit;
mod read;

use crate::providers::rekognition::errors as trouble;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_rekognition::config::retry::RetryConfig;
use aws_sdk_rekognition::config::timeout::TimeoutConfig;
use aws_sdk_rekognition::config::{AppName, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_rekognition::error::ProvideErrorMetadata;
use aws_sdk_rekognition::operation::RequestId;
use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::{Attribute, CreateFaceLivenessSessionRequestSettings, Image, QualityFilter};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

use self::limit::BodyLimit;
use super::wire::{self, Timeouts};
use super::{InvalidSettings, ProviderError, ProviderErrorKind, ProviderResponse};
use crate::verification::Provider;
use crate::verification::check::Usage;
use crate::verification::faces::{Comparison, DetectedFace};
use crate::verification::rules::liveness::{SessionResult, SessionState};

/// How long AWS keeps a liveness session and its result.
pub const SESSION_LIFETIME: Duration = Duration::from_mins(3);
/// Largest picture AWS takes as bytes.
pub const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Timeouts that suit it: two pictures of 5 MiB go out.
pub const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(20) };
/// How long a browser's credentials live: the shortest that STS gives.
const BROWSER_CREDENTIALS_SECONDS: i32 = 900;
/// All that a browser may do, whatever the role allows. STS knows nothing narrower than the operation.
const BROWSER_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:StartFaceLivenessSession","Resource":"*"}]}"#;
const API_VERSION: &str = "2016-06-27";

const CREATE_SESSION: &str = "CreateFaceLivenessSession";
const SESSION_RESULTS: &str = "GetFaceLivenessSessionResults";
const DETECT_FACES: &str = "DetectFaces";
const COMPARE_FACES: &str = "CompareFaces";
const ASSUME_ROLE: &str = "AssumeRole";

/// How to reach it.
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
    /// Pictures beside the reference image that AWS shall keep for reviewers, 0 to 4.
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
    /// `AWS_SESSION_TOKEN`, with temporary keys.
    pub session_token: Option<SecretString>,
}

/// A liveness session that a browser can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSession {
    /// AWS's session id.
    pub session_id: String,
    /// Where it lives; the browser must use the same.
    pub region: String,
}

/// What a browser needs to take the challenge. Not to be stored, logged or cached.
#[derive(Debug, Clone)]
pub struct BrowserCredentials {
    /// Not secret by itself.
    pub access_key_id: String,
    /// Secret.
    pub secret_access_key: SecretString,
    /// Secret; without it the other two are useless.
    pub session_token: SecretString,
    /// Until when they work.
    pub expires_at: Timestamp,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Rekognition {
    faces: aws_sdk_rekognition::Client,
    liveness: aws_sdk_rekognition::Client,
    sts: aws_sdk_sts::Client,
    region: String,
    liveness_region: String,
    audit_images: i32,
    browser_role_arn: Option<String>,
}

impl Settings {
    fn problems(&self) -> Vec<String> {
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
                problems.push(format!("{name} is empty or has a line break, a blank or another character no key has"));
            }
        }
        problems
    }

    fn timeout_config(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.attempt)
            .operation_attempt_timeout(self.timeouts.attempt)
            .operation_timeout(self.timeouts.attempt)
            .build()
    }

    async fn credentials_provider(&self) -> Option<SharedCredentialsProvider> {
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

impl Rekognition {
    /// A client, or everything that is wrong with `settings`. Connects to nothing yet.
    pub async fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(InvalidSettings(problems));
        }
        let Some(credentials) = settings.credentials_provider().await else {
            return Err(InvalidSettings(vec!["AWS: no source of credentials is configured".to_owned()]));
        };
        let liveness_region = settings.liveness_region.clone().unwrap_or_else(|| settings.region.clone());
        let client = |region: &str| {
            let mut config = aws_sdk_rekognition::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new(region.to_owned()))
                .credentials_provider(credentials.clone())
                .retry_config(RetryConfig::disabled())
                .timeout_config(settings.timeout_config())
                .interceptor(BodyLimit);
            config.set_app_name(AppName::new("identivia").ok());
            config.set_endpoint_url(settings.endpoint_url.as_ref().map(wire::prefix));
            aws_sdk_rekognition::Client::from_conf(config.build())
        };
        let mut sts = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(liveness_region.clone()))
            .credentials_provider(credentials.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(settings.timeout_config())
            .interceptor(BodyLimit);
        sts.set_app_name(AppName::new("identivia").ok());
        sts.set_endpoint_url(settings.endpoint_url.as_ref().map(wire::prefix));
        Ok(Self {
            faces: client(&settings.region),
            liveness: client(&liveness_region),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            region: settings.region,
            liveness_region,
            audit_images: i32::from(settings.audit_images),
            browser_role_arn: settings.browser_role_arn,
        })
    }

    /// Opens a liveness session. The same `token` gives the same session, so a repeated call is not a second challenge.
    pub async fn create_session(&self, token: &str) -> Result<ProviderResponse<OpenedSession>, ProviderError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if token.is_empty() || token.len() > 64 || !token.bytes().all(plain) {
            return Err(rejected(CREATE_SESSION, "the token must have 1 to 64 letters, digits, - or _"));
        }
        let started = Instant::now();
        // No output bucket: the pictures come back in the answer and are stored as protected files.
        let settings =
            CreateFaceLivenessSessionRequestSettings::builder().audit_images_limit(self.audit_images).build();
        let call = self.liveness.create_face_liveness_session().client_request_token(token).settings(settings).send();
        let output = Box::pin(call).await.map_err(|error| trouble::of(CREATE_SESSION, &error))?;
        let request_id = output.request_id().and_then(wire::plain_id);
        let Some(session_id) = wire::plain_id(output.session_id()) else {
            return Err(garbage(CREATE_SESSION, request_id, "the answer has no usable session id"));
        };
        let opened = OpenedSession { session_id, region: self.liveness_region.clone() };
        Ok(answer(opened, request_id, &self.liveness_region, started))
    }

    /// What came of a session. Expired and unknown sessions are results, not errors.
    pub async fn session_results(&self, session_id: &str) -> Result<ProviderResponse<SessionResult>, ProviderError> {
        let started = Instant::now();
        let call = self.liveness.get_face_liveness_session_results().session_id(session_id).send();
        match Box::pin(call).await {
            Ok(output) => {
                let request_id = output.request_id().and_then(wire::plain_id);
                if output.session_id() != session_id {
                    return Err(garbage(SESSION_RESULTS, request_id, "the answer is about another session"));
                }
                let result = read::session(output);
                let judged = result.state == SessionState::Succeeded && result.reference_image.is_some();
                if judged && result.confidence.is_none() {
                    return Err(garbage(SESSION_RESULTS, request_id, "the result has no confidence"));
                }
                Ok(answer(result, request_id, &self.liveness_region, started))
            }
            Err(error) if error.code() == Some("SessionNotFoundException") => {
                let gone = SessionResult { state: SessionState::NotFound, ..SessionResult::default() };
                let request_id = error.request_id().and_then(wire::plain_id);
                Ok(answer(gone, request_id, &self.liveness_region, started))
            }
            Err(error) => Err(trouble::of(SESSION_RESULTS, &error)),
        }
    }

    /// The faces in a JPEG or PNG, the largest first. Neither age nor gender nor emotions are asked for.
    pub async fn detect_faces(&self, image: &[u8]) -> Result<ProviderResponse<Vec<DetectedFace>>, ProviderError> {
        let started = Instant::now();
        let call = self
            .faces
            .detect_faces()
            .image(picture(DETECT_FACES, image)?)
            .attributes(Attribute::Default)
            .attributes(Attribute::FaceOccluded)
            .attributes(Attribute::EyesOpen)
            .attributes(Attribute::Sunglasses)
            .send();
        let output = Box::pin(call).await.map_err(|error| trouble::of(DETECT_FACES, &error))?;
        let request_id = output.request_id().and_then(wire::plain_id);
        let Some(faces) = output.face_details else {
            return Err(garbage(DETECT_FACES, request_id, "the answer has no list of faces"));
        };
        Ok(answer(faces.iter().map(read::face).collect(), request_id, &self.region, started))
    }

    /// The largest face of `source` against every face of `target`.
    pub async fn compare_faces(
        &self,
        source: &[u8],
        target: &[u8],
    ) -> Result<ProviderResponse<Comparison>, ProviderError> {
        let started = Instant::now();
        // Threshold 0 so that a low similarity is told as a number; no filter, which would hide faces from the count.
        let call = self
            .faces
            .compare_faces()
            .source_image(picture(COMPARE_FACES, source)?)
            .target_image(picture(COMPARE_FACES, target)?)
            .similarity_threshold(0.0)
            .quality_filter(QualityFilter::None)
            .send();
        match Box::pin(call).await {
            Ok(output) => {
                let request_id = output.request_id().and_then(wire::plain_id);
                match read::comparison(&output) {
                    Some(comparison) => Ok(answer(comparison, request_id, &self.region, started)),
                    None => Err(garbage(COMPARE_FACES, request_id, "the answer has no list of faces")),
                }
            }
            // AWS has no word of its own for "a picture without a face"; our parameters are constants, so it can mean
            // nothing else.
            Err(error) if error.code() == Some("InvalidParameterException") => {
                let request_id = error.request_id().and_then(wire::plain_id);
                Ok(answer(Comparison::NoFace, request_id, &self.region, started))
            }
            Err(error) => Err(trouble::of(COMPARE_FACES, &error)),
        }
    }

    /// Whether [`Self::browser_credentials`] can give any.
    pub fn offers_browser_credentials(&self) -> bool {
        self.browser_role_arn.is_some()
    }

    /// Credentials for one browser, good for the challenge alone; `None` without a configured role. `session_name` is
    /// what AWS's audit log shows: a record id, no personal data.
    pub async fn browser_credentials(
        &self,
        session_name: &str,
    ) -> Result<Option<ProviderResponse<BrowserCredentials>>, ProviderError> {
        let Some(role) = &self.browser_role_arn else { return Ok(None) };
        let started = Instant::now();
        let call = self
            .sts
            .assume_role()
            .role_arn(role)
            .role_session_name(role_session_name(session_name))
            .duration_seconds(BROWSER_CREDENTIALS_SECONDS)
            .policy(BROWSER_POLICY)
            .send();
        let output = Box::pin(call).await.map_err(|error| trouble::of(ASSUME_ROLE, &error))?;
        let request_id = output.request_id().and_then(wire::plain_id);
        match output.credentials.as_ref().and_then(read::credentials) {
            Some(credentials) => Ok(Some(answer(credentials, request_id, &self.liveness_region, started))),
            None => Err(garbage(ASSUME_ROLE, request_id, "the answer has no complete credentials")),
        }
    }
}

/// `name` as STS takes it: 2 to 64 letters, digits or `_=,.@-`.
fn role_session_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).take(55).collect();
    format!("identivia-{name}").chars().take(64).collect()
}

/// A picture that AWS can take at all, refused here rather than after an upload.
fn picture(operation: &'static str, bytes: &[u8]) -> Result<Image, ProviderError> {
    if bytes.is_empty() || bytes.len() > IMAGE_BYTES_MAX {
        return Err(rejected(operation, "the picture is empty or has more than 5 MiB"));
    }
    Ok(Image::builder().bytes(Blob::new(bytes)).build())
}

fn answer<T>(value: T, request_id: Option<String>, region: &str, started: Instant) -> ProviderResponse<T> {
    ProviderResponse {
        value,
        request_ids: request_id.into_iter().collect(),
        usage: Usage { calls: 1, ..Usage::default() },
        model: API_VERSION.to_owned(),
        region: region.to_owned(),
        duration: started.elapsed(),
    }
}

fn rejected(operation: &'static str, what: &'static str) -> ProviderError {
    ProviderError {
        provider: Provider::Rekognition,
        operation,
        kind: ProviderErrorKind::Rejected(what),
        request_id: None,
    }
}

fn garbage(operation: &'static str, request_id: Option<String>, what: &'static str) -> ProviderError {
    ProviderError {
        provider: Provider::Rekognition,
        operation,
        kind: ProviderErrorKind::InvalidResponse(what),
        request_id,
    }
}
