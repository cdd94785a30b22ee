//! What a fault does to an answer on the wire.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use crate::faults::{Fault, FaultKind};
use crate::request_log::Outcome;
use crate::request_record::RequestRecord;
use crate::wire::{Reply, WireBody};

const CHUNK: usize = 64 << 10;
const DRIP_BYTES: usize = 16;
const HUGE_BYTES: u64 = 1 << 30;
const GATEWAY_PAGE: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n";

/// The connection is cut instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("a fault cut this connection")]
pub struct Cut;

/// The answer of a fault that replaces the handler's answer, the same for all providers.
pub fn replacement(fault: &Fault) -> Option<Reply> {
    let status = |usual| fault.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(usual);
    Some(match fault.kind {
        FaultKind::Garbage => {
            Reply::new(status(StatusCode::OK), "application/json", &b"\x00\xff{\"half\": \xfe<garbage>]"[..])
        }
        FaultKind::Html => {
            Reply::new(status(StatusCode::SERVICE_UNAVAILABLE), "text/html", GATEWAY_PAGE).with("server", "awselb/2.0")
        }
        FaultKind::Huge => Reply::new(status(StatusCode::OK), "application/json", Bytes::new()),
        FaultKind::Replace => Reply::json(status(StatusCode::OK), fault.body.as_ref()?),
        _ => return None,
    })
}

/// Builds the response with the fault applied to it, and closes the record.
pub async fn deliver(reply: Reply, fault: Option<&Fault>, record: RequestRecord) -> Result<Response<WireBody>, Cut> {
    let status = reply.status;
    let pause = fault.and_then(|fault| fault.ms).map(Duration::from_millis).unwrap_or_default();
    let (outcome, response) = match fault.map(|fault| fault.kind) {
        Some(FaultKind::Delay) => {
            tokio::time::sleep(pause).await;
            (Outcome::Answered, Ok(reply.into_response()))
        }
        Some(FaultKind::DropAnswer) => (Outcome::AnswerLost, Err(Cut)),
        Some(FaultKind::CutBody) => (Outcome::AnswerLost, Ok(cut_in_the_middle(reply))),
        Some(FaultKind::Drip) => (Outcome::Answered, Ok(drip(reply, pause))),
        Some(FaultKind::Huge) => {
            (Outcome::Answered, Ok(huge(reply, fault.and_then(|fault| fault.bytes).unwrap_or(HUGE_BYTES))))
        }
        _ => (Outcome::Answered, Ok(reply.into_response())),
    };
    record.close(outcome, Some(status));
    response
}

fn announce_length(reply: &mut Reply) {
    reply.headers.insert(CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
}

fn cut_in_the_middle(mut reply: Reply) -> Response<WireBody> {
    announce_length(&mut reply);
    let half = reply.body.slice(..reply.body.len() / 2);
    let body = stream::iter([Ok(Frame::data(half)), Err(io::Error::other(Cut))]).then(|frame| async move {
        if frame.is_err() {
            // Lets the first half reach the client before the connection closes.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        frame
    });
    reply.with_body(StreamBody::new(body).boxed_unsync())
}

fn drip(mut reply: Reply, pause: Duration) -> Response<WireBody> {
    announce_length(&mut reply);
    let rest = reply.body.clone();
    let body = stream::unfold(rest, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(DRIP_BYTES.min(rest.len()));
        Some((Ok(Frame::data(piece)), rest))
    });
    reply.with_body(StreamBody::new(body).boxed_unsync())
}

/// A body of that many bytes: valid JSON, for a client that reads it to its end.
fn huge(reply: Reply, bytes: u64) -> Response<WireBody> {
    const HEAD: &[u8] = b"{\"padding\":\"";
    const TAIL: &[u8] = b"\"}";
    let filling = Bytes::from(vec![b'x'; CHUNK]);
    let padding = bytes.saturating_sub((HEAD.len() + TAIL.len()) as u64);
    let middle = stream::unfold(padding, move |left| {
        let piece = filling.slice(..usize::try_from(left).unwrap_or(CHUNK).min(CHUNK));
        let rest = left - piece.len() as u64;
        std::future::ready((!piece.is_empty()).then_some((piece, rest)))
    });
    let whole = stream::iter([Bytes::from_static(HEAD)]).chain(middle).chain(stream::iter([Bytes::from_static(TAIL)]));
    let body =
        StreamBody::new(whole.map(|piece| Ok::<_, Infallible>(Frame::data(piece)))).map_err(|never| match never {});
    reply.with_body(body.boxed_unsync())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> Reply {
        Reply::new(StatusCode::OK, "application/json", vec![b'a'; 100])
    }

    #[tokio::test]
    async fn a_huge_body_has_the_requested_length() {
        let body = huge(reply(), 200_000).into_body().collect().await.expect("no error").to_bytes();
        assert_eq!(body.len(), 200_000);
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
    }

    #[tokio::test]
    async fn a_cut_body_announces_more_than_it_sends() {
        let mut response = cut_in_the_middle(reply());
        assert_eq!(response.headers()[CONTENT_LENGTH], "100");
        let first = response.body_mut().frame().await.expect("a frame").expect("the first half");
        assert_eq!(first.into_data().expect("data").len(), 50);
        assert!(response.body_mut().frame().await.expect("a frame").is_err());
    }

    #[tokio::test]
    async fn a_body_sent_in_small_pieces_arrives_complete() {
        let body = drip(reply(), Duration::ZERO).into_body().collect().await.expect("no error").to_bytes();
        assert_eq!(body.len(), 100);
    }
}
