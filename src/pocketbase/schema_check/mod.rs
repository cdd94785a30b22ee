//! The check at the start that the server has the schema that this binary was written for.
//!
//! A superuser may read the schema, so it is compared with the one in this binary. A service
//! account may not. For it, each collection is asked for one record with a filter that names every
//! field, which `PocketBase` refuses if one is missing.

use serde_json::{Value, json};

use super::client::{Client, Page};
use super::error::{PocketbaseError, Result};
use super::records::Collection;
use super::request::{PAGE_LIMIT, Request};
use super::session::Identity;
use crate::base::telemetry::chain;

mod schema;

use schema::APPLY_MIGRATIONS;

/// The most items of a batch of the service. The migrations allow twice as many.
const BATCH_ITEMS_NEEDED: usize = 100;

impl Client {
    /// What is not as this version needs it in the schema, the rules and the settings, one sentence
    /// each. An error only if `PocketBase` cannot be asked at all.
    pub async fn schema_problems(&self) -> Result<Vec<String>> {
        let mut problems = match self.login().await? {
            Identity::Superuser => self.compare_schema().await?,
            Identity::Service => self.probe_collections().await?,
        };
        problems.extend(self.batch_problem().await?);
        Ok(problems)
    }

    async fn compare_schema(&self) -> Result<Vec<String>> {
        let request = Request::get("read the schema", "/api/collections".to_owned()).first_page(PAGE_LIMIT);
        let found: Page<Value> = self.call(&request).await?.json()?;
        Ok(schema::differences(&schema::expected(), &found.items))
    }

    async fn probe_collections(&self) -> Result<Vec<String>> {
        let expected = schema::expected();
        let mut problems = Vec::new();
        // A service may not read the accounts of services. That its own exists is proved by the
        // login.
        for collection in Collection::ALL.into_iter().filter(|collection| *collection != Collection::Services) {
            let fields = schema::fields_a_service_may_name(&expected, collection.name());
            if self.can_name(collection, &fields).await? {
                continue;
            }
            if !self.can_name(collection, &["id"]).await? {
                problems
                    .push(format!("collection {} is missing or not readable: {APPLY_MIGRATIONS}", collection.name()));
                continue;
            }
            for field in fields {
                if !self.can_name(collection, &[field]).await? {
                    problems.push(format!(
                        "collection {}: field {field} is missing: {APPLY_MIGRATIONS}",
                        collection.name()
                    ));
                }
            }
        }
        Ok(problems)
    }

    /// Whether a list of `collection` can be filtered by all of `fields`. The filter finds nothing.
    async fn can_name(&self, collection: Collection, fields: &[&str]) -> Result<bool> {
        let comparisons: Vec<String> = fields.iter().map(|field| format!("{field} = '0'")).collect();
        let request = Request::get("check a collection", collection.records())
            .with("filter", format!("id = '0' && ({})", comparisons.join(" || ")))
            .first_page(1)
            .fields("id");
        match self.call(&request).await {
            Ok(_) => Ok(true),
            Err(
                PocketbaseError::Transient { status: 400, .. }
                | PocketbaseError::NotFound { .. }
                | PocketbaseError::Unauthorized { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends a batch that is refused in any case: for its items if batches are on, as a whole if
    /// they are off or too small.
    async fn batch_problem(&self) -> Result<Option<String>> {
        let item = json!({ "method": "GET", "url": "/" });
        let body = json!({ "requests": vec![item; BATCH_ITEMS_NEEDED] });
        let request = Request::post("try a batch", "/api/batch".to_owned(), body);
        Ok(match self.call(&request).await {
            Err(PocketbaseError::Unauthorized { .. }) => {
                Some(format!("settings: batch requests are off, nothing can be stored: {APPLY_MIGRATIONS}"))
            }
            Err(PocketbaseError::Invalid { fields, .. })
                if fields.iter().any(|f| f.code == "validation_length_too_long") =>
            {
                Some(format!("settings: a batch may not have {BATCH_ITEMS_NEEDED} items: {APPLY_MIGRATIONS}"))
            }
            Ok(_) | Err(PocketbaseError::Invalid { .. } | PocketbaseError::Transient { status: 400, .. }) => None,
            Err(error) => return Err(error),
        })
    }

    /// Why no verification could be decided under the live version of the policy `name`, one
    /// sentence each. `liveness_threshold` is the setting `FACE_LIVENESS_THRESHOLD`.
    pub async fn policy_problems(&self, name: &str, liveness_threshold: f64) -> Result<Vec<String>> {
        Ok(match self.live_policy(name).await {
            Ok(Some(policy)) => {
                let problems = policy.with_threshold(liveness_threshold).problems();
                problems.iter().map(|problem| format!("{problem} (policies record {})", policy.id)).collect()
            }
            Ok(None) => vec![format!("there is no policy called {name}: {APPLY_MIGRATIONS}")],
            Err(PocketbaseError::UnusablePolicy { record, name, what, .. }) => {
                vec![format!("policy {name} cannot be used: {what} (policies record {record})")]
            }
            // The collection or one of its fields is missing.
            Err(error @ (PocketbaseError::NotFound { .. } | PocketbaseError::Transient { status: 400, .. })) => {
                vec![format!("policy {name} cannot be read: {}", chain(&error))]
            }
            Err(error) => return Err(error),
        })
    }
}
