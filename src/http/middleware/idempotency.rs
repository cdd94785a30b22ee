//! `Idempotency-Key`: the same request twice makes one verification.
//!
//! The key's hash is stored on the verification in the write that creates it, under a unique index; so a key holds for
//! ever, over restarts and over any number of facades. A facade itself keeps only which keys are under way in it.
//!
//! A request holds what can be tried out: a name, a day of birth, a document's number. So with `HASH_KEY` both hashes are keyed,
//! and who reads the records learns nothing by guessing. The price: under another `HASH_KEY`, every key is new.

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

/// What `HASH_KEY` is used for here, so that a hash of the same text for another purpose is another hash.
const OF_KEYS: &str = "identivia/idempotency-key/1\0";
const OF_REQUESTS: &str = "identivia/idempotency-request/1\0";

/// What is stored of a key and of its request: hashes, in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the key, for the caller and the route it was used with.
    pub key: String,
    /// Of the body's meaning: spaces and the order of names do not count.
    pub request: String,
}

impl Fingerprint {
    /// The fingerprint of a request with `body` by `caller`, if it has a key; hashed under `secret`, if the operator has one.
    ///
    /// All API keys are one caller: they are exchanged for each other when they are rotated, and a retry after that must
    /// not start a second verification.
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

/// The key itself: a structured-field string, or the same without quotes, as many clients send it.
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

    fn fingerprint(key: &str, caller: &Caller, body: &Value) -> Result<Option<Fingerprint>> {
        under(Some("a-key-of-the-operator"), key, caller, body)
    }

    fn under(secret: Option<&str>, key: &str, caller: &Caller, body: &Value) -> Result<Option<Fingerprint>> {
        let value = HeaderValue::from_str(key).expect("header");
        let headers = HeaderMap::from_iter([(HeaderName::from_static(HEADER), value)]);
        let secret = secret.map(SecretString::from);
        Fingerprint::new(&headers, caller, "/api/v1/verify", body, secret.as_ref())
    }

    const SERVER: Caller = Caller::Server { key: 0 };

    #[test]
    fn a_key_is_the_same_quoted_or_not_and_for_every_api_key() {
        let body = json!({ "a": 1, "b": [2] });
        let one = fingerprint("\"k-1\"", &SERVER, &body).expect("valid").expect("there");
        let two = fingerprint("k-1", &Caller::Server { key: 1 }, &json!({ "b": [2], "a": 1 })).expect("valid");
        assert_eq!(two, Some(one.clone()));
        assert_eq!(one.key.len(), 64);
    }

    #[test]
    fn callers_keys_and_bodies_are_told_apart() {
        let body = json!({});
        let base = fingerprint("k", &SERVER, &body).expect("valid").expect("there");
        let person = Caller::Person { user: "u".to_owned() };
        assert_ne!(fingerprint("k", &person, &body).expect("valid").expect("there").key, base.key);
        assert_ne!(fingerprint("K", &SERVER, &body).expect("valid").expect("there").key, base.key);
        let other = fingerprint("k", &SERVER, &json!({ "x": null })).expect("valid").expect("there");
        assert_eq!(other.key, base.key);
        assert_ne!(other.request, base.request);
    }

    #[test]
    fn with_a_key_of_the_operator_nobody_else_can_make_the_hashes() {
        let body = json!({ "declared": { "date_of_birth": "1974-08-12" } });
        let hashes = |secret| under(secret, "k", &SERVER, &body).expect("valid").expect("there");
        let (plain, one, other) = (hashes(None), hashes(Some("one")), hashes(Some("other")));
        assert_eq!(plain.request, chain::digest(&body), "without one, as anybody could");
        for (keyed, others) in [(&one, [&plain, &other]), (&other, [&plain, &one])] {
            assert_eq!((keyed.key.len(), keyed.request.len()), (64, 64));
            assert!(others.iter().all(|them| keyed.key != them.key && keyed.request != them.request));
        }
        assert_eq!(one, hashes(Some("one")));
    }

    #[test]
    fn unusable_keys_are_named() {
        for wrong in ["", "\"\"", &"k".repeat(256)] {
            assert!(fingerprint(wrong, &SERVER, &json!({})).is_err(), "{wrong:?}");
        }
        assert_eq!(Fingerprint::new(&HeaderMap::new(), &SERVER, "/", &json!({}), None), Ok(None));
    }
}
