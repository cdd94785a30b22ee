//! Random histories.

use proptest::prelude::*;

use super::*;

/// One thing that can happen in a random story.
#[derive(Debug, Clone)]
enum Happening {
    Document,
    Signal,
    Ask,
    Finish,
    Cancel,
    Review(u8),
    Wait(u16),
    /// Work ends: each byte chooses an answer, a failure or a death for one item.
    Work(Vec<u8>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Document),
        2 => Just(Happening::Signal),
        3 => Just(Happening::Ask),
        3 => Just(Happening::Finish),
        1 => Just(Happening::Cancel),
        2 => (0u8..5).prop_map(Happening::Review),
        3 => (1u16..40_000).prop_map(Happening::Wait),
        8 => prop::collection::vec(any::<u8>(), 4).prop_map(Happening::Work),
    ]
}

fn code_for(kind: Kind, dice: u8) -> Vec<Code> {
    let codes: &[Code] = match kind {
        Kind::Device => &[Code::DeviceBotDetected, Code::DeviceVpnOrProxy, Code::DeviceTampering],
        Kind::Document => &[Code::DocumentBlurred, Code::DocumentExpired, Code::DocumentMrzVisualMismatch],
        Kind::Liveness => &[Code::LivenessAttackSuspected, Code::LivenessLowConfidence],
        Kind::FaceMatch => &[Code::FaceMismatch, Code::FaceComparisonNotPossible],
    };
    if dice < 150 { Vec::new() } else { vec![codes[usize::from(dice) % codes.len()]] }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn in_any_history_the_invariants_hold_and_nothing_stays_due(
        happenings in prop::collection::vec(happening(), 1..60)
    ) {
        let mut story = Story::new();
        for happening in happenings {
            match happening {
                Happening::Document => story.document(),
                Happening::Signal => story.signal(),
                Happening::Ask => story.ask_challenge(),
                Happening::Finish => story.finish_challenge(),
                Happening::Cancel => story.act(ActionKind::Cancel, Actor::User, ""),
                Happening::Review(n) => {
                    let kind = [ActionKind::Approve, ActionKind::Decline, ActionKind::RequestResubmission,
                        ActionKind::Reopen, ActionKind::Redact][usize::from(n)];
                    story.act(kind, Actor::Reviewer("reviewer0000001".into()), "");
                }
                Happening::Wait(seconds) => story.pass_time(i64::from(seconds)),
                Happening::Work(dice) => {
                    if let Some((claim, work)) = story.settle() {
                        for (item, dice) in work.iter().zip(dice) {
                            match (dice % 16, item.check()) {
                                (0, _) => {} // the process dies
                                (1 | 2, _) => {
                                    let event = Event::WorkFailed { claim, work: item.clone(),
                                        trouble: "provider.unavailable".into(), retry_seconds: 5 };
                                    story.write(&Transition::new(event, "one"));
                                }
                                (_, kind) => {
                                    let codes = kind.map(|k| code_for(k, dice)).unwrap_or_default();
                                    story.answer(claim, item, codes.into_iter().map(|c| Reason::new(c, "")).collect());
                                }
                            }
                        }
                    }
                }
            }
            story.pass_time(1);
            story.settle();
        }
        story.check_invariants();
    }
}
