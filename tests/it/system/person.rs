//! A person in front of a browser: a PocketBase client with a `users` token, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use url::Url;

use super::sandbox::Control;
use super::specimen::{self, BIRTH, FACE, NAME, NUMBER, Picture};
use super::{PATIENCE, record_id, wait_for};

/// A write that `PocketBase` acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    pub collection: &'static str,
    /// The record's id, chosen by the person.
    pub id: String,
    /// The verification to which it belongs.
    pub verification: String,
}

/// The log of all acknowledged writes of a story.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Acknowledged>>>);

impl Ledger {
    /// Notes an acknowledged write.
    pub fn note(&self, entry: Acknowledged) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Every acknowledged write so far.
    pub fn entries(&self) -> Vec<Acknowledged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A refusal: HTTP status and body.
pub type Refused = (u16, Value);

/// A client with a login: a person who is being verified, or a reviewer.
#[derive(Clone)]
pub struct Person {
    /// Id of the `users` or `reviewers` record.
    pub id: String,
    pub(super) token: String,
    pub(super) http: reqwest::Client,
    pub(super) base: Url,
    pub(super) sandbox: Control,
    pub(super) ledger: Ledger,
}

/// What the camera of the browser sees.
#[derive(Debug, Clone, Copy)]
pub struct Challenge<'a> {
    /// `pass`, `spoof`, `fail`, `walk_away` ...
    pub outcome: &'a str,
    pub face: &'a str,
}

impl Default for Challenge<'_> {
    fn default() -> Self {
        Self { outcome: "pass", face: FACE }
    }
}

impl Person {
    /// Starts a verification and returns its id.
    pub async fn begin(&self) -> String {
        let id = record_id();
        let declared = json!({
            "user": self.id,
            "declared_name": NAME,
            "declared_date_of_birth": BIRTH,
            "declared_document_type": "passport",
            "declared_document_number": NUMBER,
            "declared_country": "UTO",
            "contact_email": "canary.person@example.test",
            "contact_phone": "+15550100200",
            "consent_version": "test-1",
            "locale": "en",
        });
        self.must_create("verifications", &id, &id, declared).await;
        id
    }

    /// Sends the event of the device.
    pub async fn send_device(&self, verification: &str) {
        let event_id = self.sandbox.device_event(verification).await;
        let body = json!({ "verification": verification, "event_id": event_id, "stage": "start" });
        self.must_create("device_signals", &record_id(), verification, body).await;
    }

    /// Sends the passport.
    pub async fn send_document(&self, verification: &str, picture: &Picture) {
        let id = record_id();
        let fields = json!({ "id": id, "verification": verification, "type": "passport", "country": "UTO" });
        let sent = self.write("documents", &id, verification, || {
            let part = Part::stream(picture.front.clone()).file_name("front.jpg").mime_str("image/jpeg");
            let form = Form::new().text("@jsonPayload", fields.to_string()).part("front", part.expect("a media type"));
            self.http.post(self.records("documents")).multipart(form)
        });
        sent.await.expect("the document is taken");
    }

    /// Asks for a challenge and returns the id of its record.
    pub async fn ask_challenge(&self, verification: &str) -> String {
        let id = record_id();
        self.must_create("liveness_sessions", &id, verification, json!({ "verification": verification })).await;
        id
    }

    /// Waits until the challenge is open, and returns the provider's id of it.
    pub async fn opened(&self, challenge: &str) -> String {
        wait_for("the challenge is opened", PATIENCE, async || {
            let record = self.read("liveness_sessions", challenge).await?;
            let session = record["session_id"].as_str().unwrap_or_default();
            if session.is_empty() { Err(record.to_string()) } else { Ok(session.to_owned()) }
        })
        .await
    }

    /// Reports that the challenge was finished.
    pub async fn finish_challenge(&self, verification: &str, challenge: &str) {
        let body = json!({
            "verification": verification,
            "action": "liveness_completed",
            "liveness_session": challenge,
            "user": self.id,
        });
        self.must_create("actions", &record_id(), verification, body).await;
    }

    /// Asks for a challenge, takes it, and reports that.
    pub async fn take_challenge(&self, verification: &str, taken: Challenge<'_>) {
        let challenge = self.ask_challenge(verification).await;
        let session = self.opened(&challenge).await;
        self.sandbox.take_challenge(&session, taken.outcome, taken.face).await;
        self.finish_challenge(verification, &challenge).await;
    }

    /// The acknowledged writes of this person and of those who share the log.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Cancels the verification.
    pub async fn cancel(&self, verification: &str) {
        let body = json!({ "verification": verification, "action": "cancel", "user": self.id });
        self.must_create("actions", &record_id(), verification, body).await;
    }

    /// Does everything that a person does, with these pictures. Returns the record once it is
    /// settled.
    pub async fn walk(&self, picture: &Picture, taken: Challenge<'_>) -> Value {
        let id = self.begin().await;
        self.submit_all(&id, picture, taken).await;
        self.settled(&id).await
    }

    /// Submits all evidence for a verification that was started.
    pub async fn submit_all(&self, verification: &str, picture: &Picture, taken: Challenge<'_>) {
        self.send_device(verification).await;
        self.send_document(verification, picture).await;
        self.take_challenge(verification, taken).await;
    }

    /// An honest person's way to the end.
    pub async fn honest_walk(&self) -> Value {
        self.walk(&specimen::passport(), Challenge::default()).await
    }

    /// The record once nothing more happens by itself.
    pub async fn settled(&self, verification: &str) -> Value {
        self.settled_within(verification, PATIENCE).await
    }

    /// Like [`Person::settled`], within `bound`.
    pub async fn settled_within(&self, verification: &str, bound: Duration) -> Value {
        self.until(verification, bound, "the verification is settled", |record| {
            record["final"] == true || ["needs_review", "resubmission_required"].iter().any(|s| record["status"] == *s)
        })
        .await
    }

    /// The record once its status is `status`.
    pub async fn status(&self, verification: &str, status: &str) -> Value {
        self.until(verification, PATIENCE, status, |record| record["status"] == status).await
    }

    /// The record once `good` holds.
    pub async fn until(&self, verification: &str, bound: Duration, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, bound, async || {
            let record = self.read("verifications", verification).await?;
            if good(&record) { Ok(record) } else { Err(record.to_string()) }
        })
        .await
    }

    /// The journal as the person may read it, in order.
    pub async fn journal(&self, verification: &str) -> Vec<Value> {
        let filter =
            [("filter", format!("verification='{verification}'")), ("sort", "seq".into()), ("perPage", "500".into())];
        let request = self.http.get(self.records("journal")).query(&filter).header("Authorization", &self.token);
        let answer: Value = request.send().await.expect("PocketBase answers").json().await.expect("a body");
        answer["items"].as_array().expect("items").clone()
    }

    /// The first row of the journal for which `good` holds, once there is one.
    pub async fn journalled(&self, verification: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, PATIENCE, async || {
            let journal = self.journal(verification).await;
            journal.iter().find(|row| good(row)).cloned().ok_or_else(|| json!(journal).to_string())
        })
        .await
    }

    /// A record, or why it cannot be read.
    pub async fn read(&self, collection: &str, id: &str) -> Result<Value, String> {
        let url = format!("{}/{id}", self.records(collection));
        let answer = self.http.get(url).header("Authorization", &self.token).send().await.map_err(|e| e.to_string())?;
        let status = answer.status();
        let record = answer.json().await.map_err(|e| e.to_string())?;
        if status.is_success() { Ok(record) } else { Err(format!("{status} {record}")) }
    }

    /// Makes a write that `PocketBase` must accept.
    pub async fn must_create(&self, collection: &'static str, id: &str, verification: &str, body: Value) {
        let created = self.try_create(collection, id, verification, body).await;
        created.unwrap_or_else(|(status, answer)| panic!("{collection}: {status} {answer}"));
    }

    /// Makes a write that `PocketBase` may refuse.
    pub async fn try_create(
        &self,
        collection: &'static str,
        id: &str,
        verification: &str,
        mut body: Value,
    ) -> Result<(), Refused> {
        body["id"] = id.into();
        self.write(collection, id, verification, || self.http.post(self.records(collection)).json(&body)).await
    }

    /// Repeats a write until there is an answer, as a browser would. The id is chosen by the
    /// person, so a write whose answer was lost is not made twice.
    async fn write(
        &self,
        collection: &'static str,
        id: &str,
        verification: &str,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<(), Refused> {
        let refused = wait_for("PocketBase answers a write", PATIENCE, async || {
            let answer = request().header("Authorization", &self.token).send().await.map_err(|e| e.to_string())?;
            let status = answer.status().as_u16();
            let body: Value = answer.json().await.map_err(|e| e.to_string())?;
            match status {
                200..300 => Ok(None),
                // If several unique values exist already, PocketBase chooses which one it names.
                400 if body.to_string().contains("validation_not_unique")
                    && self.read(collection, id).await.is_ok() =>
                {
                    Ok(None)
                }
                500.. => Err(format!("{status} {body}")),
                _ => Ok(Some((status, body))),
            }
        })
        .await;
        if let Some(refused) = refused {
            return Err(refused);
        }
        self.ledger.note(Acknowledged { collection, id: id.to_owned(), verification: verification.to_owned() });
        Ok(())
    }

    fn records(&self, collection: &str) -> Url {
        self.base.join(&format!("api/collections/{collection}/records")).expect("a path")
    }
}
