//! The lists that sweeps read, to find what no event announced.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::pocketbase::client::Client;
use crate::pocketbase::error::Result;
use crate::pocketbase::filter::Filter;
use crate::pocketbase::records::{
    Collection, NEWEST_FIRST, OLDEST_FIRST, OfVerification, RecordId, created_since, due, open, unhandled,
};
use crate::pocketbase::request::{PAGE_LIMIT, Request};

impl Client {
    /// One page of the ids of open verifications, in order, after the id `after`. Begin with an
    /// empty `after`.
    ///
    /// The page has at most `limit` ids, and never more than 1000. One with fewer than `limit` is
    /// the last.
    pub async fn open_ids(&self, after: &str, limit: usize) -> Result<Vec<String>> {
        self.ids(open(), after, limit).await
    }

    /// The same for the open verifications that may be due although no event says so: new,
    /// processing, or past their expiry at `now`. Those that wait for a person are left out, so a
    /// sweep costs the same however many they are.
    pub async fn due_ids(&self, now: Timestamp, after: &str, limit: usize) -> Result<Vec<String>> {
        self.ids(due(now)?, after, limit).await
    }

    async fn ids(&self, mut filter: Filter, after: &str, limit: usize) -> Result<Vec<String>> {
        if !after.is_empty() {
            filter = filter.after_id(after)?;
        }
        let request = Request::get("list open verifications", Collection::Verifications.records())
            .filter(filter)
            .sort(RecordId::FIELDS)
            .first_page(limit.clamp(1, PAGE_LIMIT))
            .fields(RecordId::FIELDS);
        Ok(self.list::<RecordId>(&request).await?.into_iter().map(|row| row.id).collect())
    }

    /// Ids of the verifications for which a document, a challenge or a device event was created
    /// from `since` on. Of each kind, the newest `limit` are read.
    ///
    /// `since` must overlap the previous call by a minute: a row gets its timestamp before it is
    /// committed.
    pub async fn ids_with_evidence_since(&self, since: Timestamp, limit: usize) -> Result<Vec<String>> {
        let mut ids = BTreeSet::new();
        for collection in [Collection::Documents, Collection::LivenessSessions, Collection::DeviceSignals] {
            let request = Request::get("list new evidence", collection.records())
                .filter(created_since(since))
                .sort(NEWEST_FIRST)
                .first_page(limit.clamp(1, PAGE_LIMIT))
                .fields(OfVerification::FIELDS);
            ids.extend(self.list::<OfVerification>(&request).await?.into_iter().map(|row| row.verification));
        }
        Ok(ids.into_iter().collect())
    }

    /// Ids of the verifications, final ones too, with an action that no journal row refers to. The
    /// oldest `limit` such actions are read.
    ///
    /// With `since`, only actions created from then on are read, by an index. Without it all
    /// actions are, at about 2 ms for a thousand, so do this once after the start. `since` must
    /// overlap the previous call by a minute: a row gets its timestamp before it is committed.
    pub async fn unhandled_action_ids(&self, since: Option<Timestamp>, limit: usize) -> Result<Vec<String>> {
        let request = Request::get("list unhandled actions", Collection::Actions.records())
            .filter(unhandled(since))
            .sort(OLDEST_FIRST)
            .first_page(limit.clamp(1, PAGE_LIMIT))
            .fields(OfVerification::FIELDS);
        let mut ids: Vec<String> = Vec::new();
        for row in self.list::<OfVerification>(&request).await? {
            if !ids.contains(&row.verification) {
                ids.push(row.verification);
            }
        }
        Ok(ids)
    }
}
