//! Reads a document upload: each known field at most once, pictures recognized by their content,
//! memory within limits.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use multer::{Field, Multipart};

use super::body::{self, Body, BodyError};
use super::problem::{FieldError, Kind, Problem, Result};
use super::validation::{self, Rule};

/// Most parts of a body: the known ones, and a few more so that unknown ones can be named in the
/// answer.
const PARTS_MAX: usize = 10;
/// Most bytes of a text field.
const TEXT_MAX: usize = 256;
/// Most bytes that text fields, part headers and boundaries may add to the pictures.
const OVERHEAD: usize = 64 * 1024;

/// The text fields and pictures of a form, by name.
#[derive(Default)]
pub struct Form {
    texts: Vec<(&'static str, String)>,
    pictures: Vec<(&'static str, Bytes)>,
}

/// Fields that a form may have.
pub struct FormFields {
    /// Names of the text fields.
    pub texts: &'static [&'static str],
    /// Names of the picture fields.
    pub pictures: &'static [&'static str],
    /// Most bytes of one picture.
    pub picture_bytes_max: usize,
}

impl FormFields {
    fn known(&self, name: &str) -> Option<&'static str> {
        self.texts.iter().chain(self.pictures).copied().find(|known| *known == name)
    }
}

impl Form {
    /// Reads the whole form. Unreadable syntax is [`Kind::Malformed`]; otherwise the problem names
    /// every wrong field.
    pub async fn read(headers: &HeaderMap, body: &mut Body, fields: &FormFields) -> Result<Self> {
        let limit = fields.picture_bytes_max * fields.pictures.len() + OVERHEAD;
        let boundary = match multer::parse_boundary(body::content_type(headers)) {
            Ok(boundary) => boundary,
            Err(error) => {
                body::drain(body).await;
                return Err(of_multer(&error));
            }
        };
        let announced = body::announced_length(headers, body, limit).await?;
        let capacity = announced.unwrap_or_default().min(fields.picture_bytes_max);
        let outcome = Self::read_parts(body, boundary, limit, capacity, fields).await;
        if outcome.is_err() {
            body::drain(body).await;
        }
        outcome
    }

    async fn read_parts(
        body: &mut Body,
        boundary: String,
        limit: usize,
        capacity: usize,
        fields: &FormFields,
    ) -> Result<Self> {
        let mut parts = Multipart::new(Box::pin(body::chunks(body, limit)), boundary);
        let mut form = Self::default();
        let mut errors = Vec::new();
        let mut count = 0;
        while let Some(part) = parts.next_field().await.map_err(|error| of_multer(&error))? {
            count += 1;
            if count > PARTS_MAX {
                return Err(Problem::new(Kind::TooLarge, format!("The form may have at most {PARTS_MAX} fields.")));
            }
            form.add(part, fields, capacity, &mut errors).await?;
        }
        if errors.is_empty() { Ok(form) } else { Err(Problem::invalid(errors)) }
    }

    async fn add(
        &mut self,
        part: Field<'_>,
        fields: &FormFields,
        capacity: usize,
        errors: &mut Vec<FieldError>,
    ) -> Result<()> {
        let sent: String = part.name().unwrap_or_default().chars().take(64).collect();
        let Some(name) = fields.known(&sent) else {
            let known = [fields.texts, fields.pictures].concat().join(", ");
            errors.push(FieldError::at(format!("/{sent}"), format!("is not a known field; known fields are {known}")));
            return Ok(());
        };
        if self.has(name) {
            errors.push(FieldError::at(format!("/{name}"), "must be given at most once"));
            return Ok(());
        }
        if fields.pictures.contains(&name) {
            let upload = picture(part, name, fields.picture_bytes_max, capacity).await?;
            self.pictures.push((name, upload));
        } else {
            match text(part).await? {
                Some(text) => self.texts.push((name, text)),
                None => errors.push(FieldError::at(
                    format!("/{name}"),
                    format!("must be UTF-8 text of at most {TEXT_MAX} bytes"),
                )),
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.texts.iter().any(|(n, _)| *n == name) || self.pictures.iter().any(|(n, _)| *n == name)
    }

    /// Returns the text field `name` if it is present, not empty, and passes `rule`.
    pub fn text(&self, name: &str, rule: Rule, errors: &mut Vec<FieldError>) -> Option<&str> {
        let text = self.texts.iter().find(|(n, _)| *n == name).map(|(_, text)| text)?;
        validation::check(text, rule).unwrap_or_else(|detail| {
            errors.push(FieldError::at(format!("/{name}"), detail));
            None
        })
    }

    /// Returns the text field `name`, which is required.
    pub fn required(&self, name: &str, rule: Rule, errors: &mut Vec<FieldError>) -> Option<&str> {
        let before = errors.len();
        let text = self.text(name, rule, errors);
        if text.is_none() && errors.len() == before {
            errors.push(FieldError::at(format!("/{name}"), "is required"));
        }
        text
    }

    /// Removes the picture `name` from the form and returns it.
    pub fn take_picture(&mut self, name: &str) -> Option<Bytes> {
        let at = self.pictures.iter().position(|(n, _)| *n == name)?;
        Some(self.pictures.swap_remove(at).1)
    }
}

/// Reads the part as text; `None` when it is too long or not UTF-8.
async fn text(mut part: Field<'_>) -> Result<Option<String>> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| of_multer(&error))? {
        if bytes.len() + chunk.len() > TEXT_MAX {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(bytes.to_vec()).ok())
}

/// Reads the part as a picture, recognized by its first bytes; its file name and content type do
/// not matter. `capacity` is its largest size by the announced length. Memory that grows step by
/// step is copied, and up to half of it stays unused; memory that is reserved and not written costs
/// none.
async fn picture(mut part: Field<'_>, name: &str, max: usize, capacity: usize) -> Result<Bytes> {
    let mut bytes = BytesMut::with_capacity(capacity);
    while let Some(chunk) = part.chunk().await.map_err(|error| of_multer(&error))? {
        if bytes.len() + chunk.len() > max {
            return Err(Problem {
                errors: vec![FieldError::at(format!("/{name}"), format!("must have at most {max} bytes"))],
                ..Problem::new(Kind::TooLarge, format!("The picture in {name} is too large."))
            });
        }
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= MAGIC_MAX && !is_picture(&bytes) {
            break;
        }
    }
    if is_picture(&bytes) {
        return Ok(bytes.freeze());
    }
    Err(Problem {
        errors: vec![FieldError::at(format!("/{name}"), "must be a JPEG or PNG picture")],
        ..Problem::new(Kind::UnsupportedMediaType, format!("The content of {name} is neither JPEG nor PNG."))
    })
}

const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Number of bytes that identify a picture's format.
const MAGIC_MAX: usize = PNG.len();

fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(JPEG) || bytes.starts_with(PNG)
}

/// Converts an error of multer to a problem with texts of this module: multer's can quote the
/// request.
fn of_multer(error: &multer::Error) -> Problem {
    match error {
        multer::Error::NoMultipart | multer::Error::DecodeContentType(_) => {
            Problem::new(Kind::UnsupportedMediaType, "The body must be a form, sent as multipart/form-data.")
        }
        multer::Error::NoBoundary => {
            Problem::new(Kind::Malformed, "The Content-Type multipart/form-data has no boundary.")
        }
        multer::Error::StreamReadFailed(cause) => match cause.downcast_ref::<BodyError>() {
            Some(BodyError::TooLarge) => Problem::new(Kind::TooLarge, "The form is too large."),
            Some(BodyError::Slow) => Problem::new(Kind::Timeout, "The body stopped arriving or took too long."),
            Some(BodyError::Broken) | None => Problem::new(Kind::Malformed, "The body ended early."),
        },
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => {
            Problem::new(Kind::Malformed, "The form ended before its closing boundary.")
        }
        _ => Problem::new(Kind::Malformed, "The form cannot be read as multipart/form-data."),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};
    use http_body_util::{BodyExt, Full};

    use super::*;

    const FIELDS: FormFields =
        FormFields { texts: &["verification_id", "type"], pictures: &["front", "back"], picture_bytes_max: 64 };

    fn part(name: &str, content: &[u8]) -> Vec<u8> {
        let mut bytes = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes();
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    fn png(length: usize) -> Vec<u8> {
        let mut bytes = PNG.to_vec();
        bytes.resize(length, 7);
        bytes
    }

    async fn read(content_type: &'static str, parts: &[Vec<u8>], end: &str) -> Result<Form> {
        let mut bytes = parts.concat();
        bytes.extend_from_slice(end.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let mut body = Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed();
        Form::read(&headers, &mut body, &FIELDS).await
    }

    const FORM: &str = "multipart/form-data; boundary=b";

    #[tokio::test]
    async fn fields_may_come_in_any_order() {
        let parts = [part("front", &png(20)), part("type", b"passport"), part("verification_id", b"abc")];
        let mut form = read(FORM, &parts, "--b--\r\n").await.expect("readable");
        let mut errors = Vec::new();
        assert_eq!(form.required("type", Rule::text(20), &mut errors), Some("passport"));
        assert_eq!(form.take_picture("front").map(|bytes| bytes.len()), Some(20));
        assert!(form.take_picture("back").is_none());
        assert!(errors.is_empty());
    }

    #[tokio::test]
    async fn every_malformed_form_has_its_problem() {
        let many: Vec<_> = (0..10_000).map(|i| part(&format!("f{i}"), b"x")).collect();
        let cases = [
            ("json", "application/json", vec![], "", Kind::UnsupportedMediaType),
            ("no type", "", vec![], "", Kind::UnsupportedMediaType),
            ("no boundary", "multipart/form-data", vec![], "", Kind::Malformed),
            ("other boundary", "multipart/form-data; boundary=c", vec![part("type", b"x")], "--b--", Kind::Malformed),
            ("truncated", FORM, vec![part("type", b"passport")], "", Kind::Malformed),
            ("empty", FORM, vec![], "", Kind::Malformed),
            ("ten thousand parts", FORM, many, "--b--", Kind::TooLarge),
            ("twice", FORM, vec![part("type", b"a"), part("type", b"b")], "--b--", Kind::Invalid),
            ("unknown", FORM, vec![part("score", b"100")], "--b--", Kind::Invalid),
            ("no picture", FORM, vec![part("front", b"%PDF-1.7 ....")], "--b--", Kind::UnsupportedMediaType),
            ("empty picture", FORM, vec![part("front", b"")], "--b--", Kind::UnsupportedMediaType),
            ("too large", FORM, vec![part("front", &png(65))], "--b--", Kind::TooLarge),
            ("long text", FORM, vec![part("type", &[b'a'; 257])], "--b--", Kind::Invalid),
            ("no text", FORM, vec![part("type", &[0xff, 0xfe])], "--b--", Kind::Invalid),
        ];
        for (what, content_type, parts, end, kind) in cases {
            let problem = read(content_type, &parts, end).await.err().expect(what);
            assert_eq!(problem.kind, kind, "{what}: {}", problem.detail);
        }
    }

    #[tokio::test]
    async fn the_largest_picture_fits() {
        let form = read(FORM, &[part("front", &png(64)), part("back", &png(64))], "--b--").await;
        assert!(form.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_rejected() {
        let huge = part("junk", &vec![b'x'; OVERHEAD + 1024]);
        let problem = read(FORM, &[huge], "--b--").await.err().expect("too large");
        assert_eq!(problem.kind, Kind::TooLarge);
    }
}
