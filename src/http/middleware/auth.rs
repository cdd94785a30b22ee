//! Who is calling: a server with an API key, or the browser of a person with their `PocketBase` token.

use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::pocketbase::records::StoredVerification;

/// A caller whose credentials are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A server of the operator's or of a partner.
    Server {
        /// Which key it holds, counted from 0; a number is all that logs and limits need.
        key: usize,
    },
    /// A person being verified.
    Person {
        /// Id of their `users` record.
        user: String,
    },
}

impl Caller {
    /// Whether `verification` may be shown to the caller. What may not be is not there at all.
    pub fn may_see(&self, verification: &StoredVerification) -> bool {
        self.may_see_of(&verification.user)
    }

    /// The same for a verification of `owner`, a `users` record.
    pub fn may_see_of(&self, owner: &str) -> bool {
        match self {
            Self::Server { .. } => true,
            Self::Person { user } => !user.is_empty() && user == owner,
        }
    }
}

/// The accepted API keys. Only their hashes are kept, so every comparison has the same length.
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// The given keys; an empty one is never accepted.
    pub fn new(keys: &[SecretString]) -> Self {
        Self(
            keys.iter()
                .map(ExposeSecret::expose_secret)
                .filter(|k| !k.is_empty())
                .map(|k| hash(k.as_bytes()))
                .collect(),
        )
    }

    /// Which key `presented` is. Takes the same time for every wrong one: all keys are compared, all bytes of each.
    pub fn find(&self, presented: &[u8]) -> Option<usize> {
        let presented = hash(presented);
        let mut found = None;
        for (index, key) in self.0.iter().enumerate() {
            let equal: Choice = key.ct_eq(&presented);
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

/// What a request shows, not judged yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented<'h> {
    /// Nothing.
    Nothing,
    /// An API key.
    Key(&'h [u8]),
    /// A token that may be a person's.
    Token(&'h str),
    /// Something that can never be valid.
    Unusable,
}

/// Longest token worth asking `PocketBase` about; its own are about 250 characters.
const TOKEN_MAX: usize = 4096;

/// What `headers` show. A key outranks a token, and a wrong key is not made good by a token.
pub fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut keys = headers.get_all("x-api-key").iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => return Presented::Key(key.as_bytes()),
        (Some(_), Some(_)) => return Presented::Unusable,
        (None, _) => {}
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Presented::Nothing };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if is_jwt(token) => Presented::Token(token),
        _ => Presented::Unusable,
    }
}

/// Three base64url parts: nothing else can be a token of `PocketBase`, and nothing else is sent there.
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
    fn each_key_is_found_and_nothing_else() {
        let keys = Keys::new(&["first-key-of-ours".into(), "second-key-of-ours".into(), "".into()]);
        assert_eq!(keys.find(b"first-key-of-ours"), Some(0));
        assert_eq!(keys.find(b"second-key-of-ours"), Some(1));
        for wrong in ["", "first", "first-key-of-ours ", "FIRST-KEY-OF-OURS", "first-key-of-ours,second-key-of-ours"] {
            assert_eq!(keys.find(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(Keys::new(&[]).find(b""), None);
    }

    #[test]
    fn credentials_are_told_apart() {
        let with = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        assert_eq!(presented(&HeaderMap::new()), Presented::Nothing);
        assert_eq!(presented(&with("x-api-key", "k")), Presented::Key(b"k"));
        assert_eq!(presented(&with("authorization", "Bearer a.b.c")), Presented::Token("a.b.c"));
        assert_eq!(presented(&with("authorization", "bearer a.b.c")), Presented::Token("a.b.c"));
        for unusable in
            ["a.b.c", "Basic dXNlcjpwdw==", "Bearer", "Bearer ", "Bearer a.b", "Bearer a.b.c d", "Bearer a.b./"]
        {
            assert_eq!(presented(&with("authorization", unusable)), Presented::Unusable, "{unusable:?}");
        }
        let mut both = with("authorization", "Bearer a.b.c");
        both.insert("x-api-key", HeaderValue::from_static("wrong"));
        assert_eq!(presented(&both), Presented::Key(b"wrong"));
        both.append("x-api-key", HeaderValue::from_static("right"));
        assert_eq!(presented(&both), Presented::Unusable);
    }
}
