//! The catalogue of scenarios: each changes the event of an ordinary browser.

use jiff::Timestamp;
use serde_json::{Value, json};

/// A kind of event.
pub struct Scenario {
    pub name: &'static str,
    /// The situation that it represents.
    pub description: &'static str,
    /// What is merged into the event of an ordinary browser.
    pub change: fn(Timestamp) -> Value,
    /// Age of the event in seconds; negative for an event in the future.
    pub age_seconds: i64,
    /// The event has only the fields that the vendor promises.
    pub sparse: bool,
    /// The API never returns the event.
    pub missing: bool,
}

const fn scenario(name: &'static str, description: &'static str, change: fn(Timestamp) -> Value) -> Scenario {
    Scenario { name, description, change, age_seconds: 0, sparse: false, missing: false }
}

pub const CATALOGUE: &[Scenario] = &[
    scenario("clean", "An ordinary person's browser at home.", |_| json!({})),
    scenario(
        "replayed",
        "The vendor saw this identification before: a recorded one was sent again.",
        |_| json!({"replayed": true}),
    ),
    Scenario { age_seconds: 86_400, ..scenario("old", "Identified a day ago.", |_| json!({})) },
    Scenario { age_seconds: -3600, ..scenario("future", "Identified an hour from now.", |_| json!({})) },
    Scenario {
        missing: true,
        ..scenario("missing", "The id is well-formed, the event cannot be found.", |_| json!({}))
    },
    Scenario { sparse: true, ..scenario("sparse", "Only the promised fields; every signal is absent.", |_| json!({})) },
    scenario("bot", "A browser driven by a program.", |_| {
        json!({"bot": "bad", "bot_type": "headless_chrome", "suspect_score": 30,
            "bot_info": {"category": "browser_automation", "provider": "unknown", "name": "headless_chrome", "identity": "unknown", "confidence": "high"}})
    }),
    scenario("good_bot", "A search engine's crawler.", |_| {
        json!({"bot": "good", "bot_type": "searchbot",
            "bot_info": {"category": "search_engine_crawler", "provider": "Example", "name": "examplebot", "identity": "verified", "confidence": "high"}})
    }),
    scenario(
        "vpn",
        "Through a commercial VPN.",
        |_| json!({"vpn": true, "vpn_methods": {"public_vpn": true, "timezone_mismatch": true}, "vpn_origin_country": "BR", "suspect_score": 7}),
    ),
    scenario(
        "proxy",
        "Through a residential proxy.",
        |at| json!({"proxy": true, "proxy_details": {"proxy_type": "residential", "last_seen_at": at.as_millisecond(), "provider": "Example Proxies"}, "suspect_score": 9}),
    ),
    scenario(
        "tor",
        "Through Tor.",
        |_| json!({"ip_blocklist": {"tor_node": true}, "vpn": true, "vpn_methods": {"timezone_mismatch": true}, "suspect_score": 15}),
    ),
    scenario(
        "blocklist",
        "From an address known for attacks and spam.",
        |_| json!({"ip_blocklist": {"email_spam": true, "attack_source": true}, "suspect_score": 12}),
    ),
    scenario(
        "datacenter",
        "From a data centre.",
        |_| json!({"ip_info": {"v4": {"asn_type": "hosting", "datacenter_result": true, "datacenter_name": "Example Cloud"}}, "suspect_score": 5}),
    ),
    scenario("tampering", "The browser lies about what it is.", |_| {
        json!({"tampering": true, "tampering_confidence": "high", "tampering_ml_score": 0.97,
            "tampering_details": {"anomaly_score": 0.99, "anti_detect_browser": true}, "suspect_score": 25})
    }),
    scenario(
        "vm",
        "Inside a virtual machine.",
        |_| json!({"virtual_machine": true, "virtual_machine_ml_score": 0.98, "suspect_score": 8}),
    ),
    scenario(
        "emulator",
        "Inside a phone emulator.",
        |_| json!({"emulator": true, "sdk": {"platform": "android", "version": "3.0.0"}, "package_name": "org.example.app", "suspect_score": 14}),
    ),
    scenario(
        "rooted",
        "A rooted phone.",
        |_| json!({"root_apps": true, "frida": false, "sdk": {"platform": "android", "version": "3.0.0"}, "package_name": "org.example.app", "suspect_score": 10}),
    ),
    scenario(
        "jailbroken",
        "A jailbroken phone.",
        |_| json!({"jailbroken": true, "frida": false, "sdk": {"platform": "ios", "version": "3.0.0"}, "bundle_id": "org.example.app", "suspect_score": 10}),
    ),
    scenario(
        "frida",
        "A phone under instrumentation.",
        |_| json!({"frida": true, "sdk": {"platform": "android", "version": "3.0.0"}, "package_name": "org.example.app", "suspect_score": 18}),
    ),
    scenario(
        "cloned_app",
        "A second copy of the app.",
        |_| json!({"cloned_app": true, "sdk": {"platform": "android", "version": "3.0.0"}, "package_name": "org.example.app", "suspect_score": 9}),
    ),
    scenario(
        "factory_reset",
        "A phone that was reset an hour ago.",
        |at| json!({"factory_reset_timestamp": at.as_millisecond() - 3_600_000, "sdk": {"platform": "android", "version": "3.0.0"}, "suspect_score": 6}),
    ),
    scenario("mitm", "The connection is intercepted.", |_| json!({"mitm_attack": true, "suspect_score": 12})),
    scenario(
        "location_spoofing",
        "The position is made up.",
        |_| json!({"location_spoofing": true, "suspect_score": 8}),
    ),
    scenario("incognito", "A private window.", |_| json!({"incognito": true, "suspect_score": 2})),
    scenario(
        "developer_tools",
        "The developer tools are open.",
        |_| json!({"developer_tools": true, "suspect_score": 2}),
    ),
    scenario(
        "privacy_settings",
        "The browser hides what it can.",
        |_| json!({"privacy_settings": true, "suspect_score": 3}),
    ),
    scenario(
        "high_activity",
        "A device that is at work day and night.",
        |_| json!({"high_activity_device": true, "suspect_score": 8}),
    ),
    scenario("velocity", "One device, many verifications within the hour.", |_| {
        json!({"velocity": {"events": {"5_minutes": 40, "1_hour": 220, "24_hours": 900},
            "distinct_linked_id": {"5_minutes": 25, "1_hour": 120, "24_hours": 400}}, "suspect_score": 20})
    }),
    scenario(
        "low_confidence",
        "The vendor is not sure who this is.",
        |_| json!({"identification": {"confidence": {"score": 0.4}}}),
    ),
    scenario(
        "new_visitor",
        "Never seen before.",
        |at| json!({"identification": {"visitor_found": false, "first_seen_at": at.as_millisecond(), "last_seen_at": null}}),
    ),
    scenario("unbound", "No linked_id.", |_| json!({"linked_id": null})),
    scenario("other_linked_id", "Bound to another person's session.", |_| json!({"linked_id": "somebody-elses"})),
    scenario("other_origin", "Taken on another site.", |_| json!({"url": "https://phishing.example.net/verify"})),
    scenario(
        "partial",
        "Identification did not finish; the signals mean nothing.",
        |_| json!({"incremental_identification_status": "partially_completed"}),
    ),
    scenario(
        "rule_block",
        "A rule of the workspace says block.",
        |_| json!({"rule_action": {"ruleset_id": "rs_sandbox", "rule_id": "r_1", "rule_expression": "vpn == true", "type": "block", "status_code": 403}}),
    ),
    scenario(
        "unknown_values",
        "Fields and values that no client knows yet.",
        |_| json!({"bot": "quantum", "vpn_confidence": "certain", "hologram": {"detected": true}, "sdk": {"platform": "watch"}}),
    ),
    scenario("suspect", "Marked as suspect by an operator.", |_| json!({"suspect": true, "suspect_score": 40})),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_required_ones_exist() {
        let mut names: Vec<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
        for name in ["clean", "replayed", "old", "bot", "vpn", "tor", "tampering", "vm", "emulator", "datacenter"] {
            assert!(names.contains(&name), "{name}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CATALOGUE.len());
    }
}
