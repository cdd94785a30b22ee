//! `POST /api/v1/document`: submits pictures of a document.

use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::failpoints::{Point, reached};
use crate::http::api::fields::{COUNTRY, DocumentKind, EVENT_ID, RECORD_ID};
use crate::http::api::multipart::{Form, FormFields};
use crate::http::api::problem::{FieldError, Kind, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::responses::Problems;
use crate::http::api::validation::Rule;
use crate::http::api::view::{Input, VerificationView, etag};
use crate::http::context::{Call, Service};
use crate::http::long_poll as wait;
use crate::pocketbase::PocketbaseError;
use crate::pocketbase::records::NewDocument;
use crate::verification::{DocumentType, Kind as CheckKind};

/// Form of a document upload.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the form that `Form` reads")]
#[serde(deny_unknown_fields)]
pub struct DocumentForm {
    /// Verification that the document is for.
    #[schema(pattern = "^[a-z0-9]{15}$")]
    pub verification_id: String,
    /// Type of the document.
    #[serde(rename = "type")]
    pub document_type: DocumentKind,
    /// The state that issued it, ISO 3166 alpha-2 or alpha-3.
    #[schema(nullable = false, pattern = "^([A-Z]{2,3})?$")]
    pub country: Option<String>,
    /// The side with the portrait: JPEG or PNG, at most 5 MiB.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    pub front: Vec<u8>,
    /// The other side of a card: JPEG or PNG, at most 5 MiB.
    #[schema(value_type = Option<String>, nullable = false, format = Binary, content_media_type = "application/octet-stream")]
    pub back: Option<Vec<u8>>,
    /// Id of a Fingerprint event taken on the page of the upload.
    #[schema(nullable = false, pattern = r"^(\d{13}\.[a-zA-Z0-9]{6})?$")]
    pub device_event_id: Option<String>,
}

const TEXTS: &[&str] = &["verification_id", "type", "country", "device_event_id"];
const PICTURES: &[&str] = &["front", "back"];
const TYPE: Rule = Rule {
    max: 20,
    test: |text| DocumentType::parse(text).is_some(),
    says: "must be one of passport, identity_card, driving_licence",
};

/// A submitted document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentAnswer {
    /// State of the verification.
    #[serde(flatten)]
    pub verification: VerificationView,
    /// Id of the document's record.
    pub document_id: String,
}

/// Submits a document.
#[utoipa::path(
    post,
    path = "/api/v1/document",
    operation_id = "document",
    tag = "verifications",
    request_body(content(
        (DocumentForm = "multipart/form-data", encoding(
            ("front" = (content_type = "image/jpeg, image/png")),
            ("back" = (content_type = "image/jpeg, image/png")),
        ))
    )),
    params(("Prefer" = Option<String>, Header, example = "wait=20",
        description = "`wait=N`: answer 200 once the document was checked, or 202 after N seconds")),
    responses(
        (status = 202, description = "Accepted; the checks run", body = DocumentAnswer,
            headers(("Location" = String, description = "Address of the verification's status"))),
        (status = 200, description = "Accepted and checked within the time of `Prefer: wait`", body = DocumentAnswer),
        (status = 404, description = "The caller has no such verification", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The verification has ended", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be accepted", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = []), ("user_token" = [])),
)]
pub async fn document(service: &Service, call: &mut Call<'_>) -> Result<Reply> {
    // Held until the pictures are stored: it bounds the memory for pictures.
    let slot = service.upload_slot().await?;
    let fields = FormFields { texts: TEXTS, pictures: PICTURES, picture_bytes_max: service.settings.picture_bytes_max };
    let form = Form::read(call.headers, &mut call.body, &fields).await?;
    let (new, event_id) = read(form)?;
    let stored = service.visible(call.caller, &new.verification).await?;
    if stored.is_final {
        return Err(Problem::new(Kind::Final, "The verification has ended; nothing can be added to it."));
    }
    let document_id = match service.pocketbase.create_document(&new).await {
        Ok(id) => id,
        Err(PocketbaseError::Invalid { fields, .. }) => {
            let errors =
                fields.iter().map(|f| FieldError::at(format!("/{}", f.field), "is not accepted by the database"));
            return Err(Problem::invalid(errors.collect()));
        }
        Err(error) => return Err(error.into()),
    };
    reached(Point::DocumentStored);
    let verification = new.verification.clone();
    drop((new, slot));
    if let Some(event_id) = event_id {
        service.submit_device_event(&verification, &event_id, "document").await?;
    }
    let checked = match service.wait_budget(wait::preferred(call.headers)) {
        Some(budget) => service.wait_for_check(&verification, CheckKind::Document, &document_id, budget).await?,
        None => false,
    };
    let stored = service.stored(&verification).await?;
    let mut view = service.view(&stored).await?;
    if stored.version == 0 {
        view = view.without_input(Input::Document);
    }
    let status = if checked { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(Reply::json(status, &DocumentAnswer { verification: view, document_id })
        .with(header::ETAG, &etag(stored.version))
        .with(header::LOCATION, &format!("/api/v1/status/{verification}")))
}

fn read(mut form: Form) -> Result<(NewDocument, Option<String>)> {
    let mut errors = Vec::new();
    let verification = form.required("verification_id", RECORD_ID, &mut errors).map(str::to_owned);
    let document_type = form.required("type", TYPE, &mut errors).and_then(DocumentType::parse);
    let country = form.text("country", COUNTRY, &mut errors).unwrap_or_default().to_owned();
    let event_id = form.text("device_event_id", EVENT_ID, &mut errors).map(str::to_owned);
    let front = form.take_picture("front");
    let back = form.take_picture("back");
    if front.is_none() {
        errors.push(FieldError::at("/front", "is required"));
    }
    match (verification, document_type, front) {
        (Some(verification), Some(document_type), Some(front)) if errors.is_empty() => {
            Ok((NewDocument { verification, document_type, country, front, back }, event_id))
        }
        _ => Err(Problem::invalid(errors)),
    }
}
