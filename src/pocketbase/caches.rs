//! What a client remembers of `PocketBase`: bounded, and given up when it may no longer be true.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::cache_lease::{CacheLease, LeasedCache};
use super::records::Endpoint;
use crate::base::lock::Mutex;
use crate::verification::Policy;

/// Policies in memory; an operator has a handful.
const POLICIES_MAX: usize = 256;
/// Tokens in memory; about 150 bytes each.
const TOKENS_MAX: usize = 4096;
/// How long a file token is used. It is valid for 180 s, and a download that begins with it must
/// end before that.
const FILE_TOKEN_USED_FOR: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct Caches {
    /// The cache lease, which says how long the leased caches below may be used.
    pub lease: CacheLease,
    pub policies: PolicyCache,
    /// The live version of a policy, by the policy's name.
    pub live_policies: LeasedCache<Arc<Policy>>,
    /// All webhook endpoints, under one name.
    pub endpoints: LeasedCache<Arc<[Endpoint]>>,
    /// Valid tokens of people, by the hash of the token.
    pub valid_tokens: LeasedCache<ValidToken>,
    /// Held by the task that asks for a new one.
    pub file_token: tokio::sync::Mutex<Option<FileToken>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            lease: CacheLease::default(),
            policies: PolicyCache::default(),
            live_policies: LeasedCache::new(POLICIES_MAX),
            endpoints: LeasedCache::new(1),
            valid_tokens: LeasedCache::new(TOKENS_MAX),
            file_token: tokio::sync::Mutex::default(),
        }
    }
}

/// Policies by record id. A policy record never changes, so an entry is valid as long as the
/// process runs.
#[derive(Debug, Default)]
pub(super) struct PolicyCache(Mutex<HashMap<String, Arc<Policy>>>);

impl PolicyCache {
    pub fn get(&self, id: &str) -> Option<Arc<Policy>> {
        self.0.lock().get(id).cloned()
    }

    /// Caches `policy`. A full cache is emptied first.
    pub fn insert(&self, policy: Arc<Policy>) {
        let mut policies = self.0.lock();
        if policies.len() >= POLICIES_MAX {
            policies.clear();
        }
        policies.insert(policy.id.clone(), policy);
    }
}

/// A person's token that `PocketBase` said is valid.
#[derive(Debug, Clone)]
pub(super) struct ValidToken {
    /// The person's record in `users`.
    pub user: String,
    /// Until when `PocketBase` is not asked again.
    pub until: Instant,
}

/// A token for downloads of protected files.
#[derive(Debug, Clone)]
pub(super) struct FileToken {
    pub secret: SecretString,
    use_until: Instant,
}

impl FileToken {
    /// A token that was asked for at `asked`.
    pub fn new(secret: SecretString, asked: Instant) -> Self {
        Self { secret, use_until: asked + FILE_TOKEN_USED_FOR }
    }

    pub fn may_be_used(&self, now: Instant) -> bool {
        now < self.use_until
    }
}
