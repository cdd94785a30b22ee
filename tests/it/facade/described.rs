//! Checks an answer against the `OpenAPI` description: status, content type and schema of the body.

use reqwest::Method;
use serde_json::Value;

use super::fixture::Answer;

/// Fails the test if the description does not allow `answer` to `method` `path`.
pub fn check(description: &Value, method: &Method, path: &str, answer: &Answer) {
    if answer.status >= 400 && answer.header("content-type") == "application/problem+json" {
        problem(description, path, answer);
    }
    let Some(operation) = operation(description, method, path) else { return };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{method} {path} is not described to answer {}: {}", answer.status, answer.text);
    let Some(content) = response["content"].as_object() else {
        assert_eq!(answer.text, "", "{method} {path} {}", answer.status);
        return;
    };
    let essence = answer.header("content-type").split(';').next().unwrap_or_default();
    let described = content.get(essence).unwrap_or_else(|| panic!("{method} {path} {}: {essence}", answer.status));
    if essence.ends_with("json") && method != Method::HEAD {
        let mut wrong = Vec::new();
        conform(description, &described["schema"], &answer.body, "", &mut wrong);
        assert!(wrong.is_empty(), "{method} {path} {}: {wrong:?} in {}", answer.status, answer.text);
    }
}

/// Checks that a problem agrees with the answer's status and headers.
fn problem(description: &Value, path: &str, answer: &Answer) {
    let mut wrong = Vec::new();
    conform(description, &description["components"]["schemas"]["Problem"], &answer.body, "", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:?} in {}", answer.text);
    assert_eq!(answer.body["status"], answer.status);
    assert_eq!(answer.body["instance"], path);
    assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
    if matches!(answer.status, 409 | 429 | 503) && answer.body["code"] != "verification_final" {
        let known = ["liveness_refused", "open_under_another_policy"]
            .contains(&answer.body["code"].as_str().unwrap_or_default());
        assert!(known || answer.header("retry-after").parse::<u64>().is_ok_and(|s| s > 0), "{}", answer.text);
    }
}

fn operation<'d>(description: &'d Value, method: &Method, path: &str) -> Option<&'d Value> {
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let pattern = if path.starts_with("/api/v1/status/") { "/api/v1/status/{id}" } else { path };
    description["paths"][pattern].get(method)
}

/// Adds to `wrong` everything in `value` that `schema` does not allow. An object may have only
/// described properties.
fn conform(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = root.pointer(reference.trim_start_matches('#')).expect("a reference");
        return conform(root, schema, value, at, wrong);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(parts) = schema[choice].as_array() {
            let fits = |part: &Value| {
                let mut wrong = Vec::new();
                conform(root, part, value, at, &mut wrong);
                wrong.is_empty()
            };
            if !parts.iter().any(fits) {
                wrong.push(format!("{at}: fits none of {choice}"));
            }
            return;
        }
    }
    if let Some(choices) = schema["enum"].as_array() {
        if !choices.contains(value) {
            wrong.push(format!("{at}: not one of the values"));
        }
        return;
    }
    // Later versions may add values, but this version uses only listed ones.
    if schema["x-extensible-enum"].as_array().is_some_and(|known| !known.contains(value)) {
        wrong.push(format!("{at}: not one of the known values"));
    }
    match value {
        Value::Object(members) => {
            let shape = flattened(root, schema);
            if shape.open {
                return;
            }
            for name in shape.required.iter().filter(|name| !members.contains_key(**name)) {
                wrong.push(format!("{at}/{name}: is missing"));
            }
            for (name, member) in members {
                match shape.properties.iter().find(|(known, _)| *known == name) {
                    Some((_, schema)) => conform(root, schema, member, &format!("{at}/{name}"), wrong),
                    None => wrong.push(format!("{at}/{name}: is not described")),
                }
            }
        }
        Value::Array(items) => {
            is("array", schema, at, wrong);
            for (i, item) in items.iter().enumerate() {
                conform(root, &schema["items"], item, &format!("{at}/{i}"), wrong);
            }
        }
        Value::String(_) => is("string", schema, at, wrong),
        Value::Bool(_) => is("boolean", schema, at, wrong),
        Value::Null => is("null", schema, at, wrong),
        Value::Number(number) => {
            is(if number.is_u64() && schema["type"] == "integer" { "integer" } else { "number" }, schema, at, wrong);
        }
    }
}

fn is(kind: &str, schema: &Value, at: &str, wrong: &mut Vec<String>) {
    let fits = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|k| k == kind || (kind == "number" && k == "integer")),
        described => described == kind,
    };
    if !fits {
        wrong.push(format!("{at}: {kind} where {} is described", schema["type"]));
    }
}

struct Shape<'d> {
    required: Vec<&'d str>,
    properties: Vec<(&'d String, &'d Value)>,
    /// Any object is allowed.
    open: bool,
}

fn flattened<'d>(root: &'d Value, schema: &'d Value) -> Shape<'d> {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).expect("a reference"),
        None => schema,
    };
    let mut shape = Shape { required: Vec::new(), properties: Vec::new(), open: false };
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let part = flattened(root, part);
        shape.required.extend(part.required);
        shape.properties.extend(part.properties);
    }
    shape.required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
    shape.properties.extend(schema["properties"].as_object().into_iter().flatten());
    shape.open = shape.properties.is_empty();
    shape
}
