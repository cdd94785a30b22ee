//! A TCP proxy that does to a connection what networks do: it loses, delays, holds, cuts, resets,
//! slows, garbles and duplicates.
//!
//! There are three kinds of faults: a [`Fault`] for requests that contain a marked text, [`Events`]
//! for the realtime stream, and [`Proxy::cut`], [`Proxy::reset`] and [`Proxy::freeze`] for all
//! connections at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::stream::{Events, Reshaped};

/// What happens to a request whose bytes contain the marked text. Other requests pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is served, but the answer is lost: the connection is cut.
    LoseAnswer,
    /// The request is lost: the connection is cut.
    LoseRequest,
    /// The request is answered with a reset.
    Reset,
    /// The request is lost without a sign: the connection stays open and silent.
    HalfOpen,
    /// The request arrives after this delay.
    Delay(Duration),
    /// The request is held until [`Proxy::release`].
    Hold,
    /// The answer arrives in fragments of a few bytes, with a pause before each.
    Drip(Duration),
    /// The request is answered with random bytes.
    Garbage,
    /// The request is answered with 500 and does not arrive.
    ServerError,
    /// The request is answered with 429 and does not arrive.
    Throttle,
}

/// A running proxy. Dropping it ends it.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

struct Shared {
    rules: Mutex<Vec<Rule>>,
    requests: AtomicU64,
    state: watch::Sender<State>,
}

/// A fault that some requests meet.
struct Rule {
    mark: String,
    fault: Fault,
    /// Number of requests that still meet it; `None` for all.
    left: Option<u32>,
    /// Only each n-th matching request meets it.
    every: u32,
    /// Matching requests so far.
    met: u32,
}

/// What all connections obey. These are counters, so that a connection that reads them late still
/// sees that they changed.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    cuts: u64,
    resets: u64,
    releases: u64,
    freezes: u64,
    frozen: bool,
    away: bool,
    events: Events,
}

impl Proxy {
    /// A proxy in front of the server on `port`.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own_port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            rules: Mutex::default(),
            requests: AtomicU64::new(0),
            state: watch::Sender::new(State::default()),
        });
        let mut task = JoinSet::new();
        task.spawn(serve(listener, port, Arc::clone(&shared)));
        Self { port: own_port, shared, _task: task }
    }

    pub fn url(&self) -> Url {
        format!("http://127.0.0.1:{}", self.port).parse().expect("an address")
    }

    /// Plans one fault for the next request that contains `mark`, such as `POST /api/batch`.
    pub fn fail_next(&self, mark: &str, fault: Fault) {
        self.plan(mark, fault, Some(1), 1);
    }

    /// Plans a fault for every request that contains `mark`, until [`Proxy::mend`].
    pub fn fail_all(&self, mark: &str, fault: Fault) {
        self.plan(mark, fault, None, 1);
    }

    /// Plans a fault for each `every`-th request that contains `mark`, until [`Proxy::mend`].
    pub fn fail_some(&self, mark: &str, fault: Fault, every: u32) {
        self.plan(mark, fault, None, every);
    }

    fn plan(&self, mark: &str, fault: Fault, left: Option<u32>, every: u32) {
        self.shared.rules().push(Rule { mark: mark.to_owned(), fault, left, every, met: 0 });
    }

    /// Counts a request. Bytes that do not begin with a method are the rest of an earlier one.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Whether every planned fault has happened.
    pub fn failed(&self) -> bool {
        self.shared.rules().iter().all(|rule| rule.left.is_none())
    }

    /// Releases a held request.
    pub fn release(&self) {
        self.shared.state.send_modify(|state| state.releases += 1);
    }

    /// Applies `events` to every realtime stream.
    pub fn events(&self, events: Events) {
        self.shared.state.send_modify(|state| state.events = events);
    }

    /// Closes every connection.
    pub fn cut(&self) {
        self.shared.state.send_modify(|state| state.cuts += 1);
    }

    /// Resets every connection.
    pub fn reset(&self) {
        self.shared.state.send_modify(|state| state.resets += 1);
    }

    /// Keeps connections open and accepts new ones, and passes nothing on: like a router that lost
    /// its table. Connections that were open then never work again.
    pub fn freeze(&self) {
        self.shared.state.send_modify(|state| (state.frozen, state.freezes) = (true, state.freezes + 1));
    }

    /// Refuses new connections and closes every open one.
    pub fn go_away(&self) {
        self.shared.state.send_modify(|state| (state.away, state.cuts) = (true, state.cuts + 1));
    }

    /// Passes everything on again. Frozen connections stay dead.
    pub fn mend(&self) {
        self.shared.rules().clear();
        self.shared.state.send_modify(|state| {
            (state.frozen, state.away, state.events) = (false, false, Events::Untouched);
            state.releases += 1;
        });
    }
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault_for(&self, bytes: &[u8]) -> Option<Fault> {
        let mut rules = self.rules();
        let meets = |rule: &Rule| bytes.windows(rule.mark.len()).any(|w| w == rule.mark.as_bytes());
        if [b"GET ".as_slice(), b"POST ", b"PATCH "].iter().any(|method| bytes.starts_with(method)) {
            self.requests.fetch_add(1, Ordering::Relaxed);
        }
        let index = rules.iter_mut().position(|rule| {
            rule.met += u32::from(meets(rule));
            meets(rule) && rule.met % rule.every == 0
        })?;
        let fault = rules[index].fault;
        if let Some(left) = &mut rules[index].left {
            *left -= 1;
            if *left == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }
}

async fn serve(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let state = shared.state.subscribe();
            if state.borrow().away {
                return;
            }
            if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                let seen = *state.borrow();
                // Broken connections are the purpose of this proxy.
                let _ = Relay { client, server, shared, state, seen, drip: None }.run().await;
            }
        });
    }
}

/// Why a connection ends.
enum Fate {
    Goes,
    Ends,
}

struct Relay {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    state: watch::Receiver<State>,
    /// The counters at the time when the connection was made.
    seen: State,
    /// How slowly the answer is sent.
    drip: Option<Duration>,
}

const GARBAGE: &[u8] = b"\x16\x03\x01 this is not what was asked for \xff\xfe\r\n\r\n";
const ERROR: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const THROTTLED: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Bytes per fragment of a slow answer.
const DROP: usize = 16;

impl Relay {
    /// Copies in both directions until a fault or the end.
    async fn run(mut self) -> std::io::Result<()> {
        let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let mut doomed = false;
        let mut stream: Option<Reshaped> = None;
        if self.seen.frozen {
            self.stay_dead().await?;
            return Ok(());
        }
        loop {
            let held_back = stream.as_ref().and_then(Reshaped::held_since);
            tokio::select! {
                read = self.client.read(&mut request) => {
                    let bytes = &request[..read?];
                    if bytes.is_empty() {
                        return Ok(());
                    }
                    self.drip = None;
                    if bytes.starts_with(b"GET /api/realtime") {
                        stream = Some(Reshaped::default());
                    }
                    match self.shared.fault_for(bytes) {
                        Some(Fault::LoseAnswer) => doomed = true,
                        Some(fault) => if let Fate::Ends = self.befall(fault).await? { return Ok(()) },
                        None => {}
                    }
                    self.server.write_all(bytes).await?;
                }
                read = self.server.read(&mut answer) => {
                    let bytes = &answer[..read?];
                    if bytes.is_empty() || doomed {
                        return Ok(());
                    }
                    let events = self.state.borrow().events;
                    match &mut stream {
                        Some(stream) => {
                            let bytes = stream.take(bytes, events);
                            self.give(&bytes).await?;
                        }
                        None => self.give(bytes).await?,
                    }
                }
                () = tokio::time::sleep_until(held_back.unwrap_or_else(tokio::time::Instant::now)), if held_back.is_some() => {
                    let bytes = stream.as_mut().map(Reshaped::let_go).unwrap_or_default();
                    self.give(&bytes).await?;
                }
                changed = self.state.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    if let Fate::Ends = self.obey().await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn give(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let Some(pause) = self.drip else { return self.client.write_all(bytes).await };
        for drop in bytes.chunks(DROP) {
            tokio::time::sleep(pause).await;
            self.client.write_all(drop).await?;
        }
        Ok(())
    }

    async fn befall(&mut self, fault: Fault) -> std::io::Result<Fate> {
        match fault {
            Fault::LoseAnswer => {}
            Fault::LoseRequest => return Ok(Fate::Ends),
            Fault::Reset => {
                self.client.set_zero_linger()?;
                return Ok(Fate::Ends);
            }
            Fault::HalfOpen => return self.stay_dead().await,
            Fault::Delay(time) => tokio::time::sleep(time).await,
            Fault::Hold => {
                let releases = self.state.borrow().releases;
                let _ = self.state.wait_for(|state| state.releases > releases).await;
            }
            Fault::Drip(pause) => self.drip = Some(pause),
            Fault::Garbage => return self.answer(GARBAGE).await,
            Fault::ServerError => return self.answer(ERROR).await,
            Fault::Throttle => return self.answer(THROTTLED).await,
        }
        Ok(Fate::Goes)
    }

    async fn answer(&mut self, bytes: &[u8]) -> std::io::Result<Fate> {
        self.client.write_all(bytes).await?;
        self.client.shutdown().await?;
        Ok(Fate::Ends)
    }

    /// What applies to all connections.
    async fn obey(&mut self) -> std::io::Result<Fate> {
        let state = *self.state.borrow_and_update();
        if state.resets > self.seen.resets {
            self.client.set_zero_linger()?;
            return Ok(Fate::Ends);
        }
        if state.cuts > self.seen.cuts {
            return Ok(Fate::Ends);
        }
        if state.freezes > self.seen.freezes {
            return self.stay_dead().await;
        }
        Ok(Fate::Goes)
    }

    /// The connection is open and silent until it is cut or the client gives up.
    async fn stay_dead(&mut self) -> std::io::Result<Fate> {
        let seen = self.seen;
        let cut = self.state.wait_for(|state| state.cuts > seen.cuts || state.resets > seen.resets);
        let mut nothing = [0; 1024];
        let client = &mut self.client;
        tokio::select! {
            _ = cut => {}
            () = async { while client.read(&mut nothing).await.is_ok_and(|read| read > 0) {} } => {}
        }
        Ok(Fate::Ends)
    }
}
