//! Errors of a call.

use reqwest::Response;
use serde_json::Value;

use crate::providers::error::ProviderErrorKind;
use crate::providers::wire;
use crate::verification::rules::device::DeviceEvent;

/// Largest error body that is read.
const ERROR_BYTES_MAX: usize = 16 * 1024;

/// The meaning of a response other than 200. Of its body only known codes are used.
pub(super) async fn refusal(response: Response) -> Result<Option<DeviceEvent>, ProviderErrorKind> {
    let status = response.status();
    let retry_after = wire::retry_after(response.headers());
    // An error whose body cannot be read is still an error with a status.
    let body = wire::body(response, ERROR_BYTES_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    Err(match (status.as_u16(), code) {
        // The only thing in the request that varies is the event id.
        (404, "event_not_found") | (400, "request_cannot_be_parsed") => return Ok(None),
        (404 | 405, _) => {
            ProviderErrorKind::Misconfigured("the server is not the Fingerprint API v4: check FINGERPRINT_BASE_URL")
        }
        (_, "wrong_region") => {
            ProviderErrorKind::Misconfigured("the key belongs to another region: set FINGERPRINT_REGION")
        }
        (_, "subscription_not_active") => {
            ProviderErrorKind::Misconfigured("the Fingerprint subscription is not active")
        }
        (_, "feature_not_enabled") => {
            ProviderErrorKind::Misconfigured("the Fingerprint plan does not include the Server API")
        }
        (401 | 403, _) => ProviderErrorKind::Credentials("the key was refused: check FINGERPRINT_SECRET_KEY"),
        (429, _) => ProviderErrorKind::Throttled { retry_after },
        (409, _) => ProviderErrorKind::Unavailable { what: "the event is not ready yet", retry_after },
        (408 | 425, _) => ProviderErrorKind::Unavailable { what: "the server gave up waiting", retry_after },
        (300..=399, _) => {
            ProviderErrorKind::Misconfigured("the server redirects, which is not followed: check FINGERPRINT_BASE_URL")
        }
        (500..=599, _) => ProviderErrorKind::Unavailable { what: "the server failed", retry_after },
        (400..=499, _) => ProviderErrorKind::Rejected("the request was refused"),
        (_, _) => ProviderErrorKind::InvalidResponse("the answer has an unexpected status"),
    })
}
