//! Fingerprint: key, region and endpoint.

use secrecy::SecretString;
use url::Url;

use super::parsers::{self, one_of};
use super::reader::Reader;
use super::setting::{Setting, optional, required};

pub const SECRET_KEY: Setting<SecretString> =
    required("FINGERPRINT_SECRET_KEY", "Fingerprint Server API secret key", parsers::secret);
pub const REGION: Setting<String> =
    optional("FINGERPRINT_REGION", "us", "Region of the workspace: us, eu or ap", |text| {
        one_of(text, &["us", "eu", "ap"])
    });
pub const BASE_URL: Setting<Option<Url>> =
    optional("FINGERPRINT_BASE_URL", "", "Another endpoint for Fingerprint (sandbox)", parsers::opt_url);

/// Settings of Fingerprint.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// Secret key of the Server API.
    pub secret_key: SecretString,
    /// `us`, `eu` or `ap`.
    pub region: String,
    /// Endpoint other than the region's own.
    pub base_url: Option<Url>,
}

impl Fingerprint {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let (secret_key, region, base_url) = (reader.get(&SECRET_KEY), reader.get(&REGION), reader.get(&BASE_URL));
        Some(Self { secret_key: secret_key?, region: region?, base_url: base_url? })
    }
}
