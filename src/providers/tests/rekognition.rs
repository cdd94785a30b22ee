//! The client of Rekognition and STS.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::{Reply, SHORT, Stub, TIMEOUTS};
use crate::providers::rekognition::{Rekognition, Settings, StaticCredentials};
use crate::providers::{ProviderError, ProviderErrorKind, Timeouts};
use crate::verification::faces::Comparison;
use crate::verification::rules::liveness::{Feedback, SessionResult, SessionState};

const SESSION: &str = "0d959dbb-37cc-4526-9248-64b413157343";

fn settings(url: &Url, timeouts: Timeouts) -> Settings {
    Settings {
        region: "eu-central-1".to_owned(),
        liveness_region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(url.clone()),
        allow_insecure_endpoints: false,
        credentials: Some(StaticCredentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: SecretString::from("aws-secret"),
            session_token: Some(SecretString::from("aws-token")),
        }),
        audit_images: 0,
        browser_role_arn: Some("arn:aws:iam::123456789012:role/liveness".to_owned()),
        timeouts,
    }
}

async fn client(stub: &Stub) -> Rekognition {
    Rekognition::new(settings(&stub.url, TIMEOUTS)).await.unwrap()
}

fn amz(status: u16, body: &Value) -> Reply {
    let headers =
        vec![("content-type", "application/x-amz-json-1.1".to_owned()), ("x-amzn-requestid", "aws-1".to_owned())];
    Reply::Http { status, headers, body: body.to_string() }
}

fn error(status: u16, code: &str) -> Reply {
    amz(status, &json!({ "__type": code, "Code": code, "Message": "about ERIKSSON" }))
}

async fn fails(reply: Reply, timeouts: Timeouts) -> ProviderError {
    let stub = Stub::start(reply).await;
    let client = Rekognition::new(settings(&stub.url, timeouts)).await.unwrap();
    let failure = client.detect_faces(b"jpeg").await.unwrap_err();
    assert_eq!(stub.requests().len(), 1, "a client makes no retry");
    assert!(!format!("{failure} {failure:?}").contains("ERIKSSON"), "no provider text in an error");
    failure
}

async fn results(body: &Value) -> SessionResult {
    let stub = Stub::start(amz(200, body)).await;
    client(&stub).await.session_results(SESSION).await.unwrap().value
}

#[tokio::test]
async fn a_session_is_opened_once_per_token() {
    let stub = Stub::start(amz(200, &json!({ "SessionId": SESSION }))).await;
    let answer = client(&stub).await.create_session("record00000001a").await.unwrap();
    assert_eq!((answer.value.session_id.as_str(), answer.value.region.as_str()), (SESSION, "eu-west-1"));
    assert_eq!(answer.request_ids, ["aws-1"]);

    let request = stub.request();
    assert_eq!(request.header("x-amz-target"), "RekognitionService.CreateFaceLivenessSession");
    assert_eq!(request.header("x-amz-security-token"), "aws-token");
    assert!(request.header("authorization").contains("/eu-west-1/rekognition/aws4_request"));
    let expected = json!({ "ClientRequestToken": "record00000001a", "Settings": { "AuditImagesLimit": 0 } });
    assert_eq!(request.json(), expected, "no output bucket");
}

#[tokio::test]
async fn a_token_that_aws_would_refuse_is_not_sent() {
    let stub = Stub::start(amz(200, &json!({ "SessionId": SESSION }))).await;
    let client = client(&stub).await;
    for token in ["", "a b", &"x".repeat(65)] {
        assert_eq!(client.create_session(token).await.unwrap_err().code(), "rekognition.rejected");
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn a_session_without_an_id_is_an_invalid_response() {
    let stub = Stub::start(amz(200, &json!({ "SessionId": "" }))).await;
    assert_eq!(client(&stub).await.create_session("t").await.unwrap_err().code(), "rekognition.garbage");
}

#[tokio::test]
async fn a_result_is_read() {
    let result = results(&json!({
        "SessionId": SESSION, "Status": "SUCCEEDED", "Confidence": 99.1,
        "ReferenceImage": { "Bytes": STANDARD.encode(b"jpeg"), "BoundingBox": { "Left": 0.1 } },
        "AuditImages": [{ "Bytes": STANDARD.encode(b"audit") }, { "S3Object": { "Bucket": "b" } }],
        "Challenge": { "Type": "FaceMovementAndLightChallenge", "Version": "2.0.0" },
        "Feedback": [{ "Code": "LOW_LIGHTING_DETECTED", "Message": "x" }, { "Code": "A_CODE_OF_NEXT_MONTH", "Message": "x" }],
        "Metadata": { "SDKType": "x" }
    }))
    .await;
    assert_eq!(result.state, SessionState::Succeeded);
    assert_eq!(result.confidence, Some(99.1), "not 99.0999985");
    assert_eq!(result.reference_image.as_deref(), Some(b"jpeg".as_slice()));
    assert_eq!(result.audit_images, [b"audit".to_vec()]);
    assert_eq!(result.challenge, "FaceMovementAndLightChallenge 2.0.0");
    assert_eq!(result.feedback, [Feedback::LowLighting]);
    assert!(!format!("{result:?}").contains("106"), "no picture in Debug");
}

#[tokio::test]
async fn a_confidence_that_is_no_number_is_none() {
    for confidence in [json!("NaN"), json!("Infinity"), json!(null)] {
        let result = results(&json!({ "SessionId": SESSION, "Status": "SUCCEEDED", "Confidence": confidence })).await;
        assert_eq!(result.confidence, None);
        assert_eq!(result.reference_image, None);
    }
}

#[tokio::test]
async fn a_passed_session_without_a_confidence_is_an_invalid_response() {
    for confidence in [json!("NaN"), json!(null)] {
        let picture = json!({ "Bytes": STANDARD.encode(b"jpeg") });
        let result =
            json!({ "SessionId": SESSION, "Status": "SUCCEEDED", "Confidence": confidence, "ReferenceImage": picture });
        let stub = Stub::start(amz(200, &result)).await;
        assert_eq!(client(&stub).await.session_results(SESSION).await.unwrap_err().code(), "rekognition.garbage");
    }
}

#[tokio::test]
async fn an_unknown_or_missing_status_is_not_an_end() {
    assert_eq!(results(&json!({ "SessionId": SESSION, "Status": "PONDERING" })).await.state, SessionState::Unknown);
    assert_eq!(results(&json!({ "SessionId": SESSION, "Confidence": 99.9 })).await.state, SessionState::Unknown);
    assert_eq!(results(&json!({ "SessionId": SESSION, "Status": "EXPIRED" })).await.state, SessionState::Expired);
}

#[tokio::test]
async fn a_session_that_is_gone_is_an_answer_and_no_error() {
    let stub = Stub::start(error(400, "SessionNotFoundException")).await;
    let answer = client(&stub).await.session_results(SESSION).await.unwrap();
    assert_eq!(answer.value.state, SessionState::NotFound);
    assert_eq!(answer.request_ids, ["aws-1"]);
}

#[tokio::test]
async fn the_result_of_another_session_is_an_invalid_response() {
    let stub =
        Stub::start(amz(200, &json!({ "SessionId": "another", "Status": "SUCCEEDED", "Confidence": 99.9 }))).await;
    assert_eq!(client(&stub).await.session_results(SESSION).await.unwrap_err().code(), "rekognition.garbage");
}

#[tokio::test]
async fn faces_are_detected_without_asking_for_more_than_is_needed() {
    let stub = Stub::start(amz(
        200,
        &json!({ "FaceDetails": [{
            "BoundingBox": { "Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": "NaN" }, "Confidence": 99.5,
            "Pose": { "Roll": 1.0, "Yaw": -12.5 }, "Quality": { "Brightness": 80.0, "Sharpness": "Infinity" },
            "FaceOccluded": { "Value": true, "Confidence": 97.0 }
        }] }),
    ))
    .await;
    let faces = client(&stub).await.detect_faces(b"jpeg").await.unwrap().value;
    assert_eq!(faces.len(), 1);
    assert_eq!((faces[0].confidence, faces[0].yaw, faces[0].pitch), (Some(99.5), Some(-12.5), None));
    assert_eq!((faces[0].brightness, faces[0].sharpness, faces[0].bounds), (Some(80.0), None, None));
    assert!(faces[0].occluded.unwrap().value);
    assert_eq!(faces[0].sunglasses, None, "absent is not false");
    let request = stub.request();
    assert!(request.header("authorization").contains("/eu-central-1/rekognition/aws4_request"));
    assert_eq!(request.json()["Attributes"], json!(["DEFAULT", "FACE_OCCLUDED", "EYES_OPEN", "SUNGLASSES"]));
}

#[tokio::test]
async fn faces_are_compared_with_neither_threshold_nor_filter() {
    let answer = json!({
        "SourceImageFace": { "Confidence": 99.9 },
        "FaceMatches": [{ "Similarity": 42.5, "Face": { "Confidence": 99.9 } }, { "Similarity": "NaN" }],
        "UnmatchedFaces": [{ "Confidence": 99.9 }]
    });
    let stub = Stub::start(amz(200, &answer)).await;
    let compared = client(&stub).await.compare_faces(b"selfie", b"portrait").await.unwrap().value;
    assert_eq!(compared, Comparison::Compared { similarities: vec![Some(42.5), None], unmatched: 1 });
    let request = stub.request().json();
    assert_eq!((request["SimilarityThreshold"].as_f64(), request["QualityFilter"].as_str()), (Some(0.0), Some("NONE")));
}

#[tokio::test]
async fn a_picture_without_a_face_is_an_answer_and_an_empty_response_is_not() {
    let stub = Stub::start(error(400, "InvalidParameterException")).await;
    let compared = client(&stub).await.compare_faces(b"selfie", b"portrait").await.unwrap().value;
    assert_eq!(compared, Comparison::NoFace);

    let stub = Stub::start(amz(200, &json!({}))).await;
    let client = client(&stub).await;
    assert_eq!(client.compare_faces(b"selfie", b"portrait").await.unwrap_err().code(), "rekognition.garbage");
    assert_eq!(client.detect_faces(b"jpeg").await.unwrap_err().code(), "rekognition.garbage");
}

#[tokio::test]
async fn a_picture_that_aws_would_refuse_is_not_sent() {
    let stub = Stub::start(amz(200, &json!({}))).await;
    let client = client(&stub).await;
    let large = vec![0; 5 * 1024 * 1024 + 1];
    assert_eq!(client.detect_faces(b"").await.unwrap_err().code(), "rekognition.rejected");
    assert_eq!(client.compare_faces(b"selfie", &large).await.unwrap_err().code(), "rekognition.rejected");
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn each_refusal_has_the_code_of_its_remedy() {
    for (reply, code) in [
        (error(400, "ThrottlingException"), "rekognition.throttled"),
        (error(500, "ThrottlingException"), "rekognition.throttled"),
        (error(400, "ProvisionedThroughputExceededException"), "rekognition.throttled"),
        (error(400, "AccessDeniedException"), "rekognition.credentials"),
        (error(400, "UnrecognizedClientException"), "rekognition.credentials"),
        (error(400, "InvalidSignatureException"), "rekognition.credentials"),
        (error(400, "ExpiredTokenException"), "rekognition.credentials"),
        (error(403, "SomethingNew"), "rekognition.credentials"),
        (error(400, "InvalidParameterException"), "rekognition.rejected"),
        (error(400, "InvalidImageFormatException"), "rekognition.rejected"),
        (error(400, "SomethingNew"), "rekognition.rejected"),
        (error(500, "InternalServerError"), "rekognition.unavailable"),
        (error(404, "UnknownOperationException"), "rekognition.misconfigured"),
        (Reply::html(404), "rekognition.misconfigured"),
        (Reply::html(301), "rekognition.misconfigured"),
        (Reply::html(500), "rekognition.unavailable"),
        (Reply::html(503), "rekognition.unavailable"),
        (Reply::html(200), "rekognition.garbage"),
    ] {
        assert_eq!(fails(reply, TIMEOUTS).await.code(), code);
    }
}

#[tokio::test]
async fn a_throttled_call_reports_the_pause_and_the_request_id() {
    let failure = fails(error(400, "ThrottlingException").with("retry-after", "3"), TIMEOUTS).await;
    assert_eq!((failure.retry_after(), failure.request_id.as_deref()), (Some(Duration::from_secs(3)), Some("aws-1")));
}

#[tokio::test]
async fn an_incomplete_or_endless_answer_is_an_error() {
    assert_eq!(fails(Reply::Hang, SHORT).await.kind, ProviderErrorKind::Timeout);
    assert_eq!(fails(Reply::HangInBody, SHORT).await.kind, ProviderErrorKind::Timeout);
    assert_eq!(fails(Reply::CutBody { sent: "{\"FaceDetails\":" }, TIMEOUTS).await.code(), "rekognition.unavailable");
    assert_eq!(fails(Reply::Gigabyte, TIMEOUTS).await.code(), "rekognition.garbage");
    assert_eq!(fails(Reply::AnnouncedGigabyte, TIMEOUTS).await.code(), "rekognition.garbage");
}

#[tokio::test]
async fn a_refused_connection_is_an_error_at_once() {
    let url = Stub::start(Reply::Hang).await.url.clone();
    let client = Rekognition::new(settings(&url, TIMEOUTS)).await.unwrap();
    assert_eq!(client.detect_faces(b"jpeg").await.unwrap_err().code(), "rekognition.unavailable");
}

fn sts(status: u16, body: &str) -> Reply {
    let headers = vec![("content-type", "text/xml".to_owned()), ("x-amzn-requestid", "sts-1".to_owned())];
    Reply::Http { status, headers, body: body.to_owned() }
}

#[tokio::test]
async fn a_browsers_credentials_are_valid_for_the_challenge_only() {
    let stub = Stub::start(sts(
        200,
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>browser-secret</SecretAccessKey>\
         <SessionToken>browser-token</SessionToken><Expiration>2026-11-22T10:15:00Z</Expiration>\
         </Credentials></AssumeRoleResult></AssumeRoleResponse>",
    ))
    .await;
    let client = client(&stub).await;
    assert!(client.offers_browser_credentials());
    let credentials = client.browser_credentials("record/1").await.unwrap().unwrap().value;
    assert_eq!(credentials.access_key_id, "ASIA1");
    assert_eq!(credentials.session_token.expose_secret(), "browser-token");
    assert_eq!(credentials.expires_at.to_string(), "2026-11-22T10:15:00Z");
    assert!(!format!("{credentials:?}").contains("browser-"));

    let request = stub.request();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value);
    assert_eq!(field("Action"), "AssumeRole");
    assert_eq!(field("RoleSessionName"), "identivia-record-1");
    assert_eq!(field("DurationSeconds"), "900");
    let policy: Value = serde_json::from_str(field("Policy")).unwrap();
    assert_eq!(policy["Statement"][0]["Action"], "rekognition:StartFaceLivenessSession");
}

#[tokio::test]
async fn without_a_role_or_a_permission_a_browser_gets_no_credentials() {
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>ERIKSSON</Message></Error></ErrorResponse>";
    let stub = Stub::start(sts(403, denied)).await;
    let failure = client(&stub).await.browser_credentials("r").await.unwrap_err();
    assert_eq!((failure.code(), failure.request_id.as_deref()), ("rekognition.credentials", Some("sts-1")));

    let roleless = Settings { browser_role_arn: None, ..settings(&stub.url, TIMEOUTS) };
    let client = Rekognition::new(roleless).await.unwrap();
    assert!(client.browser_credentials("r").await.unwrap().is_none());
}

#[tokio::test]
async fn all_invalid_settings_are_reported_without_the_keys() {
    let mut bad = Settings {
        region: "eu west".to_owned(),
        liveness_region: Some("x/../y".to_owned()),
        audit_images: 5,
        browser_role_arn: Some("liveness".to_owned()),
        ..settings(&Url::parse("http://10.1.2.3").unwrap(), TIMEOUTS)
    };
    if let Some(keys) = &mut bad.credentials {
        keys.secret_access_key = SecretString::from("aws-secret\n");
    }
    let problems = Rekognition::new(bad).await.unwrap_err();
    assert_eq!(problems.0.len(), 6, "{problems}");
    assert!(problems.to_string().contains("AWS_SECRET_ACCESS_KEY"));
    assert!(!problems.to_string().contains("aws-secret"));
}
