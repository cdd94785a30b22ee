//! The provider clients against the sandbox, a server that shares no code with them, checks
//! signatures and fails on demand.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use identivia::providers::fingerprint::{self, Fingerprint};
use identivia::providers::openai::{self, Dialect, MediaType, OpenAi, Reading};
use identivia::providers::rekognition::{self, Rekognition, StaticCredentials};
use identivia::providers::{ProviderError, Timeouts};
use identivia::verification::faces::Comparison;
use identivia::verification::reason::Code;
use identivia::verification::rules::liveness::{SessionResult, Verdict};
use identivia::verification::rules::{device, face_match as face, liveness};
use identivia::verification::{DeviceSignal, Policy, SessionStatus, Verification};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(20) };
/// Timeouts for faults that only a timeout ends.
const SHORT: Timeouts = Timeouts { connect: Duration::from_secs(1), attempt: Duration::from_secs(2) };

/// A sandbox process for one test; dropping it ends the process.
struct Sandbox {
    process: Child,
    url: Url,
    control: reqwest::Client,
}

impl Sandbox {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_sandbox"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output is piped")).read_line(&mut line).expect("a first line");
        let address = line.split_whitespace().last().expect("the line ends with an address");
        let url = Url::parse(address).expect("a URL");
        Self { process, url, control: reqwest::Client::builder().no_proxy().build().expect("a client") }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let url = self.url.join(path).expect("a path");
        let answer = self.control.post(url).json(body).send().await.expect("the sandbox answers");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        let url = self.url.join(path).expect("a path");
        self.control.get(url).send().await.expect("the sandbox answers").json().await.expect("JSON")
    }

    async fn rekognition(&self, timeouts: Timeouts) -> Rekognition {
        Rekognition::new(self.aws("sandbox-secret-access-key-not-a-secret00", timeouts)).await.expect("good settings")
    }

    fn aws(&self, secret: &str, timeouts: Timeouts) -> rekognition::Settings {
        rekognition::Settings {
            region: "us-east-1".to_owned(),
            liveness_region: Some("eu-west-1".to_owned()),
            endpoint_url: Some(self.url.clone()),
            allow_insecure_endpoints: false,
            credentials: Some(StaticCredentials {
                access_key_id: "AKIASANDBOX000000001".to_owned(),
                secret_access_key: SecretString::from(secret),
                session_token: None,
            }),
            audit_images: 0,
            browser_role_arn: Some("arn:aws:iam::000000000000:role/identivia-browser".to_owned()),
            timeouts,
        }
    }

    fn openai(&self, key: &str, model: &str, dialect: Dialect, timeouts: Timeouts) -> OpenAi {
        OpenAi::new(&openai::Settings {
            api_key: SecretString::from(key),
            base_url: Some(self.url.join("v1").expect("a path")),
            allow_insecure_endpoints: false,
            model: model.to_owned(),
            dialect: Some(dialect),
            reasoning_effort: openai::REASONING_EFFORT.to_owned(),
            output_tokens_max: openai::OUTPUT_TOKENS_MAX,
            timeouts,
        })
        .expect("good settings")
    }

    fn fingerprint(&self, key: &str, timeouts: Timeouts) -> Fingerprint {
        Fingerprint::new(&fingerprint::Settings {
            secret_key: SecretString::from(key),
            region: fingerprint::Region::Us,
            base_url: Some(self.url.clone()),
            allow_insecure_endpoints: false,
            timeouts,
        })
        .expect("good settings")
    }

    /// Creates an event that is bound to [`verification`], with the current time unless the
    /// scenario has another.
    async fn event(&self, scenario: &str) -> String {
        let request = json!({ "linked_id": verification().id, "scenario": scenario });
        self.post("sandbox/fingerprint/events", &request).await["event_id"].as_str().expect("an id").to_owned()
    }

    /// The result of a challenge that ended with `outcome`.
    async fn challenge(&self, token: &str, outcome: &Value) -> SessionResult {
        let client = self.rekognition(TIMEOUTS).await;
        let session = client.create_session(token).await.expect("a session").value;
        self.post(&format!("sandbox/liveness/{}", session.session_id), outcome).await;
        client.session_results(&session.session_id).await.expect("a result").value
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn policy() -> Policy {
    serde_json::from_value(json!({
        "id": "policy000000001", "name": "default", "version": 1, "required_checks": ["device", "document", "liveness", "face_match"],
        "liveness_threshold": 90.0, "liveness_attack_below": 50.0, "face_match_pass": 95.0, "face_match_review": 80.0,
        "attempts_max": 3, "liveness_sessions_max": 5, "input_hours": 24, "technical_minutes": 30,
        "device_max_age_seconds": 600, "work_tries_max": 3
    }))
    .expect("a policy")
}

fn verification() -> Verification {
    Verification { id: "verification00a".to_owned(), ..Verification::default() }
}

fn signal(event_id: &str) -> DeviceSignal {
    DeviceSignal { id: "signal00000000a".to_owned(), event_id: event_id.to_owned(), created: jiff::Timestamp::now() }
}

#[tokio::test]
async fn a_session_passes_and_its_face_is_compared() {
    let sandbox = Sandbox::start();
    let client = sandbox.rekognition(TIMEOUTS).await;
    let session = client.create_session("record00000001a").await.unwrap();
    let again = client.create_session("record00000001a").await.unwrap();
    assert_eq!(session.value, again.value, "the same token gives the same session");
    assert_eq!(session.request_ids.len(), 1);
    let id = &session.value.session_id;
    let waiting = client.session_results(id).await.unwrap().value;
    assert_eq!(liveness::judge(&waiting, &policy()), Verdict::NotYet);

    sandbox.post(&format!("sandbox/liveness/{id}"), &json!({ "outcome": "pass", "person": "anna" })).await;
    let result = client.session_results(id).await.unwrap().value;
    let Verdict::Judged(judgement) = liveness::judge(&result, &policy()) else { panic!("not judged: {result:?}") };
    assert_eq!(judgement.reasons, []);

    let selfie = result.reference_image.expect("a reference image");
    let faces = client.detect_faces(&selfie).await.unwrap().value;
    assert_eq!(faces.len(), 1);
    assert!(faces[0].bounds.is_some() && faces[0].occluded.is_some());
    let same = client.compare_faces(&selfie, &selfie).await.unwrap().value;
    assert_eq!(face::judge(&same, &policy()).reasons, []);

    let other = sandbox.challenge("record00000002a", &json!({ "outcome": "pass", "person": "erik" })).await;
    let other = other.reference_image.expect("a reference image");
    let different = client.compare_faces(&selfie, &other).await.unwrap().value;
    assert_eq!(face::judge(&different, &policy()).reasons[0].code, Code::FaceMismatch, "{different:?}");
}

#[tokio::test]
async fn each_outcome_of_a_challenge_is_judged() {
    let sandbox = Sandbox::start();
    for (outcome, expected) in [
        ("spoof", Err(Code::LivenessAttackSuspected)),
        ("fail", Ok((SessionStatus::Failed, Code::LivenessSessionFailed))),
        ("no_reference_image", Ok((SessionStatus::Failed, Code::LivenessReferenceImageMissing))),
    ] {
        let result = sandbox.challenge(outcome, &json!({ "outcome": outcome, "person": "anna" })).await;
        let found = match liveness::judge(&result, &policy()) {
            Verdict::Ended { status, code } => Ok((status, code)),
            Verdict::Judged(judgement) => Err(judgement.reasons[0].code),
            Verdict::NotYet => panic!("{outcome} ends the challenge"),
        };
        assert_eq!(found, expected, "{outcome}");
    }
    let client = sandbox.rekognition(TIMEOUTS).await;
    let session = client.create_session("walks-away").await.unwrap().value.session_id;
    sandbox.post("sandbox/clock", &json!({ "advance_seconds": 181 })).await;
    // `sandbox/clock` does not move the clock that signatures are checked against.
    let result = client.session_results(&session).await.unwrap().value;
    let ended = Verdict::Ended { status: SessionStatus::Expired, code: Code::LivenessSessionExpired };
    assert_eq!(liveness::judge(&result, &policy()), ended);
    let unknown = client.session_results("00000000-0000-0000-0000-000000000000").await.unwrap().value;
    assert_eq!(liveness::judge(&unknown, &policy()), ended);
}

#[tokio::test]
async fn a_picture_without_a_face_has_no_faces_and_other_bytes_are_rejected() {
    let sandbox = Sandbox::start();
    let client = sandbox.rekognition(TIMEOUTS).await;
    let blank = blank_png();
    assert_eq!(client.detect_faces(&blank).await.unwrap().value, []);
    let compared = client.compare_faces(&blank, &blank).await.unwrap().value;
    assert_eq!(compared, Comparison::NoFace);
    assert_eq!(client.detect_faces(b"no picture").await.unwrap_err().code(), "rekognition.rejected");
}

fn blank_png() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(320, 200, image::Rgb([230, 230, 220]))
        .write_to(&mut png, image::ImageFormat::Png)
        .expect("a PNG");
    png.into_inner()
}

#[tokio::test]
async fn browser_credentials_are_refused_for_other_operations() {
    let sandbox = Sandbox::start();
    let client = sandbox.rekognition(TIMEOUTS).await;
    let credentials = client.browser_credentials("record00000001a").await.unwrap().expect("a role is set").value;
    assert!(credentials.expires_at > jiff::Timestamp::now());
    let mut stolen = sandbox.aws("", TIMEOUTS);
    stolen.credentials = Some(StaticCredentials {
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        session_token: Some(credentials.session_token),
    });
    let thief = Rekognition::new(stolen).await.unwrap();
    assert_eq!(thief.detect_faces(&blank_png()).await.unwrap_err().code(), "rekognition.credentials");
}

#[tokio::test]
async fn each_device_scenario_is_judged() {
    let sandbox = Sandbox::start();
    let client = sandbox.fingerprint("fp-sandbox", TIMEOUTS);
    let id = sandbox.event("clean").await;
    let event = client.event(&id).await.unwrap().value;
    assert_eq!(device::judge(event.as_ref(), &signal(&id), &verification(), &policy()).reasons, []);

    let mut harmless = Vec::new();
    let catalogue = sandbox.get("sandbox/scenarios").await;
    for scenario in catalogue["fingerprint"].as_array().expect("a list") {
        let name = scenario["scenario"].as_str().expect("a name");
        let id = sandbox.event(name).await;
        let event = client.event(&id).await.unwrap().value;
        let judgement = device::judge(event.as_ref(), &signal(&id), &verification(), &policy());
        let codes: Vec<_> = judgement.reasons.iter().map(|r| r.code.as_str()).collect();
        harmless.extend(codes.is_empty().then(|| name.to_owned()));
    }
    assert_eq!(harmless, HARMLESS);
}

/// Scenarios without a reason: what people do with their own devices. The origin of the page is not
/// checked; an event is bound by its `linked_id`.
const HARMLESS: &[&str] = &[
    "clean",
    "factory_reset",
    "incognito",
    "developer_tools",
    "privacy_settings",
    "high_activity",
    "new_visitor",
    "other_origin",
];

#[tokio::test]
async fn models_are_probed_and_pictures_read_in_each_dialect() {
    let sandbox = Sandbox::start();
    let selfie = sandbox.challenge("t", &json!({ "outcome": "pass", "person": "anna" })).await.reference_image.unwrap();
    let image = openai::Image { media_type: MediaType::Jpeg, bytes: selfie.into() };
    for (model, dialect) in [
        ("sandbox-reasoning", Dialect::Reasoning),
        ("sandbox-plain", Dialect::Compatible),
        ("gpt-4.1", Dialect::Classic),
    ] {
        let client = sandbox.openai("sk-sandbox", model, dialect, TIMEOUTS);
        assert_eq!(client.probe_model().await.unwrap().value.known, Some(true), "{model}");
        let answer = client.transcribe(std::slice::from_ref(&image), "keyed-hash").await.unwrap();
        let Reading::Transcribed(_) = answer.value else { panic!("{model} did not transcribe: {:?}", answer.value) };
        assert!(answer.usage.input_tokens > 0 && answer.request_ids.len() == 1, "{model}");
    }
    let retiring = sandbox.openai("sk-sandbox", "gpt-5-mini", Dialect::Reasoning, TIMEOUTS);
    let status = retiring.probe_model().await.unwrap().value;
    assert_eq!(status.shutdown_date.unwrap().to_string(), "2026-12-11");
    let gone = sandbox.openai("sk-sandbox", "o4-mini-never", Dialect::Reasoning, TIMEOUTS);
    assert_eq!(gone.probe_model().await.unwrap().value.known, Some(false));
    let wrong = sandbox.openai("sk-sandbox", "sandbox-reasoning", Dialect::Compatible, TIMEOUTS);
    assert_eq!(
        wrong.transcribe(&[image], "h").await.unwrap_err().code(),
        "openai.misconfigured",
        "the wrong dialect is a configuration error"
    );
}

#[tokio::test]
async fn wrong_keys_have_an_error_code_of_their_own() {
    let sandbox = Sandbox::start();
    let aws = Rekognition::new(sandbox.aws("not-the-secret", TIMEOUTS)).await.unwrap();
    assert_eq!(aws.create_session("t").await.unwrap_err().code(), "rekognition.credentials");
    assert_eq!(aws.browser_credentials("t").await.unwrap_err().code(), "rekognition.credentials");
    let openai = sandbox.openai("sk-wrong", "gpt-6-luna", Dialect::Reasoning, TIMEOUTS);
    assert_eq!(openai.probe_model().await.unwrap_err().code(), "openai.credentials");
    let fingerprint = sandbox.fingerprint("fp-wrong", TIMEOUTS);
    assert_eq!(fingerprint.event("1763800000000.abc123").await.unwrap_err().code(), "fingerprint.credentials");
}

/// Every fault in the sandbox's catalogue, on one operation of each provider.
#[tokio::test]
async fn every_fault_ends_in_an_error_after_one_request() {
    let sandbox = Sandbox::start();
    let catalogue = sandbox.get("sandbox/scenarios").await;
    for entry in catalogue["faults"].as_array().expect("a list") {
        let fault = entry["fault"].as_str().expect("a name");
        // What these two do depends on a body.
        if ["merge", "replace"].contains(&fault) {
            continue;
        }
        for provider in entry["providers"].as_array().expect("a list").iter().filter_map(Value::as_str) {
            let rule = json!({ "provider": provider, "fault": fault, "times": 1, "ms": 1000_u32 * u32::from(fault == "drip") + 10_000 * u32::from(fault == "delay") });
            let verdict = call_under_fault(&sandbox, provider, &rule).await;
            assert!(verdict.ends_with(expected(provider, fault)), "{provider} {fault}: {verdict}");
        }
    }
}

/// The end of the verdict on a call under a fault.
fn expected(provider: &str, fault: &str) -> &'static str {
    match (provider, fault) {
        (_, "throttle") => ".throttled",
        (_, "quota") => ".misconfigured",
        (_, "expired_credential") => ".credentials",
        (_, "delay" | "hang" | "drip") => ".timeout",
        (_, "error_5xx" | "html" | "cut_body" | "drop_answer" | "reset") => ".unavailable",
        ("fingerprint", "nan") => "device.signal_missing",
        (
            _,
            "nan" | "garbage" | "huge" | "wrong_session" | "truncated" | "empty_choices" | "not_json" | "wrong_schema",
        ) => ".garbage",
        (_, "refusal") => "refused",
        (_, "content_filter") => "content filtered",
        _ => panic!("a new fault of the sandbox: {provider} {fault}; add its verdict here"),
    }
}

/// The verdict on one call of `provider` under `rule`: the error's code, or the judge's first
/// reason.
async fn call_under_fault(sandbox: &Sandbox, provider: &str, rule: &Value) -> String {
    let code = |error: ProviderError| error.code().to_owned();
    let first_reason = |reasons: &[identivia::verification::Reason]| {
        reasons.first().map_or_else(|| "clean".to_owned(), |reason| reason.code.to_string())
    };
    let (verdict, operation, last) = match provider {
        "rekognition" => {
            let client = sandbox.rekognition(SHORT).await;
            let token = format!("t-{}", rule["fault"].as_str().unwrap_or_default());
            let session = client.create_session(&token).await.expect("a session").value.session_id;
            sandbox.post(&format!("sandbox/liveness/{session}"), &json!({ "outcome": "pass", "person": "anna" })).await;
            let last = arm(sandbox, rule).await;
            let verdict = match client.session_results(&session).await {
                Ok(answer) => match liveness::judge(&answer.value, &policy()) {
                    Verdict::Judged(judgement) => first_reason(&judgement.reasons),
                    Verdict::Ended { code, .. } => code.to_string(),
                    Verdict::NotYet => "not yet".to_owned(),
                },
                Err(error) => code(error),
            };
            (verdict, "GetFaceLivenessSessionResults", last)
        }
        "sts" => {
            let client = sandbox.rekognition(SHORT).await;
            let last = arm(sandbox, rule).await;
            let verdict = client.browser_credentials("t").await.map_or_else(code, |_| "clean".to_owned());
            (verdict, "AssumeRole", last)
        }
        "openai" => {
            let client = sandbox.openai("sk-sandbox", "sandbox-reasoning", Dialect::Reasoning, SHORT);
            let image = openai::Image { media_type: MediaType::Png, bytes: blank_png().into() };
            let last = arm(sandbox, rule).await;
            let verdict = client.transcribe(&[image], "h").await.map_or_else(code, |answer| match answer.value {
                Reading::Transcribed(_) => "clean".to_owned(),
                Reading::Refused => "refused".to_owned(),
                Reading::ContentFiltered => "content filtered".to_owned(),
            });
            (verdict, "chat.completions", last)
        }
        "fingerprint" => {
            let id = sandbox.event("clean").await;
            let last = arm(sandbox, rule).await;
            let verdict = sandbox.fingerprint("fp-sandbox", SHORT).event(&id).await.map_or_else(code, |answer| {
                first_reason(&device::judge(answer.value.as_ref(), &signal(&id), &verification(), &policy()).reasons)
            });
            (verdict, "events.get", last)
        }
        other => panic!("an unknown provider: {other}"),
    };
    let log = sandbox.get(&format!("sandbox/journal?provider={provider}&operation={operation}&since={last}")).await;
    let requests = log["entries"].as_array().map_or(0, Vec::len);
    assert_eq!(requests, 1, "{provider} {rule}: {log}");
    verdict
}

/// Adds `rule` and returns the number of the last entry in the request log.
async fn arm(sandbox: &Sandbox, rule: &Value) -> u64 {
    let mut rule = rule.clone();
    if rule["ms"] == 0 {
        rule.as_object_mut().expect("an object").remove("ms");
    }
    sandbox.post("sandbox/faults", &rule).await;
    sandbox.get("sandbox/journal?limit=1").await["last"].as_u64().expect("a number")
}
