//! What a running sandbox knows: its keys, its clock, its settings, and what each provider remembers.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::aws::liveness::{Outcome as LivenessOutcome, Sessions};
use crate::aws::sts::Issued;
use crate::eyes::{EyesError, Seen, look};
use crate::faults::{FaultBook, Provider};
use crate::fingerprint::Events;
use crate::journal::{Journal, Outcome};
use crate::seed::{Seed, sha256_hex};
use crate::selfies::Selfie;

/// Pictures that were looked at are remembered, this many of them.
const MOST_SIGHTS: usize = 4096;
/// So are pictures that were drawn; each is some 50 kB.
const MOST_SELFIES: usize = 256;

/// The secrets that the sandbox accepts. None of them is worth anything elsewhere.
#[derive(Debug, Clone, clap::Args)]
pub struct Keys {
    /// AWS access key id that is accepted.
    #[arg(long, default_value = "AKIASANDBOX000000001")]
    pub aws_access_key_id: String,
    /// Its secret.
    #[arg(long, default_value = "sandbox-secret-access-key-not-a-secret00")]
    pub aws_secret_access_key: String,
    /// `OpenAI` key that is accepted.
    #[arg(long, default_value = "sk-sandbox")]
    pub openai_api_key: String,
    /// Fingerprint secret key that is accepted.
    #[arg(long, default_value = "fp-sandbox")]
    pub fingerprint_secret_key: String,
    /// Role that STS hands out for browsers; it may do nothing but start a liveness session.
    #[arg(long, default_value = "arn:aws:iam::000000000000:role/identivia-browser")]
    pub browser_role_arn: String,
    /// Role that STS hands out for servers; it may call all of Rekognition.
    #[arg(long, default_value = "arn:aws:iam::000000000000:role/identivia-server")]
    pub server_role_arn: String,
}

/// What can be changed while the sandbox runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The model does what text on a document tells it.
    pub obey_instructions: bool,
    /// `shutdown_date` of every model, instead of the catalogue's.
    pub model_shutdown_date: Option<String>,
    /// Models beyond the catalogue, each with its `shutdown_date` or null.
    pub models: BTreeMap<String, Option<String>>,
    /// How long every answer takes at least.
    pub latency_ms: Latency,
    /// How far AWS's clock is ahead of ours (behind, if negative).
    pub aws_clock_skew_seconds: i64,
    /// How long a Fingerprint event answers 404 after it was made.
    pub fingerprint_delay_ms: u64,
    /// Pairs of persons whose faces are alike but not the same.
    pub lookalikes: Vec<(String, String)>,
    /// New liveness sessions end like this at once, without anybody taking the challenge.
    pub auto_liveness: Option<LivenessOutcome>,
}

/// Milliseconds for all providers, or for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Latency {
    /// The same for all.
    All(u64),
    /// By name of the provider; absent = none.
    Each(BTreeMap<String, u64>),
}

impl Default for Latency {
    fn default() -> Self {
        Self::All(0)
    }
}

impl Latency {
    /// The latency of one provider.
    pub fn of(&self, provider: Provider) -> u64 {
        let name = match provider {
            Provider::Rekognition => "rekognition",
            Provider::Sts => "sts",
            Provider::Openai => "openai",
            Provider::Fingerprint => "fingerprint",
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
    /// The settings.
    pub settings: Settings,
    /// The faults to come.
    pub faults: FaultBook,
    /// What was asked.
    pub journal: Journal,
    /// Credentials that STS handed out.
    pub issued: Issued,
    /// Liveness sessions.
    pub sessions: Sessions,
    /// Fingerprint events.
    pub events: Events,
    /// Numbers the request ids.
    requests: u64,
    sights: HashMap<String, Arc<Seen>>,
    /// Pictures of people that were drawn before.
    pub selfies: HashMap<(String, u8), Selfie>,
}

impl State {
    /// Keeps a picture, so that it need not be drawn again.
    pub fn remember_selfie(&mut self, of: (String, u8), selfie: Selfie) {
        if self.selfies.len() >= MOST_SELFIES {
            self.selfies.clear();
        }
        self.selfies.insert(of, selfie);
    }
}

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    /// What it accepts.
    pub keys: Keys,
    /// From which its identifiers and noise follow.
    pub seed: Seed,
    state: Mutex<State>,
    journal_file: Option<Mutex<File>>,
}

impl Sandbox {
    /// A fresh one; the journal is also appended to `journal_file` if there is one, a JSON object per line.
    pub fn new(keys: Keys, seed: u64, journal_file: Option<&Path>) -> anyhow::Result<Self> {
        let journal_file = journal_file
            .map(|path| {
                File::options()
                    .create(true)
                    .append(true)
                    .open(path)
                    .with_context(|| format!("cannot append to {}", path.display()))
            })
            .transpose()?
            .map(Mutex::new);
        Ok(Self { keys, seed: Seed(seed), state: Mutex::default(), journal_file })
    }

    /// The state, for a moment: never held across an await or while looking at a picture.
    pub fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at worst one half-written entry, which a simulator can live with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sandbox's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.state().clock_offset).unwrap_or(Timestamp::MAX)
    }

    /// The next number for a request id.
    pub fn next_request(&self) -> u64 {
        let mut state = self.state();
        state.requests += 1;
        state.requests
    }

    /// What is in a picture; remembered by the hash of its bytes.
    pub fn look(&self, bytes: &[u8]) -> Result<Arc<Seen>, EyesError> {
        let hash = sha256_hex(bytes);
        if let Some(seen) = self.state().sights.get(&hash) {
            return Ok(Arc::clone(seen));
        }
        let seen = Arc::new(look(bytes)?);
        let mut state = self.state();
        if state.sights.len() >= MOST_SIGHTS {
            state.sights.clear();
        }
        state.sights.insert(hash, Arc::clone(&seen));
        Ok(seen)
    }

    /// Forgets everything but the keys and the seed.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// Ends a journal entry and writes it to the journal file.
    pub fn close_entry(&self, seq: u64, outcome: Outcome, status: Option<u16>, duration_ms: u64) {
        let line = {
            let mut state = self.state();
            let Some(entry) = state.journal.entry(seq) else { return };
            entry.outcome = outcome;
            entry.status = status;
            entry.duration_ms = Some(duration_ms);
            self.journal_file.as_ref().and_then(|_| serde_json::to_string(entry).ok())
        };
        if let (Some(file), Some(line)) = (&self.journal_file, line) {
            let written = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            if let Err(error) = written {
                tracing::warn!(%error, "cannot write to the journal file");
            }
        }
    }
}
