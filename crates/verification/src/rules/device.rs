//! Device intelligence: judges one identification event.
//!
//! The event id comes from the person's browser. The first question is therefore whether the event
//! belongs to this verification, is recent and is used once; only then do its signals mean
//! anything. Absent is never `false`: a signal that the plan or the platform does not deliver is
//! listed, and without the most important ones the event is incomplete.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::check::Judgement;
use crate::policy::Policy;
use crate::reason::{Code, Reason};
use crate::records::{DeviceSignal, Verification};

/// Confidence, 0-1, below which an identification is not trusted (the vendor's own advice).
pub const CONFIDENCE_MIN: f64 = 0.9;
/// Number of different `linked_id`s (here: verifications) that one device may have within a day.
pub const LINKED_IDS_MAX: i64 = 5;
/// Seconds by which an event may be later than its record: the two come from the clocks of two
/// other services.
pub const FUTURE_TOLERANCE_SECONDS: i64 = 60;

/// What the provider knows about an event. `None` means that the provider did not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceEvent {
    /// Fingerprint's id of the event.
    pub event_id: String,
    /// When the device was identified.
    pub timestamp: Option<Timestamp>,
    /// The id that the page bound the event to: the verification's id or `reference`.
    pub linked_id: Option<String>,
    /// Id of the device; without it no device was identified.
    pub visitor_id: Option<String>,
    /// Confidence of the identification, 0-1.
    pub confidence: Option<f64>,
    /// Whether only a part of the signals was gathered, so that none may be used.
    pub partially_completed: bool,
    /// Whether the event was sent twice.
    pub replayed: Option<bool>,
    /// Whether the operator marked it as suspect at the provider.
    pub suspect: Option<bool>,
    /// Whether the operator's rules at the provider block it.
    pub blocked_by_rule: Option<bool>,
    /// Number of different `linked_id`s that the device had within a day.
    pub linked_ids_in_a_day: Option<i64>,
    /// Whether it is a bot, good or bad.
    pub bot: Option<bool>,
    /// Whether the browser or app was tampered with.
    pub tampering: Option<bool>,
    /// Whether the browser disguises itself.
    pub anti_detect_browser: Option<bool>,
    /// Whether it is a rooted Android phone.
    pub rooted: Option<bool>,
    /// Whether it is a jailbroken iPhone.
    pub jailbroken: Option<bool>,
    /// Whether the app is instrumented with Frida.
    pub frida: Option<bool>,
    /// Whether the app is a clone.
    pub cloned_app: Option<bool>,
    /// Whether the location is spoofed.
    pub location_spoofing: Option<bool>,
    /// Whether the connection is intercepted.
    pub mitm_attack: Option<bool>,
    /// Whether it is a virtual machine.
    pub virtual_machine: Option<bool>,
    /// Whether it is an Android emulator.
    pub emulator: Option<bool>,
    /// Whether it is an iOS simulator.
    pub simulator: Option<bool>,
    /// Whether the connection uses a VPN.
    pub vpn: Option<bool>,
    /// Whether the connection uses a proxy.
    pub proxy: Option<bool>,
    /// Whether the address is a Tor exit.
    pub tor: Option<bool>,
    /// Whether the address belongs to a data centre.
    pub datacenter: Option<bool>,
    /// Whether the address is known for attacks.
    pub attack_source: Option<bool>,
    /// Whether the browser is in private mode.
    pub incognito: Option<bool>,
    /// Country of the address, ISO 3166 alpha-2.
    pub ip_country: Option<String>,
    /// The provider's own score of suspicion.
    pub suspect_score: Option<i64>,
}

/// Judges `event` as the event that `signal` of `verification` names; `None` means that the
/// provider knows no such event.
pub fn judge(
    event: Option<&DeviceEvent>,
    signal: &DeviceSignal,
    verification: &Verification,
    policy: &Policy,
) -> Judgement {
    let Some(event) = event else {
        return Judgement {
            reasons: vec![Reason::new(Code::DeviceSignalMissing, "the provider knows no such event")],
            ..Judgement::default()
        };
    };
    let mut reasons = Vec::new();
    reasons.extend(not_bound(event, signal, verification));
    reasons.extend(not_fresh(event, signal, policy));
    if event.replayed == Some(true) {
        reasons.push(Reason::new(Code::DeviceEventReplayed, "the provider saw the event before"));
    }
    reasons.extend(incomplete(event));
    if !event.partially_completed {
        reasons.extend(suspicious(event));
    }
    Judgement { reasons, scores: scores(event), extracted: extracted(event) }
}

/// Why the event does not belong to this verification. It must identify a device and carry the
/// verification's id, or the reference that the partner's page already knew.
fn not_bound(event: &DeviceEvent, signal: &DeviceSignal, verification: &Verification) -> Option<Reason> {
    let linked = event.linked_id.as_deref().unwrap_or_default();
    let why = if event.event_id != signal.event_id {
        "the provider answered about another event"
    } else if event.visitor_id.as_deref().unwrap_or_default().is_empty() {
        "no device was identified"
    } else if linked.is_empty() {
        "linked_id is not set"
    } else if linked != verification.id && linked != verification.reference {
        "linked_id names something else"
    } else {
        return None;
    };
    Some(Reason::new(Code::DeviceEventNotBound, why))
}

/// Why the event was not made shortly before its record was written.
fn not_fresh(event: &DeviceEvent, signal: &DeviceSignal, policy: &Policy) -> Option<Reason> {
    let Some(timestamp) = event.timestamp else {
        return Some(Reason::new(Code::DeviceEventTooOld, "the event carries no time"));
    };
    let age_seconds = signal.created.duration_since(timestamp).as_secs();
    if age_seconds > i64::from(policy.device_max_age_seconds) {
        let why = format!("{age_seconds} s old when it was submitted, {} s allowed", policy.device_max_age_seconds);
        return Some(Reason::new(Code::DeviceEventTooOld, why));
    }
    if age_seconds < -FUTURE_TOLERANCE_SECONDS {
        return Some(Reason::new(
            Code::DeviceEventTooOld,
            format!("{} s later than the record that names it", -age_seconds),
        ));
    }
    None
}

/// Why the event lacks what it must contain before the absence of other signals can count as good.
fn incomplete(event: &DeviceEvent) -> Option<Reason> {
    if event.partially_completed {
        return Some(Reason::new(Code::DeviceSignalMissing, "the identification was only partially completed"));
    }
    let confident = event.confidence.is_some_and(|score| (CONFIDENCE_MIN..=1.0).contains(&score));
    let machine_known = event.virtual_machine.or(event.emulator).or(event.simulator).is_some();
    let missing: Vec<_> = [
        ("confidence", confident),
        ("replayed", event.replayed.is_some()),
        ("bot", event.bot.is_some()),
        ("tampering", event.tampering.is_some()),
        ("virtual_machine", machine_known),
    ]
    .into_iter()
    .filter_map(|(name, known)| (!known).then_some(name))
    .collect();
    let why = match (missing.as_slice(), event.confidence) {
        ([], _) => return None,
        (["confidence"], Some(score)) if score.is_finite() => {
            format!("confidence {score:.2} is not within {CONFIDENCE_MIN:.2} and 1")
        }
        (names, _) => format!("not delivered or not usable: {}", names.join(", ")),
    };
    Some(Reason::new(Code::DeviceSignalMissing, why))
}

/// Name and value of a signal.
type Signal = (&'static str, Option<bool>);

/// The reasons that follow from signals.
fn suspicious(event: &DeviceEvent) -> Vec<Reason> {
    let many_ids = event.linked_ids_in_a_day.map(|ids| ids > LINKED_IDS_MAX);
    let signals_by_code: [(Code, &[Signal]); 7] = [
        (Code::DeviceBotDetected, &[("bot", event.bot)]),
        (
            Code::DeviceTampering,
            &[
                ("tampering", event.tampering),
                ("anti_detect_browser", event.anti_detect_browser),
                ("rooted", event.rooted),
                ("jailbroken", event.jailbroken),
                ("frida", event.frida),
                ("cloned_app", event.cloned_app),
                ("location_spoofing", event.location_spoofing),
                ("mitm_attack", event.mitm_attack),
                ("marked as suspect", event.suspect),
                ("blocked by a rule", event.blocked_by_rule),
            ],
        ),
        (
            Code::DeviceVirtualMachineOrEmulator,
            &[("virtual_machine", event.virtual_machine), ("emulator", event.emulator), ("simulator", event.simulator)],
        ),
        (Code::DeviceVpnOrProxy, &[("vpn", event.vpn), ("proxy", event.proxy), ("attack_source", event.attack_source)]),
        (Code::DeviceTor, &[("tor", event.tor)]),
        (Code::DeviceDatacenterIp, &[("datacenter", event.datacenter)]),
        (Code::DeviceManyIdentities, &[("different linked_ids within a day", many_ids)]),
    ];
    let detected = |signals: &[Signal]| {
        let names: Vec<_> = signals.iter().filter(|(_, seen)| *seen == Some(true)).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    signals_by_code
        .into_iter()
        .filter_map(|(code, signals)| detected(signals).map(|why| Reason::new(code, why)))
        .collect()
}

fn scores(event: &DeviceEvent) -> Value {
    json!({ "confidence": event.confidence.filter(|c| c.is_finite()), "suspect_score": event.suspect_score })
}

/// What reviewers see. By the visitor id two verifications from one device are found; IP addresses
/// are not stored.
fn extracted(event: &DeviceEvent) -> Value {
    let signals = [
        ("replayed", event.replayed),
        ("bot", event.bot),
        ("tampering", event.tampering),
        ("virtual_machine", event.virtual_machine),
        ("emulator", event.emulator),
        ("simulator", event.simulator),
        ("rooted", event.rooted),
        ("jailbroken", event.jailbroken),
        ("vpn", event.vpn),
        ("proxy", event.proxy),
        ("tor", event.tor),
        ("datacenter", event.datacenter),
        ("attack_source", event.attack_source),
        ("incognito", event.incognito),
    ];
    let named = |wanted: Option<bool>| -> Vec<&str> {
        signals.iter().filter(|(_, value)| *value == wanted).map(|(name, _)| *name).collect()
    };
    json!({
        "visitor_id": event.visitor_id,
        "taken_at": event.timestamp,
        "partially_completed": event.partially_completed,
        "ip_country": event.ip_country,
        "seen": named(Some(true)),
        "not_told": named(None),
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::sample::policy;

    const EVENT: &str = "1763800000000.abc123";

    fn created() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn signal() -> DeviceSignal {
        DeviceSignal { id: "signal00000000a".to_owned(), event_id: EVENT.to_owned(), created: created() }
    }

    fn verification() -> Verification {
        Verification { id: "verification00a".to_owned(), reference: "customer-7".to_owned(), ..Verification::default() }
    }

    /// A complete event without suspicious signals.
    fn good() -> DeviceEvent {
        let no = Some(false);
        DeviceEvent {
            event_id: EVENT.to_owned(),
            timestamp: Some(created() - SignedDuration::from_secs(20)),
            linked_id: Some("verification00a".to_owned()),
            visitor_id: Some("Ibk1527CUFmcnjLwIs4A".to_owned()),
            confidence: Some(0.97),
            replayed: no,
            suspect: no,
            bot: no,
            tampering: no,
            virtual_machine: no,
            vpn: no,
            proxy: no,
            tor: no,
            datacenter: no,
            ..DeviceEvent::default()
        }
    }

    fn codes(event: &DeviceEvent) -> Vec<Code> {
        judge(Some(event), &signal(), &verification(), &policy()).reasons.iter().map(|r| r.code).collect()
    }

    #[test]
    fn a_good_event_has_no_reasons() {
        assert_eq!(codes(&good()), []);
        assert_eq!(codes(&DeviceEvent { linked_id: Some("customer-7".to_owned()), ..good() }), []);
    }

    #[test]
    fn an_unknown_event_is_a_missing_signal() {
        let judgement = judge(None, &signal(), &verification(), &policy());
        assert_eq!(judgement.reasons[0].code, Code::DeviceSignalMissing);
    }

    #[test]
    fn an_event_must_be_bound_to_its_verification() {
        for event in [
            DeviceEvent { linked_id: None, ..good() },
            DeviceEvent { linked_id: Some(String::new()), ..good() },
            DeviceEvent { linked_id: Some("verification00b".to_owned()), ..good() },
            DeviceEvent { visitor_id: None, ..good() },
            DeviceEvent { visitor_id: Some(String::new()), ..good() },
            DeviceEvent { event_id: "1763800000000.xyz789".to_owned(), ..good() },
        ] {
            assert_eq!(codes(&event), [Code::DeviceEventNotBound], "{event:?}");
        }
    }

    #[test]
    fn an_empty_reference_binds_nothing() {
        let nameless = Verification { reference: String::new(), ..verification() };
        let event = DeviceEvent { linked_id: Some(String::new()), ..good() };
        let judgement = judge(Some(&event), &signal(), &nameless, &policy());
        assert_eq!(judgement.reasons[0].code, Code::DeviceEventNotBound);
    }

    #[test]
    fn an_event_must_be_fresh_when_its_record_was_written() {
        let max = i64::from(policy().device_max_age_seconds);
        for (age_seconds, expected) in [
            (max, vec![]),
            (max + 1, vec![Code::DeviceEventTooOld]),
            (-FUTURE_TOLERANCE_SECONDS, vec![]),
            (-FUTURE_TOLERANCE_SECONDS - 1, vec![Code::DeviceEventTooOld]),
        ] {
            let timestamp = Some(created() - SignedDuration::from_secs(age_seconds));
            assert_eq!(codes(&DeviceEvent { timestamp, ..good() }), expected, "{age_seconds}");
        }
        assert_eq!(codes(&DeviceEvent { timestamp: None, ..good() }), [Code::DeviceEventTooOld]);
    }

    #[test]
    fn each_signal_has_its_code() {
        let yes = Some(true);
        for (event, code) in [
            (DeviceEvent { replayed: yes, ..good() }, Code::DeviceEventReplayed),
            (DeviceEvent { bot: yes, ..good() }, Code::DeviceBotDetected),
            (DeviceEvent { tampering: yes, ..good() }, Code::DeviceTampering),
            (DeviceEvent { anti_detect_browser: yes, ..good() }, Code::DeviceTampering),
            (DeviceEvent { frida: yes, ..good() }, Code::DeviceTampering),
            (DeviceEvent { suspect: yes, ..good() }, Code::DeviceTampering),
            (DeviceEvent { blocked_by_rule: yes, ..good() }, Code::DeviceTampering),
            (DeviceEvent { rooted: yes, ..good() }, Code::DeviceTampering),
            (DeviceEvent { attack_source: yes, ..good() }, Code::DeviceVpnOrProxy),
            (DeviceEvent { linked_ids_in_a_day: Some(LINKED_IDS_MAX + 1), ..good() }, Code::DeviceManyIdentities),
            (DeviceEvent { virtual_machine: yes, ..good() }, Code::DeviceVirtualMachineOrEmulator),
            (DeviceEvent { emulator: yes, ..good() }, Code::DeviceVirtualMachineOrEmulator),
            (DeviceEvent { vpn: yes, proxy: yes, ..good() }, Code::DeviceVpnOrProxy),
            (DeviceEvent { tor: yes, ..good() }, Code::DeviceTor),
            (DeviceEvent { datacenter: yes, ..good() }, Code::DeviceDatacenterIp),
            (DeviceEvent { confidence: Some(0.4), ..good() }, Code::DeviceSignalMissing),
        ] {
            assert_eq!(codes(&event), [code]);
        }
    }

    #[test]
    fn a_partial_identification_proves_nothing_either_way() {
        let half = DeviceEvent { partially_completed: true, bot: Some(true), ..good() };
        assert_eq!(codes(&half), [Code::DeviceSignalMissing]);
    }

    #[test]
    fn ip_addresses_are_not_stored() {
        let judgement = judge(Some(&good()), &signal(), &verification(), &policy());
        assert_eq!(
            judgement.extracted["not_told"],
            json!(["emulator", "simulator", "rooted", "jailbroken", "attack_source", "incognito"])
        );
        assert!(judgement.extracted.get("ip_address").is_none());
    }

    fn signal_value() -> impl Strategy<Value = Option<bool>> {
        proptest::option::of(any::<bool>())
    }

    proptest! {
        #[test]
        fn an_event_with_missing_or_invalid_values_never_passes(
            (linked, visitor) in (proptest::option::of("(|other|verification00a)"), proptest::option::of("(|abc)")),
            confidence in proptest::option::of(any::<f64>()),
            age_seconds in proptest::option::of(-2_000_i64..2_000),
            partially_completed in any::<bool>(),
            (replayed, bot, tampering, virtual_machine, emulator, tor) in (signal_value(), signal_value(), signal_value(), signal_value(), signal_value(), signal_value()),
        ) {
            let event = DeviceEvent {
                timestamp: age_seconds.map(|s| created() - SignedDuration::from_secs(s)),
                linked_id: linked.clone(), visitor_id: visitor.clone(), confidence, partially_completed,
                replayed, bot, tampering, virtual_machine, emulator, tor,
                ..good()
            };
            if codes(&event).is_empty() {
                prop_assert_eq!(linked.as_deref(), Some("verification00a"));
                prop_assert_eq!(visitor.as_deref(), Some("abc"));
                prop_assert!(confidence.is_some_and(|c| (CONFIDENCE_MIN..=1.0).contains(&c)));
                let max = i64::from(policy().device_max_age_seconds);
                prop_assert!(age_seconds.is_some_and(|s| (-FUTURE_TOLERANCE_SECONDS..=max).contains(&s)));
                prop_assert!(!partially_completed);
                prop_assert_eq!((replayed, bot, tampering), (Some(false), Some(false), Some(false)));
                prop_assert!(virtual_machine.or(emulator) == Some(false));
                prop_assert_ne!(tor, Some(true));
            }
        }

        #[test]
        fn a_higher_confidence_is_never_worse(low in 0.0..=1.0_f64, more in 0.0..=1.0_f64) {
            let count = |confidence| codes(&DeviceEvent { confidence: Some(confidence), ..good() }).len();
            prop_assert!(count((low + more).min(1.0)) <= count(low));
        }
    }
}
