//! The realtime stream: hints that a record changed, never the change itself.
//!
//! `PocketBase` sends no keepalive, replays nothing, keeps no order, and closes every stream after
//! 30 minutes, or after 5 when idle. A session that was lost leaves the stream open and silent. So
//! the watcher uses a [`Connection`] until it ends or until a heartbeat of its own does not come
//! back, and after opening the next one it lists the open verifications again.
//!
//! `main` must have called `rustls::crypto::aws_lc_rs::default_provider().install_default()`:
//! `reqwest` 0.12 brings no provider.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest_eventsource::{Event as StreamEvent, EventSource, retry};
use reqwest012::Client as StreamClient;
use reqwest012::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use super::error::{PocketbaseError, Result};
use super::record_id::is_record_id;
use super::records::{Collection, HintRow, hint_fields};
use super::transport::Settings;

/// `PocketBase` itself closes an idle stream after 300 s. A longer silence means that the server is
/// gone.
const SILENCE_MAX: Duration = Duration::from_secs(330);
/// The most bytes of a hint, which has three short fields. (The parser takes quadratic time for one
/// message, so the topics ask for no more fields.)
const HINT_LIMIT: usize = 16 * 1024;
const CONNECTED: &str = "PB_CONNECT";
const OPERATION: &str = "open the realtime stream";

/// What happened to the record of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The record was created.
    Create,
    /// The record was changed.
    Update,
    /// The record was deleted.
    Delete,
    /// The server sent a word that this version does not know.
    Other,
}

/// A hint that a record changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The collection of the record.
    pub collection: Collection,
    /// The id of the record.
    pub record: String,
    /// The id of the verification that the record belongs to, or of the record itself if it is a
    /// verification. Empty for heartbeats, policies, people and webhook endpoints.
    pub verification: String,
    /// Of a heartbeat, the name of the sidecar and the number of the heartbeat.
    pub beat: Option<(String, u64)>,
    /// What happened to the record.
    pub change: Change,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The server closed it, because of its age or idleness or a restart.
    #[error("the server closed the stream")]
    Closed,
    /// The network failed, or nothing came for so long that the server must be gone.
    #[error("the stream broke: {0}")]
    Broken(&'static str),
    /// A message was too large, or not text.
    #[error("the stream cannot be read: {0}")]
    Garbled(&'static str),
}

/// An open, subscribed stream. Dropping it closes it and ends the cache lease.
pub struct Connection {
    stream: EventSource,
    client: Client,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // However this stream ended, events may be missed until the next one is open, and what this
        // one had received and the watcher had not read is lost with it.
        self.client.end_cache_lease();
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// The next hint, or the end of the stream. Cancel safe. Poll it all the time: what is not read
    /// fills the server's memory.
    pub async fn next(&mut self) -> std::result::Result<Event, End> {
        loop {
            let (topic, data) = self.message().await?;
            if data.len() > HINT_LIMIT {
                return Err(End::Garbled("a message is too large"));
            }
            // An unknown message does not end the stream: the sweep finds what it was about.
            if let Some(event) = hint(&topic, &data) {
                return Ok(event);
            }
            tracing::debug!("a realtime message cannot be interpreted and is ignored");
        }
    }

    async fn message(&mut self) -> std::result::Result<(String, String), End> {
        loop {
            match self.stream.next().await {
                Some(Ok(StreamEvent::Message(message))) => return Ok((message.event, message.data)),
                Some(Ok(StreamEvent::Open)) => {}
                Some(Err(error)) => return Err(end(&error)),
                None => return Err(End::Closed),
            }
        }
    }
}

impl Client {
    /// Opens a stream and subscribes to all records of `collections`.
    ///
    /// When it returns, the subscription is in force and its session was just proved. What is
    /// committed from now on is delivered, so list the open verifications *after* this.
    pub async fn connect(&self, collections: &[Collection]) -> Result<Connection> {
        let unreachable = PocketbaseError::Unreachable { operation: OPERATION, source: None };
        tokio::time::timeout(self.transport().settings().request_timeout, self.subscribed(collections))
            .await
            .unwrap_or(Err(unreachable))
    }

    async fn subscribed(&self, collections: &[Collection]) -> Result<Connection> {
        // A lost session may subscribe and then receives nothing, so it is proved first.
        self.probe().await?;
        let token = self.session().token().await?;
        let settings = self.transport().settings();
        let http = stream_client(settings).await?;
        let url = self.transport().address("/api/realtime");
        let mut stream = EventSource::new(http.get(&url)).map_err(|_| unexpected("the request cannot be made"))?;
        stream.set_retry_policy(Box::new(retry::Never));
        let mut connection = Connection { stream, client: self.clone() };
        let client_id = connection.client_id().await?;

        let topics: Vec<String> = collections.iter().map(|collection| topic(*collection)).collect();
        let answer = http
            .post(&url)
            .timeout(settings.request_timeout)
            .header(AUTHORIZATION, token.secret.expose_secret())
            .header(reqwest012::header::CONTENT_TYPE, "application/json")
            .body(json!({ "clientId": client_id, "subscriptions": topics }).to_string())
            .send()
            .await
            .map_err(|_| PocketbaseError::Unreachable { operation: OPERATION, source: None })?;
        match answer.status().as_u16() {
            204 => Ok(connection),
            status @ (401 | 403) => Err(PocketbaseError::Unauthorized { operation: OPERATION, status }),
            400 => Err(unexpected(
                "the subscription was refused: stream and subscription must come from one address (is it behind a proxy, or \
                 `localhost`?)",
            )),
            status => Err(PocketbaseError::Transient { operation: OPERATION, status }),
        }
    }
}

impl Connection {
    async fn client_id(&mut self) -> Result<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Connected {
            client_id: String,
        }
        let (topic, data) = self.message().await.map_err(|end| match end {
            End::Garbled(what) => unexpected(what),
            End::Closed | End::Broken(_) => PocketbaseError::Unreachable { operation: OPERATION, source: None },
        })?;
        serde_json::from_str::<Connected>(&data)
            .ok()
            .filter(|_| topic == CONNECTED)
            .map(|connected| connected.client_id)
            .ok_or_else(|| unexpected("the stream does not begin with PB_CONNECT"))
    }
}

/// The HTTP client of a stream and its subscription.
// Both must reach the server from one address, so a host name is resolved once for both.
async fn stream_client(settings: &Settings) -> Result<StreamClient> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let what = "main must install rustls' aws_lc_rs provider as the default first";
        return Err(PocketbaseError::Misuse { operation: OPERATION, what });
    }
    let mut builder = StreamClient::builder()
        .no_proxy()
        .http1_only()
        .redirect(reqwest012::redirect::Policy::none())
        .connect_timeout(settings.connect_timeout)
        .read_timeout(SILENCE_MAX);
    if let Some((host, address)) = reachable_address(settings).await {
        builder = builder.resolve(&host, address);
    }
    builder.build().map_err(|_| unexpected("the client cannot be set up; are there CA certificates?"))
}

/// If the address has a host name: the name, and the first of its addresses that accepts a
/// connection.
async fn reachable_address(settings: &Settings) -> Option<(String, SocketAddr)> {
    let Some(url::Host::Domain(host)) = settings.url.host() else { return None };
    let port = settings.url.port_or_known_default()?;
    for address in tokio::net::lookup_host((host, port)).await.ok()? {
        let attempt = tokio::net::TcpStream::connect(address);
        if matches!(tokio::time::timeout(settings.connect_timeout, attempt).await, Ok(Ok(_))) {
            return Some((host.to_owned(), address));
        }
    }
    None
}

/// The topic of all records of a collection, with the fields that a hint needs.
fn topic(collection: Collection) -> String {
    let options = json!({ "query": { "fields": hint_fields(collection) } }).to_string();
    format!("{}/*?options={}", collection.name(), utf8_percent_encode(&options, NON_ALPHANUMERIC))
}

fn hint(topic: &str, data: &str) -> Option<Event> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        action: String,
        record: HintRow,
    }
    let collection = Collection::parse(topic.split('/').next()?)?;
    let Message { action, record } = serde_json::from_str(data).ok()?;
    let verification = match collection {
        Collection::Verifications => record.id.clone(),
        _ => record.verification,
    };
    let valid = is_record_id(&record.id) && (verification.is_empty() || is_record_id(&verification));
    valid.then(|| Event {
        collection,
        record: record.id,
        verification,
        beat: record.instance.map(|instance| (instance, record.beat)),
        change: match action.as_str() {
            "create" => Change::Create,
            "update" => Change::Update,
            "delete" => Change::Delete,
            _ => Change::Other,
        },
    })
}

fn end(error: &reqwest_eventsource::Error) -> End {
    use reqwest_eventsource::Error as E;
    match error {
        E::StreamEnded => End::Closed,
        E::Utf8(_) => End::Garbled("a message is not text"),
        E::Parser(_) => End::Garbled("a message is malformed"),
        E::InvalidContentType(..) => End::Broken("the answer is not an event stream; is there a proxy in between?"),
        E::InvalidStatusCode(..) => End::Broken("the server answered with an error status"),
        E::Transport(e) if e.is_timeout() => End::Broken("nothing came for too long"),
        E::Transport(e) if e.is_connect() => End::Broken("no connection"),
        E::Transport(_) | E::InvalidLastEventId(_) => End::Broken("the connection was lost"),
    }
}

fn unexpected(what: &'static str) -> PocketbaseError {
    PocketbaseError::Unexpected { operation: OPERATION, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_its_record_and_the_verification() {
        let event = hint(
            &topic(Collection::Documents),
            r#"{"action":"create","record":{"id":"abcdefghij00001","verification":"abcdefghij00002","front":"x"}}"#,
        );
        let event = event.expect("a hint");
        assert_eq!((event.record.as_str(), event.verification.as_str()), ("abcdefghij00001", "abcdefghij00002"));
        assert_eq!((event.collection, event.change), (Collection::Documents, Change::Create));
    }

    #[test]
    fn malformed_messages_are_ignored() {
        let topic = topic(Collection::Documents);
        for data in ["", "{}", "[]", r#"{"record":{}}"#, r#"{"record":{"id":"' || 1=1"}}"#, "\u{feff}"] {
            assert_eq!(hint(&topic, data), None, "{data}");
        }
        assert_eq!(hint("nonsense/*", r#"{"record":{"id":"abcdefghij00001"}}"#), None);
    }

    #[test]
    fn an_unknown_kind_of_change_is_still_a_hint() {
        let event = hint(&topic(Collection::Verifications), r#"{"action":"touch","record":{"id":"abcdefghij00001"}}"#);
        assert_eq!(event.map(|e| (e.verification, e.change)), Some(("abcdefghij00001".to_owned(), Change::Other)));
    }
}
