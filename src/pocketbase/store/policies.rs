//! Reading policies.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::record_id::is_record_id;
use crate::pocketbase::records::{Collection, HIGHEST_VERSION_FIRST, NEWEST_FIRST, PolicyName, named, parse_policy};
use crate::pocketbase::request::{PAGE_LIMIT, Request};
use crate::verification::Policy;

impl Client {
    /// The policy record `id`, cached: a policy record never changes.
    pub async fn policy(&self, id: &str) -> Result<Option<Arc<Policy>>> {
        let cached = self.caches().policies.get(id);
        if cached.is_some() || !is_record_id(id) {
            return Ok(cached);
        }
        let stored = self.find::<Value>(&Request::get("read a policy", Collection::Policies.record(id))).await?;
        stored.map(|stored| self.cache_policy(stored)).transpose()
    }

    /// The highest version of the policy `name`, cached under the cache lease.
    pub async fn live_policy(&self, name: &str) -> Result<Option<Arc<Policy>>> {
        let caches = self.caches();
        caches.live_policies.get_or_read(&caches.lease, name, self.read_live_policy(name)).await
    }

    /// The names of all policies, each once. At most the thousand newest records are read.
    pub async fn policy_names(&self) -> Result<BTreeSet<String>> {
        let request = Request::get("list the policies", Collection::Policies.records())
            .fields(PolicyName::FIELDS)
            .sort(NEWEST_FIRST)
            .first_page(PAGE_LIMIT);
        let policies: Vec<PolicyName> = self.list(&request).await?;
        Ok(policies.into_iter().map(|policy| policy.name).collect())
    }

    /// Drops the cached live policies: an event said that a policy was created.
    pub fn policies_changed(&self) {
        self.caches().live_policies.invalidate(|_| true);
    }

    async fn read_live_policy(&self, name: &str) -> Result<Option<Arc<Policy>>> {
        let request = Request::get("look up a policy", Collection::Policies.records())
            .filter(named(name)?)
            .sort(HIGHEST_VERSION_FIRST)
            .first_page(1);
        let stored: Vec<Value> = self.list(&request).await?;
        stored.into_iter().next().map(|stored| self.cache_policy(stored)).transpose()
    }

    fn cache_policy(&self, stored: Value) -> Result<Arc<Policy>> {
        let policy = Arc::new(parse_policy(stored)?);
        self.caches().policies.insert(policy.clone());
        Ok(policy)
    }
}
