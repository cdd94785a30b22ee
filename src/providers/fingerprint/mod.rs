//! Fingerprint Server API v4: one identification event.
//!
//! The event id comes from a browser and ends up in a path, so it is checked before it does. The answer gains fields
//! every month and loses some by plan and platform: what is absent, or not of the type it should be, is `None`.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::wire::{self, Timeouts};
use super::{InvalidSettings, ProviderError, ProviderErrorKind, ProviderResponse};
use crate::verification::Provider;
use crate::verification::check::Usage;
use crate::verification::rules::device::DeviceEvent;

/// Largest event read; real ones have a few kilobytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest error answer looked at.
const ERROR_BYTES_MAX: usize = 16 * 1024;
/// Timeouts that suit it.
pub const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(3), attempt: Duration::from_secs(10) };
const OPERATION: &str = "GET /v4/events";

/// Where the workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Region {
    /// Global.
    #[default]
    Us,
    /// European Union.
    Eu,
    /// Asia and the Pacific.
    Ap,
}

impl Region {
    /// The spelling in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Region::Us => "us",
            Region::Eu => "eu",
            Region::Ap => "ap",
        }
    }

    /// The region spelled `text`.
    pub fn parse(text: &str) -> Option<Self> {
        [Region::Us, Region::Eu, Region::Ap].into_iter().find(|r| r.as_str() == text)
    }

    const fn host(self) -> &'static str {
        match self {
            Region::Us => "https://api.fpjs.io",
            Region::Eu => "https://eu.api.fpjs.io",
            Region::Ap => "https://ap.api.fpjs.io",
        }
    }
}

/// How to reach it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Secret API key of the workspace or environment.
    pub secret_key: SecretString,
    /// Where the workspace is.
    pub region: Region,
    /// Another server, in place of the region's.
    pub base_url: Option<Url>,
    /// Whether `base_url` may be plain http beyond this machine.
    pub allow_insecure_endpoints: bool,
    /// Timeouts of one call.
    pub timeouts: Timeouts,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    http: reqwest::Client,
    authorization: HeaderValue,
    base: String,
    region: &'static str,
}

impl Fingerprint {
    /// A client, or everything that is wrong with `settings`.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let mut problems = Vec::new();
        let base = match &settings.base_url {
            Some(url) => url.clone(),
            None => Url::parse(settings.region.host()).map_err(|e| InvalidSettings(vec![e.to_string()]))?,
        };
        if let Some(problem) = wire::endpoint_problem(&base, settings.allow_insecure_endpoints) {
            problems.push(format!("FINGERPRINT_BASE_URL {problem}"));
        }
        if let Some(problem) = settings.timeouts.problem() {
            problems.push(format!("Fingerprint: {problem}"));
        }
        let authorization = wire::bearer(&settings.secret_key)
            .map_err(|problem| problems.push(format!("FINGERPRINT_SECRET_KEY {problem}")))
            .ok();
        let http = wire::client(&base, settings.timeouts).map_err(|problem| problems.push(problem)).ok();
        match (authorization, http) {
            (Some(authorization), Some(http)) if problems.is_empty() => {
                Ok(Self { http, authorization, base: wire::prefix(&base), region: settings.region.as_str() })
            }
            _ => Err(InvalidSettings(problems)),
        }
    }

    /// The event `event_id`; `None` when there is no such event, or no event could have such an id.
    ///
    /// An event can be missing for a second or two after the browser got its id.
    pub async fn event(&self, event_id: &str) -> Result<ProviderResponse<Option<DeviceEvent>>, ProviderError> {
        let started = Instant::now();
        let mut usage = Usage::default();
        let mut request_id = None;
        let value = if is_event_id(event_id) {
            usage.calls = 1;
            self.ask(event_id, &mut request_id).await.map_err(|kind| ProviderError {
                provider: Provider::Fingerprint,
                operation: OPERATION,
                kind,
                request_id: request_id.clone(),
            })?
        } else {
            None
        };
        Ok(ProviderResponse {
            value,
            request_ids: request_id.into_iter().collect(),
            usage,
            model: "v4".to_owned(),
            region: self.region.to_owned(),
            duration: started.elapsed(),
        })
    }

    async fn ask(
        &self,
        event_id: &str,
        request_id: &mut Option<String>,
    ) -> Result<Option<DeviceEvent>, ProviderErrorKind> {
        let response = self
            .http
            .get(format!("{}/v4/events/{event_id}", self.base))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| wire::failure(&error))?;
        *request_id = wire::request_id(response.headers(), "x-request-id");
        let status = response.status();
        if status != StatusCode::OK {
            return refusal(response).await;
        }
        let body = wire::body(response, BODY_BYTES_MAX).await?;
        let event: Value =
            serde_json::from_slice(&body).map_err(|_| ProviderErrorKind::InvalidResponse("the answer is not JSON"))?;
        match event["event_id"].as_str() {
            Some(id) if id == event_id => Ok(Some(read(&event))),
            _ => Err(ProviderErrorKind::InvalidResponse("the answer is not the event that was asked for")),
        }
    }
}

/// 13 digits, a dot, 6 letters or digits: what the vendor's ids look like, and nothing that means anything in a path.
fn is_event_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(time, tail)| {
        time.len() == 13
            && time.bytes().all(|b| b.is_ascii_digit())
            && tail.len() == 6
            && tail.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// What an answer other than 200 means. Of its body only the known code words are used.
async fn refusal(response: reqwest::Response) -> Result<Option<DeviceEvent>, ProviderErrorKind> {
    let status = response.status();
    let retry_after = wire::retry_after(response.headers());
    // An error whose body cannot be read is still an error with a status.
    let body = wire::body(response, ERROR_BYTES_MAX).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    Err(match (status.as_u16(), code) {
        // The only thing in the request that varies is the event id.
        (404, "event_not_found") | (400, "request_cannot_be_parsed") => return Ok(None),
        (404 | 405, _) => {
            ProviderErrorKind::Misconfigured("the server is not the Fingerprint API v4: check FINGERPRINT_BASE_URL")
        }
        (_, "wrong_region") => {
            ProviderErrorKind::Misconfigured("the key belongs to another region: set FINGERPRINT_REGION")
        }
        (_, "subscription_not_active") => {
            ProviderErrorKind::Misconfigured("the Fingerprint subscription is not active")
        }
        (_, "feature_not_enabled") => {
            ProviderErrorKind::Misconfigured("the Fingerprint plan does not include the Server API")
        }
        (401 | 403, _) => ProviderErrorKind::Credentials("the key was refused: check FINGERPRINT_SECRET_KEY"),
        (429, _) => ProviderErrorKind::Throttled { retry_after },
        (409, _) => ProviderErrorKind::Unavailable { what: "the event is not ready yet", retry_after },
        (408 | 425, _) => ProviderErrorKind::Unavailable { what: "the server gave up waiting", retry_after },
        (300..=399, _) => {
            ProviderErrorKind::Misconfigured("the server redirects, which is not followed: check FINGERPRINT_BASE_URL")
        }
        (500..=599, _) => ProviderErrorKind::Unavailable { what: "the server failed", retry_after },
        (400..=499, _) => ProviderErrorKind::Rejected("the request was refused"),
        (_, _) => ProviderErrorKind::InvalidResponse("the answer has an unexpected status"),
    })
}

fn read(event: &Value) -> DeviceEvent {
    let flag = |name: &str| event[name].as_bool();
    let text = |value: &Value| value.as_str().filter(|t| !t.is_empty() && t.len() <= 256).map(str::to_owned);
    // A busy device has no figure for the day.
    let linked_ids = &event["velocity"]["distinct_linked_id"];
    let addresses = [&event["ip_info"]["v4"], &event["ip_info"]["v6"]];
    DeviceEvent {
        event_id: text(&event["event_id"]).unwrap_or_default(),
        timestamp: event["timestamp"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        linked_id: text(&event["linked_id"]),
        visitor_id: text(&event["identification"]["visitor_id"]),
        confidence: event["identification"]["confidence"]["score"].as_f64().filter(|c| c.is_finite()),
        // Anything but "completed" or silence is half an identification.
        partially_completed: match &event["incremental_identification_status"] {
            Value::Null => false,
            status => status.as_str() != Some("completed"),
        },
        replayed: flag("replayed"),
        suspect: flag("suspect"),
        blocked_by_rule: event["rule_action"]["type"].as_str().map(|action| action != "allow"),
        linked_ids_in_a_day: linked_ids["24_hours"].as_i64().or_else(|| linked_ids["1_hour"].as_i64()),
        bot: match event["bot"].as_str() {
            Some("not_detected") => Some(false),
            Some("bad" | "good") => Some(true),
            _ => None,
        },
        tampering: flag("tampering"),
        anti_detect_browser: event["tampering_details"]["anti_detect_browser"].as_bool(),
        rooted: flag("root_apps"),
        jailbroken: flag("jailbroken"),
        frida: flag("frida"),
        cloned_app: flag("cloned_app"),
        location_spoofing: flag("location_spoofing"),
        mitm_attack: flag("mitm_attack"),
        virtual_machine: flag("virtual_machine"),
        emulator: flag("emulator"),
        simulator: flag("simulator"),
        vpn: flag("vpn"),
        proxy: flag("proxy"),
        tor: event["ip_blocklist"]["tor_node"].as_bool(),
        datacenter: any(addresses.map(|ip| ip["datacenter_result"].as_bool())),
        attack_source: event["ip_blocklist"]["attack_source"].as_bool(),
        incognito: flag("incognito"),
        ip_country: addresses.iter().find_map(|ip| text(&ip["geolocation"]["country_code"])),
        suspect_score: event["suspect_score"].as_i64(),
    }
}

/// Whether one says yes; `None` when none says anything.
fn any(told: [Option<bool>; 2]) -> Option<bool> {
    told.into_iter().flatten().reduce(|a, b| a || b)
}
