//! The running stack under test: the addresses of its facade and its sandbox, and the API key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Longest long poll in one request, in seconds.
pub const WAIT_SECONDS: u64 = 30;
/// Longest time of a request: the long poll, and some more because other cases keep the machine
/// busy.
const TIMEOUT: Duration = Duration::from_secs(WAIT_SECONDS + 60);

/// Options that name a running stack.
#[derive(Debug, Args)]
pub struct StackArgs {
    /// File to which `dev` wrote the stack's addresses and API key.
    #[arg(long, value_name = "FILE", default_value = ".dev/env")]
    env_file: PathBuf,
    /// Address of the facade, instead of the one in the env file.
    #[arg(long, env = "FACADE_URL")]
    facade_url: Option<String>,
    /// API key of the facade, instead of the one in the env file.
    #[arg(long, env = "API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Address of the stack's sandbox, instead of the one in the env file.
    #[arg(long, env = "SANDBOX_URL")]
    sandbox_url: Option<String>,
}

/// A running stack.
pub struct Stack {
    http: Client,
    facade: String,
    api_key: String,
    sandbox: String,
}

impl Stack {
    /// The stack that the options and the environment name; the env file supplies what they do not.
    pub fn find(args: &StackArgs) -> anyhow::Result<Self> {
        let from_file = variables(&args.env_file)?;
        let value = |given: &Option<String>, name: &str| {
            given.clone().or_else(|| from_file.get(name).cloned()).with_context(|| {
                format!("{name} is neither given nor in {}: start a stack with `dev`", args.env_file.display())
            })
        };
        Ok(Self {
            http: Client::builder().no_proxy().timeout(TIMEOUT).build().context("no HTTP client")?,
            facade: value(&args.facade_url, "FACADE_URL")?,
            api_key: value(&args.api_key, "API_KEY")?,
            sandbox: value(&args.sandbox_url, "SANDBOX_URL")?,
        })
    }

    /// A GET request to the facade.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.facade)).header("x-api-key", &self.api_key)
    }

    /// A POST request to the facade.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.facade)).header("x-api-key", &self.api_key)
    }

    /// Posts to an endpoint of the sandbox itself and returns the answer's body.
    pub async fn sandbox(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        send(self.http.post(format!("{}{path}", self.sandbox)).json(body)).await.map(|(_, body)| body)
    }

    /// Sets whether the model obeys instructions on documents, and returns the setting before.
    pub async fn obey(&self, obey: bool) -> anyhow::Result<bool> {
        let settings = format!("{}/sandbox/settings", self.sandbox);
        let (_, before) = send(self.http.get(settings)).await?;
        self.sandbox("/sandbox/settings", &json!({ "obey_instructions": obey })).await?;
        Ok(before["obey_instructions"] == true)
    }
}

/// Sends a request; any status other than success or 304 is an error.
pub async fn send(request: RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
    let response = request.send().await.context("no answer")?;
    let (status, path) = (response.status(), response.url().path().to_owned());
    let text = response.text().await.with_context(|| format!("{path}: the answer broke off"))?;
    if !status.is_success() && status != StatusCode::NOT_MODIFIED {
        bail!("{path} answered {status}: {text}");
    }
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).context(path)? };
    Ok((status, body))
}

/// Reads `export NAME='value'` line by line; no file means no variables.
fn variables(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let variable = |line: &str| {
        let (name, quoted) = line.strip_prefix("export ")?.split_once('=')?;
        let value = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
        Some((name.to_owned(), value.to_owned()))
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(variable).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
