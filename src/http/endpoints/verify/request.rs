//! A request to start a verification: its type, its validation, and the record it becomes.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::api::fields::{COUNTRY, Device, DocumentKind, EVENT_ID};
use crate::http::api::problem::{FieldError, Kind, Problem, Result};
use crate::http::api::validation::{Object, Rule};
use crate::http::middleware::auth::Caller;
use crate::http::middleware::idempotency::RequestHashes;
use crate::pocketbase::records::NewVerification;

/// Most that a caller's clock may be ahead of the service's.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
const METADATA_BYTES_MAX: usize = 4096;
/// Prefix of references that the service generates for people without one.
pub const GENERATED_PREFIX: &str = "auto-";

/// Data that the person declares. It is compared with the document.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Full name of the person.
    #[schema(max_length = 200, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$", example = "Anna Maria Eriksson")]
    pub name: Option<String>,
    /// Date of birth.
    #[schema(pattern = r"^(\d{4}-\d{2}-\d{2})?$", example = "1974-08-12")]
    pub date_of_birth: Option<String>,
    /// Type of the document.
    pub document_type: Option<DocumentKind>,
    /// Number of the document.
    #[schema(max_length = 40, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$", example = "L898902C3")]
    pub document_number: Option<String>,
    /// Issuing state of the document, ISO 3166 alpha-2 or alpha-3.
    #[schema(pattern = "^([A-Z]{2,3})?$", example = "UTO")]
    pub country: Option<String>,
}

/// Contact data of the person.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// E-mail address of the person.
    #[schema(max_length = 254, pattern = r"^([^\s@]+@[^\s@.]+(\.[^\s@.]+)+)?$", example = "anna@example.org")]
    pub email: Option<String>,
    /// Telephone number of the person.
    #[schema(max_length = 40, pattern = r"^[0-9+()./ -]*$")]
    pub phone: Option<String>,
}

/// The person's consent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Version of the text that the person agreed to.
    #[schema(min_length = 1, max_length = 40, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$", example = "2026-03")]
    pub version: String,
    /// Time of the consent, RFC 3339.
    #[schema(format = DateTime, example = "2026-11-22T10:00:00Z")]
    pub given_at: String,
}

/// A verification to start. All fields are optional; declared data is compared with the document.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The caller's own name for the person; never personal data. Only with an API key. While a
    /// verification of the same reference is open under the same policy, that one is returned. Must
    /// not begin with `auto-`, the prefix of generated references.
    #[schema(max_length = 128, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$", example = "customer-4711")]
    pub reference: Option<String>,
    /// Name of the policy that decides; `default` if absent.
    #[schema(pattern = "^[a-z0-9_-]{0,40}$")]
    pub policy: Option<String>,
    /// Data that the person declares.
    pub declared: Option<Declared>,
    /// Contact data of the person.
    pub contact: Option<Contact>,
    /// Device that the person uses.
    pub device: Option<Device>,
    /// The person's consent.
    pub consent: Option<Consent>,
    /// Language of messages to the person. Texts exist in `en`, `es`, `fr` and `de`.
    #[schema(pattern = "^([a-z]{2}(-[A-Z]{2})?)?$", example = "de")]
    pub locale: Option<String>,
    /// The caller's own data, at most 4 KiB of JSON.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

/// Reads and validates the body. The problem names every wrong value.
pub fn read(body: Value, caller: &Caller, now: Timestamp) -> Result<VerifyRequest> {
    let mut errors = Vec::new();
    check(&body, caller, now, &mut errors);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    // The validation covers every field of the type; a test gives the same bodies to both.
    serde_json::from_value(body).map_err(|_| Problem::new(Kind::Invalid, "The body is not a verification request."))
}

fn check(body: &Value, caller: &Caller, now: Timestamp, errors: &mut Vec<FieldError>) {
    let Some(root) = Object::body(body, errors) else { return };
    let names = ["reference", "policy", "declared", "contact", "device", "consent", "locale", "metadata"];
    root.only(&names, errors);
    let reference = root.text("reference", Rule::text(128), errors);
    if reference.is_some() && matches!(caller, Caller::Person { .. }) {
        errors.push(FieldError::at("/reference", "is allowed only with an API key"));
    }
    if reference.is_some_and(|reference| reference.starts_with(GENERATED_PREFIX)) {
        let detail = format!("must not begin with {GENERATED_PREFIX}, the prefix of generated references");
        errors.push(FieldError::at("/reference", detail));
    }
    root.text("policy", POLICY, errors);
    root.text("locale", LOCALE, errors);
    if let Some(declared) = root.object("declared", errors) {
        check_declared(&declared, now, errors);
    }
    if let Some(contact) = root.object("contact", errors) {
        contact.only(&["email", "phone"], errors);
        contact.text("email", EMAIL, errors);
        contact.text("phone", PHONE, errors);
    }
    if let Some(device) = root.object("device", errors) {
        device.only(&["event_id"], errors);
        device.required("event_id", EVENT_ID, errors);
    }
    if let Some(consent) = root.object("consent", errors) {
        consent.only(&["version", "given_at"], errors);
        consent.required("version", Rule::text(40), errors);
        if let Some(given_at) = consent.required("given_at", INSTANT, errors)
            && given_at.parse::<Timestamp>().is_ok_and(|at| at.duration_since(now) > CLOCK_TOLERANCE)
        {
            errors.push(FieldError::at("/consent/given_at", "must not be in the future"));
        }
    }
    if let Some(metadata) = root.get("metadata") {
        if !metadata.is_object() {
            errors.push(FieldError::at("/metadata", "must be an object"));
        } else if metadata.to_string().len() > METADATA_BYTES_MAX {
            errors.push(FieldError::at("/metadata", format!("must have at most {METADATA_BYTES_MAX} bytes as JSON")));
        }
    }
}

fn check_declared(declared: &Object<'_>, now: Timestamp, errors: &mut Vec<FieldError>) {
    let names = ["name", "date_of_birth", "document_type", "document_number", "country"];
    declared.only(&names, errors);
    declared.text("name", Rule::text(200), errors);
    declared.text("document_number", Rule::text(40), errors);
    declared.text("country", COUNTRY, errors);
    declared.choice("document_type", &["passport", "identity_card", "driving_licence"], errors);
    // A day that has already begun somewhere on earth is not in the future.
    let last = now.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(14))).date();
    if let Some(date) = declared.text("date_of_birth", DATE, errors)
        && date.parse::<Date>().is_ok_and(|date| date > last)
    {
        errors.push(FieldError::at(declared.pointer("date_of_birth"), "must not be in the future"));
    }
}

const POLICY: Rule = Rule {
    max: 40,
    test: |text| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-')),
    says: "must be lower-case letters, digits, _ and -",
};
const LOCALE: Rule = Rule { max: 5, test: is_locale, says: "must be a locale such as de or de-AT" };
const DATE: Rule = Rule {
    max: 10,
    test: |text| text.len() == 10 && text.parse::<Date>().is_ok_and(|date| date.year() >= 1850),
    says: "must be a date as YYYY-MM-DD",
};
const INSTANT: Rule = Rule {
    max: 40,
    test: |text| text.parse::<Timestamp>().is_ok(),
    says: "must be a time as in RFC 3339, such as 2026-11-22T10:00:00Z",
};
const EMAIL: Rule = Rule { max: 254, test: is_email, says: "must be an e-mail address" };
const PHONE: Rule = Rule {
    max: 40,
    test: |text| text.bytes().all(|b| b.is_ascii_digit() || b"+()./ -".contains(&b)),
    says: "must be digits, spaces and + ( ) . / -",
};

fn is_locale(text: &str) -> bool {
    let (language, region) = text.split_once('-').map_or((text, None), |(language, region)| (language, Some(region)));
    language.len() == 2
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && region.is_none_or(|region| region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase()))
}

/// Whether `text` can be an e-mail address; only a message to it can tell whether it is one.
fn is_email(text: &str) -> bool {
    let fine =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    text.split_once('@')
        .is_some_and(|(local, domain)| fine(local) && domain.contains('.') && domain.split('.').all(fine))
}

/// Converts `request` to the record that is stored.
pub fn record(request: VerifyRequest, user: String, hashes: Option<&RequestHashes>) -> NewVerification {
    let declared = request.declared.unwrap_or_default();
    let contact = request.contact.unwrap_or_default();
    let (consent_version, consent_given_at) =
        request.consent.map(|c| (c.version, c.given_at.parse().ok())).unwrap_or_default();
    NewVerification {
        user,
        reference: request.reference.unwrap_or_default(),
        policy_name: request.policy.unwrap_or_default(),
        declared_name: declared.name.unwrap_or_default(),
        declared_date_of_birth: declared.date_of_birth.unwrap_or_default(),
        declared_document_type: declared.document_type.map(Into::into),
        declared_document_number: declared.document_number.unwrap_or_default(),
        declared_country: declared.country.unwrap_or_default(),
        contact_email: contact.email.unwrap_or_default(),
        contact_phone: contact.phone.unwrap_or_default(),
        consent_version,
        consent_given_at,
        locale: request.locale.unwrap_or_default(),
        metadata: request.metadata.map(Value::Object),
        idempotency_key: hashes.map(|h| h.key.clone()).unwrap_or_default(),
        request_hash: hashes.map(|h| h.request.clone()).unwrap_or_default(),
    }
}

/// Problem of fields that `PocketBase` rejected although they passed the validation, by the names
/// that the caller used.
pub fn rejected<'f>(fields: impl Iterator<Item = &'f str>) -> Problem {
    let errors = fields.map(|field| {
        let pointer = match field.rsplit('.').next().unwrap_or(field) {
            "policy_name" => "/policy".to_owned(),
            name => match name.split_once('_') {
                Some((group @ ("declared" | "contact" | "consent"), rest)) => format!("/{group}/{rest}"),
                _ => format!("/{name}"),
            },
        };
        FieldError::at(pointer, "is not accepted by the database")
    });
    Problem::invalid(errors.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verification::DocumentType;

    const SERVER: Caller = Caller::Server { key: 0 };

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("a time")
    }

    fn full() -> Value {
        json!({
            "reference": "customer-4711", "policy": "strict",
            "declared": {
                "name": "Anna Maria Eriksson", "date_of_birth": "1974-08-12", "document_type": "passport",
                "document_number": "L898902C3", "country": "UTO",
            },
            "contact": { "email": "anna@example.org", "phone": "+49 (30) 123-45.6/7" },
            "device": { "event_id": "1732269000000.Ab3xYz" },
            "consent": { "version": "2026-03", "given_at": "2026-11-22T09:59:00+01:00" },
            "locale": "de-AT", "metadata": { "order": 7 },
        })
    }

    fn pointers(body: Value, caller: &Caller) -> Vec<String> {
        let problem = read(body, caller, now()).expect_err("invalid");
        assert_eq!(problem.kind, Kind::Invalid);
        problem.errors.into_iter().filter_map(|error| error.pointer).collect()
    }

    #[test]
    fn a_full_and_an_empty_request_become_records() {
        let record = record(read(full(), &SERVER, now()).expect("valid"), "user".to_owned(), None);
        assert_eq!(record.declared_document_type, Some(DocumentType::Passport));
        assert_eq!(record.consent_given_at, Some("2026-11-22T08:59:00Z".parse().expect("a time")));
        assert_eq!((record.policy_name.as_str(), record.contact_phone.as_str()), ("strict", "+49 (30) 123-45.6/7"));
        let empty = super::record(read(json!({}), &SERVER, now()).expect("valid"), "user".to_owned(), None);
        assert_eq!(empty, NewVerification { user: "user".to_owned(), ..NewVerification::default() });
        let nulls = json!({ "declared": null, "contact": { "email": null, "phone": "" }, "metadata": null });
        assert!(read(nulls, &SERVER, now()).is_ok());
    }

    #[test]
    fn every_wrong_value_is_named_in_one_answer() {
        let body = json!({
            "reference": "x".repeat(129), "policy": "Strict", "score": 100,
            "declared": {
                "name": 5, "date_of_birth": "1974-02-30", "document_type": "visa", "document_number": "x".repeat(41),
                "country": "de",
            },
            "contact": { "email": "anna", "phone": "call me" },
            "device": {},
            "consent": { "version": "", "given_at": "2026-11-22T10:06:00Z" },
            "locale": "german", "metadata": [],
        });
        let mut found = pointers(body, &SERVER);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "/consent/given_at",
                "/consent/version",
                "/contact/email",
                "/contact/phone",
                "/declared/country",
                "/declared/date_of_birth",
                "/declared/document_number",
                "/declared/document_type",
                "/declared/name",
                "/device/event_id",
                "/locale",
                "/metadata",
                "/policy",
                "/reference",
                "/score",
            ]
        );
    }

    #[test]
    fn values_of_the_wrong_type_are_named() {
        for (body, pointer) in [
            (json!([]), ""),
            (json!("text"), ""),
            (json!({ "declared": [] }), "/declared"),
            (json!({ "declared": { "document_type": "" } }), "/declared/document_type"),
            (json!({ "declared": { "date_of_birth": "2026-11-24" } }), "/declared/date_of_birth"),
            (json!({ "declared": { "date_of_birth": "0001-01-01" } }), "/declared/date_of_birth"),
            (json!({ "declared": { "date_of_birth": "1974-08-12T00:00" } }), "/declared/date_of_birth"),
            (json!({ "device": { "event_id": "1732269000000.Ab3xY" } }), "/device/event_id"),
            (json!({ "metadata": { "a": "x".repeat(5000) } }), "/metadata"),
            (json!({ "locale": "de_AT" }), "/locale"),
            (json!({ "contact": { "email": "a@b" } }), "/contact/email"),
            (json!({ "contact": { "email": "a b@example.org" } }), "/contact/email"),
        ] {
            assert_eq!(pointers(body.clone(), &SERVER), [pointer], "{body}");
        }
    }

    #[test]
    fn a_person_cannot_set_a_reference() {
        let person = Caller::Person { user: "u".to_owned() };
        assert_eq!(pointers(json!({ "reference": "customer-1" }), &person), ["/reference"]);
    }

    #[test]
    fn a_caller_cannot_use_a_generated_reference() {
        assert_eq!(pointers(json!({ "reference": "auto-0123456789abcdef0123456789abcdef" }), &SERVER), ["/reference"]);
        for theirs in ["automatic-1", "my-auto-1", "AUTO-1"] {
            assert!(read(json!({ "reference": theirs }), &SERVER, now()).is_ok(), "{theirs}");
        }
    }

    #[test]
    fn fields_that_the_database_rejects_are_named_as_the_caller_named_them() {
        let problem =
            rejected(["contact_email", "declared_date_of_birth", "policy_name", "verifications.locale"].into_iter());
        let pointers: Vec<_> = problem.errors.into_iter().filter_map(|error| error.pointer).collect();
        assert_eq!(pointers, ["/contact/email", "/declared/date_of_birth", "/policy", "/locale"]);
    }
}
