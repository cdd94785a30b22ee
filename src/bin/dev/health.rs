//! Waits until a part answers.

use std::time::Duration;

use anyhow::bail;
use reqwest::Client;
use tokio::time::Instant;

use crate::child::Child;

/// Pause between two requests.
const PAUSE: Duration = Duration::from_millis(50);
/// Timeout of one request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits until `url` answers with success. It is an error if the part ends before, or is not ready
/// after `timeout`.
pub async fn wait(http: &Client, child: &mut Child, url: &str, timeout: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + timeout;
    let name = child.part.name();
    loop {
        let last = match answer(http, url).await {
            Ok(()) => return Ok(()),
            Err(problem) => problem,
        };
        if let Some(status) = child.has_ended()? {
            bail!("{name} ended while it was starting ({status}); see its output above");
        }
        if Instant::now() >= deadline {
            bail!("{name} was not ready after {} s: {url}: {last}", timeout.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether `url` answers with success now.
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
