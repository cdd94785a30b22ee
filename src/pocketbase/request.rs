//! One request and its answer: how it is sent, bounded, and sorted into what to do next.
//!
//! Nothing here can be printed: requests carry passwords and people's data.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::clock;
use super::error::{PocketbaseError, Refused, Result};

/// An answer larger than this is none of ours: a page of 1000 rows of 16 KiB fits.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;

/// A request, described so that it can be sent twice.
#[derive(Clone)]
pub(super) struct Call {
    /// What is attempted, for errors.
    pub operation: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path below the base address, with encoded segments.
    pub path: String,
    /// Query pairs.
    pub query: Vec<(&'static str, String)>,
    /// What is sent.
    pub payload: Payload,
    /// Whether it can change anything: then a missing answer means "unknown".
    pub writes: bool,
    /// How many bytes the answer may have.
    pub limit: usize,
    /// For a batch: what each item is about, to name the one that was refused.
    pub items: Vec<&'static str>,
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Payload {
    Empty,
    Json(Value),
    /// A JSON part, and files beside it.
    Multipart {
        json: Value,
        files: Vec<FilePart>,
    },
}

/// A file in a multipart body. Cloning shares the bytes.
#[derive(Clone)]
pub(super) struct FilePart {
    /// Form field: `front`, or in a batch `requests.2.portrait`.
    pub field: String,
    /// The stored name is made from it: `front.jpg`.
    pub file_name: String,
    /// Content type.
    pub content_type: &'static str,
    /// Content.
    pub bytes: Bytes,
}

/// What came back with a 2xx status.
#[derive(Clone)]
pub(super) struct Answer {
    operation: &'static str,
    /// The body.
    pub body: Bytes,
    /// The `Date` header, when it was sent and received.
    pub date: Option<(Timestamp, Instant, Instant)>,
}

impl FilePart {
    /// A picture; its type is what its first bytes say. `PocketBase` looks itself and refuses what is neither JPEG nor PNG.
    pub fn picture(field: String, name: &str, bytes: Bytes) -> Self {
        const PNG_MAGIC: &[u8] = b"\x89PNG";
        let (content_type, extension) =
            if bytes.starts_with(PNG_MAGIC) { ("image/png", "png") } else { ("image/jpeg", "jpg") };
        Self { field, file_name: format!("{name}.{extension}"), content_type, bytes }
    }
}

impl Call {
    /// A request without effect.
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

    /// A POST without lasting effect: a login, a token.
    pub fn ask(operation: &'static str, path: String, json: Value) -> Self {
        Self { method: Method::POST, payload: Payload::Json(json), ..Self::get(operation, path) }
    }

    /// A request that stores something.
    pub fn write(operation: &'static str, method: Method, path: String, json: Value) -> Self {
        Self { method, payload: Payload::Json(json), writes: true, ..Self::get(operation, path) }
    }

    /// The same with a query pair.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same with files beside its JSON.
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

    /// Sends it once, as whoever `token` belongs to.
    pub async fn send(&self, http: &reqwest::Client, base: &str, token: Option<&SecretString>) -> Result<Answer> {
        let mut request = http.request(self.method.clone(), format!("{base}{}", self.path)).query(&self.query);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token.expose_secret());
        }
        request = match &self.payload {
            Payload::Empty => request,
            Payload::Json(json) => request.header(CONTENT_TYPE, "application/json").body(json.to_string()),
            Payload::Multipart { json, files } => request.multipart(form(json, files, self.operation)?),
        };
        let sent = Instant::now();
        let mut response = request.send().await.map_err(|e| self.lost(e))?;
        let received = Instant::now();
        let date = date_of(&response).map(|date| (date, sent, received));
        let status = response.status().as_u16();
        let body = self.body(&mut response).await?;
        if response.status().is_success() {
            return Ok(Answer { operation: self.operation, body, date });
        }
        Err(self.refusal(status, &body))
    }

    /// Reads the body, up to the limit.
    async fn body(&self, response: &mut Response) -> Result<Bytes> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(e))? {
            if body.len() + chunk.len() > self.limit {
                return Err(self.unexpected(format!("more than {} bytes", self.limit)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// No answer, or half of one.
    fn lost(&self, error: reqwest::Error) -> PocketbaseError {
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

    /// A status that is not 2xx.
    fn refusal(&self, status: u16, body: &[u8]) -> PocketbaseError {
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

    /// 400 says three things: fields are wrong, an item of a batch failed, or (without data) "not now".
    fn bad_request(&self, body: &[u8]) -> PocketbaseError {
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

    /// A field that is taken outweighs the rest. A composite index flags each of its columns: the last is the telling one,
    /// since the first is always `verification`.
    fn invalid(&self, fields: Vec<Refused>) -> PocketbaseError {
        let operation = self.operation;
        let mut taken: Vec<&Refused> = fields.iter().filter(|f| f.code == "validation_not_unique").collect();
        taken.sort_by_key(|f| !f.field.ends_with("verification"));
        match taken.pop() {
            Some(taken) => PocketbaseError::Conflict { operation, field: taken.field.clone() },
            None => PocketbaseError::Invalid { operation, fields },
        }
    }

    fn unexpected(&self, what: String) -> PocketbaseError {
        PocketbaseError::Unexpected { operation: self.operation, what }
    }
}

impl Answer {
    /// The body as `T`. What is wrong with it is told without quoting it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| PocketbaseError::Unexpected {
            operation: self.operation,
            what: format!("{:?} error at byte {} of {}", e.classify(), e.column(), self.body.len()),
        })
    }

    /// Whether it is a list without items: what a lost login gets instead of an error.
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

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    data: Map<String, Value>,
}

fn form(json: &Value, files: &[FilePart], operation: &'static str) -> Result<Form> {
    files.iter().try_fold(Form::new().text("@jsonPayload", json.to_string()), |form, file| {
        let length = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        Part::stream_with_length(file.bytes.clone(), length)
            .file_name(file.file_name.clone())
            .mime_str(file.content_type)
            .map(|part| form.part(file.field.clone(), part))
            .map_err(|_| PocketbaseError::Misuse { operation, what: "the content type of a file is malformed" })
    })
}

fn date_of(response: &Response) -> Option<Timestamp> {
    clock::parse_date(response.headers().get(DATE)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Call {
        let mut call = Call::write("commit", Method::POST, "/api/batch".to_owned(), Value::Null);
        call.items = vec!["journal", "verifications"];
        call
    }

    fn refusal(call: &Call, status: u16, body: &str) -> String {
        format!("{:?}", call.refusal(status, body.as_bytes()))
    }

    #[test]
    fn a_lost_race_names_the_telling_column() {
        let body = r#"{"data":{"requests":{"0":{"response":{"status":400,"data":
            {"seq":{"code":"validation_not_unique"},"verification":{"code":"validation_not_unique"}}}}}}}"#;
        assert_eq!(refusal(&batch(), 400, body), r#"Conflict { operation: "commit", field: "journal.seq" }"#);
    }

    #[test]
    fn an_item_that_is_not_there_is_not_found() {
        let body = r#"{"data":{"requests":{"1":{"response":{"status":404,"data":{}}}}}}"#;
        assert_eq!(refusal(&batch(), 400, body), r#"NotFound { operation: "commit" }"#);
    }

    #[test]
    fn bad_request_without_data_means_later() {
        let later = r#"Transient { operation: "commit", status: 400 }"#;
        assert_eq!(refusal(&batch(), 400, r#"{"data":{},"message":"Failed to create record."}"#), later);
        let item = r#"{"data":{"requests":{"0":{"response":{"status":400,"data":{}}}}}}"#;
        assert_eq!(refusal(&batch(), 400, item), later);
    }

    #[test]
    fn a_server_error_on_a_write_is_unknown_and_on_a_read_later() {
        assert_eq!(refusal(&batch(), 502, ""), r#"Unknown { operation: "commit", source: None }"#);
        let read = Call::get("read", "/".to_owned());
        assert_eq!(refusal(&read, 502, ""), r#"Transient { operation: "read", status: 502 }"#);
    }

    #[test]
    fn throttling_means_later_for_writes_too_since_nothing_was_taken() {
        let throttled = |call: &Call| call.refusal(429, br#"{"data":{},"message":"Too Many Requests."}"#);
        for call in [batch(), Call::get("read", "/".to_owned()), Call::ask("log in", "/".to_owned(), Value::Null)] {
            let error = throttled(&call);
            assert!(matches!(error, PocketbaseError::Transient { status: 429, .. }), "{error:?}");
        }
    }

    #[test]
    fn refused_fields_are_named_without_their_values() {
        let body = r#"{"data":{"declared_name":{"code":"validation_max_text_constraint","message":"Jane"}}}"#;
        let create = Call::write("create", Method::POST, String::new(), Value::Null);
        let error = create.refusal(400, body.as_bytes());
        assert_eq!(error.to_string(), "create: PocketBase refused declared_name (validation_max_text_constraint)");
    }
}
