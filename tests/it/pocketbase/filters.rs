//! Text never becomes syntax: a filter for a text finds exactly the records with that text.

use std::collections::HashMap;

use identivia::pocketbase::filter::Filter;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::pocketbase::{Admin, PERSON, Pocketbase};

/// Texts that broke filters in other programs.
const SEEDS: &[&str] = &[
    r"x\' || 1=1 //",
    r"\",
    r"\\",
    r"\'",
    "'",
    "''",
    "\"",
    "' || true || '",
    "a && b",
    "@request.auth.id",
    "{:p}",
    "{{x}}",
    "%",
    "_",
    "null",
    "true",
    "0",
    "1e3",
    "//",
    "/* x */",
    "é e\u{301} ß 漢 \u{1f600} \u{202e}",
    "a b",
    ")",
    "`",
    "[[x]]",
];

/// Any printable text. `PocketBase` stores all of it unchanged: it trims nothing in text fields,
/// and refuses none of these.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(
            prop_oneof![
                Just("\\"),
                Just("'"),
                Just("\""),
                Just("|| 1=1"),
                Just("@now"),
                Just("/"),
                Just("x"),
                Just(" ")
            ],
            1..12
        )
        .prop_map(|parts| parts.concat()),
        r"\PC{1,40}",
    ]
}

async fn found(admin: &Admin, text: &str) -> Vec<String> {
    let filter: String = Filter::default().equal("reference", text).expect("no control characters").into();
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("filter", &filter).finish();
    let path = format!("api/collections/verifications/records?perPage=1000&fields=id&{query}");
    let answer = admin.call(Method::GET, &path, &Value::Null).await;
    let items = answer["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_filter_finds_exactly_the_records_with_that_text() {
    let server = Pocketbase::start().await;
    let admin = server.admin().await;
    let mut runner = TestRunner::deterministic();
    let mut texts: Vec<String> = SEEDS.iter().map(|s| (*s).to_owned()).collect();
    for _ in 0..200 {
        texts.push(hostile().new_tree(&mut runner).expect("a text").current());
    }
    let mut stored: HashMap<String, Vec<String>> = HashMap::new();
    for text in &texts {
        let record = admin.create("verifications", json!({ "user": PERSON, "reference": text })).await;
        if let (Value::String(id), Value::String(kept)) = (&record["id"], &record["reference"]) {
            stored.entry(kept.clone()).or_default().push(id.clone());
        }
    }
    for (text, ids) in &mut stored {
        let mut found = found(&admin, text).await;
        found.sort();
        ids.sort();
        assert_eq!(&found, ids, "{text:?}");
    }
}
