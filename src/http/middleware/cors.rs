//! CORS: browser pages may call from exactly the configured origins, compared as a whole, never
//! `*`.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

/// Request headers that pages may send. `X-API-Key` is for back-office pages that hold a key of
/// their own.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-none-match, prefer, x-api-key, x-request-id",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
/// Response headers that pages may read.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, idempotent-replayed, location, preference-applied, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
/// Seconds for which a browser may cache the answer to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Origins of the pages that may call.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Takes the origins of `urls`: scheme, host and port of each, as browsers write them; the path
    /// does not matter. Leaves out what is not an http(s) URL; the configuration rejects it before.
    pub fn new(urls: &[String]) -> Self {
        let origin = |url: &String| {
            let url = Url::parse(url.trim()).ok()?;
            matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
        };
        Self(urls.iter().filter_map(origin).collect())
    }

    /// Adds to `answer` the headers that let the page read it, if the origin in `request` may call.
    pub fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.matching(request) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }

    /// Returns the headers of the answer to a preflight, in addition to those of [`Self::allow`];
    /// none for another origin.
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

/// Whether an OPTIONS request with these headers is a browser's preflight.
pub fn is_preflight(request: &HeaderMap) -> bool {
    request.contains_key(header::ORIGIN) && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_matches_only_as_a_whole() {
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
    fn two_origin_headers_match_no_origin() {
        let origins = Origins::new(&["https://a.test".to_owned()]);
        let mut request = HeaderMap::new();
        request.append(header::ORIGIN, HeaderValue::from_static("https://a.test"));
        request.append(header::ORIGIN, HeaderValue::from_static("https://b.test"));
        assert!(origins.matching(&request).is_none());
    }

    #[test]
    fn urls_without_an_origin_allow_no_page() {
        let origins = Origins::new(&["*".to_owned(), "data:text/html,x".to_owned(), "file:///etc".to_owned()]);
        let mut request = HeaderMap::new();
        for origin in ["*", "null", "file://"] {
            request.insert(header::ORIGIN, HeaderValue::from_static(origin));
            assert!(origins.matching(&request).is_none());
        }
    }
}
