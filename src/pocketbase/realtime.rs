//! The realtime stream: hints that something changed, never the change itself.
//!
//! `PocketBase` sends no keepalive, replays nothing, keeps no order, and cuts every stream after 30 minutes (5 when idle).
//! A login that died leaves the stream open and silent. So a [`Connection`] is used until it ends or until its owner stops
//! believing in it (no own heartbeat came back), and whoever opens the next one lists what is open again.
//!
//! `main` must have called `rustls::crypto::aws_lc_rs::default_provider().install_default()`: `reqwest` 0.12 brings no provider.

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

use super::client::{Client, Settings};
use super::error::{PocketbaseError, Result};
use super::filter::is_record_id;
use super::records::Collection;

/// `PocketBase` closes an idle stream after 300 s itself: so long a silence means that nobody is there.
const SILENCE_MAX: Duration = Duration::from_secs(330);
/// A hint has three short fields. (The parser below takes quadratic time over one message, so topics ask for no more.)
const HINT_LIMIT: usize = 16 * 1024;
const CONNECTED: &str = "PB_CONNECT";
const OPERATION: &str = "open the realtime stream";

/// What happened to the record of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create,
    /// It was patched.
    Update,
    /// It is gone.
    Delete,
    /// A word this version does not know.
    Other,
}

/// A hint: look at this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where.
    pub collection: Collection,
    /// Which record.
    pub record: String,
    /// Its verification (for a verification its own id); empty for heartbeats, policies, persons and endpoints.
    pub verification: String,
    /// Name and counter of an instance; only for heartbeats.
    pub beat: Option<(String, u64)>,
    /// What happened.
    pub change: Change,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// Its age limit, its idle limit, or a restart.
    #[error("the server closed the stream")]
    Closed,
    /// The network broke, or nothing came for so long that nobody can be there.
    #[error("the stream broke: {0}")]
    Broken(&'static str),
    /// A message was too large or no text.
    #[error("the stream cannot be read: {0}")]
    Garbled(&'static str),
}

/// An open, subscribed stream. Dropping it closes it, and ends what the watch vouched for: between two streams events may be
/// missed, however the first one ended, and what it had received is lost with it.
pub struct Connection {
    stream: EventSource,
    client: Client,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.client.end_cache_lease();
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// The next hint, or why there will be none. Cancel safe. Poll it all the time: what is not read piles up in the
    /// server's memory.
    pub async fn next(&mut self) -> std::result::Result<Event, End> {
        loop {
            let (topic, data) = self.message().await?;
            if data.len() > HINT_LIMIT {
                return Err(End::Garbled("a message is too large"));
            }
            // What cannot be understood is no reason to stop listening: the sweep finds what it was about.
            if let Some(event) = hint(&topic, &data) {
                return Ok(event);
            }
            tracing::debug!("a realtime message was not understood");
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
    /// Opens a stream and subscribes to all records of `collections`. When it returns, the subscription is in force and the
    /// login behind it was just proved: whatever is committed from now on is delivered, so list what is open *after* this.
    pub async fn connect(&self, collections: &[Collection]) -> Result<Connection> {
        let unreachable = PocketbaseError::Unreachable { operation: OPERATION, source: None };
        tokio::time::timeout(self.inner.settings.request_timeout, self.subscribed(collections))
            .await
            .unwrap_or(Err(unreachable))
    }

    async fn subscribed(&self, collections: &[Collection]) -> Result<Connection> {
        // A lost login is accepted here and then hears nothing, so it is proved first.
        self.probe().await?;
        let token = self.token().await?;
        let http = stream_client(&self.inner.settings).await?;
        let url = format!("{}/api/realtime", self.inner.base);
        let mut stream = EventSource::new(http.get(&url)).map_err(|_| unexpected("the request cannot be made"))?;
        stream.set_retry_policy(Box::new(retry::Never));
        let mut connection = Connection { stream, client: self.clone() };
        let client_id = connection.client_id().await?;

        let topics: Vec<String> = collections.iter().map(|collection| topic(*collection)).collect();
        let answer = http
            .post(&url)
            .timeout(self.inner.settings.request_timeout)
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
                "the subscription was refused: stream and subscription must come from one address (a proxy, or localhost?)",
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

/// The stream and the subscription must reach the server from one address, so a host name is resolved once for both.
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

/// For a host name, the first of its addresses that takes a connection.
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

/// All records of a collection, each message trimmed to what a hint needs.
fn topic(collection: Collection) -> String {
    let fields = match collection {
        Collection::Heartbeats => "id,instance,beat",
        Collection::Verifications | Collection::Policies | Collection::Users | Collection::WebhookEndpoints => "id",
        _ => "id,verification",
    };
    let options = json!({ "query": { "fields": fields } }).to_string();
    format!("{}/*?options={}", collection.name(), utf8_percent_encode(&options, NON_ALPHANUMERIC))
}

fn hint(topic: &str, data: &str) -> Option<Event> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        action: String,
        record: Record,
    }
    #[derive(Deserialize)]
    struct Record {
        id: String,
        #[serde(default)]
        verification: String,
        #[serde(default)]
        instance: Option<String>,
        #[serde(default)]
        beat: u64,
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
        E::Utf8(_) => End::Garbled("a message is no text"),
        E::Parser(_) => End::Garbled("a message is malformed"),
        E::InvalidContentType(..) => End::Broken("the answer is no event stream; is there a proxy between?"),
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
    fn a_hint_names_the_verification_and_nothing_else() {
        let event = hint(
            &topic(Collection::Documents),
            r#"{"action":"create","record":{"id":"abcdefghij00001","verification":"abcdefghij00002","front":"x"}}"#,
        );
        let event = event.expect("understood");
        assert_eq!((event.record.as_str(), event.verification.as_str()), ("abcdefghij00001", "abcdefghij00002"));
        assert_eq!((event.collection, event.change), (Collection::Documents, Change::Create));
    }

    #[test]
    fn strange_messages_are_no_hints() {
        let topic = topic(Collection::Documents);
        for data in ["", "{}", "[]", r#"{"record":{}}"#, r#"{"record":{"id":"' || 1=1"}}"#, "\u{feff}"] {
            assert_eq!(hint(&topic, data), None, "{data}");
        }
        assert_eq!(hint("nonsense/*", r#"{"record":{"id":"abcdefghij00001"}}"#), None);
    }

    #[test]
    fn a_new_word_for_a_change_is_still_a_hint() {
        let event = hint(&topic(Collection::Verifications), r#"{"action":"touch","record":{"id":"abcdefghij00001"}}"#);
        assert_eq!(event.map(|e| (e.verification, e.change)), Some(("abcdefghij00001".to_owned(), Change::Other)));
    }
}
