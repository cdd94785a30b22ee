//! Waiting until a part answers.

use std::time::Duration;

use anyhow::bail;
use reqwest::Client;
use tokio::time::Instant;

use crate::child::Child;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);
/// For one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits until `url` answers with success, as long as the part lives and at most for `patience`.
pub async fn wait(http: &Client, child: &mut Child, url: &str, patience: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    let name = child.part.name();
    loop {
        let last = match answer(http, url).await {
            Ok(()) => return Ok(()),
            Err(problem) => problem,
        };
        if let Some(status) = child.has_ended()? {
            bail!("{name} ended while it was starting ({status}); its own output above says why");
        }
        if Instant::now() >= deadline {
            bail!("{name} was not ready after {} s: {url}: {last}", patience.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether `url` answers with success right now.
pub async fn is_up(http: &Client, url: &str) -> bool {
    answer(http, url).await.is_ok()
}

async fn answer(http: &Client, url: &str) -> Result<(), String> {
    match http.get(url).timeout(ANSWER_TIMEOUT).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("answered {}", response.status())),
        Err(error) if error.is_connect() => Err("not reachable".into()),
        Err(error) => Err(error.to_string()),
    }
}
