//! One verification from start to outcome, as a partner's server would run it: through the facade,
//! with a specimen.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rand::Rng as _;
use rand::distr::{Alphanumeric, SampleString as _, Uniform};
use reqwest::Client;
use serde_json::{Value, json};

use crate::environment;
use crate::facade::{Answer, Facade};
use crate::options::{Demo, Options};
use crate::specimen::{Pictures, Specimen};
use crate::stack::{self, Stack};
use crate::stop::Stop;
use crate::{console, health, project};

/// Time limit of the whole verification.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The person who is verified; the specimen shows the same.
const NAME: &str = "Anna Maria Eriksson";
const NAME_ON_DOCUMENT: &str = "ERIKSSON, ANNA MARIA";
const BIRTH: &str = "1990-08-12";
const COUNTRY: &str = "UTO";

/// Runs it against the running stack, or starts one for it.
pub async fn run(options: &Options, demo: &Demo) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let mut stack = Stack::default();
    let outcome = tokio::select! {
        outcome = with_stack(&mut stack, options, demo) => outcome,
        () = stop.asked() => Err(anyhow::anyhow!("stopped before the end")),
    };
    stack.stop().await;
    outcome.map(|approved| if approved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn with_stack(stack: &mut Stack, options: &Options, demo: &Demo) -> anyhow::Result<bool> {
    let env_file = stack::env_file(&project::root()?, options);
    if options.fresh || !is_running(&env_file).await? {
        console::note("no stack is running: starting one for this demo");
        stack.start(options).await?;
    }
    let outcome = tokio::time::timeout(TIMEOUT, Walk::new(&env_file, demo)?.walk());
    outcome.await.with_context(|| format!("no outcome within {} s", TIMEOUT.as_secs()))?
}

/// Whether the stack that the file describes is running.
async fn is_running(env_file: &Path) -> anyhow::Result<bool> {
    match environment::read(env_file)?.get("FACADE_URL") {
        Some(url) => Ok(health::is_up(&Client::new(), &format!("{url}/health")).await),
        None => Ok(false),
    }
}

/// The verification under way.
struct Walk<'a> {
    demo: &'a Demo,
    http: Client,
    facade: Facade,
    sandbox_url: String,
    sandbox: PathBuf,
    document_number: String,
    started: Instant,
}

impl<'a> Walk<'a> {
    fn new(env_file: &Path, demo: &'a Demo) -> anyhow::Result<Self> {
        let variables = environment::read(env_file)?;
        let variable = |name: &str| {
            variables.get(name).cloned().with_context(|| format!("{} does not set {name}", env_file.display()))
        };
        let http = Client::new();
        Ok(Self {
            demo,
            facade: Facade::new(http.clone(), &variable("FACADE_URL")?, &variable("API_KEY")?),
            http,
            sandbox_url: variable("SANDBOX_URL")?,
            sandbox: project::sibling("sandbox")?,
            document_number: document_number(),
            started: Instant::now(),
        })
    }

    /// Takes every step; true if approved.
    async fn walk(self) -> anyhow::Result<bool> {
        let begun = self.facade.verify(&self.request()).await?;
        let id = text(&begun.body, "id")?;
        self.print_answer("verify", &begun, &format!("id {id}, next {}", list(&begun.body["next"])));

        let event_id = self.device_event(&id).await?;
        let document = self.facade.document(&id, &event_id, &self.demo.document_type, self.specimen().await?).await?;
        self.print_answer("document", &document, &format!("status {}", word(&document.body["status"])));

        if is_settled(&document.body) {
            return Ok(self.outcome(&document.body));
        }
        self.liveness(&id).await?;
        Ok(self.outcome(&self.settled(&id).await?))
    }

    fn request(&self) -> Value {
        json!({
            "reference": format!("demo-{}", Alphanumeric.sample_string(&mut rand::rng(), 12)),
            "declared": {
                "name": NAME,
                "date_of_birth": BIRTH,
                "document_type": self.demo.document_type,
                "document_number": self.document_number,
                "country": COUNTRY,
            },
            "consent": { "version": "demo-1", "given_at": jiff::Timestamp::now().to_string() },
            "locale": "en",
        })
    }

    /// What the Fingerprint agent in the person's browser would do: make an event bound to this
    /// verification.
    async fn device_event(&self, id: &str) -> anyhow::Result<String> {
        let event = json!({ "linked_id": id, "scenario": self.demo.device, "url": "http://127.0.0.1/demo" });
        let event_id = text(&self.sandbox_call("/sandbox/fingerprint/events", &event).await?, "event_id")?;
        self.print("device", 200, &format!("event {event_id} ({})", self.demo.device));
        Ok(event_id)
    }

    async fn specimen(&self) -> anyhow::Result<Pictures> {
        let demo = self.demo;
        let mut specimen = Specimen::default();
        for (name, value) in [
            ("type", demo.document_type.as_str()),
            ("name", NAME_ON_DOCUMENT),
            ("birth", BIRTH),
            ("number", &self.document_number),
            ("person", &demo.person),
        ] {
            specimen.choose(name, value)?;
        }
        for flaw in &demo.flaws {
            specimen.choose("flaw", flaw)?;
        }
        Ok(specimen.draw(&self.sandbox).await?)
    }

    async fn liveness(&self, id: &str) -> anyhow::Result<()> {
        let opened = self.facade.challenge(id).await?;
        let session = text(&opened.body, "session_id")?;
        self.print_answer("liveness", &opened, &format!("session {session}"));

        let taken = json!({ "outcome": self.demo.liveness, "person": self.demo.challenger() });
        self.sandbox_call(&format!("/sandbox/liveness/{session}"), &taken).await?;
        self.print("challenge", 200, &format!("{} as {}", self.demo.liveness, self.demo.challenger()));

        let completed = self.facade.challenge_taken(id, &session).await?;
        self.print_answer("completed", &completed, &format!("status {}", word(&completed.body["status"])));
        Ok(())
    }

    /// Follows the status until only a person can change it.
    async fn settled(&self, id: &str) -> anyhow::Result<Value> {
        let mut answer = self.facade.status(id, None).await?;
        loop {
            let status = word(&answer.body["status"]);
            self.print_answer("status", &answer, &format!("{status}, version {}", answer.body["version"]));
            if is_settled(&answer.body) {
                return Ok(answer.body);
            }
            let newer = self.facade.status(id, answer.etag.as_deref()).await?;
            if newer.status != reqwest::StatusCode::NOT_MODIFIED {
                answer = newer;
            }
        }
    }

    /// Prints the outcome; true if approved.
    fn outcome(&self, body: &Value) -> bool {
        let status = word(&body["status"]);
        console::say("");
        console::say(&format!("outcome: {status} after {:.2} s", self.started.elapsed().as_secs_f64()));
        for (kind, check) in body["checks"].as_object().into_iter().flatten() {
            console::say(&format!("  {kind:<11} {}", word(&check["outcome"])));
        }
        for reason in body["reasons"].as_array().into_iter().flatten() {
            console::say(&format!("  because {}: {}", word(&reason["code"]), word(&reason["message"])));
        }
        status == "approved"
    }

    async fn sandbox_call(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let response = self.http.post(format!("{}{path}", self.sandbox_url)).json(body).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("the sandbox answered {status} to POST {path}: {text}");
        }
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    fn print_answer(&self, step: &str, answer: &Answer, what: &str) {
        self.print(step, answer.status.as_u16(), what);
    }

    fn print(&self, step: &str, status: u16, what: &str) {
        console::say(&format!("{:>7.2} s  {step:<10} {status}  {what}", self.started.elapsed().as_secs_f64()));
    }
}

/// Nine characters as on a passport, new each time: a number that another person's document had
/// would be a finding.
fn document_number() -> String {
    let digits = Uniform::new_inclusive('0', '9').expect("0 comes before 9");
    std::iter::once('L').chain(rand::rng().sample_iter(digits).take(8)).collect()
}

/// Whether only a person can change the status.
fn is_settled(body: &Value) -> bool {
    body["final"] == true || matches!(word(&body["status"]), "needs_review" | "resubmission_required")
}

fn text(body: &Value, field: &str) -> anyhow::Result<String> {
    body[field].as_str().map(str::to_owned).with_context(|| format!("the answer has no `{field}`"))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn list(value: &Value) -> String {
    let words: Vec<_> = value.as_array().into_iter().flatten().map(word).collect();
    words.join(", ")
}
