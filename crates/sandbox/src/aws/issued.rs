//! The temporary credentials that STS issued.

use std::collections::HashMap;

use jiff::Timestamp;

use super::policy::Permissions;

const CREDENTIALS_MAX: usize = 10_000;

/// Temporary credentials of an assumed role.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub secret_access_key: String,
    /// The token that must accompany every request.
    pub session_token: String,
    /// From this instant on they are refused.
    pub expires_at: Timestamp,
    /// The bearer's identity.
    pub arn: String,
    /// What the bearer may do.
    pub permissions: Permissions,
}

/// All credentials that were issued, by access key id.
#[derive(Debug, Default)]
pub struct Issued {
    by_access_key_id: HashMap<String, Credentials>,
}

impl Issued {
    pub fn find(&self, access_key_id: &str) -> Option<&Credentials> {
        self.by_access_key_id.get(access_key_id)
    }

    pub fn insert(&mut self, access_key_id: String, credentials: Credentials, now: Timestamp) {
        if self.by_access_key_id.len() >= CREDENTIALS_MAX {
            // Expired credentials are kept until here because they have an error of their own.
            self.by_access_key_id.retain(|_, credentials| credentials.expires_at > now);
        }
        self.by_access_key_id.insert(access_key_id, credentials);
    }
}
