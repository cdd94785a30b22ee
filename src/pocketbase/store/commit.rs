//! The fenced batch: the only way the service writes what it concluded.

#[cfg(feature = "crash-points")]
pub(crate) mod unfenced_commit;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::failpoints::{Point, reached};
use crate::pocketbase::client::Client;
use crate::pocketbase::error::{PocketbaseError, Result};
use crate::pocketbase::filter::{Filter, record_id};
use crate::pocketbase::records::writes::{
    CheckFields, DecisionFields, DeliveryFields, EntryFields, HashFields, SessionFields,
};
use crate::pocketbase::records::{Collection, Delivery, RecordPatch};
use crate::pocketbase::request::{Answer, Call, FilePart};
use crate::verification::check::Pictures;
use crate::verification::{Entry, Transition};

const OPERATION: &str = "store what happened to a verification";

/// How a batch ended. A lost race is an outcome, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// Everything is stored.
    Won {
        /// When `PocketBase` stored the first journal row.
        at: Timestamp,
        /// The names it gave to the pictures of checks; none where only a row was read back.
        pictures: Vec<Pictures>,
    },
    /// Somebody else wrote the next journal row, or handled the action, first. Nothing is stored: read again.
    Lost,
    /// Somebody else stored the same document as the first of its kind meanwhile. Nothing is stored: look for it again.
    Overtaken,
}

impl Client {
    /// Stores `entries` (the rows that [`crate::verification::Case::apply`] made of `transitions`, in order) with everything
    /// that belongs to them, in one transaction: all or nothing.
    ///
    /// The first item creates journal row `n + 1`; its unique number is the lock, so a late or second writer loses whole.
    /// When the answer gets lost the last row is read back: ours means `Won`, somebody else's `Lost`, and none yet is
    /// [`PocketbaseError::Unknown`] (it may still be stored: read again later).
    pub async fn commit(
        &self,
        verification: &str,
        transitions: &[Transition],
        entries: &[Entry],
        patch: &RecordPatch,
        outbox: &[Delivery],
    ) -> Result<Commit> {
        let Some(last) = entries.last().filter(|_| entries.len() == transitions.len()) else {
            let what = "as many journal rows as transitions are needed, and at least one";
            return Err(PocketbaseError::Misuse { operation: OPERATION, what });
        };
        #[cfg(feature = "crash-points")]
        if let Some(commit) = self.commit_unfenced(verification, transitions, patch, outbox).await {
            return commit;
        }
        let batch = Batch::new(verification, transitions, entries, patch, outbox)?;
        reached(Point::CommitDue);
        match self.call(&batch.into_call()).await {
            Ok(answer) => {
                reached(Point::CommitAnswered);
                let (at, pictures) = stored(&answer)?;
                self.has_passed(at);
                Ok(Commit::Won { at, pictures })
            }
            Err(PocketbaseError::Conflict { field, .. }) if is_lost_race(&field) => Ok(Commit::Lost),
            Err(PocketbaseError::Conflict { field, .. }) if is_overtaken(&field) => Ok(Commit::Overtaken),
            Err(error) if is_about_a_delivery(&error) => {
                // The endpoint is gone, and no event has told: whoever tries again must see which there are.
                self.endpoints_changed();
                Err(error)
            }
            Err(error @ PocketbaseError::Unknown { .. }) => {
                reached(Point::CommitUnknown);
                let found = self.read_back(verification, last).await;
                reached(Point::CommitReadBack);
                found.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Whose row stands where our last one should, if that can be learned now. The hash covers who wrote, what, and the whole past.
    /// Not the first: the row that handles a person's action is the same word for word whoever writes it, and only a later one, such
    /// as a claim, says whose batch it was.
    async fn read_back(&self, verification: &str, ours: &Entry) -> Option<Commit> {
        #[derive(Deserialize)]
        struct Row {
            hash: String,
            created: Timestamp,
        }
        let filter = Filter::default().equal("verification", verification).ok()?.equal_number("seq", ours.seq);
        let call = Call::get("read a journal row back", Collection::Journal.records())
            .with("filter", filter)
            .with("perPage", "1")
            .with("skipTotal", "1")
            .with("fields", "hash,created");
        let rows: Vec<Row> = self.list(&call).await.ok()?;
        let whose = |row: &Row| match &row.hash {
            hash if *hash == ours.hash => Commit::Won { at: row.created, pictures: Vec::new() },
            _ => Commit::Lost,
        };
        rows.first().map(whose)
    }
}

/// The numbers of journal rows, the actions they handle and the ids of checks are what racers compete for.
fn is_lost_race(field: &str) -> bool {
    field.starts_with(Collection::Journal.name()) || field.starts_with(Collection::Checks.name())
}

/// Two may not be the first with one document.
fn is_overtaken(field: &str) -> bool {
    field.starts_with(Collection::DocumentHashes.name())
}

/// A notification was refused.
fn is_about_a_delivery(error: &PocketbaseError) -> bool {
    let deliveries = Collection::WebhookDeliveries.name();
    matches!(error, PocketbaseError::Invalid { fields, .. } if fields.iter().any(|refused| refused.field.starts_with(deliveries)))
}

/// When the first item was stored, and the names of stored pictures.
fn stored(answer: &Answer) -> Result<(Timestamp, Vec<Pictures>)> {
    #[derive(Deserialize)]
    struct Item {
        body: Row,
    }
    /// The fields of any item; each has some of them.
    #[derive(Deserialize)]
    struct Row {
        created: Option<Timestamp>,
        id: Option<String>,
        #[serde(default)]
        reference_image: String,
        #[serde(default)]
        portrait: String,
    }
    let items: Vec<Item> = answer.json()?;
    let at = items.first().and_then(|item| item.body.created).ok_or_else(|| PocketbaseError::Unexpected {
        operation: OPERATION,
        what: "a batch answer without its first row".to_owned(),
    })?;
    let pictures = items.into_iter().filter_map(|Item { body }| {
        let Row { id, reference_image, portrait, .. } = body;
        let named = !reference_image.is_empty() || !portrait.is_empty();
        id.filter(|_| named).map(|check| Pictures { check, reference_image, portrait })
    });
    Ok((at, pictures.collect()))
}

/// The items of a transaction, and the files that go with them.
#[derive(Default)]
struct Batch {
    requests: Vec<Value>,
    names: Vec<&'static str>,
    files: Vec<FilePart>,
}

impl Batch {
    fn new(
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
        let pictures = [("reference_image", &finding.reference_image), ("portrait", &finding.portrait)];
        for (field, bytes) in pictures {
            if let Some(bytes) = bytes {
                self.files.push(FilePart::picture(format!("requests.{index}.{field}"), field, bytes.clone().into()));
            }
        }
        if let Some(hashes) = &finding.hashes {
            self.create(Collection::DocumentHashes, &HashFields::new(verification, &check.id, hashes))?;
        }
        Ok(())
    }

    fn create(&mut self, collection: Collection, body: &impl Serialize) -> Result<()> {
        // Only what is read of the answers is asked for.
        let fields = match collection {
            Collection::Checks => "id,reference_image,portrait",
            _ => "created",
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

    fn into_call(self) -> Call {
        let json = json!({ "requests": self.requests });
        let mut call = Call::write(OPERATION, Method::POST, "/api/batch".to_owned(), json).with_files(self.files);
        call.items = self.names;
        call
    }
}
