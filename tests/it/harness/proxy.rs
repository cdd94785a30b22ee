//! A TCP proxy before `PocketBase` that loses what it is told to lose.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// What happens to the next request whose first bytes hold the marked text; everything else passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is served, but the answer never comes: the connection is cut.
    LoseAnswer,
    /// It never arrives: the connection is cut.
    LoseRequest,
}

/// A running proxy; gone when dropped.
pub struct Proxy {
    port: u16,
    plan: Plan,
    _task: JoinSet<()>,
}

type Plan = Arc<Mutex<Option<(String, Fault)>>>;

impl Proxy {
    /// A proxy before the server on `port`.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own_port = listener.local_addr().expect("bound").port();
        let plan = Plan::default();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, port, plan.clone()));
        Self { port: own_port, plan, _task: task }
    }

    /// Its address.
    pub fn url(&self) -> Url {
        format!("http://127.0.0.1:{}", self.port).parse().expect("an address")
    }

    /// Plans one fault for the next request that contains `mark`, such as `POST /api/batch`.
    pub fn fail_next(&self, mark: &str, fault: Fault) {
        *self.plan.lock().expect("no panic") = Some((mark.to_owned(), fault));
    }

    /// Whether the planned fault happened.
    pub fn failed(&self) -> bool {
        self.plan.lock().expect("no panic").is_none()
    }
}

async fn serve(listener: TcpListener, port: u16, plan: Plan) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let plan = plan.clone();
        connections.spawn(async move {
            if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                // A cut connection is what this is for.
                let _ = relay(client, server, plan).await;
            }
        });
    }
}

/// Copies both ways until a planned fault or an end.
async fn relay(mut client: TcpStream, mut server: TcpStream, plan: Plan) -> std::io::Result<()> {
    let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut doomed = false;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let bytes = &request[..read?];
                match take_fault(&plan, bytes) {
                    Some(Fault::LoseRequest) => return Ok(()),
                    Some(Fault::LoseAnswer) => doomed = true,
                    None => {}
                }
                if bytes.is_empty() { return Ok(()); }
                server.write_all(bytes).await?;
            }
            read = server.read(&mut answer) => {
                let bytes = &answer[..read?];
                if bytes.is_empty() || doomed { return Ok(()); }
                client.write_all(bytes).await?;
            }
        }
    }
}

fn take_fault(plan: &Plan, bytes: &[u8]) -> Option<Fault> {
    let mut plan = plan.lock().expect("no panic");
    let marked = plan.as_ref().is_some_and(|(mark, _)| bytes.windows(mark.len()).any(|w| w == mark.as_bytes()));
    if marked { plan.take().map(|(_, fault)| fault) } else { None }
}
