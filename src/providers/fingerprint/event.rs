//! Reads an event. The vendor adds fields every month and omits some by plan and platform: a field
//! that is absent, or not of its expected type, is `None`.

use jiff::Timestamp;
use serde_json::Value;

use crate::verification::rules::device::DeviceEvent;

/// Whether `text` has the form of the vendor's ids: 13 digits, a dot, 6 letters or digits. A
/// browser sends the id and it becomes part of a path, so nothing else is accepted.
pub(super) fn is_event_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(time, tail)| {
        time.len() == 13
            && time.bytes().all(|b| b.is_ascii_digit())
            && tail.len() == 6
            && tail.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// Turns the event into the core's type.
pub(super) fn read(event: &Value) -> DeviceEvent {
    let flag = |name: &str| event[name].as_bool();
    let text = |value: &Value| value.as_str().filter(|t| !t.is_empty() && t.len() <= 256).map(str::to_owned);
    // An active device has no figure for the day.
    let linked_ids = &event["velocity"]["distinct_linked_id"];
    let addresses = [&event["ip_info"]["v4"], &event["ip_info"]["v6"]];
    DeviceEvent {
        event_id: text(&event["event_id"]).unwrap_or_default(),
        timestamp: event["timestamp"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        linked_id: text(&event["linked_id"]),
        visitor_id: text(&event["identification"]["visitor_id"]),
        confidence: event["identification"]["confidence"]["score"].as_f64().filter(|c| c.is_finite()),
        // Everything but "completed" or an absent status is a partial identification.
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

/// Whether one flag is set; `None` when both are absent.
fn any(flags: [Option<bool>; 2]) -> Option<bool> {
    flags.into_iter().flatten().reduce(|a, b| a || b)
}
