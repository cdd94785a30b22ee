//! Turns AWS's types into the core's. Numbers that are not finite, and absent values, become
//! `None`.

use aws_sdk_rekognition::operation::compare_faces::CompareFacesOutput;
use aws_sdk_rekognition::operation::get_face_liveness_session_results::GetFaceLivenessSessionResultsOutput;
use aws_sdk_rekognition::types::{AuditImage, FaceDetail, FeedbackCode, LivenessSessionStatus};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::verification::faces::{BoundingBox, Comparison, DetectedFace, Sighting};
use crate::verification::rules::liveness::{Feedback, SessionResult, SessionState};

/// What a browser needs to take the challenge. Must not be stored, logged or cached.
#[derive(Debug, Clone)]
pub struct BrowserCredentials {
    /// Id of the access key; not a secret by itself.
    pub access_key_id: String,
    /// Secret half of the access key.
    pub secret_access_key: SecretString,
    /// Secret; without it the other two are useless.
    pub session_token: SecretString,
    /// End of their validity.
    pub expires_at: Timestamp,
}

pub(super) fn session(output: GetFaceLivenessSessionResultsOutput) -> SessionResult {
    SessionResult {
        state: match output.status {
            LivenessSessionStatus::Created => SessionState::Created,
            LivenessSessionStatus::InProgress => SessionState::InProgress,
            LivenessSessionStatus::Succeeded => SessionState::Succeeded,
            LivenessSessionStatus::Failed => SessionState::Failed,
            LivenessSessionStatus::Expired => SessionState::Expired,
            // The SDK reports a missing status as an unknown one, too.
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

/// `None` when the response lacks the matched or the unmatched faces: then the number of faces is
/// not known.
pub(super) fn comparison(output: &CompareFacesOutput) -> Option<Comparison> {
    let matches = output.face_matches.as_ref()?;
    Some(Comparison::Compared {
        similarities: matches.iter().map(|m| number(m.similarity)).collect(),
        unmatched: output.unmatched_faces.as_ref()?.len(),
    })
}

pub(super) fn credentials(issued: &aws_sdk_sts::types::Credentials) -> Option<BrowserCredentials> {
    let complete =
        ![&issued.access_key_id, &issued.secret_access_key, &issued.session_token].iter().any(|part| part.is_empty());
    complete.then_some(())?;
    Some(BrowserCredentials {
        access_key_id: issued.access_key_id.clone(),
        secret_access_key: SecretString::from(issued.secret_access_key.clone()),
        session_token: SecretString::from(issued.session_token.clone()),
        expires_at: Timestamp::from_second(issued.expiration.secs()).ok()?,
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

/// The decimal number that AWS sent. The `f32` of 99.1 would widen to 99.0999985, which is below a
/// threshold of 99.1.
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
