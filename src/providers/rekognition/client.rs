//! The client: four operations of Rekognition, and `AssumeRole` of STS.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_rekognition::config::retry::RetryConfig;
use aws_sdk_rekognition::config::{AppName, Region};
use aws_sdk_rekognition::error::ProvideErrorMetadata;
use aws_sdk_rekognition::operation::RequestId;
use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::{Attribute, CreateFaceLivenessSessionRequestSettings, Image, QualityFilter};

use crate::providers::error::{InvalidSettings, ProviderError, ProviderErrorKind};
use crate::providers::rekognition::body_limit::BodyLimit;
use crate::providers::rekognition::errors;
use crate::providers::rekognition::read::{self, BrowserCredentials};
use crate::providers::rekognition::settings::Settings;
use crate::providers::response::ProviderResponse;
use crate::providers::wire;
use crate::verification::Provider;
use crate::verification::check::Usage;
use crate::verification::faces::{Comparison, DetectedFace};
use crate::verification::rules::liveness::{SessionResult, SessionState};

/// How long AWS keeps a liveness session and its result, from its creation.
pub const SESSION_LIFETIME: Duration = Duration::from_mins(3);
/// Largest picture that AWS takes as bytes.
const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// How long a browser's credentials are valid: the shortest time that STS offers.
const BROWSER_CREDENTIALS_SECONDS: i32 = 900;
/// All that a browser may do, whatever the role allows. STS offers nothing narrower than the
/// operation.
const BROWSER_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:StartFaceLivenessSession","Resource":"*"}]}"#;
const API_VERSION: &str = "2016-06-27";

const CREATE_SESSION: &str = "CreateFaceLivenessSession";
const SESSION_RESULTS: &str = "GetFaceLivenessSessionResults";
const DETECT_FACES: &str = "DetectFaces";
const COMPARE_FACES: &str = "CompareFaces";
const ASSUME_ROLE: &str = "AssumeRole";

/// A liveness session that a browser can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSession {
    /// AWS's session id.
    pub session_id: String,
    /// Region of the session; the browser must use the same.
    pub region: String,
}

/// The client of Rekognition and STS. Clones share connections.
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

impl Rekognition {
    /// Creates a client, or lists everything that is wrong with `settings`. Does not connect yet.
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

    /// Opens a liveness session. The same `token` gives the same session, so a repeated call does
    /// not open a second one.
    pub async fn create_session(&self, token: &str) -> Result<ProviderResponse<OpenedSession>, ProviderError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if token.is_empty() || token.len() > 64 || !token.bytes().all(plain) {
            return Err(rejected(CREATE_SESSION, "the token must have 1 to 64 letters, digits, - or _"));
        }
        // No output bucket: the pictures are part of the result and are stored as protected files.
        let settings =
            CreateFaceLivenessSessionRequestSettings::builder().audit_images_limit(self.audit_images).build();
        let call = self.liveness.create_face_liveness_session().client_request_token(token).settings(settings).send();
        let output = Box::pin(call).await.map_err(|error| errors::provider_error(CREATE_SESSION, &error))?;
        let request_id = output.request_id().and_then(wire::plain_id);
        let Some(session_id) = wire::plain_id(output.session_id()) else {
            return Err(invalid(CREATE_SESSION, request_id, "the answer has no usable session id"));
        };
        let opened = OpenedSession { session_id, region: self.liveness_region.clone() };
        Ok(response(opened, request_id, &self.liveness_region))
    }

    /// Fetches the result of a session. Expired and unknown sessions are results, not errors.
    pub async fn session_results(&self, session_id: &str) -> Result<ProviderResponse<SessionResult>, ProviderError> {
        let call = self.liveness.get_face_liveness_session_results().session_id(session_id).send();
        match Box::pin(call).await {
            Ok(output) => {
                let request_id = output.request_id().and_then(wire::plain_id);
                if output.session_id() != session_id {
                    return Err(invalid(SESSION_RESULTS, request_id, "the answer is about another session"));
                }
                let result = read::session(output);
                let judged = result.state == SessionState::Succeeded && result.reference_image.is_some();
                if judged && result.confidence.is_none() {
                    return Err(invalid(SESSION_RESULTS, request_id, "the result has no confidence"));
                }
                Ok(response(result, request_id, &self.liveness_region))
            }
            Err(error) if error.code() == Some("SessionNotFoundException") => {
                let gone = SessionResult { state: SessionState::NotFound, ..SessionResult::default() };
                let request_id = error.request_id().and_then(wire::plain_id);
                Ok(response(gone, request_id, &self.liveness_region))
            }
            Err(error) => Err(errors::provider_error(SESSION_RESULTS, &error)),
        }
    }

    /// Detects the faces in a JPEG or PNG, the largest first. Does not ask for age, gender or
    /// emotions.
    pub async fn detect_faces(&self, image: &[u8]) -> Result<ProviderResponse<Vec<DetectedFace>>, ProviderError> {
        let call = self
            .faces
            .detect_faces()
            .image(picture(DETECT_FACES, image)?)
            .attributes(Attribute::Default)
            .attributes(Attribute::FaceOccluded)
            .attributes(Attribute::EyesOpen)
            .attributes(Attribute::Sunglasses)
            .send();
        let output = Box::pin(call).await.map_err(|error| errors::provider_error(DETECT_FACES, &error))?;
        let request_id = output.request_id().and_then(wire::plain_id);
        let Some(faces) = output.face_details else {
            return Err(invalid(DETECT_FACES, request_id, "the answer has no list of faces"));
        };
        Ok(response(faces.iter().map(read::face).collect(), request_id, &self.region))
    }

    /// Compares the largest face of `source` with every face of `target`.
    pub async fn compare_faces(
        &self,
        source: &[u8],
        target: &[u8],
    ) -> Result<ProviderResponse<Comparison>, ProviderError> {
        // Threshold 0, so that a low similarity is returned as a number. No quality filter: it
        // would hide faces from the count.
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
                    Some(comparison) => Ok(response(comparison, request_id, &self.region)),
                    None => Err(invalid(COMPARE_FACES, request_id, "the answer has no list of faces")),
                }
            }
            // AWS has no error of its own for "a picture without a face". Our parameters are
            // constants, so this error can mean nothing else.
            Err(error) if error.code() == Some("InvalidParameterException") => {
                let request_id = error.request_id().and_then(wire::plain_id);
                Ok(response(Comparison::NoFace, request_id, &self.region))
            }
            Err(error) => Err(errors::provider_error(COMPARE_FACES, &error)),
        }
    }

    /// Whether a role for [`Self::browser_credentials`] is configured.
    pub fn offers_browser_credentials(&self) -> bool {
        self.browser_role_arn.is_some()
    }

    /// Creates credentials for one browser, valid for the challenge alone; `None` without a
    /// configured role. AWS's audit log shows `session_name`: a record id, no personal data.
    pub async fn browser_credentials(
        &self,
        session_name: &str,
    ) -> Result<Option<ProviderResponse<BrowserCredentials>>, ProviderError> {
        let Some(role) = &self.browser_role_arn else { return Ok(None) };
        let call = self
            .sts
            .assume_role()
            .role_arn(role)
            .role_session_name(role_session_name(session_name))
            .duration_seconds(BROWSER_CREDENTIALS_SECONDS)
            .policy(BROWSER_POLICY)
            .send();
        let output = Box::pin(call).await.map_err(|error| errors::provider_error(ASSUME_ROLE, &error))?;
        let request_id = output.request_id().and_then(wire::plain_id);
        match output.credentials.as_ref().and_then(read::credentials) {
            Some(credentials) => Ok(Some(response(credentials, request_id, &self.liveness_region))),
            None => Err(invalid(ASSUME_ROLE, request_id, "the answer has no complete credentials")),
        }
    }
}

/// `name` in the form that STS takes: 2 to 64 letters, digits or `_=,.@-`.
fn role_session_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).take(55).collect();
    format!("identivia-{name}").chars().take(64).collect()
}

/// A picture for a request. One that AWS would refuse is refused here, before it is sent.
fn picture(operation: &'static str, bytes: &[u8]) -> Result<Image, ProviderError> {
    if bytes.is_empty() || bytes.len() > IMAGE_BYTES_MAX {
        return Err(rejected(operation, "the picture is empty or has more than 5 MiB"));
    }
    Ok(Image::builder().bytes(Blob::new(bytes)).build())
}

fn response<T>(value: T, request_id: Option<String>, region: &str) -> ProviderResponse<T> {
    ProviderResponse {
        value,
        request_ids: request_id.into_iter().collect(),
        usage: Usage { calls: 1, ..Usage::default() },
        model: API_VERSION.to_owned(),
        region: region.to_owned(),
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

fn invalid(operation: &'static str, request_id: Option<String>, what: &'static str) -> ProviderError {
    ProviderError {
        provider: Provider::Rekognition,
        operation,
        kind: ProviderErrorKind::InvalidResponse(what),
        request_id,
    }
}
