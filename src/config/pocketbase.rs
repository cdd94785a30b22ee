//! Where `PocketBase` is, and the service's account there.

use secrecy::SecretString;
use url::Url;

use super::parsers;
use super::reader::Reader;
use super::setting::{Setting, required};

pub const URL: Setting<Url> =
    required("POCKETBASE_URL", "Internal URL of PocketBase, e.g. http://pocketbase:8090", parsers::url);
pub const EMAIL: Setting<String> =
    required("PB_USER_EMAIL", "E-mail of the service account (collection `services`) or of a superuser", parsers::text);
pub const PASSWORD: Setting<SecretString> = required("PB_USER_PASSWORD", "Password of that account", parsers::secret);

/// Where `PocketBase` is, and the service's account there.
#[derive(Debug, Clone)]
pub struct Pocketbase {
    /// Base URL; a trailing slash does not matter.
    pub url: Url,
    /// E-mail of the account.
    pub email: String,
    /// Password of the account.
    pub password: SecretString,
}

impl Pocketbase {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let (url, email, password) = (reader.get(&URL), reader.get(&EMAIL), reader.get(&PASSWORD));
        Some(Self { url: url?, email: email?, password: password? })
    }
}
