//! Reading what a caller sends: never more than allowed, never for longer than allowed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::problem::{Kind, Problem, Result};

/// An error of the transport below a body.
pub type TransportError = Box<dyn std::error::Error + Send + Sync>;
/// A request's body, whatever carries it.
pub type Body = BoxBody<Bytes, TransportError>;

/// The longest pause inside a body.
const IDLE: Duration = Duration::from_secs(15);
/// The longest a whole body may take.
const WHOLE: Duration = Duration::from_mins(2);
/// What is thrown away of a body that is too large, so that its sender gets to read the answer instead of a reset.
const DRAIN_BYTES: usize = 32 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// The body as JSON, at most `limit` bytes.
pub async fn json(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Value> {
    if !is_json(headers) {
        drain(body).await;
        return Err(Problem::new(Kind::UnsupportedMediaType, "The body must be JSON, sent as application/json."));
    }
    let bytes = collect(headers, body, limit).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        // serde's own words can quote the body; its position cannot.
        let place = format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column());
        Problem::new(Kind::Malformed, place)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = content_type(headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The `Content-Type`, or nothing.
pub fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn collect(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Bytes> {
    let announced = refuse_announced(headers, body, limit).await?;
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

/// The announced length, if there is one; a body whose announced length is over `limit` is refused.
pub async fn refuse_announced(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Option<usize>> {
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

/// Why a body's stream ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// It has more bytes than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// It paused or lasted too long.
    #[error("the body took too long")]
    Slow,
    /// The connection broke.
    #[error("the body ended early")]
    Broken,
}

/// The body as a stream of at most `limit` bytes, under the time limits.
pub fn chunks(body: &mut Body, limit: usize) -> impl Stream<Item = std::result::Result<Bytes, Cut>> + Send + '_ {
    let deadline = Instant::now() + WHOLE;
    stream::unfold((body, 0usize, false), move |(body, read, ended)| async move {
        if ended {
            return None;
        }
        let item = match next(body, deadline).await {
            Ok(None) => return None,
            Ok(Some(chunk)) if read + chunk.len() <= limit => Ok(chunk),
            Ok(Some(_)) => Err(Cut::TooLarge),
            Err(problem) if problem.kind == Kind::Timeout => Err(Cut::Slow),
            Err(_) => Err(Cut::Broken),
        };
        let (read, ended) = item.as_ref().map_or((read, true), |chunk| (read + chunk.len(), false));
        Some((item, (body, read, ended)))
    })
}

/// The next piece of data; trailers are skipped.
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

/// Throws the rest away, within limits.
pub async fn drain(body: &mut Body) {
    let mut left = DRAIN_BYTES;
    // Running out of time or wait_budget is fine: the connection is closed then.
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
    async fn json_is_told_by_its_type_and_its_place_of_error() {
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
        assert!(body.frame().await.is_none(), "the rest is thrown away");
    }

    #[tokio::test]
    async fn a_stream_ends_at_its_first_error() {
        let mut body = chunked(vec!["abc", "def", "ghi"]);
        let items: Vec<_> = chunks(&mut body, 5).collect().await;
        assert_eq!(items, [Ok(Bytes::from_static(b"abc")), Err(Cut::TooLarge)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_arriving_is_given_up() {
        let frames = stream::pending::<std::result::Result<Frame<Bytes>, TransportError>>();
        let mut body: Body = BodyExt::boxed(StreamBody::new(frames));
        let problem = json(&typed("application/json"), &mut body, 10).await.expect_err("slow");
        assert_eq!(problem.kind, Kind::Timeout);
    }
}
