//! What the facade does for people: it creates their records, checks their tokens, and issues
//! tokens to partners' people.

use std::time::{Duration, Instant};

use identivia::pocketbase::PocketbaseError;
use identivia::pocketbase::records::{NewAction, NewDeviceSignal, NewLivenessSession, NewVerification};
use identivia::verification::{ActionKind, SessionStatus};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::pocketbase::{PERSON, Pocketbase, SERVICE, logged_in, settings};
use crate::harness::scene::{read, verification};

#[tokio::test]
async fn each_kind_of_record_is_created_and_shown() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let new = NewVerification {
        user: PERSON.to_owned(),
        reference: "partner-7".to_owned(),
        declared_name: "Erika Muster".to_owned(),
        declared_document_type: Some(identivia::verification::DocumentType::Passport),
        consent_given_at: Some("2026-01-02T03:04:05Z".parse().expect("an instant")),
        locale: "de".to_owned(),
        metadata: Some(json!({ "order": 1 })),
        idempotency_key: "ab12".to_owned(),
        request_hash: "cd34".to_owned(),
        ..Default::default()
    };
    let id = client.create_verification(&new).await.expect("created").id;
    let again = client.create_verification(&new).await.expect_err("the key is taken");
    assert!(matches!(&again, PocketbaseError::Conflict { field, .. } if field == "idempotency_key"), "{again:?}");
    let stored = client.verification_by_idempotency_key("ab12").await.expect("an answer").expect("there");
    assert_eq!((stored.id.as_str(), stored.request_hash.as_str(), stored.version), (id.as_str(), "cd34", 0));
    assert_eq!(client.open_verification_of(PERSON).await.expect("an answer").expect("there").id, id);
    assert_eq!(client.open_verification_of("absentperson001").await.expect("an answer"), None);
    assert_eq!(client.verification(&id).await.expect("an answer"), Some(stored));

    let session =
        client.create_liveness_session(&NewLivenessSession { verification: id.clone() }).await.expect("created");
    let shown = client.liveness_session(&session).await.expect("an answer").expect("there");
    assert_eq!(
        (shown.status, shown.verification.as_str(), shown.expires_at),
        (SessionStatus::Requested, id.as_str(), None)
    );
    let action = NewAction {
        verification: id.clone(),
        user: PERSON.to_owned(),
        action: ActionKind::LivenessCompleted,
        liveness_session: session,
    };
    client.create_action(&action).await.expect("created");
    let signal =
        NewDeviceSignal { verification: id.clone(), event_id: "1700000000000.abcdef".to_owned(), stage: "start" };
    client.create_device_signal(&signal).await.expect("created");
    let elsewhere = NewDeviceSignal { verification: verification(&client).await, ..signal };
    let reused = client.create_device_signal(&elsewhere).await.expect_err("used before");
    assert!(matches!(&reused, PocketbaseError::Conflict { field, .. } if field == "event_id"), "{reused:?}");
    let (case, _) = read(&client, &id).await;
    assert_eq!((case.sessions.len(), case.actions.len(), case.signals.len()), (1, 1, 1));
    assert_eq!(client.check_details(&id).await.expect("an answer"), []);
}

/// `PocketBase` delays filtered lists that are empty, so records that are usually absent must not
/// be looked up that way.
#[tokio::test]
async fn looking_up_absent_records_is_not_delayed() {
    const QUESTIONS: u32 = 20;
    const DELAY_ON_AVERAGE: Duration = Duration::from_millis(250);
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let user = client.ensure_user("partner-7").await.expect("a token").user;
    let started = Instant::now();
    for number in 0..QUESTIONS {
        let key = format!("{number:064x}");
        assert_eq!(client.verification_by_idempotency_key(&key).await.expect("an answer"), None);
        assert_eq!(client.open_verification_of(&user).await.expect("an answer"), None);
        assert_eq!(client.webhook_endpoints("approved").await.expect("an answer"), Vec::<String>::new());
    }
    assert!(started.elapsed() < DELAY_ON_AVERAGE * QUESTIONS, "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_newest_open_verification_is_found() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(verification(&client).await);
    }
    admin.patch("verifications", &ids[2], json!({ "final": true })).await;
    let found = client.open_verification_of(PERSON).await.expect("an answer").expect("there");
    assert_eq!(found.id, ids[1]);
}

#[tokio::test]
async fn a_person_created_by_an_operator_is_found_by_reference() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let password = "made-by-an-operator";
    let made = json!({ "reference": "partner-7", "password": password, "passwordConfirm": password });
    let id = admin.create("users", made).await["id"].as_str().expect("an id").to_owned();
    let token = client.ensure_user("partner-7").await.expect("a token");
    assert_eq!(token.user, id);
    assert_eq!(client.user_from_token(token.token.expose_secret()).await.expect("an answer"), Some(id));
}

#[tokio::test]
async fn refused_fields_are_named_without_their_values() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let new = NewVerification {
        user: PERSON.to_owned(),
        declared_country: "Utopia".to_owned(),
        contact_email: "nowhere".to_owned(),
        ..Default::default()
    };
    let error = client.create_verification(&new).await.expect_err("refused");
    let PocketbaseError::Invalid { fields, .. } = &error else { panic!("{error:?}") };
    let mut names: Vec<_> = fields.iter().map(|f| f.field.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["contact_email", "declared_country"]);
    assert!(!format!("{error:?}").contains("Utopia"), "{error:?}");
}

#[tokio::test]
async fn a_partners_person_gets_a_token_of_their_own() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let first = client.ensure_user("it's \\ partner 7").await.expect("a token");
    let second = client.ensure_user("it's \\ partner 7").await.expect("a token");
    assert_eq!(first.user, second.user);
    assert!(first.expires_at > client.now().expect("answers came"));
    for token in [&first.token, &second.token] {
        let owner = client.user_from_token(token.expose_secret()).await.expect("an answer");
        assert_eq!(owner.as_ref(), Some(&first.user));
    }
    let other = client.ensure_user("partner 8").await.expect("a token");
    assert_ne!(other.user, first.user);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_for_one_new_person_create_one_person() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let client = client.clone();
        tasks.spawn(async move { client.ensure_user("partner-9").await.expect("a token").user });
    }
    let mut users = tasks.join_all().await;
    users.dedup();
    assert_eq!(users.len(), 1, "{users:?}");
}

#[tokio::test]
async fn after_the_services_password_changed_a_partners_person_still_gets_a_token() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let before = client.ensure_user("partner-7").await.expect("a token");
    let service = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
    let changed = "another-long-password";
    admin.patch("services", &service, json!({ "password": changed, "passwordConfirm": changed })).await;
    let client = logged_in(settings(server.url(), (SERVICE.0, changed))).await;
    let after = client.ensure_user("partner-7").await.expect("a token");
    assert_eq!(after.user, before.user);
    assert_eq!(client.user_from_token(before.token.expose_secret()).await.expect("an answer"), None);
    assert_eq!(client.user_from_token(after.token.expose_secret()).await.expect("an answer"), Some(after.user));
}

#[tokio::test]
async fn tokens_of_other_accounts_belong_to_no_person() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let token = client.ensure_user("partner-7").await.expect("a token").token;
    let token = token.expose_secret();
    let mut forged = token.to_owned();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let body = json!({ "identity": SERVICE.0, "password": SERVICE.1 });
    let service = admin.call(reqwest::Method::POST, "api/collections/services/auth-with-password", &body).await;
    let service = service["token"].as_str().expect("a token");
    for bad in ["", "x", "a.b.c", "\u{1f600}", "a\r\nb", &forged, service, &format!("Bearer {token}")] {
        assert_eq!(client.user_from_token(bad).await.expect("an answer"), None, "{bad}");
    }
}

#[tokio::test]
async fn a_valid_token_is_cached_until_its_person_changes_or_the_lease_ends() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
    let person = client.ensure_user("partner-7").await.expect("a token");
    let owner = async || client.user_from_token(person.token.expose_secret()).await.expect("an answer");
    assert_eq!(owner().await.as_ref(), Some(&person.user));
    let new = "a-password-of-their-own";
    admin.patch("users", &person.user, json!({ "password": new, "passwordConfirm": new })).await;
    assert_eq!(owner().await.as_ref(), Some(&person.user), "no event came yet");
    client.user_changed("anotherperson01");
    assert_eq!(owner().await.as_ref(), Some(&person.user), "an event about another person drops nothing");
    client.user_changed(&person.user);
    assert_eq!(owner().await, None);

    let other = client.ensure_user("partner-8").await.expect("a token");
    let owner = async || client.user_from_token(other.token.expose_secret()).await.expect("an answer");
    assert_eq!(owner().await.as_ref(), Some(&other.user));
    admin.delete("users", &other.user).await;
    assert_eq!(owner().await.as_ref(), Some(&other.user), "no event came yet");
    client.end_cache_lease();
    assert_eq!(owner().await, None);
}

#[tokio::test]
async fn a_live_policy_is_cached_until_another_is_created() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
    let live = async || client.live_policy("default").await.expect("an answer").expect("a policy");
    let first = live().await;
    let mut next = admin.get("policies", &first.id).await;
    next["version"] = json!(first.version + 1);
    for own in ["id", "created", "collectionId", "collectionName"] {
        next.as_object_mut().expect("a record").remove(own);
    }
    admin.create("policies", next).await;
    assert_eq!(live().await.version, first.version, "no event came yet");
    client.policies_changed();
    assert_eq!(live().await.version, first.version + 1);
}

#[tokio::test]
async fn endpoints_are_cached_until_one_changes() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    client.renew_cache_lease(Instant::now() + Duration::from_secs(600));
    let receivers = async || client.webhook_endpoints("approved").await.expect("an answer");
    assert_eq!(receivers().await, Vec::<String>::new());
    let endpoint = json!({
        "name": "partner", "url": "https://partner.test/hook", "secret": "whsec_0123456789abcdef0123456789abcdef",
        "enabled": true, "events": ["approved"],
    });
    let id = admin.create("webhook_endpoints", endpoint).await["id"].as_str().expect("an id").to_owned();
    assert_eq!(receivers().await, Vec::<String>::new(), "no event came yet");
    client.endpoints_changed();
    assert_eq!(receivers().await, [id]);
    client.end_cache_lease();
    assert_eq!(receivers().await.len(), 1);
}
