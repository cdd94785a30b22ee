//! The description of the API, collected from the types and functions that implement it.

pub(crate) mod page;

use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Info, OpenApi as Document};

use crate::http::endpoints::{document, health, liveness, meta, status, verify};

#[derive(OpenApi)]
#[openapi(
    paths(
        health::health,
        verify::verify,
        document::document,
        liveness::liveness,
        status::status,
        meta::openapi,
        meta::docs,
        meta::metrics
    ),
    tags(
        (name = "verifications", description = "Verifying a person"),
        (name = "service", description = "The service itself"),
    )
)]
struct Api;

/// Describes the API of a service of `version`, as `OpenAPI` 3.1.
pub fn document(version: &str) -> Value {
    let mut document = Api::openapi();
    describe(&mut document, version);
    // Serialization cannot fail: the type has only text keys and plain values.
    serde_json::to_value(&document).unwrap_or_default()
}

fn describe(document: &mut Document, version: &str) {
    document.info = Info::new("Identivia", version);
    document.info.description = Some(
        "Identity verification on top of PocketBase. Each request becomes the records that a PocketBase client would write. \
         Errors are RFC 9457 problems whose `code` is stable. Every answer carries `X-Request-Id`; send your own to find a \
         request in the logs. Answers to counted requests carry the `RateLimit` and `RateLimit-Policy` fields."
            .to_owned(),
    );
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "api_key",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "X-API-Key",
            "For servers. Gives access to every verification.",
        ))),
    );
    let mut token = Http::new(HttpAuthScheme::Bearer);
    token.bearer_format = Some("JWT".to_owned());
    token.description = Some(
        "For the browser of the person being verified: a PocketBase user token, such as `client_token`. Gives access to \
         that person's verifications only."
            .to_owned(),
    );
    components.add_security_scheme("user_token", SecurityScheme::Http(token));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::api::responses::KNOWN_VALUES;
    use crate::http::routes::{Access, ROUTES};
    use crate::verification::check::JudgedReason;
    use crate::verification::reason::{Category, Reason};
    use crate::verification::{Code, Kind, Policy};

    #[test]
    fn the_description_and_the_table_have_the_same_routes() {
        let document = document("1.2.3");
        let mut described = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let secured = operation["security"].as_array().map_or(0, Vec::len);
                described.insert((method.to_uppercase(), path.clone(), secured));
            }
        }
        let routed: BTreeSet<_> = ROUTES
            .iter()
            .map(|route| {
                let ways = match route.access {
                    Access::Probe | Access::Public => 0,
                    Access::Server => 1,
                    Access::Caller => 2,
                };
                (route.method.to_string(), route.pattern.to_owned(), ways)
            })
            .collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn every_reference_resolves_and_every_problem_has_the_problem_type() {
        let document = document("1.2.3");
        let mut references = Vec::new();
        collect(&document, &mut references);
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (status, response) in operations
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(_, operation)| operation["responses"].as_object().expect("responses"))
            {
                if status.as_str() >= "400" && path != "/health" {
                    let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{path} {status}");
                }
            }
        }
    }

    #[test]
    fn the_described_codes_are_those_that_a_person_can_see() {
        let described = &document("1.2.3")["components"]["schemas"]["ReasonView"]["properties"]["code"][KNOWN_VALUES];
        let described: Vec<&str> = described.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let policy: Policy = serde_json::from_value(serde_json::json!({
            "id": "policy000000001", "name": "default", "version": 1, "required_checks": ["document"],
            "face_match_pass": 95.0, "face_match_review": 80.0, "attempts_max": 3, "liveness_sessions_max": 5,
            "input_hours": 24, "technical_minutes": 30, "device_max_age_seconds": 600, "work_tries_max": 3,
        }))
        .expect("a policy");
        let public: BTreeSet<String> = Code::ALL
            .iter()
            .map(|code| JudgedReason::new(&Reason::new(*code, ""), Kind::Document, &policy).user_message_key)
            .collect();
        assert_eq!(described.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>(), public);
        assert_eq!(described.len(), public.len(), "a code is listed twice");
        for fraud in Code::ALL.iter().filter(|code| code.entry().category == Category::Fraud) {
            assert!(!described.contains(&fraud.as_str()), "{fraud}");
        }
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| match value {
                Value::String(reference) if name == "$ref" => references.push(reference.clone()),
                value => collect(value, references),
            }),
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
}
