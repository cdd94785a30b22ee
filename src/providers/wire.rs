//! Parts that the HTTP clients share: allowed endpoints, time limits, size limits, and the meaning
//! of a failed exchange.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::providers::error::ProviderErrorKind;

/// Longest request id that is kept.
const REQUEST_ID_CHARS_MAX: usize = 128;
/// Longest pause that a provider can ask for; the caller caps it further.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// The timeouts of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For establishing the connection, TLS included.
    pub connect: Duration,
    /// For the whole call, from the first byte sent to the last byte received.
    pub attempt: Duration,
}

impl Timeouts {
    /// Why they cannot work.
    pub(super) fn problem(self) -> Option<&'static str> {
        (self.connect.is_zero() || self.attempt.is_zero()).then_some("timeouts must be longer than zero")
    }
}

/// Why keys and documents must not be sent to `url`. Allowed are TLS, this machine, and, with
/// `allow_insecure`, any http URL.
pub(super) fn endpoint_problem(url: &Url, allow_insecure: bool) -> Option<&'static str> {
    if !url.has_host() || !url.username().is_empty() || url.password().is_some() {
        return Some("must be a URL with a host and without a login");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("must not have a query or a fragment");
    }
    match url.scheme() {
        "https" => None,
        "http" if allow_insecure || is_loopback(url) => None,
        "http" => Some("is http:// beyond this machine; use https://, or set ALLOW_INSECURE_ENDPOINTS=true in a test"),
        _ => Some("must be https://"),
    }
}

/// Whether `url` is on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// `url` as a prefix for paths, without a slash at its end.
pub(super) fn prefix(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Creates a client that follows no redirect (the key and the document would be sent along), makes
/// no retry and keeps to its timeouts.
pub(super) fn client(base: &Url, timeouts: Timeouts) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("identivia/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .https_only(base.scheme() == "https")
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.attempt);
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| format!("no HTTP client could be built (are CA certificates installed?): {error}"))
}

/// The value of `Authorization: Bearer` with `key`, or why it cannot be sent. The key is neither in
/// the message nor in `Debug`.
pub(super) fn bearer(key: &SecretString) -> Result<HeaderValue, &'static str> {
    let key = key.expose_secret();
    if key.is_empty() {
        return Err("is empty");
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err("has a line break, a blank or another character that no HTTP header can carry");
    }
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| "cannot be sent in an HTTP header")?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads a body of at most `max_bytes`.
pub(super) async fn body(mut response: reqwest::Response, max_bytes: usize) -> Result<Bytes, ProviderErrorKind> {
    const TOO_LONG: ProviderErrorKind = ProviderErrorKind::InvalidResponse("the answer is longer than any real one");
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).unwrap_or(usize::MAX) > max_bytes {
        return Err(TOO_LONG);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(TOO_LONG);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The meaning of a failed exchange.
pub(super) fn failure(error: &reqwest::Error) -> ProviderErrorKind {
    if error.is_timeout() {
        ProviderErrorKind::Timeout
    } else if error.is_connect() {
        ProviderErrorKind::Unavailable { what: "no connection to the server", retry_after: None }
    } else if error.is_builder() {
        ProviderErrorKind::Rejected("the request could not be built")
    } else {
        ProviderErrorKind::Unavailable {
            what: "the connection broke before the answer was complete",
            retry_after: None,
        }
    }
}

/// The pause that the server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date.
/// The date is measured against the response's own `date`, so this machine's clock does not matter.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = text("retry-after-ms")
        .or_else(|| text("x-amz-retry-after"))
        .and_then(|ms| ms.parse::<u64>().ok())
        .map(Duration::from_millis);
    let seconds = || {
        let seconds = text(RETRY_AFTER.as_str())?.parse::<f64>().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let date = || {
        let parse = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
        let (until, now) = (parse(text(RETRY_AFTER.as_str())?)?, parse(text(DATE.as_str())?)?);
        Duration::try_from(until.duration_since(now)).ok()
    };
    milliseconds.or_else(seconds).or_else(date).map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// The provider's id of the request, if it has the form of one.
pub(super) fn request_id(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).and_then(plain_id)
}

/// `text` if it is an id that may be logged and stored.
pub(super) fn plain_id(text: &str) -> Option<String> {
    let plain = !text.is_empty() && text.len() <= REQUEST_ID_CHARS_MAX && text.chars().all(|c| c.is_ascii_graphic());
    plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn plain_http_is_allowed_on_this_machine_only() {
        let problem = |url: &str| endpoint_problem(&Url::parse(url).unwrap(), false);
        for good in ["https://api.example.com/v1", "http://127.0.0.1:9000", "http://[::1]:9000/x", "http://localhost:1"]
        {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in [
            "http://api.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "https://key@api.example.com",
            "https://api.example.com/?key=1",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
        assert_eq!(endpoint_problem(&Url::parse("http://sandbox:9000").unwrap(), true), None);
    }

    #[test]
    fn a_pause_is_read_in_each_spelling() {
        for (pairs, expected) in [
            (vec![("retry-after", "7")], Some(7_000)),
            (vec![("retry-after", "1.5")], Some(1_500)),
            (vec![("retry-after-ms", "250"), ("retry-after", "7")], Some(250)),
            (vec![("retry-after", "999999999")], Some(3_600_000)),
            (
                vec![("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT"), ("date", "Sun, 22 Nov 2026 10:00:00 GMT")],
                Some(30_000),
            ),
            (vec![("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT")], None),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "nan")], None),
            (vec![], None),
        ] {
            assert_eq!(retry_after(&headers(&pairs)), expected.map(Duration::from_millis), "{pairs:?}");
        }
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_reported_without_the_key() {
        for key in ["", "sk-secret\n", "sk secret", "sk-sécret"] {
            let problem = bearer(&SecretString::from(key)).unwrap_err();
            assert!(!problem.contains("secret"));
        }
        assert_eq!(format!("{:?}", bearer(&SecretString::from("sk-secret")).unwrap()), "Sensitive");
    }

    #[test]
    fn an_id_with_a_blank_or_of_great_length_is_refused() {
        assert_eq!(plain_id("req_1"), Some("req_1".to_owned()));
        assert_eq!(plain_id("a b"), None);
        assert_eq!(plain_id(&"x".repeat(200)), None);
    }
}
