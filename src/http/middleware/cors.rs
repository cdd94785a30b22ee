//! Which browser pages may call: exactly the configured origins, compared whole, never `*`.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

/// Headers that pages may send. `X-API-Key` is among them for back-office pages that hold a key of their own.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-none-match, prefer, x-api-key, x-request-id",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
/// Headers of ours that pages may read.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, idempotent-replayed, location, preference-applied, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
/// Seconds a browser may keep a preflight's answer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins that may call.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The origins of `urls`: scheme, host and port of each, as browsers spell them (a path or final slash does not matter).
    /// What is no http(s) URL is left out; configuration refuses it before.
    pub fn new(urls: &[String]) -> Self {
        let origin = |url: &String| {
            let url = Url::parse(url.trim()).ok()?;
            matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
        };
        Self(urls.iter().filter_map(origin).collect())
    }

    /// Adds to `answer` what lets the page that sent `request` headers read it, if it may.
    pub fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.matching(request) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }

    /// The headers of the answer to a preflight (beside those of [`Self::allow`]): none for a foreign page.
    pub fn preflight(&self, request: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        if self.matching(request).is_none() {
            return Vec::new();
        }
        vec![
            (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ]
    }

    fn matching(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let mut sent = request.get_all(header::ORIGIN).iter();
        let (origin, None) = (sent.next()?, sent.next()) else { return None };
        self.0.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }
}

/// Whether an OPTIONS request with these headers is a browser asking what it may do.
pub fn is_preflight(request: &HeaderMap) -> bool {
    request.contains_key(header::ORIGIN) && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_match() {
        let origins = Origins::new(&["https://app.example.org/".to_owned(), "http://localhost:5173/start".to_owned()]);
        let cases = [
            ("https://app.example.org", true),
            ("http://localhost:5173", true),
            ("http://app.example.org", false),
            ("https://app.example.org:8443", false),
            ("https://app.example.org.evil.test", false),
            ("https://evil-app.example.org", false),
            ("https://example.org", false),
            ("https://APP.example.org", false),
            ("https://app.example.org/", false),
            ("http://localhost", false),
            ("null", false),
            ("*", false),
            ("", false),
        ];
        for (origin, allowed) in cases {
            let mut request = HeaderMap::new();
            request.insert(header::ORIGIN, HeaderValue::from_str(origin).expect("header"));
            let mut answer = HeaderMap::new();
            origins.allow(&request, &mut answer);
            assert_eq!(answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some(), allowed, "{origin:?}");
            assert_eq!(answer[header::VARY], "Origin");
            assert_eq!(origins.preflight(&request).is_empty(), !allowed, "{origin:?}");
        }
    }

    #[test]
    fn two_origin_headers_match_nothing() {
        let origins = Origins::new(&["https://a.test".to_owned()]);
        let mut request = HeaderMap::new();
        request.append(header::ORIGIN, HeaderValue::from_static("https://a.test"));
        request.append(header::ORIGIN, HeaderValue::from_static("https://b.test"));
        assert!(origins.matching(&request).is_none());
    }

    #[test]
    fn addresses_that_are_no_origins_let_nobody_in() {
        let origins = Origins::new(&["*".to_owned(), "data:text/html,x".to_owned(), "file:///etc".to_owned()]);
        let mut request = HeaderMap::new();
        for origin in ["*", "null", "file://"] {
            request.insert(header::ORIGIN, HeaderValue::from_static(origin));
            assert!(origins.matching(&request).is_none());
        }
    }
}
