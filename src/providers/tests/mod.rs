//! The clients against a local server that sends exactly the bytes that a test names.

mod fingerprint;
mod openai;
mod rekognition;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

use crate::providers::Timeouts;

/// Long enough for a busy machine, short enough to wait for in a test.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(5) };
/// For tests that wait for a timeout.
const SHORT: Timeouts = Timeouts { connect: Duration::from_millis(300), attempt: Duration::from_millis(300) };

/// The server's reaction to a request.
#[derive(Clone)]
enum Reply {
    Http {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Announces more than it sends, and closes.
    CutBody {
        sent: &'static str,
    },
    /// Sends no answer.
    Hang,
    /// Sends the head and the beginning of a body, and then no more.
    HangInBody,
    /// Sends a gigabyte without announcing it.
    Gigabyte,
    /// Announces a gigabyte.
    AnnouncedGigabyte,
}

impl Reply {
    fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Reply::Http { status, headers, body: body.to_string() }
    }

    fn html(status: u16) -> Self {
        let headers = vec![("content-type", "text/html".to_owned())];
        Reply::Http { status, headers, body: "<html><body>Utopia is down for ERIKSSON</body></html>".to_owned() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Reply::Http { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// A request as the server received it.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON request")
    }
}

/// A server that gives every request the same reply and remembers the requests.
struct Stub {
    url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
    /// The tasks end with the server.
    _server: JoinSet<()>,
}

impl Stub {
    async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = Url::parse(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a URL");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, reply.clone(), Arc::clone(&seen)));
            }
        });
        Self { url, requests, _server: server }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panicked here").clone()
    }

    /// The only request that was made.
    fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "exactly one request");
        requests[0].clone()
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<Request>>>) {
    let Some(request) = read_request(&mut stream).await else { return };
    seen.lock().expect("no test panicked here").push(request);
    // The client may close before everything is sent; that is what some tests are about.
    let _ = answer(&mut stream, reply).await;
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, v)| v.parse().unwrap_or(0));
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { line, headers, body: String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned() })
}

async fn answer(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Http { status, headers, body } => {
            let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let headers = headers.concat();
            let head = format!(
                "HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await?;
        }
        Reply::CutBody { sent } => {
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{sent}");
            stream.write_all(head.as_bytes()).await?;
        }
        Reply::Hang => std::future::pending().await,
        Reply::HangInBody => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{").await?;
            std::future::pending::<()>().await;
        }
        Reply::Gigabyte => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
            let blanks = vec![b' '; 1 << 20];
            for _ in 0..1024 {
                stream.write_all(&blanks).await?;
            }
        }
        Reply::AnnouncedGigabyte => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await?;
            std::future::pending::<()>().await;
        }
    }
    stream.shutdown().await
}
