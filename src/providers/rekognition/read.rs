//! AWS's types into ours. Numbers that are not finite, and whatever was not told, become `None`.

use aws_sdk_rekognition::operation::compare_faces::CompareFacesOutput;
use aws_sdk_rekognition::operation::get_face_liveness_session_results::GetFaceLivenessSessionResultsOutput;
use aws_sdk_rekognition::types::{AuditImage, FaceDetail, FeedbackCode, LivenessSessionStatus};
use jiff::Timestamp;
use secrecy::SecretString;

use super::BrowserCredentials;
use crate::verification::faces::{BoundingBox, Comparison, DetectedFace, Sighting};
use crate::verification::rules::liveness::{Feedback, SessionResult, SessionState};

pub(super) fn session(output: GetFaceLivenessSessionResultsOutput) -> SessionResult {
    SessionResult {
        state: match output.status {
            LivenessSessionStatus::Created => SessionState::Created,
            LivenessSessionStatus::InProgress => SessionState::InProgress,
            LivenessSessionStatus::Succeeded => SessionState::Succeeded,
            LivenessSessionStatus::Failed => SessionState::Failed,
            LivenessSessionStatus::Expired => SessionState::Expired,
            // A missing status arrives as an unknown one, too.
            _ => SessionState::Unknown,
        },
        confidence: number(output.confidence),
        challenge: output.challenge.map(|c| format!("{} {}", c.r#type.as_str(), c.version)).unwrap_or_default(),
        feedback: output.feedback.iter().flatten().filter_map(|item| feedback(&item.code)).collect(),
        reference_image: output.reference_image.and_then(bytes),
        audit_images: output.audit_images.unwrap_or_default().into_iter().filter_map(bytes).collect(),
    }
}

pub(super) fn face(detail: &FaceDetail) -> DetectedFace {
    let pose = detail.pose.as_ref();
    let quality = detail.quality.as_ref();
    let sighting = |value, confidence| Sighting { value, confidence: number(confidence) };
    DetectedFace {
        bounds: detail.bounding_box.as_ref().and_then(|bounds| {
            Some(BoundingBox {
                left: number(bounds.left)?,
                top: number(bounds.top)?,
                width: number(bounds.width)?,
                height: number(bounds.height)?,
            })
        }),
        confidence: number(detail.confidence),
        yaw: number(pose.and_then(|p| p.yaw)),
        pitch: number(pose.and_then(|p| p.pitch)),
        roll: number(pose.and_then(|p| p.roll)),
        brightness: number(quality.and_then(|q| q.brightness)),
        sharpness: number(quality.and_then(|q| q.sharpness)),
        occluded: detail.face_occluded.as_ref().map(|f| sighting(f.value, f.confidence)),
        eyes_open: detail.eyes_open.as_ref().map(|e| sighting(e.value, e.confidence)),
        sunglasses: detail.sunglasses.as_ref().map(|s| sighting(s.value, s.confidence)),
    }
}

/// `None` when the answer tells neither matched nor unmatched faces: then it is not known how many there are.
pub(super) fn comparison(output: &CompareFacesOutput) -> Option<Comparison> {
    let matches = output.face_matches.as_ref()?;
    Some(Comparison::Compared {
        similarities: matches.iter().map(|m| number(m.similarity)).collect(),
        unmatched: output.unmatched_faces.as_ref()?.len(),
    })
}

pub(super) fn credentials(told: &aws_sdk_sts::types::Credentials) -> Option<BrowserCredentials> {
    let complete =
        ![&told.access_key_id, &told.secret_access_key, &told.session_token].iter().any(|part| part.is_empty());
    complete.then_some(())?;
    Some(BrowserCredentials {
        access_key_id: told.access_key_id.clone(),
        secret_access_key: SecretString::from(told.secret_access_key.clone()),
        session_token: SecretString::from(told.session_token.clone()),
        expires_at: Timestamp::from_second(told.expiration.secs()).ok()?,
    })
}

fn bytes(image: AuditImage) -> Option<Vec<u8>> {
    image.bytes.map(aws_sdk_rekognition::primitives::Blob::into_inner).filter(|bytes| !bytes.is_empty())
}

fn feedback(code: &FeedbackCode) -> Option<Feedback> {
    match code {
        FeedbackCode::FaceNotVisible => Some(Feedback::FaceNotVisible),
        FeedbackCode::FaceObstructionDetected => Some(Feedback::FaceObstructed),
        FeedbackCode::LowVideoQualityDetected => Some(Feedback::LowVideoQuality),
        FeedbackCode::FaceNotAligned => Some(Feedback::FaceNotAligned),
        FeedbackCode::EyesClosedDetected => Some(Feedback::EyesClosed),
        FeedbackCode::LowLightingDetected => Some(Feedback::LowLighting),
        FeedbackCode::HighLightingDetected => Some(Feedback::HighLighting),
        _ => None,
    }
}

/// The decimal that was sent: 99.1 as an `f32` would widen to 99.0999985, below a threshold of 99.1.
fn number(value: Option<f32>) -> Option<f64> {
    value.filter(|v| v.is_finite()).and_then(|v| v.to_string().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_the_decimal_that_was_sent() {
        assert_eq!(number(Some(99.1)), Some(99.1));
        assert_eq!(number(Some(f32::NAN)), None);
        assert_eq!(number(Some(f32::INFINITY)), None);
        assert_eq!(number(None), None);
    }
}
