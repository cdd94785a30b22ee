//! `Idempotency-Key`: a request that is sent twice creates one verification.
//!
//! The write that creates a verification also stores the key's hash on it, under a unique index. So
//! a key never expires, and it holds across restarts and across any number of facades. A facade
//! itself remembers only the keys whose requests it is handling.
//!
//! The values of a request can be guessed: a name, a date of birth, a document number. With
//! `HASH_KEY` both hashes are keyed, so a reader of the records cannot test a guess. The price:
//! after a change of `HASH_KEY`, every key counts as new.

use http::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::auth::Caller;
use crate::base::keyed_hash;
use crate::http::api::problem::{FieldError, Problem, Result};
use crate::verification::journal::chain;

const HEADER: &str = "idempotency-key";
const LENGTH_MAX: usize = 255;

/// Purposes of the hashes, so that the same text hashed for another purpose gives another hash.
const OF_KEYS: &str = "identivia/idempotency-key/1\0";
const OF_REQUESTS: &str = "identivia/idempotency-request/1\0";

/// Hashes of a key and of its request in hex, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHashes {
    /// Hash of the key together with its caller and route.
    pub key: String,
    /// Hash of the body's canonical form: white space and the order of names do not matter.
    pub request: String,
}

impl RequestHashes {
    /// Computes the hashes of a request with `body` by `caller`, if it has a key. They are keyed
    /// with `secret` if the operator configured one.
    ///
    /// All API keys count as one caller: a retry after a key rotation must not start a second
    /// verification.
    pub fn new(
        headers: &HeaderMap,
        caller: &Caller,
        route: &str,
        body: &Value,
        secret: Option<&SecretString>,
    ) -> Result<Option<Self>> {
        let Some(key) = key(headers)? else { return Ok(None) };
        let caller = match caller {
            Caller::Server { .. } => "server",
            Caller::Person { user } => user,
        };
        Ok(Some(Self {
            key: hash(secret, OF_KEYS, &format!("{caller}\n{route}\n{key}")),
            request: hash(secret, OF_REQUESTS, &chain::canonical(body)),
        }))
    }
}

fn hash(secret: Option<&SecretString>, purpose: &str, text: &str) -> String {
    secret.map_or_else(|| hex::encode(Sha256::digest(text)), |secret| keyed_hash::hex(secret, purpose, text))
}

/// Reads the key: a structured-field string, or the same without quotes, as many clients send it.
fn key(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value
        .to_str()
        .ok()
        .map(str::trim)
        .map(|key| key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key));
    match key {
        Some(key) if !key.is_empty() && key.len() <= LENGTH_MAX && values.next().is_none() => Ok(Some(key)),
        _ => Err(Problem::invalid(vec![FieldError::parameter(
            "Idempotency-Key",
            format!("must be one string of 1 to {LENGTH_MAX} printable ASCII characters"),
        )])),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn hashes_of(key: &str, caller: &Caller, body: &Value) -> Result<Option<RequestHashes>> {
        under(Some("a-key-of-the-operator"), key, caller, body)
    }

    fn under(secret: Option<&str>, key: &str, caller: &Caller, body: &Value) -> Result<Option<RequestHashes>> {
        let value = HeaderValue::from_str(key).expect("header");
        let headers = HeaderMap::from_iter([(HeaderName::from_static(HEADER), value)]);
        let secret = secret.map(SecretString::from);
        RequestHashes::new(&headers, caller, "/api/v1/verify", body, secret.as_ref())
    }

    const SERVER: Caller = Caller::Server { key: 0 };

    #[test]
    fn a_key_is_the_same_quoted_or_not_and_for_every_api_key() {
        let body = json!({ "a": 1, "b": [2] });
        let one = hashes_of("\"k-1\"", &SERVER, &body).expect("valid").expect("there");
        let two = hashes_of("k-1", &Caller::Server { key: 1 }, &json!({ "b": [2], "a": 1 })).expect("valid");
        assert_eq!(two, Some(one.clone()));
        assert_eq!(one.key.len(), 64);
    }

    #[test]
    fn another_caller_key_or_body_has_other_hashes() {
        let body = json!({});
        let base = hashes_of("k", &SERVER, &body).expect("valid").expect("there");
        let person = Caller::Person { user: "u".to_owned() };
        assert_ne!(hashes_of("k", &person, &body).expect("valid").expect("there").key, base.key);
        assert_ne!(hashes_of("K", &SERVER, &body).expect("valid").expect("there").key, base.key);
        let other = hashes_of("k", &SERVER, &json!({ "x": null })).expect("valid").expect("there");
        assert_eq!(other.key, base.key);
        assert_ne!(other.request, base.request);
    }

    #[test]
    fn with_a_hash_key_only_its_holder_can_compute_the_hashes() {
        let body = json!({ "declared": { "date_of_birth": "1974-08-12" } });
        let hashes = |secret| under(secret, "k", &SERVER, &body).expect("valid").expect("there");
        let (plain, one, other) = (hashes(None), hashes(Some("one")), hashes(Some("other")));
        assert_eq!(plain.request, chain::digest(&body), "without a hash key, a plain digest");
        for (keyed, others) in [(&one, [&plain, &other]), (&other, [&plain, &one])] {
            assert_eq!((keyed.key.len(), keyed.request.len()), (64, 64));
            assert!(others.iter().all(|them| keyed.key != them.key && keyed.request != them.request));
        }
        assert_eq!(one, hashes(Some("one")));
    }

    #[test]
    fn unusable_keys_are_rejected() {
        for wrong in ["", "\"\"", &"k".repeat(256)] {
            assert!(hashes_of(wrong, &SERVER, &json!({})).is_err(), "{wrong:?}");
        }
        assert_eq!(RequestHashes::new(&HeaderMap::new(), &SERVER, "/", &json!({}), None), Ok(None));
    }
}
