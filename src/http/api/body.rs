//! Reads request bodies within limits of size and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::problem::{Kind, Problem, Result};

/// Error of the transport below a body.
pub type TransportError = Box<dyn std::error::Error + Send + Sync>;
/// Body of a request, from any transport.
pub type Body = BoxBody<Bytes, TransportError>;

/// Longest pause inside a body.
const IDLE: Duration = Duration::from_secs(15);
/// Longest time for a whole body.
const WHOLE: Duration = Duration::from_mins(2);
/// Most bytes discarded of a body that is too large. Reading it lets the client read the answer
/// instead of a reset.
const DRAIN_BYTES: usize = 32 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// Reads the body as JSON of at most `limit` bytes.
pub async fn json(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Value> {
    if !is_json(headers) {
        drain(body).await;
        return Err(Problem::new(Kind::UnsupportedMediaType, "The body must be JSON, sent as application/json."));
    }
    let bytes = collect(headers, body, limit).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        // serde's message can quote the body; the position cannot.
        let place = format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column());
        Problem::new(Kind::Malformed, place)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = content_type(headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Returns the `Content-Type`, or an empty text.
pub fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn collect(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Bytes> {
    let announced = announced_length(headers, body, limit).await?;
    let mut bytes = BytesMut::with_capacity(announced.unwrap_or_default());
    let deadline = Instant::now() + WHOLE;
    while let Some(chunk) = next(body, deadline).await? {
        if bytes.len() + chunk.len() > limit {
            drain(body).await;
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Returns the announced length, if there is one. Rejects a body whose announced length exceeds
/// `limit`.
pub async fn announced_length(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Option<usize>> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        drain(body).await;
        return Err(too_large(limit));
    }
    Ok(announced)
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Kind::TooLarge, format!("The body may have at most {limit} bytes."))
}

/// Reason why a body's stream ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body exceeds the limit.
    #[error("the body is too large")]
    TooLarge,
    /// The body paused or lasted too long.
    #[error("the body took too long")]
    Slow,
    /// The connection failed.
    #[error("the body ended early")]
    Broken,
}

/// Returns the body as a stream of at most `limit` bytes, under the time limits.
pub fn chunks(body: &mut Body, limit: usize) -> impl Stream<Item = std::result::Result<Bytes, BodyError>> + Send + '_ {
    let deadline = Instant::now() + WHOLE;
    stream::unfold((body, 0usize, false), move |(body, read, ended)| async move {
        if ended {
            return None;
        }
        let item = match next(body, deadline).await {
            Ok(None) => return None,
            Ok(Some(chunk)) if read + chunk.len() <= limit => Ok(chunk),
            Ok(Some(_)) => Err(BodyError::TooLarge),
            Err(problem) if problem.kind == Kind::Timeout => Err(BodyError::Slow),
            Err(_) => Err(BodyError::Broken),
        };
        let (read, ended) = item.as_ref().map_or((read, true), |chunk| (read + chunk.len(), false));
        Some((item, (body, read, ended)))
    })
}

/// Returns the next chunk of data; skips trailers.
async fn next(body: &mut Body, deadline: Instant) -> Result<Option<Bytes>> {
    loop {
        let frame = timeout_at(deadline.min(Instant::now() + IDLE), body.frame())
            .await
            .map_err(|_| Problem::new(Kind::Timeout, "The body stopped arriving or took too long."))?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Problem::new(Kind::Malformed, "The body ended early.")),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Discards the rest of the body, within limits.
pub async fn drain(body: &mut Body) {
    let mut left = DRAIN_BYTES;
    // The result does not matter: at a limit, the connection is closed.
    let _ = timeout(DRAIN_TIME, async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use http::HeaderValue;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    fn full(text: &'static str) -> Body {
        Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed()
    }

    fn chunked(chunks: Vec<&'static str>) -> Body {
        let frames = chunks.into_iter().map(|c| Ok(Frame::data(Bytes::from_static(c.as_bytes()))));
        BodyExt::boxed(StreamBody::new(stream::iter(frames)))
    }

    fn typed(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    #[tokio::test]
    async fn json_needs_its_type_and_an_error_names_its_position() {
        let ok = json(&typed("application/json; charset=utf-8"), &mut full("{\"a\":1}"), 100).await;
        assert_eq!(ok.expect("valid")["a"], 1);
        let wrong = json(&typed("text/plain"), &mut full("{}"), 100).await.expect_err("not JSON");
        assert_eq!(wrong.kind, Kind::UnsupportedMediaType);
        let none = json(&HeaderMap::new(), &mut full("{}"), 100).await.expect_err("no type");
        assert_eq!(none.kind, Kind::UnsupportedMediaType);
        let broken = json(&typed("application/json"), &mut full("{\"name\":secret}"), 100).await.expect_err("broken");
        assert_eq!(broken.kind, Kind::Malformed);
        assert!(!broken.detail.contains("secret"), "{}", broken.detail);
    }

    #[tokio::test]
    async fn a_body_without_length_is_counted_as_it_arrives() {
        let mut body = chunked(vec!["[1,", "2,", "3]"]);
        let problem = json(&typed("application/json"), &mut body, 4).await.expect_err("too large");
        assert_eq!(problem.kind, Kind::TooLarge);
        assert!(body.frame().await.is_none(), "the rest is discarded");
    }

    #[tokio::test]
    async fn a_stream_ends_at_its_first_error() {
        let mut body = chunked(vec!["abc", "def", "ghi"]);
        let items: Vec<_> = chunks(&mut body, 5).collect().await;
        assert_eq!(items, [Ok(Bytes::from_static(b"abc")), Err(BodyError::TooLarge)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_arriving_times_out() {
        let frames = stream::pending::<std::result::Result<Frame<Bytes>, TransportError>>();
        let mut body: Body = BodyExt::boxed(StreamBody::new(frames));
        let problem = json(&typed("application/json"), &mut body, 10).await.expect_err("slow");
        assert_eq!(problem.kind, Kind::Timeout);
    }
}
