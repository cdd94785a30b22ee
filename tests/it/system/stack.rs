//! One PocketBase, one sandbox, any number of sidecars, and the persons who use them.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::oracle::{self, Observed};
use super::person::{Ledger, Person};
use super::record_id;
use super::sandbox::{Control, Sandbox};
use super::sidecar::{self, Environment, Sidecar};
use crate::harness::pocketbase::{Admin, Pocketbase};
use crate::harness::proxy::Proxy;

/// Lines of each log that a failed story prints.
const LOG_LINES_SHOWN: usize = 150;

/// The proxies between one sidecar and its peers.
pub struct Between {
    /// In front of `PocketBase`.
    pub pocketbase: Proxy,
    /// In front of the sandbox.
    pub providers: Proxy,
}

/// The running system of one story. Dropping it ends it.
pub struct Stack {
    /// The sidecars, in the order of their start.
    pub sidecars: Vec<Sidecar>,
    /// The real server.
    pub pocketbase: Pocketbase,
    admin: Admin,
    sandbox: Sandbox,
    folder: TempDir,
}

impl Stack {
    /// A system with one healthy sidecar called `one`.
    pub async fn start() -> Self {
        let mut stack = Self::without_sidecar().await;
        stack.add_sidecar("one").await;
        stack
    }

    /// A system without a sidecar yet. One webhook endpoint subscribes to every event. All persons
    /// submit the same passport, which the policy of these stories only notes.
    pub async fn without_sidecar() -> Self {
        Self::around(Pocketbase::start().await).await
    }

    /// Like [`Stack::without_sidecar`], with a PocketBase that was started elsewhere.
    pub async fn around(pocketbase: Pocketbase) -> Self {
        let stack = Self::strictly(pocketbase).await;
        stack.policy(json!({ "document.duplicate_other_user": "inform" })).await;
        stack
    }

    /// Like that, under the policy of the migrations, which sends a document of another person to
    /// review.
    pub async fn strict() -> Self {
        Self::strictly(Pocketbase::start().await).await
    }

    async fn strictly(pocketbase: Pocketbase) -> Self {
        let folder = tempfile::Builder::new().prefix("identivia-system-").tempdir().expect("a temporary folder");
        let sandbox = Sandbox::start(folder.path(), 7);
        let events = ["approved", "declined", "needs_review", "resubmission_required", "canceled", "expired"];
        let endpoint = json!({
            "name": "partner",
            "url": "https://127.0.0.1:1/hook",
            "secret": "whsec_canary0123456789abcdef",
            "events": events,
            "enabled": true,
        });
        let admin = pocketbase.admin().await;
        admin.create("webhook_endpoints", endpoint).await;
        Self { sidecars: Vec::new(), pocketbase, admin, sandbox, folder }
    }

    /// Makes a new version of the default policy with these dispositions.
    async fn policy(&self, dispositions: Value) {
        let mut policy = self.admin.get("policies", "policydefault01").await;
        let fields = policy.as_object_mut().expect("a policy");
        fields.retain(|name, _| !["id", "created", "collectionId", "collectionName"].contains(&name.as_str()));
        fields.insert("version".to_owned(), json!(2));
        fields.insert("dispositions".to_owned(), dispositions);
        self.admin.create("policies", policy).await;
    }

    /// The configuration of a sidecar called `instance`.
    pub fn environment(&self, instance: &str) -> Environment {
        let pocketbase = self.pocketbase.url();
        sidecar::environment(pocketbase.as_str().trim_end_matches('/'), self.sandbox.url(), instance)
    }

    /// Proxies for a sidecar called `instance`, and the configuration that uses them.
    pub async fn between(&self, instance: &str) -> (Between, Environment) {
        let sandbox: url::Url = self.sandbox.url().parse().expect("an address");
        let between = Between {
            pocketbase: Proxy::before(self.pocketbase.port()).await,
            providers: Proxy::before(sandbox.port().expect("a port")).await,
        };
        let (pocketbase, providers) = (between.pocketbase.url(), between.providers.url());
        let address = |url: &url::Url| url.as_str().trim_end_matches('/').to_owned();
        let environment = sidecar::environment(&address(&pocketbase), &address(&providers), instance);
        (between, environment)
    }

    /// Starts a sidecar and waits until it is healthy.
    pub async fn add_sidecar(&mut self, instance: &str) {
        self.add(self.environment(instance)).await;
    }

    /// Starts a sidecar with another configuration and waits until it is healthy.
    pub async fn add(&mut self, environment: Environment) {
        let mut sidecar = self.launch(environment);
        sidecar.healthy().await;
        self.sidecars.push(sidecar);
    }

    /// Starts a sidecar without waiting for it.
    pub fn launch(&self, environment: Environment) -> Sidecar {
        Sidecar::start(environment, self.folder.path())
    }

    /// The folder of the logs.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Requests as the superuser.
    pub fn admin(&self) -> Admin {
        self.admin.with_own_connections()
    }

    /// The port on which the sandbox speaks plain HTTP.
    pub fn sandbox_port(&self) -> u16 {
        self.sandbox.port()
    }

    /// The sandbox's control endpoints.
    pub fn sandbox(&self) -> Control {
        self.sandbox.control()
    }

    /// A new person, with a log of acknowledged writes.
    pub async fn person(&self) -> Person {
        self.persons(1).await.remove(0)
    }

    /// New persons with one log.
    pub async fn persons(&self, number: usize) -> Vec<Person> {
        let ledger = Ledger::default();
        let mut persons = Vec::new();
        for _ in 0..number {
            persons.push(self.login("users", json!({}), ledger.clone()).await);
        }
        persons
    }

    /// A new reviewer.
    pub async fn reviewer(&self) -> Person {
        self.login("reviewers", json!({ "name": "Rita", "role": "reviewer" }), Ledger::default()).await
    }

    async fn login(&self, collection: &str, mut account: Value, ledger: Ledger) -> Person {
        let admin = self.admin();
        let (id, password) = (record_id(), "canary-password-of-a-person");
        account["id"] = id.as_str().into();
        account["email"] = format!("{id}@example.test").into();
        account["password"] = password.into();
        account["passwordConfirm"] = password.into();
        admin.create(collection, account).await;
        // The same token as that of a login by password, without the cost of a password hash.
        let path = format!("api/collections/{collection}/impersonate/{id}");
        let login = admin.call(Method::POST, &path, &json!({ "duration": 3600 })).await;
        Person {
            id,
            token: login["token"].as_str().expect("a token").to_owned(),
            http: reqwest::Client::new(),
            base: self.pocketbase.url(),
            sandbox: self.sandbox(),
            ledger,
        }
    }

    /// The oracle's verdict on everything that happened here. The log of `person` must be the whole
    /// of it.
    pub async fn audit(&self, person: &Person) -> Observed {
        self.judge(person, true).await
    }

    async fn judge(&self, person: &Person, alone: bool) -> Observed {
        let observed = oracle::gather(self, person.ledger.entries(), alone).await;
        let violations = oracle::violations(&observed);
        assert!(violations.is_empty(), "promises broken:\n  {}", violations.join("\n  "));
        observed
    }

    #[expect(clippy::print_stdout, reason = "a failed test shows what its processes said")]
    fn show_logs(&self) {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder");
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let log = std::fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            println!("--- {}, the last lines of {}", path.display(), lines.len());
            for line in &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..] {
                println!("{line}");
            }
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
    }
}

/// A share of a system that several stories use. The system lives as long as one of them.
pub struct Shared(Arc<Stack>);

impl Shared {
    /// The running system, or a new one.
    pub async fn get() -> Self {
        static RUNNING: tokio::sync::Mutex<Weak<Stack>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut running = RUNNING.lock().await;
        if let Some(stack) = running.upgrade() {
            return Self(stack);
        }
        let stack = Arc::new(Stack::start().await);
        *running = Arc::downgrade(&stack);
        Self(stack)
    }

    /// The oracle's verdict on what `person` and those who share their log did. Other users are
    /// left out.
    pub async fn audit(&self, person: &Person) -> Observed {
        self.judge(person, false).await
    }
}

impl Deref for Shared {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last one drops the stack, which prints the logs too.
        if std::thread::panicking() && Arc::strong_count(&self.0) > 1 {
            self.show_logs();
        }
    }
}
