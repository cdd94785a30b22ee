//! `identivia health`: asks the running service, for a container's health check.

use std::net::IpAddr;
use std::time::Duration;

use super::error::StartError;
use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the service at the configured address whether it is healthy.
pub async fn health(config: &Config) -> Result<(), StartError> {
    let mut address = config.facade.listen;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    let unhealthy = |why: String| StartError::Unhealthy(why);
    let http =
        reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().map_err(|error| unhealthy(error.to_string()))?;
    let answer = http
        .get(format!("http://{address}/health"))
        .send()
        .await
        .map_err(|error| unhealthy(error.without_url().to_string()))?;
    if answer.status().is_success() { Ok(()) } else { Err(unhealthy(format!("status {}", answer.status()))) }
}
