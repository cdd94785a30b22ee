//! One request to `PocketBase` and its answer, and what a refusal means.
//!
//! Neither implements `Debug`: requests carry passwords and personal data.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::error::{PocketbaseError, Refused, Result};
use super::filter::Filter;
use super::records::VERIFICATION;

/// The most records that `PocketBase` returns in one page.
pub(super) const PAGE_LIMIT: usize = 1000;
/// A larger answer is refused. A page of 1000 rows of 16 KiB fits.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;

/// A request that can be sent more than once.
#[derive(Clone)]
pub(super) struct Request {
    /// What is attempted, for errors.
    pub operation: &'static str,
    pub method: Method,
    /// The path below the base address; its segments are encoded.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub payload: Payload,
    /// Whether it can change anything. If so, a missing answer means [`PocketbaseError::Unknown`].
    pub writes: bool,
    /// The most bytes that the answer may have.
    pub limit: usize,
    /// For a batch, the collection of each item, to name the one that was refused.
    pub items: Vec<&'static str>,
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Payload {
    Empty,
    Json(Value),
    Multipart { json: Value, files: Vec<FilePart> },
}

/// A file in a multipart body. A clone shares the bytes.
#[derive(Clone)]
pub(super) struct FilePart {
    /// The form field: `front`, or in a batch `requests.2.portrait`.
    pub field: String,
    /// `PocketBase` derives the stored name from this one.
    pub file_name: String,
    pub content_type: &'static str,
    pub bytes: Bytes,
}

/// What came back with a 2xx status.
#[derive(Clone)]
pub(super) struct Answer {
    pub operation: &'static str,
    pub body: Bytes,
}

impl FilePart {
    /// A JPEG or PNG picture; its first bytes say which. `PocketBase` checks the type itself and
    /// refuses any other.
    pub fn picture(field: String, name: &str, bytes: Bytes) -> Self {
        const PNG_MAGIC: &[u8] = b"\x89PNG";
        let (content_type, extension) =
            if bytes.starts_with(PNG_MAGIC) { ("image/png", "png") } else { ("image/jpeg", "jpg") };
        Self { field, file_name: format!("{name}.{extension}"), content_type, bytes }
    }
}

impl Request {
    pub fn get(operation: &'static str, path: String) -> Self {
        Self {
            operation,
            method: Method::GET,
            path,
            query: Vec::new(),
            payload: Payload::Empty,
            writes: false,
            limit: ANSWER_LIMIT,
            items: Vec::new(),
        }
    }

    /// A POST that may be repeated without harm: a login, a token.
    pub fn post(operation: &'static str, path: String, json: Value) -> Self {
        Self { method: Method::POST, payload: Payload::Json(json), ..Self::get(operation, path) }
    }

    /// A request that stores something.
    pub fn write(operation: &'static str, method: Method, path: String, json: Value) -> Self {
        Self { method, payload: Payload::Json(json), writes: true, ..Self::get(operation, path) }
    }

    /// Adds a query parameter.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Lists only what `filter` finds.
    pub fn filter(self, filter: Filter) -> Self {
        self.with("filter", filter)
    }

    /// Sorts a list by `field`; descending with a `-` before it.
    pub fn sort(self, field: &str) -> Self {
        self.with("sort", field)
    }

    /// Asks for the first page of a list, of at most `limit` records, without counting the rest.
    pub fn first_page(self, limit: usize) -> Self {
        self.with("perPage", limit.to_string()).with("skipTotal", "1")
    }

    /// Asks for `fields` only, separated by commas.
    pub fn fields(self, fields: impl Into<String>) -> Self {
        self.with("fields", fields)
    }

    /// Adds `files` to the JSON.
    pub fn with_files(mut self, files: Vec<FilePart>) -> Self {
        if files.is_empty() {
            return self;
        }
        self.payload = match self.payload {
            Payload::Json(json) | Payload::Multipart { json, .. } => Payload::Multipart { json, files },
            Payload::Empty => Payload::Multipart { json: Value::Object(Map::new()), files },
        };
        self
    }

    /// The error for an answer that did not come, or not whole.
    pub fn lost(&self, error: reqwest::Error) -> PocketbaseError {
        let operation = self.operation;
        let not_sent = error.is_connect() || error.is_builder();
        // The address may hold a file token.
        let source = Some(error.without_url());
        if self.writes && !not_sent {
            PocketbaseError::Unknown { operation, source }
        } else {
            PocketbaseError::Unreachable { operation, source }
        }
    }

    /// The error for a status that is not 2xx.
    pub fn refusal(&self, status: u16, body: &[u8]) -> PocketbaseError {
        let operation = self.operation;
        match status {
            400 => self.bad_request(body),
            401 | 403 => PocketbaseError::Unauthorized { operation, status },
            404 => PocketbaseError::NotFound { operation },
            413 => self.invalid(vec![Refused { field: "body".to_owned(), code: "too_large".to_owned() }]),
            500.. if self.writes => PocketbaseError::Unknown { operation, source: None },
            408 | 429 | 500.. => PocketbaseError::Transient { operation, status },
            _ => self.unexpected(format!("status {status}")),
        }
    }

    /// The error for status 400, which has three meanings: fields are wrong, an item of a batch
    /// failed, or, without data, "not now".
    fn bad_request(&self, body: &[u8]) -> PocketbaseError {
        #[derive(Deserialize)]
        struct Refusal {
            #[serde(default)]
            data: Map<String, Value>,
        }
        let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
            return self.unexpected("status 400 without PocketBase's error".to_owned());
        };
        if let Some(Value::Object(items)) = refusal.data.get("requests")
            && let Some((index, item)) = items.iter().find(|(key, _)| key.parse::<usize>().is_ok())
        {
            return self.failed_item(index.parse().unwrap_or_default(), item);
        }
        self.refused_fields(&refusal.data, "")
    }

    fn failed_item(&self, index: usize, item: &Value) -> PocketbaseError {
        let operation = self.operation;
        let item_name = self.items.get(index).copied().unwrap_or("batch");
        match item["response"]["status"].as_u64() {
            Some(401 | 403) => PocketbaseError::Unauthorized { operation, status: 403 },
            Some(404) => PocketbaseError::NotFound { operation },
            _ => match item["response"]["data"].as_object() {
                Some(fields) => self.refused_fields(fields, item_name),
                None => PocketbaseError::Transient { operation, status: 400 },
            },
        }
    }

    fn refused_fields(&self, data: &Map<String, Value>, item: &str) -> PocketbaseError {
        if data.is_empty() {
            return PocketbaseError::Transient { operation: self.operation, status: 400 };
        }
        let fields: Vec<Refused> = data
            .iter()
            .map(|(field, problem)| Refused {
                field: if item.is_empty() { field.clone() } else { format!("{item}.{field}") },
                code: problem["code"].as_str().unwrap_or("invalid").to_owned(),
            })
            .collect();
        self.invalid(fields)
    }

    /// The error for refused fields. A value that is taken outweighs the other refusals.
    fn invalid(&self, fields: Vec<Refused>) -> PocketbaseError {
        let operation = self.operation;
        let mut taken: Vec<&Refused> = fields.iter().filter(|f| f.code == "validation_not_unique").collect();
        // An index over several columns flags each of them. All begin with the verification, so
        // another column tells more.
        taken.sort_by_key(|f| !f.field.ends_with(VERIFICATION));
        match taken.pop() {
            Some(taken) => PocketbaseError::Conflict { operation, field: taken.field.clone() },
            None => PocketbaseError::Invalid { operation, fields },
        }
    }

    pub fn unexpected(&self, what: String) -> PocketbaseError {
        PocketbaseError::Unexpected { operation: self.operation, what }
    }
}

impl Answer {
    /// The body as `T`. An error says where the body is wrong, without quoting it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| PocketbaseError::Unexpected {
            operation: self.operation,
            what: format!("{:?} error at byte {} of {}", e.classify(), e.column(), self.body.len()),
        })
    }

    /// Whether it is a list without items, which is what a lost session gets instead of an error.
    pub fn is_empty_list(&self) -> bool {
        #[derive(Deserialize)]
        struct List {
            items: Vec<IgnoredAny>,
        }
        const LONGEST_EMPTY_LIST: usize = 512;
        self.body.len() < LONGEST_EMPTY_LIST
            && serde_json::from_slice::<List>(&self.body).is_ok_and(|list| list.items.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Request {
        let mut batch = Request::write("commit", Method::POST, "/api/batch".to_owned(), Value::Null);
        batch.items = vec!["journal", "verifications"];
        batch
    }

    fn refusal(request: &Request, status: u16, body: &str) -> String {
        format!("{:?}", request.refusal(status, body.as_bytes()))
    }

    #[test]
    fn a_lost_race_names_the_column_that_tells_what_was_lost() {
        let body = r#"{"data":{"requests":{"0":{"response":{"status":400,"data":
            {"seq":{"code":"validation_not_unique"},"verification":{"code":"validation_not_unique"}}}}}}}"#;
        assert_eq!(refusal(&batch(), 400, body), r#"Conflict { operation: "commit", field: "journal.seq" }"#);
    }

    #[test]
    fn an_item_without_its_record_is_not_found() {
        let body = r#"{"data":{"requests":{"1":{"response":{"status":404,"data":{}}}}}}"#;
        assert_eq!(refusal(&batch(), 400, body), r#"NotFound { operation: "commit" }"#);
    }

    #[test]
    fn a_bad_request_without_data_means_later() {
        let later = r#"Transient { operation: "commit", status: 400 }"#;
        assert_eq!(refusal(&batch(), 400, r#"{"data":{},"message":"Failed to create record."}"#), later);
        let item = r#"{"data":{"requests":{"0":{"response":{"status":400,"data":{}}}}}}"#;
        assert_eq!(refusal(&batch(), 400, item), later);
    }

    #[test]
    fn a_server_error_is_unknown_for_a_write_and_transient_for_a_read() {
        assert_eq!(refusal(&batch(), 502, ""), r#"Unknown { operation: "commit", source: None }"#);
        let read = Request::get("read", "/".to_owned());
        assert_eq!(refusal(&read, 502, ""), r#"Transient { operation: "read", status: 502 }"#);
    }

    #[test]
    fn throttling_is_transient_for_writes_too() {
        let requests =
            [batch(), Request::get("read", "/".to_owned()), Request::post("log in", "/".to_owned(), Value::Null)];
        for request in requests {
            let error = request.refusal(429, br#"{"data":{},"message":"Too Many Requests."}"#);
            assert!(matches!(error, PocketbaseError::Transient { status: 429, .. }), "{error:?}");
        }
    }

    #[test]
    fn refused_fields_are_named_without_their_values() {
        let body = r#"{"data":{"declared_name":{"code":"validation_max_text_constraint","message":"Jane"}}}"#;
        let create = Request::write("create", Method::POST, String::new(), Value::Null);
        let error = create.refusal(400, body.as_bytes());
        assert_eq!(error.to_string(), "create: PocketBase refused declared_name (validation_max_text_constraint)");
    }
}
