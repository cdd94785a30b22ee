//! `Idempotency-Key`: the same request twice makes one verification.
//!
//! The key's hash is stored on the verification in the write that creates it, under a unique index; so a key holds for
//! ever, over restarts and over any number of facades. What is kept here is only which keys are under way in this one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::auth::Caller;
use super::problem::{FieldError, Problem, Result};
use crate::verification::journal;

const HEADER: &str = "idempotency-key";
const LENGTH_MAX: usize = 255;

/// What is stored of a key and of its request: hashes, in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the key, for the caller and the route it was used with.
    pub key: String,
    /// Of the body's meaning: spaces and the order of names do not count.
    pub request: String,
}

impl Fingerprint {
    /// The fingerprint of a request with `body` by `caller`, if it has a key.
    ///
    /// All API keys are one caller: they are exchanged for each other when they are rotated, and a retry after that must
    /// not start a second verification.
    pub fn new(headers: &HeaderMap, caller: &Caller, route: &str, body: &Value) -> Result<Option<Self>> {
        let Some(key) = key(headers)? else { return Ok(None) };
        let caller = match caller {
            Caller::Server { .. } => "server",
            Caller::Person { user } => user,
        };
        let key = hex::encode(Sha256::digest(format!("{caller}\n{route}\n{key}")));
        Ok(Some(Self { key, request: journal::digest(body) }))
    }
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

/// Keys whose requests are being handled now. As many as there are connections, at most.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<String>>>);

impl InFlight {
    /// Marks `key`; `None` when it is marked already.
    pub fn enter(&self, key: &str) -> Option<Mark> {
        // No code that can panic runs under the lock.
        let entered = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        entered.then(|| Mark { keys: self.clone(), key: key.to_owned() })
    }
}

/// A key's mark, gone when dropped.
#[derive(Debug)]
pub struct Mark {
    keys: InFlight,
    key: String,
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn fingerprint(key: &str, caller: &Caller, body: &Value) -> Result<Option<Fingerprint>> {
        let value = HeaderValue::from_str(key).expect("header");
        let headers = HeaderMap::from_iter([(HeaderName::from_static(HEADER), value)]);
        Fingerprint::new(&headers, caller, "/api/v1/verify", body)
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
    fn unusable_keys_are_named() {
        for wrong in ["", "\"\"", &"k".repeat(256)] {
            assert!(fingerprint(wrong, &SERVER, &json!({})).is_err(), "{wrong:?}");
        }
        assert_eq!(Fingerprint::new(&HeaderMap::new(), &SERVER, "/", &json!({})), Ok(None));
    }

    #[test]
    fn a_key_is_in_flight_until_its_request_ends() {
        let keys = InFlight::default();
        let mark = keys.enter("k").expect("free");
        assert!(keys.enter("k").is_none());
        assert!(keys.enter("other").is_some());
        drop(mark);
        assert!(keys.enter("k").is_some());
    }
}
