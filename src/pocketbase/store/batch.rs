//! The batch of a commit: its items in order, and what its answer says.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::record_id::record_id;
use crate::pocketbase::records::{
    CheckFields, Collection, DecisionFields, Delivery, DeliveryFields, EntryFields, HashFields, RecordPatch,
    SessionFields, WrittenRow, pictures_of,
};
use crate::pocketbase::request::{Answer, FilePart, Request};
use crate::verification::check::Pictures;
use crate::verification::{Entry, Transition};

pub(super) const OPERATION: &str = "store what happened to a verification";

/// How a commit ended. A lost race is an outcome, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// Everything is stored.
    Won {
        /// When `PocketBase` stored the first journal row.
        at: Timestamp,
        /// The names under which it stored the pictures of findings. Empty if the answer was lost
        /// and only a row was read back.
        pictures: Vec<Pictures>,
    },
    /// Another sidecar wrote the next journal row, or handled the action, first. Nothing is stored:
    /// read the case again.
    Lost,
    /// Another sidecar stored the same document as the first of its kind. Nothing is stored:
    /// search for the document again.
    Overtaken,
}

/// The items of a transaction, and their files.
#[derive(Default)]
pub(super) struct Batch {
    pub requests: Vec<Value>,
    /// The collection of each item.
    names: Vec<&'static str>,
    files: Vec<FilePart>,
}

impl Batch {
    // The order matters. The journal rows come first, because the first of them is the lock; the
    // deliveries come last.
    pub fn new(
        verification: &str,
        transitions: &[Transition],
        entries: &[Entry],
        patch: &RecordPatch,
        outbox: &[Delivery],
    ) -> Result<Self> {
        let verification = record_id(verification, OPERATION)?;
        let mut batch = Self::default();
        for entry in entries {
            batch.create(Collection::Journal, &EntryFields::new(verification, entry))?;
        }
        for (transition, entry) in transitions.iter().zip(entries) {
            batch.add_check(verification, transition, entry)?;
            if let Some(decision) = &transition.decision {
                let row = DecisionFields::new(verification, decision, entry.created);
                batch.create(Collection::Checks, &row)?;
            }
            if let Some(session) = &transition.session {
                batch.patch(Collection::LivenessSessions, &session.id, &SessionFields::from(session))?;
            }
        }
        batch.patch(Collection::Verifications, verification, patch)?;
        for delivery in outbox {
            batch.create(Collection::WebhookDeliveries, &DeliveryFields::new(verification, delivery))?;
        }
        Ok(batch)
    }

    fn add_check(&mut self, verification: &str, transition: &Transition, entry: &Entry) -> Result<()> {
        let Some((check, finding)) = &transition.check else { return Ok(()) };
        let index = self.requests.len();
        let duration = SignedDuration::from_millis(i64::try_from(finding.duration_ms).unwrap_or(0));
        let started_at = entry.created.checked_sub(duration).unwrap_or(entry.created);
        self.create(Collection::Checks, &CheckFields::new(verification, check, finding, started_at))?;
        for (field, bytes) in pictures_of(finding) {
            self.files.push(FilePart::picture(format!("requests.{index}.{field}"), field, bytes.to_vec().into()));
        }
        if let Some(hashes) = &finding.hashes {
            self.create(Collection::DocumentHashes, &HashFields::new(verification, &check.id, hashes))?;
        }
        Ok(())
    }

    fn create(&mut self, collection: Collection, body: &impl Serialize) -> Result<()> {
        // Only what is read of the answer is asked for.
        let fields = match collection {
            Collection::Checks => WrittenRow::FIELDS,
            _ => WrittenRow::FIELDS_ELSEWHERE,
        };
        self.push(collection, "POST", &format!("{}?fields={fields}", collection.records()), body)
    }

    fn patch(&mut self, collection: Collection, id: &str, body: &impl Serialize) -> Result<()> {
        let id = record_id(id, OPERATION)?;
        self.push(collection, "PATCH", &format!("{}?fields=id", collection.record(id)), body)
    }

    fn push(&mut self, collection: Collection, method: &str, url: &str, body: &impl Serialize) -> Result<()> {
        let body = serde_json::to_value(body)
            .map_err(|_| PocketbaseError::Misuse { operation: OPERATION, what: "a number that JSON cannot hold" })?;
        self.requests.push(json!({ "method": method, "url": url, "body": body }));
        self.names.push(collection.name());
        Ok(())
    }

    pub fn into_request(self) -> Request {
        let json = json!({ "requests": self.requests });
        let mut request = Request::write(OPERATION, Method::POST, "/api/batch".to_owned(), json).with_files(self.files);
        request.items = self.names;
        request
    }
}

/// When the first item was stored, and the names of the stored pictures.
pub(super) fn stored(answer: &Answer) -> Result<(Timestamp, Vec<Pictures>)> {
    #[derive(Deserialize)]
    struct Item {
        body: WrittenRow,
    }
    let items: Vec<Item> = answer.json()?;
    let at = items.first().and_then(|item| item.body.created).ok_or_else(|| PocketbaseError::Unexpected {
        operation: OPERATION,
        what: "it lacks the batch's first row".to_owned(),
    })?;
    Ok((at, items.into_iter().filter_map(|item| item.body.pictures()).collect()))
}

/// Whether `field` is one that writers race for: the number of a journal row, the action that it
/// handles, or the id of a check.
pub(super) fn is_lost_race(field: &str) -> bool {
    field.starts_with(Collection::Journal.name()) || field.starts_with(Collection::Checks.name())
}
