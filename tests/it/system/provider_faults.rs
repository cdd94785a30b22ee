//! Faults of the providers: rows 28 and 30 to 36 of the table, each by its number. Row 29 is in
//! `provider_outages`.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::person::{Challenge, Person};
use super::sidecar::Sidecar;
use super::specimen::{FACE, snapshot};
use super::stack::Stack;
use super::{PATIENCE, wait_for};
use crate::harness::tls::{Authority, Shows};

/// Several tries with growing pauses.
const PATIENCE_WITH_RETRIES: Duration = Duration::from_secs(120);
const READ: &str = "chat.completions";
const EVENT: &str = "events.get";
const RESULTS: &str = "GetFaceLivenessSessionResults";
const CREATE: &str = "CreateFaceLivenessSession";

#[tokio::test]
async fn row_28_a_provider_that_throttles_is_left_alone_by_all_as_long_as_it_asks() {
    const ASKED: SignedDuration = SignedDuration::from_secs(4);
    let mut stack = Stack::start().await;
    let (persons, sandbox) = (stack.persons(3).await, stack.sandbox());
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "throttle", "retry_after": ASKED.as_secs() })).await;
    // Twice, without saying how long.
    sandbox.fault(json!({ "provider": "openai", "operation": READ, "fault": "throttle", "times": 2 })).await;
    let ids = join_all(persons.iter().map(Person::begin)).await;
    persons[0].send_device(&ids[0]).await;
    asked(&stack, EVENT, 1).await;
    // Other work, which does not know of it, asks the same provider.
    persons[1].send_device(&ids[1]).await;
    persons[2].send_device(&ids[2]).await;
    provider_is(&mut stack.sidecars[0], "fingerprint", "degraded").await;
    for (person, id) in persons.iter().zip(&ids) {
        person.send_document(id, &snapshot()).await;
        person.take_challenge(id, Challenge::default()).await;
    }
    approved(&persons, &ids).await;
    let events = sandbox.calls_of(EVENT).await;
    assert_eq!(events.len(), 4, "three events and one that was throttled: {events:?}");
    let pause = events[1].at.duration_since(events[0].at);
    assert!(pause >= ASKED, "asked again after {pause:?}");
    assert_eq!(sandbox.count(READ).await, 5, "three documents and two throttled calls");
    provider_is(&mut stack.sidecars[0], "fingerprint", "ok").await;
    stack.audit(&persons[0]).await;
}

#[tokio::test]
async fn row_30_answers_that_drip_hang_or_break_end_in_time_and_are_asked_for_again() {
    let stack = Stack::start().await;
    let (persons, sandbox) = (stack.persons(4).await, stack.sandbox());
    let faults = [
        json!({ "provider": "fingerprint", "fault": "hang" }),
        json!({ "provider": "fingerprint", "fault": "drip", "ms": 2000 }),
        json!({ "provider": "fingerprint", "fault": "cut_body" }),
        json!({ "provider": "fingerprint", "fault": "reset" }),
        json!({ "provider": "openai", "operation": READ, "fault": "cut_body" }),
        json!({ "provider": "openai", "operation": READ, "fault": "drop_answer" }),
        json!({ "provider": "rekognition", "operation": "DetectFaces", "fault": "reset" }),
        json!({ "provider": "rekognition", "operation": RESULTS, "fault": "drop_answer" }),
    ];
    walk_through(&stack, &persons, &faults).await;
    let codes = stack.sidecars[0].error_codes();
    for expected in ["fingerprint.timeout", "fingerprint.unavailable", "openai.unavailable", "rekognition.unavailable"]
    {
        assert!(codes.contains(expected), "{expected} is not among {codes:?}");
    }
    // Each answer that arrived was used: the number of requests is that of persons and faults.
    assert_eq!(sandbox.count(EVENT).await, 4 + 4);
    assert_eq!(sandbox.count(READ).await, 4 + 2);
    assert_eq!(sandbox.count("DetectFaces").await, 4 + 1);
}

#[tokio::test]
async fn row_31_nonsense_is_a_failure_of_its_own_and_never_a_pass_or_a_fail() {
    let stack = Stack::start().await;
    let (persons, sandbox) = (stack.persons(4).await, stack.sandbox());
    let faults = [
        json!({ "provider": "openai", "operation": READ, "fault": "garbage" }),
        json!({ "provider": "openai", "operation": READ, "fault": "wrong_schema" }),
        json!({ "provider": "openai", "operation": READ, "fault": "empty_choices" }),
        json!({ "provider": "openai", "operation": READ, "fault": "huge", "bytes": 1_073_741_824_u64 }),
        json!({ "provider": "rekognition", "operation": RESULTS, "fault": "nan" }),
        json!({ "provider": "rekognition", "operation": RESULTS, "fault": "wrong_session" }),
        json!({ "provider": "rekognition", "operation": "DetectFaces", "fault": "huge" }),
        json!({ "provider": "fingerprint", "fault": "wrong_session" }),
        json!({ "provider": "fingerprint", "fault": "garbage" }),
        json!({ "provider": "fingerprint", "fault": "html", "status": 200 }),
    ];
    walk_through(&stack, &persons, &faults).await;
    let codes = stack.sidecars[0].error_codes();
    for expected in ["openai.garbage", "rekognition.garbage", "fingerprint.garbage"] {
        assert!(codes.contains(expected), "{expected} is not among {codes:?}");
    }
    assert_eq!(sandbox.count(READ).await, 4 + 4);
    assert_eq!(sandbox.count("DetectFaces").await, 4 + 1);
    assert_eq!(sandbox.count(EVENT).await, 4 + 3);
}

#[tokio::test]
async fn row_32_an_answer_after_our_timeout_costs_one_repeat_under_the_same_key_and_is_counted() {
    let mut stack = Stack::without_sidecar().await;
    let metrics = crate::harness::ports::Port::take();
    let mut environment = stack.environment("one");
    environment.insert("METRICS_LISTEN", metrics.to_string());
    stack.add(environment).await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    // The work is done and charged. The answers arrive a second after the service stopped waiting.
    sandbox.fault(json!({ "provider": "rekognition", "operation": CREATE, "fault": "delay", "ms": 16_000 })).await;
    sandbox.fault(json!({ "provider": "fingerprint", "fault": "delay", "ms": 11_000 })).await;
    let id = person.begin().await;
    person.submit_all(&id, &snapshot(), Challenge::default()).await;
    let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
    assert_eq!(record["status"], "approved", "{record}");
    let created = sandbox.calls_of(CREATE).await;
    assert_eq!(created.len(), 2);
    assert_eq!(created[0].idempotency_token, created[1].idempotency_token);
    assert_eq!(created[0].subject, created[1].subject, "two sessions for one key");
    assert_eq!(sandbox.count(EVENT).await, 2);
    let url = format!("http://{metrics}/metrics");
    let figures = reqwest::get(url).await.expect("figures").text().await.expect("text");
    for (provider, result) in [("rekognition", "rekognition.timeout"), ("fingerprint", "fingerprint.timeout")] {
        let line = format!("provider_calls_total{{provider=\"{provider}\",result=\"{result}\"}} 1");
        assert!(figures.contains(&line), "{line} is not in:\n{figures}");
    }
    stack.audit(&person).await;
}

#[tokio::test]
async fn row_33_a_revoked_key_stops_its_provider_alone_until_an_operator_mends_it() {
    let mut stack = Stack::start().await;
    let (persons, sandbox) = (stack.persons(3).await, stack.sandbox());
    sandbox.fault(json!({ "provider": "openai", "operation": READ, "fault": "expired_credential", "times": 0 })).await;
    let ids = join_all(persons.iter().map(Person::begin)).await;
    let submissions = persons.iter().zip(&ids).map(|(person, id)| {
        let picture = snapshot();
        async move { person.submit_all(id, &picture, Challenge::default()).await }
    });
    join_all(submissions).await;
    provider_is(&mut stack.sidecars[0], "openai", "degraded").await;
    for (person, id) in persons.iter().zip(&ids) {
        let others =
            |record: &Value| record["results"]["device"] == "passed" && record["results"]["liveness"] == "passed";
        let record = person.until(id, PATIENCE, "the other checks", others).await;
        assert_eq!((&record["status"], &record["results"]["document"]), (&json!("processing"), &json!("pending")));
    }
    let alarm = stack.sidecars[0].log().lines().any(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line["level"] == "ERROR" && line["message"] == "a provider error that only an operator can fix"
    });
    assert!(alarm, "no alert was raised");
    sandbox.mend().await;
    approved(&persons, &ids).await;
    assert_eq!(sandbox.count("DetectFaces").await, 3, "the other answer about the document was kept");
    stack.audit(&persons[0]).await;
}

#[tokio::test]
async fn row_34_no_name_a_wrong_name_and_an_old_certificate_are_no_provider() {
    let mut stack = Stack::without_sidecar().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = Authority::new(folder.path());
    let environment = |stack: &Stack, aws: &str, openai: &str, fingerprint: &str| {
        let mut environment = stack.environment("one");
        environment.insert("SSL_CERT_FILE", authority.file().display().to_string());
        environment.insert("AWS_ENDPOINT_URL", aws.to_owned());
        environment.insert("OPENAI_BASE_URL", format!("{openai}/v1"));
        environment.insert("FINGERPRINT_BASE_URL", fingerprint.to_owned());
        environment
    };
    let expired = authority.front(stack.sandbox_port(), Shows::Expired).await;
    let wrong_name = authority.front(stack.sandbox_port(), Shows::WrongName).await;
    // RFC 6761 reserves this name: it never resolves.
    stack.add(environment(&stack, &expired.url(), &wrong_name.url(), "https://fingerprint.invalid")).await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    let challenge = person.ask_challenge(&id).await;
    wait_for("all three providers fail", PATIENCE, async || {
        let codes = stack.sidecars[0].error_codes();
        // The two calls about a document fail together. The first of them is reported.
        let journal = person.journal(&id).await;
        let failed =
            |kind: &str| journal.iter().any(|row| row["event"] == "work_failed" && row["data"]["work"]["kind"] == kind);
        let all = ["device", "document", "open_session"].into_iter().all(failed);
        if all && codes.contains("fingerprint.unavailable") { Ok(()) } else { Err(format!("{codes:?} {journal:?}")) }
    })
    .await;
    assert_eq!(sandbox.calls().await.len(), 0, "a key was sent to a server that did not prove its name");
    let record = person.read("verifications", &id).await.expect("readable");
    assert_eq!(record["final"], false, "{record}");

    // The same with a valid certificate of the same authority.
    stack.sidecars[0].kill();
    let good = authority.front(stack.sandbox_port(), Shows::Good).await;
    stack.add(environment(&stack, &good.url(), &good.url(), &good.url())).await;
    let session = person.opened(&challenge).await;
    sandbox.take_challenge(&session, "pass", FACE).await;
    person.finish_challenge(&id, &challenge).await;
    let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
    assert_eq!(record["status"], "approved", "{record}");
    stack.audit(&person).await;
}

#[tokio::test]
async fn row_35_a_challenge_past_its_three_minutes_is_asked_for_again() {
    let stack = Stack::start().await;
    let (person, sandbox) = (stack.person().await, stack.sandbox());
    let id = person.begin().await;
    person.send_device(&id).await;
    person.send_document(&id, &snapshot()).await;
    let challenge = person.ask_challenge(&id).await;
    let session = person.opened(&challenge).await;
    sandbox.take_challenge(&session, "pass", FACE).await;
    sandbox.advance_clock(181).await;
    person.finish_challenge(&id, &challenge).await;
    let ended =
        |row: &Value| row["event"] == "liveness_session_ended" && row["data"]["code"] == "liveness.session_expired";
    person.journalled(&id, "the end of the challenge", ended).await;
    let owes = |record: &Value| record["next"] == json!(["liveness"]);
    person.until(&id, PATIENCE, "a new challenge is asked for", owes).await;
    person.take_challenge(&id, Challenge::default()).await;
    let record = person.status(&id, "approved").await;
    assert_eq!(record["attempts_used"], 1, "the deadline cost an attempt");
    stack.audit(&person).await;
}

#[tokio::test]
async fn row_36_a_clock_that_is_wrong_by_an_hour_is_named_and_harms_nothing_else() {
    let stack = Stack::start().await;
    let (persons, sandbox) = (stack.persons(2).await, stack.sandbox());
    for (person, seconds) in persons.iter().zip([3600, -3600]) {
        let seen = sandbox.calls().await.len();
        sandbox.set(json!({ "aws_clock_skew_seconds": seconds })).await;
        let id = person.begin().await;
        person.send_device(&id).await;
        person.send_document(&id, &snapshot()).await;
        let device = |record: &Value| record["results"]["device"] == "passed";
        person.until(&id, PATIENCE, "the device check", device).await;
        wait_for("AWS refuses the signature", PATIENCE, async || {
            let calls = sandbox.calls().await;
            let refused =
                calls[seen..].iter().any(|call| call.operation == "DetectFaces" && call.outcome == "answered");
            let failed = person.journal(&id).await.iter().any(|row| row["event"] == "work_failed");
            if refused && failed { Ok(()) } else { Err(format!("{calls:?}")) }
        })
        .await;
        sandbox.set(json!({ "aws_clock_skew_seconds": 0 })).await;
        person.take_challenge(&id, Challenge::default()).await;
        let record = person.settled_within(&id, PATIENCE_WITH_RETRIES).await;
        assert_eq!(record["status"], "approved", "{record}");
    }
    assert!(stack.sidecars[0].error_codes().contains("rekognition.credentials"));
    assert!(stack.sidecars[0].log().contains("this machine's clock"), "the log does not say whose clock is wrong");
    stack.audit(&persons[0]).await;
}

/// Persons walk through verifications while `faults` happen: none is harmed, and each learns only
/// that a machine failed.
async fn walk_through(stack: &Stack, persons: &[Person], faults: &[Value]) {
    for fault in faults {
        stack.sandbox().fault(fault.clone()).await;
    }
    let walks = persons.iter().map(async |person| {
        let id = person.begin().await;
        person.submit_all(&id, &snapshot(), Challenge::default()).await;
        id
    });
    let ids = join_all(walks).await;
    approved(persons, &ids).await;
    let hit = stack.sandbox().calls().await.iter().filter(|call| call.fault.is_some()).count();
    assert_eq!(hit, faults.len(), "a fault that no call met");
    let mut codes = BTreeSet::new();
    for (person, id) in persons.iter().zip(&ids) {
        let journal = person.journal(id).await;
        codes.extend(journal.iter().filter_map(|row| row["data"]["trouble"].as_str().map(str::to_owned)));
    }
    codes.remove("liveness.not_ready");
    assert_eq!(codes, BTreeSet::from(["system.provider_unavailable".to_owned()]));
    stack.audit(&persons[0]).await;
}

/// Asserts that all are approved in their first attempt.
async fn approved(persons: &[Person], ids: &[String]) {
    for (person, id) in persons.iter().zip(ids) {
        let record = person.settled_within(id, PATIENCE_WITH_RETRIES).await;
        assert_eq!((&record["status"], &record["attempts_used"]), (&json!("approved"), &json!(1)), "{record}");
    }
}

async fn asked(stack: &Stack, operation: &str, times: usize) {
    wait_for(operation, PATIENCE, async || match stack.sandbox().count(operation).await {
        made if made >= times => Ok(()),
        made => Err(format!("{made} calls")),
    })
    .await;
}

async fn provider_is(sidecar: &mut Sidecar, provider: &str, standing: &str) {
    wait_for(standing, PATIENCE, async || match sidecar.health().await {
        (200, health) if health["providers"][provider] == standing => Ok(()),
        (status, health) => Err(format!("{status} {health}")),
    })
    .await;
}

#[tokio::test]
#[ignore = "waits for a policy's deadline of a minute: cargo test --features crash-points --test it -- --ignored"]
async fn row_29_past_the_policys_deadline_its_degraded_mode_applies_and_declines_no_person() {
    let stack = Stack::start().await;
    let (persons, sandbox, admin) = (stack.persons(2).await, stack.sandbox(), stack.admin());
    let policies = admin.all("policies").await;
    let versions = policies.into_iter().filter(|policy| policy["name"] == "default");
    let mut policy = versions.max_by_key(|policy| policy["version"].as_u64()).expect("the default policy");
    policy.as_object_mut().expect("a record").remove("id");
    policy["version"] = (policy["version"].as_u64().expect("a number") + 1).into();
    policy["technical_minutes"] = 1.into();
    policy["degraded"] = json!({ "rekognition": "review", "openai": "review", "fingerprint": "skip" });
    admin.create("policies", policy).await;

    sandbox.fault(json!({ "provider": "fingerprint", "fault": "error_5xx", "status": 503, "times": 0 })).await;
    let without_device = persons[0].begin().await;
    persons[0].submit_all(&without_device, &snapshot(), Challenge::default()).await;
    let others = |record: &Value| record["results"]["face_match"] == "passed";
    persons[0].until(&without_device, PATIENCE, "the other checks", others).await;
    sandbox.fault(json!({ "provider": "openai", "operation": READ, "fault": "error_5xx", "times": 0 })).await;
    let without_model = persons[1].begin().await;
    persons[1].submit_all(&without_model, &snapshot(), Challenge::default()).await;

    let record = persons[0].settled_within(&without_device, 2 * PATIENCE_WITH_RETRIES).await;
    assert_eq!(record["status"], "approved", "the policy lets the device be missing: {record}");
    let record = persons[1].settled_within(&without_model, 2 * PATIENCE_WITH_RETRIES).await;
    assert_eq!(record["status"], "needs_review", "{record}");
    let observed = stack.audit(&persons[0]).await;
    assert!(observed.codes().contains("system.provider_unavailable"));
}
