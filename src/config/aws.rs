//! AWS Rekognition: regions, credentials and endpoint.

use secrecy::SecretString;
use url::Url;

use super::parsers::{self, unless_empty};
use super::reader::Reader;
use super::setting::{Setting, optional, required};

pub const REGION: Setting<String> = required("AWS_REGION", "Region for DetectFaces and CompareFaces", parsers::text);
pub const ACCESS_KEY_ID: Setting<String> = required("AWS_ACCESS_KEY_ID", "AWS access key id", parsers::text);
pub const SECRET_ACCESS_KEY: Setting<SecretString> =
    required("AWS_SECRET_ACCESS_KEY", "AWS secret access key", parsers::secret);
pub const SESSION_TOKEN: Setting<Option<SecretString>> =
    optional("AWS_SESSION_TOKEN", "", "Session token of temporary AWS credentials", |text| {
        unless_empty(text, |text| Ok(SecretString::from(text)))
    });
pub const LIVENESS_REGION: Setting<Option<String>> =
    optional("AWS_LIVENESS_REGION", "", "Region of Face Liveness if it is not AWS_REGION", parsers::opt_text);
pub const BROWSER_ROLE_ARN: Setting<Option<String>> = optional(
    "AWS_BROWSER_ROLE_ARN",
    "",
    "Role whose short-lived credentials a browser gets for the liveness challenge",
    parsers::opt_text,
);
pub const ENDPOINT_URL: Setting<Option<Url>> =
    optional("AWS_ENDPOINT_URL", "", "Another endpoint for AWS (sandbox)", parsers::opt_url);

/// Settings of AWS Rekognition.
#[derive(Debug, Clone)]
pub struct Aws {
    /// Region of `DetectFaces` and `CompareFaces`.
    pub region: String,
    /// Region of Face Liveness.
    pub liveness_region: String,
    /// Id of the access key.
    pub access_key_id: String,
    /// Secret of the access key.
    pub secret_access_key: SecretString,
    /// Set for temporary credentials only.
    pub session_token: Option<SecretString>,
    /// Role that browsers get credentials of; `None` if they get none.
    pub browser_role_arn: Option<String>,
    /// Endpoint other than AWS's own.
    pub endpoint_url: Option<Url>,
}

impl Aws {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let region = reader.get(&REGION);
        let (access_key_id, secret_access_key) = (reader.get(&ACCESS_KEY_ID), reader.get(&SECRET_ACCESS_KEY));
        let (session_token, liveness_region) = (reader.get(&SESSION_TOKEN), reader.get(&LIVENESS_REGION));
        let (browser_role_arn, endpoint_url) = (reader.get(&BROWSER_ROLE_ARN), reader.get(&ENDPOINT_URL));
        let region = region?;
        Some(Self {
            liveness_region: liveness_region?.unwrap_or_else(|| region.clone()),
            region,
            access_key_id: access_key_id?,
            secret_access_key: secret_access_key?,
            session_token: session_token?,
            browser_role_arn: browser_role_arn?,
            endpoint_url: endpoint_url?,
        })
    }
}
