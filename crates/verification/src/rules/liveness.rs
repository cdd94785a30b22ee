//! Face Liveness: judges the result of a challenge.

use serde_json::json;

use crate::check::Judgement;
use crate::kind::SessionStatus;
use crate::policy::Policy;
use crate::reason::{Code, Reason};

/// What the provider says about a challenge. `Debug` shows the sizes of pictures, never their
/// content.
#[derive(Clone, Default, PartialEq)]
pub struct SessionResult {
    /// State of the challenge at the provider.
    pub state: SessionState,
    /// Confidence that the person is live, 0-100; `None` when it was not given or is no finite
    /// number.
    pub confidence: Option<f64>,
    /// The picture that the face match compares.
    pub reference_image: Option<Vec<u8>>,
    /// More pictures for reviewers.
    pub audit_images: Vec<Vec<u8>>,
    /// Type and version of the challenge.
    pub challenge: String,
    /// What made the capture poor, as far as the provider says.
    pub feedback: Vec<Feedback>,
}

/// The states of a challenge at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionState {
    /// The person has not begun it.
    Created,
    /// The person is taking it.
    InProgress,
    /// It was taken and analysed; this says nothing about the outcome.
    Succeeded,
    /// It could not be analysed.
    Failed,
    /// It was not taken within three minutes.
    Expired,
    /// The provider does not know it, or not any more.
    NotFound,
    /// The provider gave no state, or one that this version does not know.
    #[default]
    Unknown,
}

impl SessionState {
    /// The spelling in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            SessionState::Created => "created",
            SessionState::InProgress => "in_progress",
            SessionState::Succeeded => "succeeded",
            SessionState::Failed => "failed",
            SessionState::Expired => "expired",
            SessionState::NotFound => "not_found",
            SessionState::Unknown => "unknown",
        }
    }
}

/// What made a capture poor, by the provider's analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feedback {
    /// No face is visible.
    FaceNotVisible,
    /// Something covers the face.
    FaceObstructed,
    /// The quality of the video is low.
    LowVideoQuality,
    /// The face was not in its place.
    FaceNotAligned,
    /// The eyes were closed.
    EyesClosed,
    /// The picture is too dark.
    LowLighting,
    /// The picture is too bright.
    HighLighting,
}

impl Feedback {
    /// The spelling that reviewers see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Feedback::FaceNotVisible => "face_not_visible",
            Feedback::FaceObstructed => "face_obstructed",
            Feedback::LowVideoQuality => "low_video_quality",
            Feedback::FaceNotAligned => "face_not_aligned",
            Feedback::EyesClosed => "eyes_closed",
            Feedback::LowLighting => "low_lighting",
            Feedback::HighLighting => "high_lighting",
        }
    }

    /// The reason that the person can see, if there is one.
    const fn code(self) -> Option<Code> {
        match self {
            Feedback::FaceNotVisible => Some(Code::LivenessNoFace),
            Feedback::FaceObstructed | Feedback::EyesClosed => Some(Code::LivenessFaceOccluded),
            Feedback::FaceNotAligned => Some(Code::LivenessPoseOutOfRange),
            Feedback::LowLighting | Feedback::HighLighting => Some(Code::LivenessPoorLighting),
            Feedback::LowVideoQuality => None,
        }
    }
}

/// What follows from a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The challenge is not over: fetch the result again, until the session's own deadline.
    NotYet,
    /// It is over without a result to judge; another challenge is needed.
    Ended {
        /// The state in which the session record ends.
        status: SessionStatus,
        /// The reason code.
        code: Code,
    },
    /// It has a result, which was judged.
    Judged(Judgement),
}

/// Judges `result` under `policy`.
pub fn judge(result: &SessionResult, policy: &Policy) -> Verdict {
    let ended = |status, code| Verdict::Ended { status, code };
    match result.state {
        SessionState::Created | SessionState::InProgress | SessionState::Unknown => Verdict::NotYet,
        SessionState::Failed => ended(SessionStatus::Failed, Code::LivenessSessionFailed),
        SessionState::Expired | SessionState::NotFound => ended(SessionStatus::Expired, Code::LivenessSessionExpired),
        // Without the picture there is no face to compare, whatever the confidence: AWS says to
        // repeat the challenge.
        SessionState::Succeeded if result.reference_image.as_ref().is_none_or(Vec::is_empty) => {
            ended(SessionStatus::Failed, Code::LivenessReferenceImageMissing)
        }
        SessionState::Succeeded => Verdict::Judged(judge_confidence(result, policy)),
    }
}

/// Judges by bands: from the threshold on it passes, below the lower bound an attack is suspected,
/// between the two a reviewer decides.
fn judge_confidence(result: &SessionResult, policy: &Policy) -> Judgement {
    let confidence = result.confidence.filter(|c| (0.0..=100.0).contains(c));
    let mut reasons = Vec::new();
    match confidence {
        Some(c) if reaches(c, policy.liveness_threshold) => {}
        Some(c) if c < policy.liveness_attack_below => {
            reasons.push(Reason::new(
                Code::LivenessAttackSuspected,
                format!("confidence {c:.2} is below {:.2}", policy.liveness_attack_below),
            ));
        }
        Some(c) => reasons.push(low(&format!("confidence {c:.2} is below {:.2}", policy.liveness_threshold), result)),
        None => reasons.push(low("no usable confidence was given", result)),
    }
    if reasons.iter().any(|r| r.code == Code::LivenessLowConfidence) {
        reasons.extend(quality(&result.feedback));
    }
    Judgement {
        reasons,
        scores: json!({ "confidence": confidence }),
        extracted: json!({
            "challenge": result.challenge,
            "feedback": result.feedback.iter().map(|f| f.as_str()).collect::<Vec<_>>(),
        }),
    }
}

/// Whether `score` reaches `threshold`. A threshold of 0, or one that is not a finite number,
/// is never reached.
fn reaches(score: f64, threshold: f64) -> bool {
    threshold.is_finite() && threshold > 0.0 && score >= threshold
}

fn low(why: &str, result: &SessionResult) -> Reason {
    let feedback: Vec<_> = result.feedback.iter().map(|f| f.as_str()).collect();
    let detail = if feedback.is_empty() { why.to_owned() } else { format!("{why}; {}", feedback.join(", ")) };
    Reason::new(Code::LivenessLowConfidence, detail)
}

/// What the person could do better, each code once.
fn quality(feedback: &[Feedback]) -> Vec<Reason> {
    let mut codes: Vec<_> = feedback.iter().filter_map(|f| f.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(|code| Reason::new(code, "")).collect()
}

impl std::fmt::Debug for SessionResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionResult")
            .field("state", &self.state)
            .field("confidence", &self.confidence)
            .field("reference_image_bytes", &self.reference_image.as_ref().map(Vec::len))
            .field("audit_images", &self.audit_images.len())
            .field("challenge", &self.challenge)
            .field("feedback", &self.feedback)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::{Check, Finding};
    use crate::kind::{Kind, Outcome};
    use crate::sample::policy;

    fn taken(confidence: Option<f64>) -> SessionResult {
        SessionResult {
            state: SessionState::Succeeded,
            confidence,
            reference_image: Some(vec![1]),
            ..SessionResult::default()
        }
    }

    fn codes(verdict: &Verdict) -> Vec<Code> {
        match verdict {
            Verdict::Judged(judgement) => judgement.reasons.iter().map(|r| r.code).collect(),
            other => panic!("not judged: {other:?}"),
        }
    }

    #[test]
    fn a_challenge_that_is_not_over_has_no_result_yet() {
        for state in [SessionState::Created, SessionState::InProgress, SessionState::Unknown] {
            let result = SessionResult { state, ..taken(Some(99.0)) };
            assert_eq!(judge(&result, &policy()), Verdict::NotYet);
        }
    }

    #[test]
    fn a_challenge_without_a_result_ends_without_a_check() {
        for (state, status, code) in [
            (SessionState::Failed, SessionStatus::Failed, Code::LivenessSessionFailed),
            (SessionState::Expired, SessionStatus::Expired, Code::LivenessSessionExpired),
            (SessionState::NotFound, SessionStatus::Expired, Code::LivenessSessionExpired),
        ] {
            let result = SessionResult { state, ..taken(Some(99.0)) };
            assert_eq!(judge(&result, &policy()), Verdict::Ended { status, code });
        }
    }

    #[test]
    fn a_result_without_a_reference_image_never_passes() {
        for reference_image in [None, Some(vec![])] {
            let result = SessionResult { reference_image, ..taken(Some(99.9)) };
            let code = Code::LivenessReferenceImageMissing;
            assert_eq!(judge(&result, &policy()), Verdict::Ended { status: SessionStatus::Failed, code });
        }
    }

    #[test]
    fn the_bands_are_those_of_the_policy() {
        let policy = Policy { liveness_threshold: 90.0, liveness_attack_below: 50.0, ..policy() };
        assert_eq!(codes(&judge(&taken(Some(90.0)), &policy)), []);
        assert_eq!(codes(&judge(&taken(Some(89.99)), &policy)), [Code::LivenessLowConfidence]);
        assert_eq!(codes(&judge(&taken(Some(50.0)), &policy)), [Code::LivenessLowConfidence]);
        assert_eq!(codes(&judge(&taken(Some(49.99)), &policy)), [Code::LivenessAttackSuspected]);
    }

    #[test]
    fn the_person_learns_what_made_the_capture_poor_but_an_attacker_does_not() {
        let policy = Policy { liveness_threshold: 90.0, liveness_attack_below: 50.0, ..policy() };
        let feedback = vec![Feedback::LowLighting, Feedback::HighLighting, Feedback::LowVideoQuality];
        let poor = SessionResult { feedback, ..taken(Some(80.0)) };
        assert_eq!(codes(&judge(&poor, &policy)), [Code::LivenessLowConfidence, Code::LivenessPoorLighting]);
        let attack = SessionResult { confidence: Some(3.0), ..poor };
        assert_eq!(codes(&judge(&attack, &policy)), [Code::LivenessAttackSuspected]);
    }

    fn outcome(result: &SessionResult, policy: &Policy) -> Option<Outcome> {
        match judge(result, policy) {
            Verdict::Judged(judgement) => {
                let finding = Finding { judgement, ..Finding::default() };
                Some(Check::judge("v", Kind::Liveness, 1, &finding, policy).outcome)
            }
            Verdict::NotYet | Verdict::Ended { .. } => None,
        }
    }

    fn rank(outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Passed => 0,
            Outcome::Review => 1,
            _ => 2,
        }
    }

    proptest! {
        #[test]
        fn only_a_valid_confidence_over_a_valid_threshold_passes(
            confidence in proptest::option::of(any::<f64>()), threshold in any::<f64>(), below in any::<f64>(),
        ) {
            let policy = Policy { liveness_threshold: threshold, liveness_attack_below: below, ..policy() };
            if outcome(&taken(confidence), &policy) == Some(Outcome::Passed) {
                let confidence = confidence.unwrap();
                prop_assert!((0.0..=100.0).contains(&confidence) && threshold > 0.0 && confidence >= threshold);
            }
        }

        #[test]
        fn a_higher_confidence_is_never_worse(
            low in 0.0..=100.0_f64, more in 0.0..=100.0_f64, threshold in 0.0..=100.0_f64, below in 0.0..=100.0_f64,
        ) {
            let policy = Policy { liveness_threshold: threshold, liveness_attack_below: below, ..policy() };
            let high = (low + more).min(100.0);
            let worse = outcome(&taken(Some(low)), &policy).map(rank);
            let better = outcome(&taken(Some(high)), &policy).map(rank);
            prop_assert!(better <= worse);
        }
    }
}
