//! The schema that this binary was written for, and what differs from it.

use serde_json::Value;

/// What an operator does about a difference.
pub const APPLY_MIGRATIONS: &str = "apply the migrations in pb_migrations/ of this version";
/// The export of the schema that the migrations make.
const EXPECTED: &str = include_str!("../../../pb_schema.json");
/// The options that may differ: ids that the server makes, and what only the admin UI shows.
const COSMETIC: [&str; 5] = ["id", "help", "presentable", "system", "autogeneratePattern"];
const RULES: [&str; 7] = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule", "manageRule", "authRule"];

/// The collections as this version needs them, without `PocketBase`'s own.
pub fn expected() -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(EXPECTED).expect("pb_schema.json is JSON: a test parses it");
    all.into_iter().filter(|collection| collection["system"] != Value::Bool(true)).collect()
}

/// The fields that a service may filter by: neither passwords nor hidden ones.
pub fn fields_a_service_may_name<'a>(expected: &'a [Value], collection: &str) -> Vec<&'a str> {
    let fields = named(expected, collection).map(|c| items(&c["fields"])).unwrap_or_default();
    fields
        .iter()
        .filter(|field| field["hidden"] != Value::Bool(true) && field["type"] != "password")
        .filter_map(|field| field["name"].as_str())
        .collect()
}

/// The differences, one sentence each. What an operator added is no difference.
pub fn differences(expected: &[Value], found: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    for wanted in expected {
        let name = wanted["name"].as_str().unwrap_or_default();
        match named(found, name) {
            None => problems.push(format!("collection {name} is missing: {APPLY_MIGRATIONS}")),
            Some(there) => compare(name, wanted, there, &mut problems),
        }
    }
    problems
}

fn compare(name: &str, wanted: &Value, found: &Value, problems: &mut Vec<String>) {
    if wanted["type"] != found["type"] {
        problems.push(format!("collection {name} is {} and should be {}", found["type"], wanted["type"]));
        return;
    }
    for rule in RULES {
        // Whether guests may sign up is the operator's choice.
        let operators_choice = name == "users" && rule == "createRule";
        if !operators_choice && wanted[rule] != found[rule] {
            problems.push(format!("collection {name}: {rule} is {} and should be {}", found[rule], wanted[rule]));
        }
    }
    if wanted["type"] == "view" {
        if wanted["viewQuery"] != found["viewQuery"] {
            problems.push(format!("view {name} differs from the one of this version: {APPLY_MIGRATIONS}"));
        }
        return;
    }
    compare_fields(name, wanted, found, problems);
    for index in items(&wanted["indexes"]) {
        if !items(&found["indexes"]).contains(index) {
            problems.push(format!("collection {name}: an index is missing: {index}"));
        }
    }
}

fn compare_fields(name: &str, wanted: &Value, found: &Value, problems: &mut Vec<String>) {
    for field in items(&wanted["fields"]) {
        let field_name = field["name"].as_str().unwrap_or_default();
        let Some(there) = named(items(&found["fields"]), field_name) else {
            problems.push(format!("collection {name}: field {field_name} is missing: {APPLY_MIGRATIONS}"));
            continue;
        };
        for (option, value) in field.as_object().into_iter().flatten() {
            // A newer version may have more values for a choice; those of this version must be
            // among them.
            let more = option == "values" && items(value).iter().all(|word| items(&there[option]).contains(word));
            if !COSMETIC.contains(&option.as_str()) && there[option] != *value && !more {
                problems.push(format!(
                    "collection {name}: field {field_name}: {option} is {} and should be {value}",
                    there[option]
                ));
            }
        }
    }
}

fn named<'a>(all: &'a [Value], name: &str) -> Option<&'a Value> {
    all.iter().find(|item| item["name"] == name)
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pocketbase::records::Collection;
    use serde_json::json;

    #[test]
    fn the_embedded_schema_has_every_collection() {
        let expected = expected();
        for collection in Collection::ALL {
            assert!(named(&expected, collection.name()).is_some(), "{}", collection.name());
            assert!(fields_a_service_may_name(&expected, collection.name()).contains(&"id"));
        }
    }

    #[test]
    fn additions_to_the_schema_are_no_differences() {
        let expected = expected();
        let mut found = expected.clone();
        found.push(json!({ "name": "notes", "type": "base" }));
        named_mut(&mut found, "documents")["fields"].as_array_mut().expect("fields").push(json!({ "name": "note" }));
        named_mut(&mut found, "users")["createRule"] = json!("");
        let actions = named_mut(&mut found, "actions")["fields"].as_array_mut().expect("fields");
        let words = actions.iter_mut().find(|field| field["name"] == "action").expect("action");
        words["values"].as_array_mut().expect("values").push(json!("a_word_of_the_next_version"));
        assert_eq!(differences(&expected, &found), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_one_sentence() {
        let expected = expected();
        let mut found = expected.clone();
        found.retain(|collection| collection["name"] != "heartbeats");
        let documents = named_mut(&mut found, "documents");
        documents["createRule"] = json!("");
        documents["indexes"] = json!([]);
        let fields = documents["fields"].as_array_mut().expect("fields");
        fields.retain(|field| field["name"] != "country");
        fields.iter_mut().find(|field| field["name"] == "front").expect("front")["protected"] = json!(false);
        let problems = differences(&expected, &found);
        let starts = [
            "collection documents: createRule is \"\"",
            "collection documents: field country is missing",
            "collection documents: field front: protected is false and should be true",
            "collection documents: an index is missing: \"CREATE INDEX `idx_documents_verification`",
            "collection documents: an index is missing: \"CREATE INDEX `idx_documents_created`",
            "collection heartbeats is missing",
        ];
        assert_eq!(problems.len(), starts.len(), "{problems:#?}");
        for start in starts {
            assert!(problems.iter().any(|p| p.starts_with(start)), "{start}: {problems:#?}");
        }
    }

    fn named_mut<'a>(all: &'a mut [Value], name: &str) -> &'a mut Value {
        all.iter_mut().find(|item| item["name"] == name).expect("there")
    }
}
