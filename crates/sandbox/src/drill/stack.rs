//! The running stack that is drilled: where its facade and its sandbox are, and the key.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::DrillArgs;

/// Longest wait that the facade is asked for in one request.
pub const WAIT_SECONDS: u64 = 30;
/// A request may take that long and some more: the machine may be busy with other cases.
const TIMEOUT: Duration = Duration::from_secs(WAIT_SECONDS + 60);

/// A running stack.
pub struct Stack {
    http: Client,
    facade: String,
    api_key: String,
    sandbox: String,
}

impl Stack {
    /// From the options, the environment, and the env file for what they leave open.
    pub fn find(args: &DrillArgs) -> anyhow::Result<Self> {
        let written = variables(&args.env_file)?;
        let value = |given: &Option<String>, name: &str| {
            given.clone().or_else(|| written.get(name).cloned()).with_context(|| {
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

    /// A GET of the facade.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.facade)).header("x-api-key", &self.api_key)
    }

    /// A POST to the facade.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.facade)).header("x-api-key", &self.api_key)
    }

    /// A POST to the sandbox itself.
    pub async fn sandbox(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        send(self.http.post(format!("{}{path}", self.sandbox)).json(body)).await.map(|(_, body)| body)
    }

    /// Sets whether the model obeys text on documents; what was set before.
    pub async fn obey(&self, obey: bool) -> anyhow::Result<bool> {
        let settings = format!("{}/sandbox/settings", self.sandbox);
        let (_, before) = send(self.http.get(settings)).await?;
        self.sandbox("/sandbox/settings", &json!({ "obey_instructions": obey })).await?;
        Ok(before["obey_instructions"] == true)
    }
}

/// Sends a request; anything but success or "nothing new" is an error.
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
