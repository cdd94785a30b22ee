//! Authentication: a server with an API key, or a person's browser with a `PocketBase` token.

use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::pocketbase::records::StoredVerification;

/// A caller with valid credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A server of the operator or of a partner.
    Server {
        /// Index of its key, from 0; logs and limits need no more than the number.
        key: usize,
    },
    /// A person being verified.
    Person {
        /// Id of the person's `users` record.
        user: String,
    },
}

impl Caller {
    /// Whether the caller may see `verification`. A verification that it may not see is answered
    /// like one that does not exist.
    pub fn may_see(&self, verification: &StoredVerification) -> bool {
        self.may_see_user(&verification.user)
    }

    /// Whether the caller may see verifications of the `users` record `owner`.
    pub fn may_see_user(&self, owner: &str) -> bool {
        match self {
            Self::Server { .. } => true,
            Self::Person { user } => !user.is_empty() && user == owner,
        }
    }
}

/// The accepted API keys, as hashes, so that all comparisons have the same length.
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// Hashes `keys`; an empty key is never accepted.
    pub fn new(keys: &[SecretString]) -> Self {
        Self(
            keys.iter()
                .map(ExposeSecret::expose_secret)
                .filter(|k| !k.is_empty())
                .map(|k| hash(k.as_bytes()))
                .collect(),
        )
    }

    /// Returns the index of the key `sent`. Takes the same time for every wrong key: it compares
    /// all keys, and all bytes of each.
    pub fn find(&self, sent: &[u8]) -> Option<usize> {
        let sent = hash(sent);
        let mut found = None;
        for (index, key) in self.0.iter().enumerate() {
            let equal: Choice = key.ct_eq(&sent);
            if bool::from(equal) {
                found = found.or(Some(index));
            }
        }
        found
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Credentials that a request sent, not verified yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials<'h> {
    /// The request sent no credentials.
    None,
    /// A possible API key.
    Key(&'h [u8]),
    /// A possible `PocketBase` token of a person.
    Token(&'h str),
    /// Credentials that can never be valid.
    Unusable,
}

/// Longest token that is sent to `PocketBase`; its own have about 250 characters.
const TOKEN_MAX: usize = 4096;

/// Reads the credentials in `headers`. A key takes precedence over a token, so a valid token does
/// not rescue a wrong key.
pub fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let mut keys = headers.get_all("x-api-key").iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => return Credentials::Key(key.as_bytes()),
        (Some(_), Some(_)) => return Credentials::Unusable,
        (None, _) => {}
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Credentials::None };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if is_jwt(token) => Credentials::Token(token),
        _ => Credentials::Unusable,
    }
}

/// Whether `token` has three base64url parts. Nothing else can be a `PocketBase` token, so nothing
/// else is sent there.
fn is_jwt(token: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    token.len() <= TOKEN_MAX && token.split('.').count() == 3 && token.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_whole_keys_are_accepted() {
        let keys = Keys::new(&["first-key-of-ours".into(), "second-key-of-ours".into(), "".into()]);
        assert_eq!(keys.find(b"first-key-of-ours"), Some(0));
        assert_eq!(keys.find(b"second-key-of-ours"), Some(1));
        for wrong in ["", "first", "first-key-of-ours ", "FIRST-KEY-OF-OURS", "first-key-of-ours,second-key-of-ours"] {
            assert_eq!(keys.find(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(Keys::new(&[]).find(b""), None);
    }

    #[test]
    fn each_kind_of_credentials_is_recognized() {
        let with = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        assert_eq!(credentials(&HeaderMap::new()), Credentials::None);
        assert_eq!(credentials(&with("x-api-key", "k")), Credentials::Key(b"k"));
        assert_eq!(credentials(&with("authorization", "Bearer a.b.c")), Credentials::Token("a.b.c"));
        assert_eq!(credentials(&with("authorization", "bearer a.b.c")), Credentials::Token("a.b.c"));
        for unusable in
            ["a.b.c", "Basic dXNlcjpwdw==", "Bearer", "Bearer ", "Bearer a.b", "Bearer a.b.c d", "Bearer a.b./"]
        {
            assert_eq!(credentials(&with("authorization", unusable)), Credentials::Unusable, "{unusable:?}");
        }
        let mut both = with("authorization", "Bearer a.b.c");
        both.insert("x-api-key", HeaderValue::from_static("wrong"));
        assert_eq!(credentials(&both), Credentials::Key(b"wrong"));
        both.append("x-api-key", HeaderValue::from_static("right"));
        assert_eq!(credentials(&both), Credentials::Unusable);
    }
}
