//! A facade in this process with a real PocketBase, and a client that checks every answer against
//! the API description.

use std::sync::OnceLock;
use std::time::Instant;

use identivia::http::{Facade, Health, Notifier, ProviderHealth, Providers, Settings, StatusCache, serve};
use identivia::pocketbase::Client;
use identivia::providers::rekognition::Rekognition;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::described;
use crate::harness::pocketbase::{Admin, Pocketbase};

pub const KEY: &str = "the-first-api-key-of-tests";
pub const SECOND_KEY: &str = "the-second-api-key-of-tests";
pub const ORIGIN: &str = "https://app.example.org";

/// A running facade; stops with the test.
pub struct Fixture {
    pub pocketbase: Pocketbase,
    pub admin: Admin,
    pub base: Url,
    pub http: reqwest::Client,
    pub changes: Notifier,
    pub status_cache: StatusCache,
    /// The facade's client of PocketBase.
    pub client: Client,
    pub health: watch::Sender<Health>,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<std::io::Result<()>>,
}

/// An answer of the facade.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Pointers of the wrong values in a 422.
    pub fn pointers(&self) -> Vec<&str> {
        assert_eq!((self.status, self.body["code"].as_str()), (422, Some("invalid")), "{}", self.text);
        let errors = self.body["errors"].as_array().expect("errors");
        errors.iter().filter_map(|e| e["pointer"].as_str().or(e["parameter"].as_str())).collect()
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.text)).to_owned()
    }
}

/// Settings of the tests.
pub fn settings() -> Settings {
    Settings {
        api_keys: vec![KEY.into(), SECOND_KEY.into()],
        client_urls: vec![format!("{ORIGIN}/start"), "http://localhost:5173".to_owned()],
        ..Settings::default()
    }
}

impl Fixture {
    /// Starts a facade with [`settings`].
    pub async fn start() -> Self {
        Self::with(settings()).await
    }

    /// Starts a facade with other settings.
    pub async fn with(settings: Settings) -> Self {
        let pocketbase = Pocketbase::start().await;
        let client = pocketbase.client().await;
        Self::over(pocketbase, client, settings).await
    }

    /// Starts a facade with another client of PocketBase.
    pub async fn over(pocketbase: Pocketbase, client: Client, settings: Settings) -> Self {
        Self::of(pocketbase, client, settings, None).await
    }

    /// Starts a facade that issues credentials for browsers.
    pub async fn with_credentials_of(rekognition: Rekognition) -> Self {
        let pocketbase = Pocketbase::start().await;
        let client = pocketbase.client().await;
        Self::of(pocketbase, client, settings(), Some(rekognition)).await
    }

    async fn of(pocketbase: Pocketbase, client: Client, settings: Settings, rekognition: Option<Rekognition>) -> Self {
        let admin = pocketbase.admin().await;
        let well = ProviderHealth::Ok;
        let providers = Providers { rekognition: well, openai: well, fingerprint: well };
        let (health, receiver) =
            watch::channel(Health { reachable: true, authenticated: true, proved_at: Some(Instant::now()), providers });
        let facade = Facade {
            settings,
            pocketbase: client,
            health: receiver,
            changes: Notifier::new(),
            status_cache: StatusCache::default(),
            rekognition,
            metrics: None,
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("bound")).parse().expect("an address");
        let shutdown = CancellationToken::new();
        let (changes, status_cache, client) =
            (facade.changes.clone(), facade.status_cache.clone(), facade.pocketbase.clone());
        let task = begin(serve(listener, facade, shutdown.clone()));
        Self {
            pocketbase,
            admin,
            base,
            http: reqwest::Client::new(),
            changes,
            status_cache,
            client,
            health,
            shutdown,
            task,
        }
    }

    /// A request with the first API key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.open(method, path).header("x-api-key", KEY)
    }

    /// A request without credentials.
    pub fn open(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.base.join(path).expect("a path"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Starts a verification for `reference`.
    pub async fn verification(&self, reference: &str) -> Answer {
        let answer = self.post("/api/v1/verify", &json!({ "reference": reference })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer
    }

    /// Writes what a sidecar would write, without the journal: the facade reads only the record.
    pub async fn patch(&self, id: &str, body: Value) {
        self.admin.patch("verifications", id, body).await;
        self.changes.publish(id);
    }
}

/// Sends a request and checks the answer against the description.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.expect("a request");
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.expect("the facade answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or_default();
    let answer = Answer { status, headers, text, body };
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(!answer.header("cache-control").is_empty());
    assert!(answer.header("vary").contains("Origin"));
    described::check(description(), &method, &path, &answer);
    answer
}

/// Runs `future` concurrently with the test, which awaits it.
#[expect(clippy::disallowed_methods, reason = "the handle is awaited, or the runtime of the test ends with it")]
pub fn begin<F: Future<Output: Send> + Send + 'static>(future: F) -> JoinHandle<F::Output> {
    tokio::spawn(future)
}

/// The API description, as it is served.
pub fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    DESCRIPTION.get_or_init(|| identivia::http::openapi_document("0"))
}

/// A picture that begins like a PNG; the facade does not read the rest.
pub fn png(length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(length, 7);
    bytes
}

/// A picture that begins like a JPEG.
pub fn jpeg(length: usize) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.resize(length, 7);
    bytes
}
