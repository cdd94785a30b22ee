//! Strict JSON schemas: validates them as the API does, and fills them with what the model read.

use serde_json::{Map, Value, json};

/// Deepest nesting of a schema; `$ref` is followed no deeper.
const DEPTH_MAX: usize = 10;
/// Keywords that strict mode refuses.
const REFUSED_KEYWORDS: [&str; 8] =
    ["allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"];

/// Why strict mode refuses a schema, if it does.
pub fn problem(schema: &Value) -> Option<String> {
    if schema["type"] != "object" {
        return Some(format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: {}'.", schema["type"]));
    }
    let definitions = schema["$defs"].as_object().into_iter().flatten();
    let inside = definitions.map(|(name, definition)| (format!("'$defs', '{name}'"), definition));
    inside.chain([(String::new(), schema)]).find_map(|(context, schema)| problem_in(schema, &context, 0))
}

fn problem_in(schema: &Value, context: &str, depth: usize) -> Option<String> {
    if depth > DEPTH_MAX {
        return Some(format!(
            "In context=({context}), the schema exceeds the {DEPTH_MAX} levels of nesting that are allowed."
        ));
    }
    if let Some(keyword) = REFUSED_KEYWORDS.iter().find(|keyword| schema.get(**keyword).is_some()) {
        return Some(format!("In context=({context}), '{keyword}' is not permitted."));
    }
    let within = |part: &str| if context.is_empty() { part.to_owned() } else { format!("{context}, {part}") };
    if let Some(alternatives) = schema["anyOf"].as_array() {
        return alternatives.iter().enumerate().find_map(|(index, alternative)| {
            problem_in(alternative, &within(&format!("'anyOf', '{index}'")), depth + 1)
        });
    }
    if schema.get("$ref").is_some() || schema.get("enum").is_some() || schema.get("const").is_some() {
        return None;
    }
    let types = types_of(schema);
    if types.is_empty() {
        return Some(format!("In context=({context}), schema must have a 'type' key."));
    }
    if types.contains(&"object")
        && let Some(problem) = problem_of_object(schema, context, depth, &within)
    {
        return Some(problem);
    }
    if types.contains(&"array") {
        let Some(items) = schema.get("items") else {
            return Some(format!("In context=({context}), array schema missing items."));
        };
        return problem_in(items, &within("'items'"), depth + 1);
    }
    None
}

fn problem_of_object(schema: &Value, context: &str, depth: usize, within: &dyn Fn(&str) -> String) -> Option<String> {
    if schema["additionalProperties"] != false {
        return Some(format!(
            "In context=({context}), 'additionalProperties' is required to be supplied and to be false."
        ));
    }
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (name, property) in properties {
        if !required.contains(&name.as_str()) {
            return Some(format!(
                "In context=({context}), 'required' is required to be supplied and to be an array including every key in properties. Missing '{name}'."
            ));
        }
        if let Some(problem) = problem_in(property, &within(&format!("'properties', '{name}'")), depth + 1) {
            return Some(problem);
        }
    }
    None
}

/// A value that satisfies the schema, with every part of `reading` that has a place in it. What
/// `reading` lacks becomes null where the schema allows null, else the smallest valid value.
pub fn fill(schema: &Value, reading: &Value) -> Value {
    Filler { root: schema }.fill(schema, Some(reading), 0)
}

struct Filler<'a> {
    root: &'a Value,
}

impl Filler<'_> {
    fn fill(&self, schema: &Value, value: Option<&Value>, depth: usize) -> Value {
        let schema = self.resolve(schema);
        if depth > 2 * DEPTH_MAX {
            return Value::Null;
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(choices) = schema["enum"].as_array() {
            return choose(choices, value);
        }
        if let Some(alternatives) = schema["anyOf"].as_array() {
            return self.fill_any(alternatives, value, depth);
        }
        let types = types_of(schema);
        let value = value.filter(|value| !value.is_null());
        let fitting = value.and_then(|value| types.iter().find(|name| is_of_type(value, name)));
        match fitting {
            Some(&name) => self.fill_type(name, schema, value, depth),
            None if types.contains(&"null") => Value::Null,
            None => self.fill_type(types.first().copied().unwrap_or("null"), schema, None, depth),
        }
    }

    fn resolve<'b>(&'b self, mut schema: &'b Value) -> &'b Value {
        for _ in 0..DEPTH_MAX {
            let Some(reference) = schema["$ref"].as_str() else { break };
            let Some(target) = self.root.pointer(reference.trim_start_matches('#')) else { break };
            schema = target;
        }
        schema
    }

    /// Fills the alternative that accepts the value, else the one that accepts null, else the
    /// first.
    fn fill_any(&self, alternatives: &[Value], value: Option<&Value>, depth: usize) -> Value {
        let takes = |alternative: &&Value, value: &Value| {
            let schema = self.resolve(alternative);
            match schema["enum"].as_array() {
                Some(choices) => choices.contains(value),
                None => types_of(schema).iter().any(|name| is_of_type(value, name)),
            }
        };
        let null = Value::Null;
        let by_value = alternatives.iter().find(|alternative| takes(alternative, value.unwrap_or(&null)));
        let chosen = by_value
            .or_else(|| alternatives.iter().find(|alternative| takes(alternative, &null)))
            .or(alternatives.first());
        chosen.map_or(Value::Null, |alternative| self.fill(alternative, value, depth + 1))
    }

    fn fill_type(&self, name: &str, schema: &Value, value: Option<&Value>, depth: usize) -> Value {
        match name {
            "object" => {
                let properties = schema["properties"].as_object().into_iter().flatten();
                let filled = properties.map(|(name, property)| {
                    let value = value.and_then(|value| value.get(name));
                    (name.clone(), self.fill(property, value, depth + 1))
                });
                Value::Object(filled.collect::<Map<_, _>>())
            }
            "array" => self.fill_array(schema, value, depth),
            "string" => fill_string(schema, value),
            "boolean" => value.cloned().unwrap_or(Value::Bool(false)),
            "integer" | "number" => fill_number(schema, value),
            _ => Value::Null,
        }
    }

    fn fill_array(&self, schema: &Value, value: Option<&Value>, depth: usize) -> Value {
        let limit = |keyword: &str| schema[keyword].as_u64().and_then(|limit| usize::try_from(limit).ok());
        let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let most = limit("maxItems").unwrap_or(usize::MAX);
        let mut filled: Vec<_> =
            items.iter().take(most).map(|item| self.fill(&schema["items"], Some(item), depth + 1)).collect();
        while filled.len() < limit("minItems").unwrap_or(0) {
            filled.push(self.fill(&schema["items"], None, depth + 1));
        }
        Value::Array(filled)
    }
}

fn choose(choices: &[Value], value: Option<&Value>) -> Value {
    let value = value.filter(|value| choices.contains(value));
    let fallback =
        || choices.iter().find(|choice| choice.is_null()).or_else(|| choices.iter().find(|choice| *choice == "other"));
    value.or_else(fallback).or(choices.first()).cloned().unwrap_or(Value::Null)
}

fn fill_string(schema: &Value, value: Option<&Value>) -> Value {
    let limit = |keyword: &str| schema[keyword].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let least_of_format = match schema["format"].as_str() {
        Some("date") => "1970-01-01",
        Some("date-time") => "1970-01-01T00:00:00Z",
        Some("email") => "nobody@example.org",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "",
    };
    let mut text: String = value.and_then(Value::as_str).unwrap_or(least_of_format).to_owned();
    if let Some(most) = limit("maxLength") {
        text = text.chars().take(most).collect();
    }
    let missing = limit("minLength").unwrap_or(0).saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('-', missing));
    text.into()
}

fn fill_number(schema: &Value, value: Option<&Value>) -> Value {
    let integer = types_of(schema).contains(&"integer");
    let bound = |keyword: &str| schema[keyword].as_f64();
    let value = value.and_then(Value::as_f64).unwrap_or(0.0);
    let value = value.max(bound("minimum").unwrap_or(f64::MIN)).min(bound("maximum").unwrap_or(f64::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and only for absurd bounds")]
    if integer { json!(value.ceil() as i64) } else { json!(value) }
}

fn types_of(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(properties: &Value) -> Value {
        let required: Vec<_> = properties.as_object().expect("properties").keys().cloned().collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    #[test]
    fn a_reading_is_written_where_the_schema_has_a_place_for_it() {
        let nullable = json!({"type": ["string", "null"]});
        let schema = object(&json!({
            "document_type": {"type": "string", "enum": ["passport", "other"]},
            "fields": object(&json!({"surname": nullable, "shoe_size": nullable})),
            "mrz_lines": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 1},
            "instructions_seen": {"type": "boolean"},
            "score": {"type": "integer", "minimum": 3},
        }));
        assert_eq!(problem(&schema), None);
        let value = json!({"document_type": "visa", "fields": {"surname": "ERIKSSON"}, "mrz_lines": ["ABCDEF", "B"]});
        let filled = fill(&schema, &value);
        assert_eq!(
            filled,
            json!({
                "document_type": "other",
                "fields": {"surname": "ERIKSSON", "shoe_size": null},
                "mrz_lines": ["ABCD"],
                "instructions_seen": false,
                "score": 3,
            })
        );
    }

    #[test]
    fn references_and_alternatives_are_resolved() {
        let mut schema = object(&json!({
            "side": {"anyOf": [{"$ref": "#/$defs/side"}, {"type": "null"}]},
            "place": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        }));
        schema["$defs"] = json!({"side": {"type": "string", "enum": ["front", "back"]}});
        assert_eq!(problem(&schema), None);
        assert_eq!(fill(&schema, &json!({"side": "back"})), json!({"side": "back", "place": null}));
    }

    #[test]
    fn schemas_that_strict_mode_refuses_are_refused_with_the_path() {
        let mut schema = object(&json!({"a": {"type": "string"}}));
        schema["required"] = json!([]);
        assert!(problem(&schema).expect("refused").contains("Missing 'a'"));
        let open = json!({"type": "object", "properties": {}});
        assert!(problem(&open).expect("refused").contains("additionalProperties"));
        let inner = object(&json!({"list": {"type": "array", "items": {"type": "object", "properties": {}}}}));
        assert!(problem(&inner).expect("refused").contains("'properties', 'list', 'items'"));
        assert!(problem(&json!({"type": "array"})).is_some());
        assert!(problem(&object(&json!({"a": {"allOf": []}}))).is_some());
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let mut schema = object(&json!({"next": {"$ref": "#/$defs/node"}}));
        schema["$defs"] = json!({"node": object(&json!({"next": {"$ref": "#/$defs/node"}}))});
        assert!(fill(&schema, &json!({})).is_object());
    }
}
