//! The person in front of a browser: what they send, and waiting for its consequences.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::pocketbase::{Caller, record_id};
use crate::stream::{self, Event};

/// The addresses, and the identity of the person.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Address of `PocketBase`.
    #[arg(long)]
    pub pocketbase: String,
    /// Address of the provider sandbox.
    #[arg(long)]
    pub sandbox: String,
    /// Token of the person.
    #[arg(long)]
    pub token: String,
    /// Id of the person.
    #[arg(long)]
    pub user: String,
    /// Process whose CPU time is measured, in addition to the wall clock.
    #[arg(long)]
    pub meter: Option<u32>,
    /// Time limit for one result, in seconds.
    #[arg(long, default_value_t = 60)]
    pub patience_seconds: u64,
}

/// A person with one stream, on which all their verifications are followed.
#[derive(Clone)]
pub struct Person {
    /// Sends their requests.
    pub caller: Caller,
    place: Place,
    followed: Arc<Mutex<HashMap<String, UnboundedSender<Event>>>>,
}

/// The events of one verification.
pub struct Follower {
    events: UnboundedReceiver<Event>,
    patience: Duration,
    /// When the first event about the verification arrived.
    created: Option<Instant>,
}

impl Person {
    /// Signs in and subscribes to `collections`.
    pub async fn arrive(
        place: &Place,
        collections: &[&str],
        tasks: &mut JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<Self> {
        let caller = Caller::new(&place.pocketbase, &place.token)?;
        let mut events = stream::subscribe(&caller, collections, tasks).await?;
        let person = Self { caller, place: place.clone(), followed: Arc::default() };
        let followed = Arc::clone(&person.followed);
        tasks.spawn(async move {
            while let Some(event) = events.recv().await {
                let key = if event.collection == "verifications" {
                    &event.record["id"]
                } else {
                    &event.record["verification"]
                };
                let followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(follower) = key.as_str().and_then(|key| followed.get(key)) {
                    // Fails only if that verification is no longer followed.
                    let _ = follower.send(event);
                }
            }
            Ok(())
        });
        Ok(person)
    }

    /// Follows `verification` from now on.
    pub fn follow(&self, verification: &str) -> Follower {
        let (sender, events) = unbounded_channel();
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(verification.to_owned(), sender);
        Follower { events, patience: Duration::from_secs(self.place.patience_seconds), created: None }
    }

    /// Starts a verification, and returns when that was acknowledged.
    pub async fn begin(&self, id: &str) -> anyhow::Result<Instant> {
        let body = json!({
            "id": id,
            "user": self.place.user,
            "declared_name": "Anna Maria Eriksson",
            "declared_date_of_birth": "1990-08-12",
            "declared_document_type": "passport",
            "declared_document_number": "L898902C7",
            "declared_country": "UTO",
            "contact_email": "person@example.test",
            "contact_phone": "+15550100200",
            "consent_version": "bench-1",
            "locale": "en",
        });
        self.caller.create("verifications", &body).await?;
        Ok(Instant::now())
    }

    /// Makes the event that the provider's agent would make in this browser.
    pub async fn device_event(&self, verification: &str) -> anyhow::Result<String> {
        let wish = json!({ "linked_id": verification, "url": "http://127.0.0.1/verify" });
        let made = self.ask_sandbox("fingerprint/events", &wish).await?;
        made["event_id"].as_str().map(str::to_owned).context("an event without an id")
    }

    /// Sends that event, and returns when that was acknowledged.
    pub async fn send_device(&self, verification: &str, event: &str) -> anyhow::Result<Instant> {
        let body = json!({ "verification": verification, "event_id": event, "stage": "start" });
        self.caller.create("device_signals", &body).await?;
        Ok(Instant::now())
    }

    /// Sends the document.
    pub async fn send_document(&self, verification: &str, picture: bytes::Bytes) -> anyhow::Result<()> {
        let fields = json!({ "verification": verification, "type": "passport", "country": "UTO" });
        self.caller.create_with_picture("documents", &fields, "front", picture).await?;
        Ok(())
    }

    /// Asks for a challenge, and returns the id of its record.
    pub async fn ask_challenge(&self, verification: &str) -> anyhow::Result<String> {
        let id = record_id();
        self.caller.create("liveness_sessions", &json!({ "id": id, "verification": verification })).await?;
        Ok(id)
    }

    /// Takes the provider's challenge `session` and passes it.
    pub async fn take_challenge(&self, session: &str) -> anyhow::Result<()> {
        let taken = json!({ "outcome": "pass", "person": "anna" });
        self.ask_sandbox(&format!("liveness/{session}"), &taken).await?;
        Ok(())
    }

    /// Reports that the challenge was finished, and returns when that was acknowledged.
    pub async fn finish_challenge(&self, verification: &str, challenge: &str, action: &str) -> anyhow::Result<Instant> {
        let body = json!({
            "id": action,
            "verification": verification,
            "action": "liveness_completed",
            "liveness_session": challenge,
            "user": self.place.user,
        });
        self.caller.create("actions", &body).await?;
        Ok(Instant::now())
    }

    async fn ask_sandbox(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.caller.http.post(format!("{}/sandbox/{path}", self.place.sandbox)).json(body);
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?).unwrap_or_default())
    }
}

impl Follower {
    /// The latest time at which the verification existed: it was acknowledged at `answered`, but
    /// its event may have arrived before. With many subscribers it does, since `PocketBase`
    /// notifies them all before it answers.
    pub fn committed(&self, answered: Instant) -> Instant {
        self.created.map_or(answered, |created| created.min(answered))
    }

    /// Waits for the next event of `collection` for whose record `good` holds, and returns it with
    /// its time of arrival.
    pub async fn until(&mut self, collection: &str, good: impl Fn(&Value) -> bool) -> anyhow::Result<(Value, Instant)> {
        let found = async {
            while let Some(event) = self.events.recv().await {
                if event.collection == "verifications" && event.action == "create" {
                    self.created = self.created.or(Some(event.at));
                }
                if event.collection == collection && event.action != "delete" && good(&event.record) {
                    return Ok((event.record, event.at));
                }
            }
            bail!("the stream ended")
        };
        match tokio::time::timeout(self.patience, found).await {
            Ok(found) => found,
            Err(_) => bail!("nothing came of {collection} within {} s", self.patience.as_secs()),
        }
    }
}
