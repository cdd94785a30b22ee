//! Reading: a whole case, policies, and the lists that sweeps walk.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::filter::{Filter, id_of, is_record_id};
use crate::pocketbase::records::rows::{self, CaseRow, EXPAND_LIMIT};
use crate::pocketbase::records::{CheckDetail, Collection, Heartbeat, StoredSession, StoredVerification};
use crate::pocketbase::request::Call;
use crate::verification::{Case, Policy};

/// The most rows `PocketBase` gives in one page.
const PAGE_LIMIT: usize = 1000;
/// Pinned policies in memory; an operator has a handful.
const POLICIES_MAX: usize = 256;

impl Client {
    /// The whole case, all of one moment, and `PocketBase`'s time when it was read. `None` only when there is proof that no such
    /// verification exists.
    pub async fn read_case(&self, id: &str) -> Result<Option<(Case, Timestamp)>> {
        if !is_record_id(id) {
            return Ok(None);
        }
        let call = Call::get("read a verification", Collection::Cases.record(id));
        let mut found = self.find::<CaseRow>(&call).await?;
        if found.is_none() {
            // A view that somebody dropped finds nothing, either.
            if self.verification(id).await?.is_none() {
                return Ok(None);
            }
            // It may have been created in between.
            found = self.find::<CaseRow>(&call).await?;
        }
        let case = found.map(Case::from).ok_or_else(|| PocketbaseError::Unexpected {
            operation: "read a verification",
            what: "the view `cases` does not show it; apply the migrations in pb_migrations/".to_owned(),
        })?;
        // Rows were deleted. A version that is behind is somebody's correction by hand: the journal is the truth.
        let gap = case.journal.iter().zip(1..).any(|(entry, seq)| entry.seq != seq);
        if gap || case.record.version > case.seq() {
            return Err(stale(&case));
        }
        if let Some(newest) = newest_stamp(&case) {
            self.has_passed(newest);
        }
        Ok(Some((case, self.now_after("read a verification")?)))
    }

    /// The policy record `id`. Policies never change, so they are cached.
    pub async fn policy(&self, id: &str) -> Result<Option<Arc<Policy>>> {
        let cached = self.inner.policies.lock().get(id).cloned();
        if cached.is_some() || !is_record_id(id) {
            return Ok(cached);
        }
        let stored = self.find::<Value>(&Call::get("read a policy", Collection::Policies.record(id))).await?;
        stored.map(|stored| self.keep_policy(stored)).transpose()
    }

    /// The highest version of the policy called `name`. Kept while the watch vouches that no policy was created since.
    pub async fn live_policy(&self, name: &str) -> Result<Option<Arc<Policy>>> {
        self.shelved(&self.inner.live_policies, name, POLICIES_MAX, self.read_live_policy(name)).await
    }

    /// The names of all policies, each once: of the thousand newest records.
    pub async fn policy_names(&self) -> Result<BTreeSet<String>> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let call = Call::get("list the policies", Collection::Policies.records())
            .with("fields", "name")
            .with("sort", "-created")
            .with("perPage", "1000")
            .with("skipTotal", "1");
        let named: Vec<Named> = self.list(&call).await?;
        Ok(named.into_iter().map(|named| named.name).collect())
    }

    /// A policy was created: the live ones must be looked for anew.
    pub fn policies_changed(&self) {
        self.inner.live_policies.changed(|_| true);
    }

    async fn read_live_policy(&self, name: &str) -> Result<Option<Arc<Policy>>> {
        let call = Call::get("look for a policy", Collection::Policies.records())
            .with("filter", Filter::default().equal("name", name)?)
            .with("sort", "-version")
            .with("perPage", "1")
            .with("skipTotal", "1");
        let stored: Vec<Value> = self.list(&call).await?;
        stored.into_iter().next().map(|stored| self.keep_policy(stored)).transpose()
    }

    fn keep_policy(&self, stored: Value) -> Result<Arc<Policy>> {
        let text = |field: &str| stored[field].as_str().unwrap_or_default().to_owned();
        let (record, name) = (text("id"), format!("{}, version {}", text("name"), stored["version"]));
        let policy = rows::policy(stored).map_err(|error| PocketbaseError::UnusablePolicy {
            operation: "read a policy",
            record,
            name,
            what: error.to_string(),
        })?;
        let policy = Arc::new(policy);
        let mut cache = self.inner.policies.lock();
        if cache.len() >= POLICIES_MAX {
            cache.clear();
        }
        cache.insert(policy.id.clone(), policy.clone());
        Ok(policy)
    }

    /// Ids of verifications that are not final, in order, after `after`: one page of at most `limit` (at most 1000).
    /// Begin with an empty `after`; a page shorter than `limit` is the last.
    pub async fn open_ids(&self, after: &str, limit: usize) -> Result<Vec<String>> {
        self.ids(Filter::default().is_false("final"), after, limit).await
    }

    /// The same for those among them that may need a look although nobody touched them: new, at work, or silent for too long
    /// at `now`. What waits for the person is left out, so a sweep costs nothing by their number.
    pub async fn restless_ids(&self, now: Timestamp, after: &str, limit: usize) -> Result<Vec<String>> {
        self.ids(Filter::default().is_false("final").restless(now), after, limit).await
    }

    async fn ids(&self, mut filter: Filter, after: &str, limit: usize) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Row {
            id: String,
        }
        if !after.is_empty() {
            filter = filter.after_id(after)?;
        }
        let call = Call::get("look for open verifications", Collection::Verifications.records())
            .with("filter", filter)
            .with("sort", "id")
            .with("perPage", limit.clamp(1, PAGE_LIMIT).to_string())
            .with("skipTotal", "1")
            .with("fields", "id");
        Ok(self.list::<Row>(&call).await?.into_iter().map(|row| row.id).collect())
    }

    /// Ids of verifications that got evidence from `since` on: documents, challenges asked for, device events. Each at most
    /// `limit` rows, newest first. Leave an overlap of a minute: rows are stamped before they are committed.
    pub async fn ids_with_evidence_since(&self, since: Timestamp, limit: usize) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Row {
            verification: String,
        }
        let mut ids = std::collections::BTreeSet::new();
        for collection in [Collection::Documents, Collection::LivenessSessions, Collection::DeviceSignals] {
            let call = Call::get("look for new evidence", collection.records())
                .with("filter", Filter::default().since("created", since))
                .with("sort", "-created")
                .with("perPage", limit.clamp(1, PAGE_LIMIT).to_string())
                .with("skipTotal", "1")
                .with("fields", "verification");
            ids.extend(self.list::<Row>(&call).await?.into_iter().map(|row| row.verification));
        }
        Ok(ids.into_iter().collect())
    }

    /// Ids of verifications, final ones too, with an action that no journal row names; oldest action first, at most `limit`
    /// actions. With `since`, only actions created from then on: cheap, by index. Without, every action ever is looked at
    /// (about 2 ms a thousand): once after a start is enough. Leave an overlap of a minute: rows are stamped before they are
    /// committed.
    pub async fn unhandled_action_ids(&self, since: Option<Timestamp>, limit: usize) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Row {
            verification: String,
        }
        let mut filter = Filter::default().nobody_points_here("journal_via_action");
        if let Some(since) = since {
            filter = filter.since("created", since);
        }
        let call = Call::get("look for unhandled actions", Collection::Actions.records())
            .with("filter", filter)
            .with("sort", "created")
            .with("perPage", limit.clamp(1, PAGE_LIMIT).to_string())
            .with("skipTotal", "1")
            .with("fields", "verification");
        let mut ids: Vec<String> = Vec::new();
        for row in self.list::<Row>(&call).await? {
            if !ids.contains(&row.verification) {
                ids.push(row.verification);
            }
        }
        Ok(ids)
    }

    /// Every instance's heartbeat, and `PocketBase`'s time.
    pub async fn heartbeats(&self) -> Result<(Vec<Heartbeat>, Timestamp)> {
        let call = Call::get("read heartbeats", Collection::Heartbeats.records())
            .with("sort", "-updated")
            .with("perPage", PAGE_LIMIT.to_string())
            .with("skipTotal", "1");
        let beats = self.list(&call).await?;
        Ok((beats, self.now_after("read heartbeats")?))
    }

    /// One verification as the facade shows it.
    pub async fn verification(&self, id: &str) -> Result<Option<StoredVerification>> {
        if !is_record_id(id) {
            return Ok(None);
        }
        let call = Call::get("read a verification", Collection::Verifications.record(id))
            .with("fields", StoredVerification::FIELDS);
        self.find(&call).await
    }

    /// The newest verification of a person that is not final.
    pub async fn open_verification_of(&self, user: &str) -> Result<Option<StoredVerification>> {
        if !is_record_id(user) {
            return Ok(None);
        }
        let call = Call::get("look for a person's verifications", Collection::Users.record(user))
            .with("expand", rows::VERIFICATIONS_OF_USER)
            .with("fields", rows::fields_of_user());
        let Some(row) = self.find::<rows::UserRow>(&call).await? else { return Ok(None) };
        let verifications = row.verifications();
        if verifications.len() >= EXPAND_LIMIT {
            let filter = Filter::default().equal("user", user)?.is_false("final");
            return self.newest_verification(filter).await;
        }
        Ok(verifications.into_iter().filter(|v| !v.is_final).max_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id))))
    }

    /// The verification that was created under this idempotency key (hex).
    pub async fn verification_by_idempotency_key(&self, key: &str) -> Result<Option<StoredVerification>> {
        if key.is_empty() {
            return Ok(None);
        }
        self.verification(&id_of_idempotency_key(key)).await
    }

    async fn newest_verification(&self, filter: Filter) -> Result<Option<StoredVerification>> {
        let call = Call::get("look for a verification", Collection::Verifications.records())
            .with("filter", filter)
            .with("sort", "-created")
            .with("perPage", "1")
            .with("skipTotal", "1")
            .with("fields", StoredVerification::FIELDS);
        Ok(self.list(&call).await?.into_iter().next())
    }

    /// One challenge as the facade shows it.
    pub async fn liveness_session(&self, id: &str) -> Result<Option<StoredSession>> {
        if !is_record_id(id) {
            return Ok(None);
        }
        self.find(&Call::get("read a liveness session", Collection::LivenessSessions.record(id))).await
    }

    /// Everything about the checks of a verification, oldest first.
    pub async fn check_details(&self, verification: &str) -> Result<Vec<CheckDetail>> {
        let call = Call::get("read checks", Collection::Checks.records())
            .with("filter", Filter::default().equal("verification", verification)?)
            .with("sort", "created,id")
            .with("perPage", PAGE_LIMIT.to_string())
            .with("skipTotal", "1");
        self.list(&call).await
    }
}

/// The id of the verification that is created under an idempotency key.
pub(in crate::pocketbase) fn id_of_idempotency_key(key: &str) -> String {
    id_of(&format!("verifications/{key}"))
}

/// The newest row of a case. Nothing is decided as if it were still to come.
fn newest_stamp(case: &Case) -> Option<Timestamp> {
    let evidence = [
        case.documents.last().map(|row| row.created),
        case.sessions.last().map(|row| row.created),
        case.signals.last().map(|row| row.created),
        case.actions.last().map(|row| row.created),
        case.journal.last().map(|row| row.created),
        Some(case.record.created),
    ];
    evidence.into_iter().flatten().max()
}

fn stale(case: &Case) -> PocketbaseError {
    let version = case.record.version.max(case.seq());
    PocketbaseError::Stale { verification: case.id().to_owned(), version, rows: case.journal.len() }
}
