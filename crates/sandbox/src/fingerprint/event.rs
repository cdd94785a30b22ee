//! Creating an event: the event of an ordinary browser, and what a scenario changes in it.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::scenario;
use super::store::StoredEvent;
use crate::json::merge;
use crate::seed::{ALPHANUMERIC, Seed, sha256_hex};
use crate::state::Sandbox;

/// The request for an event, as the page posts it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventRequest {
    /// What the event is bound to; for Identivia a verification's id.
    pub linked_id: Option<String>,
    /// A scenario of the catalogue, `clean` if absent; several are joined by `+`.
    pub scenario: Option<String>,
    /// URL of the page.
    pub url: Option<String>,
    /// IP address of the browser.
    pub ip: Option<String>,
    /// Instant of the event, in milliseconds since 1970; now, if absent.
    pub timestamp: Option<i64>,
    /// Name of the browser: the same name gives the same visitor id.
    pub visitor: Option<String>,
    /// `User-Agent` of the browser.
    pub user_agent: Option<String>,
    /// Any value that the page attaches.
    pub tag: Option<Value>,
    /// Merged into the event (RFC 7396), after the scenario.
    pub merge: Option<Value>,
}

/// Why no event was created.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// The name that is not in the catalogue.
    UnknownScenario(String),
    /// The timestamp is outside the range of instants.
    Timestamp,
}

/// Creates an event and returns its id.
pub fn create(sandbox: &Sandbox, request: &EventRequest) -> Result<String, Refused> {
    let now = sandbox.now();
    let names = request.scenario.as_deref().unwrap_or("clean");
    let scenarios = names
        .split('+')
        .map(|name| {
            scenario::CATALOGUE
                .iter()
                .find(|entry| entry.name == name)
                .ok_or_else(|| Refused::UnknownScenario(name.to_owned()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let age: i64 = scenarios.iter().map(|entry| entry.age_seconds).sum();
    let at = match request.timestamp {
        Some(milliseconds) => Timestamp::from_millisecond(milliseconds).map_err(|_| Refused::Timestamp)?,
        None => now - SignedDuration::from_secs(age),
    };
    let number = sandbox.state().events.next_number();
    // The prefix has thirteen digits from 2001 until the year 2286.
    let id = format!("{:013}.{}", at.as_millisecond().max(0), sandbox.seed.word(ALPHANUMERIC, 6, "event", number));
    let mut event = ordinary(sandbox.seed, &id, at, request);
    for entry in &scenarios {
        let change = (entry.change)(at);
        merge(&mut event, &change);
        entry.sparse.then(|| strip(&mut event));
    }
    if let Some(change) = &request.merge {
        merge(&mut event, change);
    }
    let missing = scenarios.iter().any(|entry| entry.missing);
    let readable_from = if missing { Timestamp::MAX } else { readable_from(sandbox, now) };
    sandbox.state().events.insert(id.clone(), StoredEvent { event, readable_from });
    Ok(id)
}

/// The instant from which an event that is created at `now` can be read.
fn readable_from(sandbox: &Sandbox, now: Timestamp) -> Timestamp {
    let delay = sandbox.state().settings.fingerprint_delay_ms;
    now.saturating_add(SignedDuration::from_millis(i64::try_from(delay).unwrap_or(i64::MAX))).unwrap_or(Timestamp::MAX)
}

/// The event of an ordinary browser at home.
fn ordinary(seed: Seed, id: &str, at: Timestamp, request: &EventRequest) -> Value {
    let visitor = request.visitor.as_deref().unwrap_or("somebody");
    let visitor_hash = seed.bytes("visitor", &[visitor.as_bytes()]);
    let visitor_id: String = visitor_hash
        .iter()
        .take(20)
        .map(|byte| char::from(ALPHANUMERIC[usize::from(*byte) % ALPHANUMERIC.len()]))
        .collect();
    let address = request.ip.as_deref().unwrap_or("203.0.113.7");
    let milliseconds = at.as_millisecond();
    let day = 86_400_000;
    let network = json!({
        "address": address,
        "geolocation": {
            "accuracy_radius": 20, "latitude": 52.37, "longitude": 4.9, "timezone": "Europe/Amsterdam", "city_name": "Amsterdam",
            "country_code": "NL", "country_name": "Netherlands", "continent_code": "EU", "continent_name": "Europe",
        },
        "asn": "64500", "asn_name": "Example Broadband", "asn_network": "203.0.113.0/24", "asn_type": "isp", "datacenter_result": false,
    });
    let ip_info = if address.contains(':') { json!({"v6": network}) } else { json!({"v4": network}) };
    let counted = |count: u32| json!({"5_minutes": count, "1_hour": count, "24_hours": count});
    let mut event = json!({
        "event_id": id,
        "timestamp": milliseconds,
        "source": "device",
        "environment_id": "ae_sandbox",
        "suspect": false,
        "sdk": {"platform": "js", "version": "4.1.0"},
        "replayed": false,
        "identification": {
            "visitor_id": visitor_id, "visitor_found": true, "confidence": {"score": 0.99, "version": "1.1"},
            "first_seen_at": milliseconds - 30 * day, "last_seen_at": milliseconds - day,
        },
        "tags": request.tag.clone().unwrap_or_else(|| json!({})),
        "url": request.url.as_deref().unwrap_or("http://localhost:8080/"),
        "ip_address": address,
        "user_agent": request.user_agent.as_deref().unwrap_or("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36"),
        "browser_details": {
            "browser_name": "Chrome", "browser_major_version": "148", "browser_full_version": "148.0.0", "os": "Linux", "os_version": "", "device": "Other",
        },
        "bot": "not_detected",
        "developer_tools": false,
        "emulator": false,
        "incognito": false,
        "ip_blocklist": {"email_spam": false, "attack_source": false, "tor_node": false},
        "ip_info": ip_info,
        "proxy": false,
        "proxy_confidence": "high",
        "location_spoofing": false,
        "privacy_settings": false,
        "suspect_score": 0,
        "tampering": false,
        "tampering_confidence": "high",
        "tampering_details": {"anomaly_score": 0.02, "anti_detect_browser": false},
        "velocity": {
            "distinct_ip": counted(1), "distinct_linked_id": counted(1), "distinct_country": counted(1), "events": counted(1),
            "ip_events": counted(1), "distinct_ip_by_linked_id": counted(1), "distinct_visitor_id_by_linked_id": counted(1),
        },
        "virtual_machine": false,
        "vpn": false,
        "vpn_confidence": "high",
        "vpn_origin_timezone": "Europe/Amsterdam",
        "vpn_origin_country": "unknown",
        "vpn_methods": {
            "timezone_mismatch": false, "public_vpn": false, "auxiliary_mobile": false, "os_mismatch": false, "relay": false,
        },
        "high_activity_device": false,
        "rare_device": false,
        "raw_device_attributes": {"font_hash": sha256_hex(visitor.as_bytes())[..32], "timezone": "Europe/Amsterdam", "color_depth": 24},
    });
    if let Some(linked_id) = &request.linked_id {
        event["linked_id"] = linked_id.as_str().into();
    }
    event
}

/// Keeps only the fields that the vendor promises, and those that bind the event.
fn strip(event: &mut Value) {
    let kept = ["event_id", "timestamp", "linked_id", "url", "identification"];
    if let Some(members) = event.as_object_mut() {
        members.retain(|name, _| kept.contains(&name.as_str()));
    }
}
