//! A realtime stream: every event with the time at which its last byte was read.

use std::time::Instant;

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::pocketbase::Caller;

#[derive(Debug)]
pub struct Event {
    /// The collection's name.
    pub collection: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    pub record: Value,
    /// Time of arrival.
    pub at: Instant,
}

/// Subscribes `caller` to `collections`. A task of `tasks` reads the stream until it ends. The
/// subscription is in force when this returns.
pub async fn subscribe(
    caller: &Caller,
    collections: &[&str],
    tasks: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<UnboundedReceiver<Event>> {
    let answer = caller.http.get(format!("{}/api/realtime", caller.base)).send().await?.error_for_status()?;
    let (events, receiver) = unbounded_channel();
    let (connected, client_id) = tokio::sync::oneshot::channel();
    let mut reader = Reader { events, connected: Some(connected), name: String::new() };
    tasks.spawn(async move {
        let mut bytes = answer.bytes_stream();
        let mut rest: Vec<u8> = Vec::new();
        while let Some(chunk) = bytes.next().await {
            rest.extend_from_slice(&chunk.context("the stream broke")?);
            let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            for line in rest[..end].split(|byte| *byte == b'\n') {
                reader.line(line)?;
            }
            rest.drain(..end);
        }
        Ok(())
    });
    let client_id: String = client_id.await.context("the stream ended before it began")?;
    let topics: Vec<String> = collections.iter().map(|collection| format!("{collection}/*")).collect();
    let wish = json!({ "clientId": client_id, "subscriptions": topics });
    let answer = caller.signed(caller.http.post(format!("{}/api/realtime", caller.base)).json(&wish)).send().await?;
    if !answer.status().is_success() {
        bail!("the subscription was refused: {}", answer.status());
    }
    Ok(receiver)
}

struct Reader {
    events: UnboundedSender<Event>,
    connected: Option<tokio::sync::oneshot::Sender<String>>,
    name: String,
}

impl Reader {
    /// A line of the stream: `event:` comes before `data:`, and the data is one line.
    fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        if let Some(name) = line.strip_prefix(b"event:") {
            String::from_utf8_lossy(name).trim().clone_into(&mut self.name);
        } else if let Some(data) = line.strip_prefix(b"data:") {
            let at = Instant::now();
            let mut data: Value = serde_json::from_slice(data).context("an event that is not JSON")?;
            if let Some(connected) = self.connected.take() {
                // Fails only if the receiver is gone.
                let _ = connected.send(data["clientId"].as_str().unwrap_or_default().to_owned());
                return Ok(());
            }
            let collection = self.name.split('/').next().unwrap_or_default().to_owned();
            let action = data["action"].as_str().unwrap_or_default().to_owned();
            let _ = self.events.send(Event { collection, action, record: data["record"].take(), at });
        }
        Ok(())
    }
}
