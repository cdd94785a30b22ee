//! What a running sandbox knows: its keys, its clock, its settings, and what each simulated
//! provider remembers.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::aws::issued::Issued;
use crate::aws::sessions::{Outcome as LivenessOutcome, Sessions};
use crate::faults::FaultRules;
use crate::fingerprint::store::Events;
use crate::operations::SimulatedProvider;
use crate::request_log::{Outcome, RequestLog};
use crate::seed::{Seed, sha256_hex};
use crate::selfies::{self, Selfie, Selfies};
use crate::vision::{Analysis, VisionError, analyse};

/// Analyses of pictures that are kept, by the hash of the picture.
const ANALYSES_MAX: usize = 4096;

/// The secrets that the sandbox accepts. None of them is valid elsewhere.
#[derive(Debug, Clone, clap::Args)]
pub struct Keys {
    /// AWS access key id that is accepted.
    #[arg(long, default_value = "AKIASANDBOX000000001")]
    pub aws_access_key_id: String,
    /// Secret of the AWS access key.
    #[arg(long, default_value = "sandbox-secret-access-key-not-a-secret00")]
    pub aws_secret_access_key: String,
    /// `OpenAI` key that is accepted.
    #[arg(long, default_value = "sk-sandbox")]
    pub openai_api_key: String,
    /// Fingerprint secret key that is accepted.
    #[arg(long, default_value = "fp-sandbox")]
    pub fingerprint_secret_key: String,
    /// Role for browsers; it may only start a liveness session.
    #[arg(long, default_value = "arn:aws:iam::000000000000:role/identivia-browser")]
    pub browser_role_arn: String,
    /// Role for servers; it may call all of Rekognition.
    #[arg(long, default_value = "arn:aws:iam::000000000000:role/identivia-server")]
    pub server_role_arn: String,
}

/// What can be changed while the sandbox runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The model follows instructions that are printed on a document.
    pub obey_instructions: bool,
    /// `shutdown_date` of every model, instead of the catalogue's.
    pub model_shutdown_date: Option<String>,
    /// Models beyond the catalogue, each with its `shutdown_date` or null.
    pub models: BTreeMap<String, Option<String>>,
    /// The least time that an answer takes.
    pub latency_ms: Latency,
    /// How far AWS's clock is ahead of the machine's clock (behind, if negative).
    pub aws_clock_skew_seconds: i64,
    /// How long a Fingerprint event answers 404 after its creation.
    pub fingerprint_delay_ms: u64,
    /// Pairs of persons whose faces are alike but not the same.
    pub lookalikes: Vec<(String, String)>,
    /// New liveness sessions end like this at once; no person takes the challenge.
    pub auto_liveness: Option<LivenessOutcome>,
}

/// Milliseconds for all providers, or for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Latency {
    All(u64),
    /// By name of the provider; an absent one has none.
    Each(BTreeMap<String, u64>),
}

impl Default for Latency {
    fn default() -> Self {
        Self::All(0)
    }
}

impl Latency {
    /// The latency of one provider.
    pub fn of(&self, provider: SimulatedProvider) -> u64 {
        let name = match provider {
            SimulatedProvider::Rekognition => "rekognition",
            SimulatedProvider::Sts => "sts",
            SimulatedProvider::Openai => "openai",
            SimulatedProvider::Fingerprint => "fingerprint",
        };
        match self {
            Self::All(ms) => *ms,
            Self::Each(map) => map.get(name).copied().unwrap_or(0),
        }
    }
}

/// What changes from call to call.
#[derive(Debug, Default)]
pub struct State {
    /// How far the clock was advanced.
    pub clock_offset: SignedDuration,
    pub settings: Settings,
    pub faults: FaultRules,
    pub request_log: RequestLog,
    /// Credentials that STS issued.
    pub issued: Issued,
    pub sessions: Sessions,
    pub events: Events,
    /// Numbers the request ids.
    requests: u64,
    analyses: HashMap<String, Arc<Analysis>>,
    selfies: Selfies,
}

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    pub keys: Keys,
    /// Identifiers and noise follow from it.
    pub seed: Seed,
    state: Mutex<State>,
    log_file: Option<Mutex<File>>,
}

impl Sandbox {
    /// A new sandbox. Finished requests are also appended to `log_file`, a JSON object per line.
    pub fn new(keys: Keys, seed: u64, log_file: Option<&Path>) -> anyhow::Result<Self> {
        let log_file = log_file
            .map(|path| {
                File::options()
                    .create(true)
                    .append(true)
                    .open(path)
                    .with_context(|| format!("cannot append to {}", path.display()))
            })
            .transpose()?
            .map(Mutex::new);
        Ok(Self { keys, seed: Seed(seed), state: Mutex::default(), log_file })
    }

    /// The locked state. Never hold it across an await or while a picture is analysed or drawn.
    pub fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another thread leaves at worst one incomplete entry, which a simulator can
        // tolerate.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time on the sandbox's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.state().clock_offset).unwrap_or(Timestamp::MAX)
    }

    /// The next number for a request id.
    pub fn next_request(&self) -> u64 {
        let mut state = self.state();
        state.requests += 1;
        state.requests
    }

    /// What is in a picture; kept by the hash of its bytes.
    pub fn analyse(&self, bytes: &[u8]) -> Result<Arc<Analysis>, VisionError> {
        let hash = sha256_hex(bytes);
        if let Some(analysis) = self.state().analyses.get(&hash) {
            return Ok(Arc::clone(analysis));
        }
        let analysis = Arc::new(analyse(bytes)?);
        let mut state = self.state();
        if state.analyses.len() >= ANALYSES_MAX {
            state.analyses.clear();
        }
        state.analyses.insert(hash, Arc::clone(&analysis));
        Ok(analysis)
    }

    /// Picture `number` (0: the reference image) that a liveness session took of a person.
    pub fn selfie(&self, person: &str, session: &str, number: u64) -> Selfie {
        let key = selfies::key(self.seed, person, session, number);
        if let Some(known) = self.state().selfies.get(&key) {
            return known.clone();
        }
        let drawn = selfies::draw(&key);
        self.state().selfies.insert(key, drawn.clone());
        drawn
    }

    /// Forgets everything but the keys and the seed.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// Finishes an entry of the request log and appends it to the log file.
    pub fn close_entry(&self, seq: u64, outcome: Outcome, status: Option<u16>, duration_ms: u64) {
        let line = {
            let mut state = self.state();
            let Some(entry) = state.request_log.entry(seq) else { return };
            entry.outcome = outcome;
            entry.status = status;
            entry.duration_ms = Some(duration_ms);
            self.log_file.as_ref().and_then(|_| serde_json::to_string(entry).ok())
        };
        if let (Some(file), Some(line)) = (&self.log_file, line) {
            let written = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            if let Err(error) = written {
                tracing::warn!(%error, "cannot write to the request log file");
            }
        }
    }
}
