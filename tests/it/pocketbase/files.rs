//! Protected files: the service reads them within a limit, and a file that is gone is absent.

use bytes::Bytes;
use identivia::pocketbase::PocketbaseError;
use identivia::pocketbase::records::{Collection, NewDocument};
use identivia::verification::DocumentType;
use serde_json::json;

use crate::harness::pocketbase::Pocketbase;
use crate::harness::scene::{read, verification};

/// The most bytes of a document's picture.
const LIMIT: usize = 5 * 1024 * 1024;

/// A 1x1 PNG with `padding` bytes after its end.
fn picture(padding: usize) -> Bytes {
    let mut bytes = include_bytes!("../harness/pixel.png").to_vec();
    bytes.resize(bytes.len() + padding, 0);
    bytes.into()
}

#[tokio::test]
async fn a_document_is_uploaded_and_read_back() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let id = verification(&client).await;
    let (front, back) = (picture(0), picture(3 * 1024 * 1024));
    let new = NewDocument {
        verification: id.clone(),
        document_type: DocumentType::IdentityCard,
        country: "UTO".to_owned(),
        front: front.clone(),
        back: Some(back.clone()),
    };
    client.create_document(&new).await.expect("stored");
    let (case, _) = read(&client, &id).await;
    let document = &case.documents[0];
    assert_eq!((document.document_type, document.country.as_str()), (DocumentType::IdentityCard, "UTO"));
    let get = |name: &str, limit| {
        let (client, record, name) = (client.clone(), document.id.clone(), name.to_owned());
        async move { client.download(Collection::Documents, &record, &name, limit).await }
    };
    assert_eq!(get(&document.front, LIMIT).await.expect("readable"), Some(front));
    assert_eq!(get(&document.back, LIMIT).await.expect("readable"), Some(back.clone()));
    assert_eq!(get(&document.back, back.len()).await.expect("exactly the limit"), Some(back.clone()));
    let error = get(&document.back, back.len() - 1).await.expect_err("above the limit");
    assert!(matches!(error, PocketbaseError::Unexpected { .. }), "{error:?}");
    assert_eq!(get("no_such_file.png", LIMIT).await.expect("an answer"), None);
    assert_eq!(get("../../../../etc/passwd", LIMIT).await.expect("an answer"), None);
    assert_eq!(get("", LIMIT).await.expect("an answer"), None);

    std::fs::write(server.stored_file(&document.id, &document.front), b"").expect("written");
    assert_eq!(get(&document.front, LIMIT).await.expect("an answer"), None, "emptied");

    server.admin().await.patch("documents", &document.id, json!({ "back": null })).await;
    assert_eq!(get(&document.back, LIMIT).await.expect("an answer"), None);
}

#[tokio::test]
async fn a_file_that_is_not_a_picture_or_too_large_is_refused_by_name() {
    let server = Pocketbase::start().await;
    let client = server.client().await;
    let verification = verification(&client).await;
    let new = |front| NewDocument {
        verification: verification.clone(),
        document_type: DocumentType::Passport,
        country: String::new(),
        front,
        back: None,
    };
    for bad in [Bytes::from_static(b"<html>"), picture(5 * 1024 * 1024)] {
        let error = client.create_document(&new(bad)).await.expect_err("refused");
        assert!(matches!(&error, PocketbaseError::Invalid { fields, .. } if fields[0].field == "front"), "{error:?}");
    }
}

#[tokio::test]
async fn a_file_token_of_a_lost_session_is_replaced() {
    let server = Pocketbase::start().await;
    let (client, admin) = (server.client().await, server.admin().await);
    let id = verification(&client).await;
    let new = NewDocument {
        verification: id.clone(),
        document_type: DocumentType::Passport,
        country: String::new(),
        front: picture(0),
        back: None,
    };
    client.create_document(&new).await.expect("stored");
    let (case, _) = read(&client, &id).await;
    let document = &case.documents[0];
    for _ in 0..2 {
        let read =
            client.download(Collection::Documents, &document.id, &document.front, 1024).await.expect("an answer");
        assert_eq!(read, Some(picture(0)));
        let service = admin.all("services").await[0]["id"].as_str().expect("an id").to_owned();
        let password = crate::harness::pocketbase::SERVICE.1;
        admin.patch("services", &service, json!({ "password": password, "passwordConfirm": password })).await;
    }
}
